"""The OpenAPI document: what FastAPI cannot see by itself is added to it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from cardio.errors import AddressUnknown
from cardiod.api.dependencies import IDEMPOTENCY_KEY, problems
from cardiod.api.problems import STATUS
from cardiod.api.schemas.documents import Problem

ABOUT = """\
The terminal service of citizen cards and social security cards: `read`, `debit`, `settle`, and what they are made of.

Amounts are integers in fen, times RFC 3339 with their offset. Every money request carries an `Idempotency-Key`, made by
you and written down before you send: the same key always gets the same answer. An unknown outcome is `202` with
`state: uncertain`: charge nothing again, put the same card back. Errors say in `money` whether money moved.

A method that is not described here is answered `405`, with the known ones in `Allow`; an address that is not, `404`.
"""
OPEN = frozenset({"/healthz", "/readyz", "/v1/errors", "/v1/errors/{code}", "/v1/logins"})
"""Addresses that want no token."""
REQUEST_ID = "X-Request-ID"
GENERATED = "422"
"""FastAPI says that it answers this to a request of the wrong form; we answer 400."""
SENTENCE_END = "."


def describe(app: FastAPI) -> None:
    """Let an application describe itself."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas[Problem.__name__] = problem
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "Made by `cardiod token create`"}
    }
    components["headers"] = {
        REQUEST_ID: {
            "description": "Of this request; the log has it, too, and so has the `instance` of a problem",
            "required": True,
            "schema": {"type": "string", "format": "uuid"},
        }
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["security"] = [] if path in OPEN else [{"token": []}]
            _summarize(operation)
            _drop_generated(operation["responses"])
            _add_unknown_address(path, operation["responses"])
            for response in operation["responses"].values():
                response.setdefault("headers", {})[REQUEST_ID] = {"$ref": f"#/components/headers/{REQUEST_ID}"}
            for parameter in operation.get("parameters", ()):
                _describe_parameter(parameter)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _summarize(operation: dict[str, Any]) -> None:
    """The first sentence of a route's docstring, instead of the name of its function; a summary is plain text."""
    summary, _, rest = operation["description"].partition(SENTENCE_END)
    operation["summary"] = " ".join(summary.replace("`", "").split())
    operation["description"] = rest.strip()


def _drop_generated(responses: dict[str, Any]) -> None:
    content = responses.get(GENERATED, {}).get("content", {})
    if "application/json" in content:
        del responses[GENERATED]


def _add_unknown_address(path: str, responses: dict[str, Any]) -> None:
    """A parameter of an address with a slash in it makes another address, which may be unknown."""
    status = STATUS[AddressUnknown.code]
    if "{" in path:
        responses.setdefault(str(status), problems(status)[status])


def _describe_parameter(parameter: dict[str, Any]) -> None:
    """A parameter is missing or has a value, but is never null; and no money moves without a key."""
    schema = parameter["schema"]
    kinds = [kind for kind in schema.pop("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        parameter["schema"] = {**schema, **kinds[0]}
    elif kinds:
        schema["anyOf"] = kinds
    if parameter["name"] == IDEMPOTENCY_KEY:
        parameter["required"] = True
