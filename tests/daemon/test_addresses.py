"""Addresses and methods that are not there, and requests without what belongs to them."""

from __future__ import annotations

import httpx
import pytest

from tests.daemon.callers import refused
from tests.daemon.conforming import api_document
from tests.daemon.conftest import TOKEN, Daemon

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("path", ["/index.html", "/v1", "/v1/nothing", "/v1/cards/", "/v2/cards", "/v1/readers/a%2Fb"])
def test_an_unknown_address_is_404_and_never_sends_the_caller_elsewhere(lasting_daemon: Daemon, path: str) -> None:
    refused(lasting_daemon.http("GET", path), 404, "address.unknown")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/transactions", "GET, POST"),
        ("DELETE", "/v1/transactions/abc", "GET"),
        ("PATCH", "/v1/debit", "POST"),
        ("OPTIONS", "/v1/cards", "GET"),
        ("PROPFIND", "/v1/cards/abc", "GET, DELETE"),
        ("DELETE", "/healthz", "GET"),
        ("PUT", "/", "GET"),
    ],
)
def test_a_method_that_the_address_lacks_is_405_and_the_others_are_named(
    lasting_daemon: Daemon, method: str, path: str, allowed: str
) -> None:
    answer = lasting_daemon.http(method, path, headers=JSON)
    refused(answer, 405, "method.unsupported")
    assert answer.headers["allow"] == allowed


def test_an_answer_to_head_has_no_body(lasting_daemon: Daemon) -> None:
    answer = lasting_daemon.http("HEAD", "/v1/cards")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "GET", b"")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'"text"', b"[]", b"null", b"[" * 30000, b"1" * 5000])
def test_a_post_without_a_body_that_is_an_object_is_400(lasting_daemon: Daemon, content: bytes) -> None:
    for path in ("/v1/debit", "/v1/shifts", "/v1/journal/verify", "/v1/transactions/abc/cancel"):
        answer = lasting_daemon.http("POST", path, content=content, headers={**JSON, "Idempotency-Key": "k"})
        refused(answer, 400, "input.invalid")


def test_a_field_whose_name_is_no_text_is_refused_like_any_other(lasting_daemon: Daemon) -> None:
    answer = lasting_daemon.http("POST", "/v1/shifts", content=b'{"operator":"01","\\ud800":1}', headers=JSON)
    refused(answer, 400, "input.invalid")
    answer = lasting_daemon.http("POST", "/v1/shifts", content=b'{"operator":"\\ud800"}', headers=JSON)
    refused(answer, 400, "input.invalid")


def test_every_answer_tells_the_id_of_its_request_and_a_problem_tells_it_again(lasting_daemon: Daemon) -> None:
    answers = [
        lasting_daemon.http("GET", path) for path in ("/healthz", "/v1/cards", "/v1/nothing", "/v1/transactions/abc")
    ]
    answers.append(httpx.get(lasting_daemon.url + "/v1/cards", trust_env=False))
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == len(ids)
    for answer in answers:
        if answer.is_error:
            assert answer.json()["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"


def test_a_request_id_of_the_callers_is_not_taken_over(lasting_daemon: Daemon) -> None:
    answer = lasting_daemon.http("GET", "/v1/cards", headers={"X-Request-ID": "mine"})
    assert answer.headers["x-request-id"] != "mine"


def test_everybody_without_a_token_is_401_except_where_no_token_is_wanted(lasting_daemon: Daemon) -> None:
    for operation in api_document().operations:
        path = operation.path.replace("{number}", "1").replace("{", "").replace("}", "")
        body: dict[str, str] | None = {} if operation.method == "post" else None
        answer = httpx.request(operation.method, lasting_daemon.url + path, trust_env=False, json=body)
        if operation.description["security"]:
            refused(answer, 401, "client.unauthorised")
            assert answer.headers["www-authenticate"] == "Bearer"
        else:
            assert answer.status_code != 401, operation


def test_a_token_in_the_address_is_no_token(lasting_daemon: Daemon) -> None:
    answer = httpx.get(
        f"{lasting_daemon.url}/v1/cards", params={"token": TOKEN, "access_token": TOKEN}, trust_env=False
    )
    refused(answer, 401, "client.unauthorised")
