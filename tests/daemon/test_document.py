"""The OpenAPI document itself: what an integrator reads before the first call."""

from __future__ import annotations

import pytest

from cardiod.api.schemas import documents
from tests.daemon.conforming import ApiDocument, Operation, api_document
from tests.daemon.conftest import Daemon


@pytest.fixture
def document() -> ApiDocument:
    return api_document()


def test_every_operation_says_what_it_does_and_where_it_belongs(document: ApiDocument) -> None:
    summaries = [operation.description["summary"] for operation in document.operations]
    assert len(set(summaries)) == len(summaries)
    for operation in document.operations:
        assert operation.description["tags"], operation
        assert " " in operation.description["summary"], operation
        assert not set(operation.description["summary"]) & set("`."), operation


def test_every_body_has_an_example(document: ApiDocument) -> None:
    bodies = [operation for operation in document.operations if "requestBody" in operation.description]
    assert len(bodies) > 20
    for operation in bodies:
        schema = operation.description["requestBody"]["content"]["application/json"]["schema"]
        assert document.component(schema["$ref"])["examples"], operation


def test_every_status_says_what_it_stands_for_and_what_comes_with_it(document: ApiDocument) -> None:
    for operation in document.operations:
        for status, answer in operation.description["responses"].items():
            assert answer["description"], f"{operation} {status}"
            if status == "204":
                assert "content" not in answer, operation
                continue
            assert answer["content"], f"{operation} {status}"
            problem = answer["content"].get("application/problem+json")
            assert (problem is not None) == (int(status) >= 400 and answer["content"].keys() != {"application/json"})
            if problem is not None:
                assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_no_operation_promises_problems_that_only_others_have(document: ApiDocument) -> None:
    plain = document.operation("GET", "/v1/cards")
    assert plain is not None
    assert plain.description["responses"]["403"]["description"] == "`client.forbidden`, `origin.forbidden`"


def test_every_answer_of_ours_is_a_model_that_takes_no_more_than_it_names(document: ApiDocument) -> None:
    schemas = document.content["components"]["schemas"]
    for name, schema in schemas.items():
        if schema.get("type") == "object" and name != "Problem":
            assert schema["additionalProperties"] is False, name
    named = {name for name in schemas if hasattr(documents, name)}
    assert {"Transaction", "Settlement", "Shift", "Batch", "Event", "Readiness", "Problem"} <= named


def test_a_money_operation_cannot_be_called_without_its_key(document: ApiDocument) -> None:
    keyed = {
        str(operation): parameter["required"]
        for operation in document.operations
        for parameter in operation.description.get("parameters", ())
        if parameter["name"] == "Idempotency-Key"
    }
    assert set(keyed) == {
        "POST /v1/debit",
        "POST /v1/load",
        "POST /v1/settle",
        "POST /v1/transactions",
        "POST /v1/settlements",
        "POST /v1/transactions/{identifier}/reverse",
        "POST /v1/settlements/{identifier}/reverse",
    }
    assert set(keyed.values()) == {True}


def test_no_parameter_is_ever_null(document: ApiDocument) -> None:
    for operation in document.operations:
        for parameter in operation.description.get("parameters", ()):
            assert "null" not in str(parameter["schema"]), f"{operation} {parameter['name']}"


def parametrized(operation: Operation) -> bool:
    return "{" in operation.path


def test_an_address_with_a_parameter_may_be_unknown(document: ApiDocument) -> None:
    for operation in filter(parametrized, document.operations):
        assert "404" in operation.description["responses"], operation


def test_it_is_what_the_daemon_answers(document: ApiDocument, daemon: Daemon) -> None:
    assert daemon.http("GET", "/openapi.json").json() == document.content
