"""The whole OpenAPI document against a real daemon: every example works, and nothing that fits or does not breaks it.

Schemathesis makes the requests: the bounds of every field, what is just beyond them, and random ones. So that they get
further than the first refusal, what there is at this counter is put in most of the time, where a request is free to say
anything: ids, readers, amounts that the cards hold. `wait_s` becomes 0 where it is valid, because no card comes that is
waited for; a stream of events is asked for as a list, because it does not end.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import derive_operation_seed
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.daemon.conforming import Operation, api_document
from tests.daemon.conftest import TOKEN, Daemon
from tests.daemon.sales import new_key
from tests.daemon.things import Things
from tests.summary import SUMMARY

Case = schemathesis.Case[Any]
SEED = int(os.environ.get("CARDIO_SCHEMA_SEED", "20261124"))
EXAMPLES = 12
"""Random requests for each operation, besides those that its bounds ask for."""
LONGEST_WAIT = 300
SUCCESS = range(200, 300)
UNAVAILABLE = frozenset({503, 507})
"""Something outside of us is the matter, and told in a problem: a reader that is missing, a disk that is full."""
CONFIG = schemathesis.Config.from_dict(
    {
        "headers": {"Authorization": f"Bearer {TOKEN}"},
        "generation": {"mode": "all"},
        "phases": {
            # A POST that is not declared as JSON is refused before its address is looked at, so none is tried where
            # there is none.
            "coverage": {"unexpected-methods": ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]},
            "stateful": {"enabled": False},
        },
        "checks": {
            # Nothing but these, so that a wish that is not understood is not mistaken for one that cannot be met.
            "negative_data_rejection": {"expected-statuses": ["400", "401", "404", "405", "413", "415"]},
        },
    }
)
CHECKS = [
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
]


class Tally:
    """What was sent and answered."""

    def __init__(self) -> None:
        self.statuses: dict[str, Counter[int]] = {str(operation): Counter() for operation in api_document().operations}
        self.undocumented = 0

    def add(self, operation: Operation, status: int) -> None:
        """Count an answer."""
        self.statuses[str(operation)][status] += 1
        self.undocumented += str(status) not in operation.description["responses"] and status != 405

    @property
    def line(self) -> str:
        """For the end of the run."""
        every = sum(self.statuses.values(), Counter[int]())
        errors = sum(count for status, count in every.items() if status >= 500 and status not in UNAVAILABLE)
        return (
            f"OpenAPI: {len(self.statuses)} operations, {every.total()} cases, {errors} server errors,"
            f" {self.undocumented} undocumented statuses (CARDIO_SCHEMA_SEED={SEED})"
        )


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    """Of all tests here; told at the end of the run."""
    counted = Tally()
    yield counted
    SUMMARY["schema"] = counted.line


@pytest.fixture(scope="module")
def things(issuing_daemon: Daemon) -> Things:
    """What there is to ask about."""
    return Things(issuing_daemon)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for all requests."""
    with requests.Session() as kept:
        kept.trust_env = False
        yield kept


