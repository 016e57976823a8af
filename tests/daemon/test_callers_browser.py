"""Web pages: DNS rebinding, foreign origins, preflights, and what a browser may make of an answer."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from cardio.ledger.ledger import now
from tests.daemon.callers import DEBIT, call, clients, debit, make_token, refused
from tests.daemon.conftest import TOKEN, Daemon, StartDaemon

HIS = "https://his.example"
OTHER = "https://other.example"


@pytest.fixture
def daemon(start_daemon: StartDaemon) -> Daemon:
    """A daemon that one web page may call."""
    return start_daemon(origins=(HIS,))


def preflight(daemon: Daemon, origin: str, **headers: str) -> httpx.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", **headers}
    return call(daemon, None, "OPTIONS", "/v1/debit", headers=asked)


def permissions(answer: httpx.Response) -> list[str]:
    return [name for name in answer.headers if name.startswith("access-control-allow")]


# ---- DNS rebinding -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7816", "127.0.0.1.evil.example", "127.0.0.1@evil", "", "[::1"]
)
def test_a_page_that_rebound_its_name_to_us_is_421_even_with_a_token(daemon: Daemon, host: str) -> None:
    headers = {"Host": host, "Idempotency-Key": "k"}
    refused(call(daemon, TOKEN, "POST", "/v1/debit", json=DEBIT, headers=headers), 421, "host.forbidden")
    refused(call(daemon, TOKEN, headers={"Host": host, "Origin": f"http://{host}"}), 421, "host.forbidden")
    assert clients(daemon) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:7816", "LOCALHOST", "[::1]", "[::1]:7816"])
def test_our_own_names_are_served(daemon: Daemon, host: str) -> None:
    assert call(daemon, TOKEN, headers={"Host": host}).status_code == 200


# ---- origins -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    [
        *(OTHER, "null", "*", "", "http://his.example", "https://his.example:8443", "https://his.example.evil.example"),
        *("https://HIS.example", "https://his.example/", "http://127.0.0.1", "file://"),
    ],
)
def test_a_page_of_another_origin_is_403_and_gets_no_permission(daemon: Daemon, origin: str) -> None:
    answer = call(daemon, TOKEN, "POST", "/v1/debit", json=DEBIT, headers={"Origin": origin, "Idempotency-Key": "k"})
    refused(answer, 403, "origin.forbidden")
    assert permissions(answer) == []
    refused(preflight(daemon, origin), 403, "origin.forbidden")
    assert clients(daemon) == []


def test_two_origins_at_once_are_none(daemon: Daemon) -> None:
    headers = [("Authorization", f"Bearer {TOKEN}"), ("Origin", HIS), ("Origin", OTHER)]
    answer = httpx.get(daemon.url + "/v1/cards", headers=headers, trust_env=False)
    refused(answer, 403, "origin.forbidden")


def test_a_configured_page_is_answered_and_may_read_the_answer(daemon: Daemon) -> None:
    answer = call(daemon, TOKEN, headers={"Origin": HIS})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == HIS
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers


def test_a_configured_page_may_read_refusals_too(daemon: Daemon) -> None:
    answer = call(daemon, "wrong", headers={"Origin": HIS})
    refused(answer, 401, "client.unauthorised")
    assert answer.headers["access-control-allow-origin"] == HIS


def test_a_page_that_we_serve_ourselves_is_at_home_and_the_one_next_door_is_not(daemon: Daemon) -> None:
    assert call(daemon, TOKEN, headers={"Origin": daemon.url}).status_code == 200
    refused(call(daemon, TOKEN, headers={"Origin": "http://127.0.0.1:1"}), 403, "origin.forbidden")


def test_a_preflight_of_a_configured_page_gets_what_it_needs_and_no_more(daemon: Daemon) -> None:
    answer = preflight(daemon, HIS, **{"Access-Control-Request-Headers": "authorization,content-type,idempotency-key"})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == HIS
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("authorization", "content-type", "idempotency-key"))
    assert "access-control-allow-private-network" not in answer.headers
    asked = preflight(daemon, HIS, **{"Access-Control-Request-Private-Network": "true"})
    assert asked.headers["access-control-allow-private-network"] == "true"


def test_a_token_of_a_page_works_there_and_nowhere_else(daemon: Daemon) -> None:
    token = make_token(daemon, origin=OTHER)
    assert preflight(daemon, OTHER).status_code == 204
    assert call(daemon, token, headers={"Origin": OTHER}).status_code == 200
    refused(call(daemon, token, headers={"Origin": HIS}), 403, "origin.forbidden")
    refused(call(daemon, token, headers={"Origin": daemon.url}), 403, "origin.forbidden")
    refused(call(daemon, token), 403, "origin.forbidden")


def test_a_page_that_is_known_by_its_token_only_cannot_use_others(daemon: Daemon) -> None:
    make_token(daemon, origin=OTHER)
    refused(call(daemon, TOKEN, headers={"Origin": OTHER}), 403, "origin.forbidden")
    refused(call(daemon, make_token(daemon, "unbound"), headers={"Origin": OTHER}), 403, "origin.forbidden")


def test_an_expired_token_brings_no_origin(daemon: Daemon) -> None:
    make_token(daemon, origin=OTHER, expires=now() - timedelta(seconds=1))
    refused(preflight(daemon, OTHER), 403, "origin.forbidden")


# ---- what pages can send without being asked, and what answers say -------------------------------------------


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"]
)
def test_a_post_that_is_not_declared_as_json_is_415(daemon: Daemon, kind: str | None) -> None:
    headers = {"Idempotency-Key": "k", **({} if kind is None else {"Content-Type": kind})}
    answer = call(daemon, TOKEN, "POST", "/v1/debit", content=b'{"purse":"wallet"}', headers=headers)
    refused(answer, 415, "body.unsupported")
    assert clients(daemon) == []


def test_json_with_its_charset_is_json(daemon: Daemon) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8", "Idempotency-Key": "k"}
    content = b'{"purse":"wallet","amount_fen":100,"reference":"sale"}'
    assert call(daemon, TOKEN, "POST", "/v1/debit", content=content, headers=headers).status_code == 201


def test_every_answer_keeps_itself_out_of_caches_and_foreign_pages(daemon: Daemon) -> None:
    answers = [
        call(daemon, TOKEN),
        call(daemon, None),
        call(daemon, TOKEN, path="/v1/nothing"),
        call(daemon, TOKEN, headers={"Host": "evil.example"}),
        call(daemon, TOKEN, "POST", "/v1/debit", content=b"x"),
        call(daemon, None, path="/healthz"),
        debit(daemon, TOKEN, "k"),
    ]
    assert {answer.status_code for answer in answers} == {200, 201, 401, 404, 415, 421}
    for answer in answers:
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers


def test_a_cookie_is_no_token(daemon: Daemon) -> None:
    headers = {"Cookie": f"token={TOKEN}; Authorization=Bearer {TOKEN}"}
    refused(call(daemon, None, headers=headers), 401, "client.unauthorised")
