"""Whether real answers are what the OpenAPI document says: all that the tests of the daemon get are held to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from cardiod.api.app import described
from cardiod.api.problems import MEDIA_TYPE
from cardiod.api.schemas import documents

METHODS = frozenset({"get", "post", "put", "patch", "delete"})
NO_OPERATION = frozenset({404, 405})
"""What is answered where the document has no operation: no such address, or not with this method."""


class Answer(Protocol):
    """What the two HTTP clients of the tests have in common."""

    @property
    def status_code(self) -> int: ...
    @property
    def content(self) -> bytes: ...
    @property
    def headers(self) -> Any: ...


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    method: str
    path: str
    description: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def fits(self, method: str, path: str) -> bool:
        """Whether a request was one for it."""
        pattern = re.sub(r"\{\w+\}", "[^/]+", self.path)
        return method.lower() == self.method and re.fullmatch(pattern, path) is not None

    def check(self, answer: Answer) -> None:
        """Insist that an answer is one of the documented ones."""
        documented = self.description["responses"].get(str(answer.status_code))
        assert documented is not None, f"{self}: {answer.status_code} is not documented"
        contents = documented.get("content", {})
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if not contents:
            assert answer.content == b"", f"{self}: {answer.status_code} has no body in the document"
            return
        assert kind in contents, f"{self}: {kind or 'nothing'} instead of {', '.join(contents)}"
        reference = contents[kind].get("schema", {}).get("$ref")
        if reference is not None:
            model = getattr(documents, reference.rpartition("/")[2])
            model.model_validate_json(answer.content)


class ApiDocument:
    """The document.

    Args:
        content: What `/openapi.json` answers.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.operations = [
            Operation(method, path, described)
            for path, methods in content["paths"].items()
            for method, described in methods.items()
            if method in METHODS
        ]

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation of a request; of two addresses that fit, the one without a parameter in the place."""
        fitting = [one for one in self.operations if one.fits(method, path)]
        return min(fitting, key=lambda one: one.path.count("{"), default=None)

    def component(self, reference: str) -> dict[str, Any]:
        """A schema by its reference."""
        schema: dict[str, Any] = self.content["components"]["schemas"][reference.rpartition("/")[2]]
        return schema

    def check(self, method: str, path: str, answer: Answer) -> None:
        """Insist that an answer is as the document says."""
        operation = self.operation(method, path)
        if operation is not None:
            operation.check(answer)
        elif answer.status_code in NO_OPERATION and method != "HEAD":
            assert answer.headers["content-type"] == MEDIA_TYPE
            documents.Problem.model_validate_json(answer.content)


@cache
def api_document() -> ApiDocument:
    """The document of every daemon: it does not depend on the counter behind it, and takes its time to be made."""
    return ApiDocument(described().openapi())