@pytest.mark.parametrize("operation", api_document().operations, ids=str)
def test_the_example_of_every_operation_works(things: Things, tally: Tally, operation: Operation) -> None:
    things.prepare(operation)
    description = operation.description
    body = None
    if "requestBody" in description:
        reference = description["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        (body,) = api_document().component(reference)["examples"]
        body = things.fitted(operation, body)
    named = {parameter["name"]: things.value(operation, parameter) for parameter in description.get("parameters", ())}
    path = operation.path.format_map({name: value for name, value in named.items() if value is not None})
    headers = {"Idempotency-Key": new_key()} if "Idempotency-Key" in named else {}
    params = {"after": 0} if operation.path == "/v1/events" else {}
    answer = things.daemon.http(operation.method.upper(), path, json=body, headers=headers, params=params)
    tally.add(operation, answer.status_code)
    assert answer.status_code in SUCCESS, answer.text


@pytest.fixture(scope="module")
def schema() -> BaseSchema:
    """The document, as schemathesis sees it."""
    return schemathesis.openapi.from_dict(api_document().content, config=CONFIG)


@pytest.mark.parametrize("operation", api_document().operations, ids=str)
def test_no_request_brings_up_what_is_not_documented(
    schema: BaseSchema, things: Things, tally: Tally, session: requests.Session, operation: Operation
) -> None:
    things.prepare(operation)

    def send(case: Case) -> None:
        make_realistic(case, operation, things)
        checks = CHECKS
        if is_stream(case, operation):
            case.query = {**(case.query or {}), "after": "0"}
            # Parameters that nobody knows are ignored, which schemathesis allows only as long as there is no other.
            checks = [check for check in CHECKS if check is not negative_data_rejection]
        answer = case.call(base_url=things.daemon.url, session=session, timeout=60)
        if case.method.lower() == operation.method:
            tally.add(operation, answer.status_code)
        case.validate_response(answer, checks=checks, additional_checks=[no_server_error, no_complaint_about_the_form])

    # Not by its plugin of pytest, which makes all requests when tests are collected, seconds in every worker.
    described = schema.find_operation_by_label(str(operation))
    assert described is not None
    create_test(
        operation=described,
        test_func=send,
        config=HypothesisTestConfig(
            project=schema.config,
            modes=[HypothesisTestMode.EXAMPLES, HypothesisTestMode.COVERAGE, HypothesisTestMode.FUZZING],
            settings=settings(
                max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
            ),
            seed=derive_operation_seed(SEED, str(operation)),
        ),
    )()


def no_server_error(ctx: Any, response: Any, case: Case) -> None:
    """A bug is answered with 500, and has no place here; what is missing outside of us is told as a problem."""
    if response.status_code >= 500 and response.status_code not in UNAVAILABLE:
        raise AssertionError(f"{response.status_code}: {response.text}")


def no_complaint_about_the_form(ctx: Any, response: Any, case: Case) -> None:
    """A request that fits the document is not refused as one of the wrong form."""
    positive = case.meta is not None and case.meta.generation.mode.is_positive
    if positive and response.status_code == 400 and "errors" in response.json():
        raise AssertionError(f"a request that fits the document does not fit the daemon: {response.text}")


def make_realistic(case: Case, operation: Operation, things: Things) -> None:
    """Put in, most of the time, what there is; what is meant to be wrong stays as it is."""
    # The same request is always changed in the same way, so that one that failed fails again.
    chance = random.Random(crc32(repr((case.path_parameters, case.body)).encode("utf-8", "backslashreplace")))  # noqa: S311
    meta = case.meta

    def meant(location: ParameterLocation) -> bool:
        return meta is not None and not meta.is_negative_at(location)

    if case.path_parameters and meant(ParameterLocation.PATH) and chance.random() < 0.8:
        for parameter in operation.description["parameters"]:
            if parameter["in"] == "path":
                case.path_parameters[parameter["name"]] = things.value(operation, parameter, chance)
    if isinstance(case.body, dict):
        if meant(ParameterLocation.BODY):
            case.body = things.fitted(operation, case.body, chance)
        elif "wait_s" in things.fields(operation):
            given: Any = case.body.get("wait_s", 0)
            valid = type(given) in {int, float} and 0 <= given <= LONGEST_WAIT
            case.body = {**case.body, "wait_s": 0 if valid else given}


def is_stream(case: Case, operation: Operation) -> bool:
    """Whether a request asks for the stream of events."""
    return operation.path == "/v1/events" and case.method == "GET" and "after" not in (case.query or {})


def test_every_operation_has_succeeded_and_nothing_was_undocumented(tally: Tally) -> None:
    """Runs last in this file."""
    without = [name for name, seen in tally.statuses.items() if not any(status in SUCCESS for status in seen)]
    assert without == []
    assert tally.undocumented == 0
