"""Logins of the console: a code opens one session, which looks and resolves, but charges nobody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from cardio.ledger.ledger import now
from cardiod.logins import CODE_LIFE, CONSOLE_SCOPES, SESSION_LIFE
from cardiod.settings import Scope
from tests.daemon.callers import call, debit, make_token, refused
from tests.daemon.conftest import TOKEN, Daemon
from tests.daemon.sales import BILL, DEBIT, accepted, new_key, sold, torn


def new_code(daemon: Daemon) -> str:
    answer = daemon.http("POST", "/v1/logins/new", json={})
    assert answer.status_code == 201
    return str(answer.json()["code"])


def login(daemon: Daemon, code: str) -> httpx.Response:
    """A browser has no token yet."""
    return call(daemon, None, "POST", "/v1/logins", json={"code": code}, headers={"Origin": daemon.url})


@pytest.fixture
def session(shared: Daemon) -> str:
    """Token of a session."""
    return str(login(shared, new_code(shared)).json()["token"])


def test_a_code_opens_one_session_and_is_worthless_afterwards(lasting_daemon: Daemon) -> None:
    code = new_code(lasting_daemon)
    opened = login(lasting_daemon, code)
    assert opened.status_code == 201
    assert "set-cookie" not in opened.headers
    left = datetime.fromisoformat(opened.json()["expires"]) - now()
    assert timedelta(0) < left <= SESSION_LIFE
    answer = login(lasting_daemon, code)
    refused(answer, 401, "login.invalid")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert call(lasting_daemon, opened.json()["token"]).status_code == 200
    refused(call(lasting_daemon, code), 401, "client.unauthorised")


def test_every_code_and_every_session_is_another(lasting_daemon: Daemon) -> None:
    codes = {new_code(lasting_daemon) for _ in range(3)}
    tokens = {login(lasting_daemon, code).json()["token"] for code in codes}
    assert len(codes) == len(tokens) == 3
    assert all(call(lasting_daemon, token).status_code == 200 for token in tokens)


@pytest.mark.parametrize("code", ["x", "0" * 32, TOKEN])
def test_a_code_that_was_never_made_opens_nothing(lasting_daemon: Daemon, code: str) -> None:
    refused(login(lasting_daemon, code), 401, "login.invalid")


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": 7}, {"code": "x" * 129}, {"code": "x", "user": "root"}])
def test_a_login_of_the_wrong_form_is_400(lasting_daemon: Daemon, body: dict[str, Any]) -> None:
    refused(call(lasting_daemon, None, "POST", "/v1/logins", json=body), 400, "input.invalid")


def test_a_code_that_was_not_used_in_time_opens_nothing(
    lasting_daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = new_code(lasting_daemon)
    monkeypatch.setattr("cardiod.logins.now", lambda: now() + CODE_LIFE + timedelta(seconds=1))
    refused(login(lasting_daemon, code), 401, "login.invalid")


def test_a_session_ends_with_the_day(shared: Daemon, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cardiod.logins.now", lambda: now() + SESSION_LIFE - timedelta(minutes=1))
    assert call(shared, session).status_code == 200
    monkeypatch.setattr("cardiod.logins.now", lambda: now() + SESSION_LIFE + timedelta(minutes=1))
    refused(call(shared, session), 401, "client.unauthorised")


def test_a_logout_ends_its_own_session_only(shared: Daemon, session: str) -> None:
    other = login(shared, new_code(shared)).json()["token"]
    answer = call(shared, session, "POST", "/v1/logout", json={})
    assert (answer.status_code, answer.content) == (204, b"")
    refused(call(shared, session), 401, "client.unauthorised")
    assert call(shared, other).status_code == 200
    assert shared.http("POST", "/v1/logout", json={}).status_code == 204
    assert call(shared, TOKEN).status_code == 200, "a token that somebody configured is not ended by its holder"
    refused(call(shared, None, "POST", "/v1/logout", json={}), 401, "client.unauthorised")


def test_only_whoever_governs_makes_codes(lasting_daemon: Daemon) -> None:
    token = make_token(lasting_daemon, new_key(), scopes=frozenset(Scope) - {Scope.ADMIN})
    refused(call(lasting_daemon, token, "POST", "/v1/logins/new", json={}), 403, "client.forbidden")


def test_the_console_charges_nobody_and_reads_no_person(shared: Daemon, session: str) -> None:
    requests: list[tuple[str, dict[str, Any]]] = [
        ("/v1/debit", DEBIT),
        ("/v1/load", {"amount_fen": 1, "reference": "x"}),
        ("/v1/settle", {"bill": BILL, "tender": "cash", "reference": "x"}),
        ("/v1/settlements", {"bill": BILL, "tender": "cash", "reference": "x"}),
        *(("/v1/transactions", {"kind": kind, "reference": "x", "amount_fen": 1}) for kind in ("debit", "load")),
        ("/v1/logins/new", {}),
        ("/v1/journal/verify", {}),
    ]
    for path, body in requests:
        answer = call(shared, session, "POST", path, json=body, headers={"Idempotency-Key": new_key()})
        refused(answer, 403, "client.forbidden")
    body = {"purpose": "look", "fields": ["holder"], "reader": "social"}
    seen = call(shared, session, "POST", "/v1/read", json=body)
    assert seen.json()["masked"] is True
    assert "测试甲" not in seen.text


def test_the_console_looks_cancels_resolves_gives_back_and_closes(shared: Daemon, session: str) -> None:
    sale = sold(shared)
    for path in ("/v1/status", "/v1/cards", "/v1/readers", "/v1/transactions", "/v1/batches", "/metrics"):
        assert call(shared, session, path=path).status_code == 200
    assert call(shared, session, path="/v1/events", params={"after": 0, "limit": 1}).status_code == 200
    back = call(
        shared,
        session,
        "POST",
        f"/v1/transactions/{sale['id']}/reverse",
        json={"by": "order", "reason": "x"},
        headers={"Idempotency-Key": new_key()},
    )
    assert back.status_code == 201
    uncertain, _ = torn(shared)
    persons = {"money": "none", "persons": ["01", "02"], "reason": "x"}
    resolved = call(shared, session, "POST", f"/v1/transactions/{uncertain}/resolve", json=persons)
    assert resolved.json()["state"] == "resolved"
    waiting = accepted(shared)
    assert call(shared, session, "POST", f"/v1/transactions/{waiting}/cancel", json={}).json()["state"] == "cancelled"
    assert call(shared, session, "POST", "/v1/batches", json={}).status_code == 201
    shift = call(shared, session, "POST", "/v1/shifts", json={"operator": new_key()})
    assert call(shared, session, "POST", f"/v1/shifts/{shift.json()['id']}/close", json={}).status_code == 200
    assert Scope.DEBIT not in CONSOLE_SCOPES


def test_a_session_is_for_our_own_pages_and_programs_here(shared: Daemon, session: str) -> None:
    assert call(shared, session, headers={"Origin": shared.url}).status_code == 200
    refused(call(shared, session, headers={"Origin": "https://evil.example"}), 403, "origin.forbidden")


def test_the_console_is_a_client_of_its_own(shared: Daemon, session: str) -> None:
    key = new_key()
    assert debit(shared, TOKEN, key, reader="citizen").status_code == 201
    answer = call(shared, session, path="/v1/transactions", params={"idempotency_key": key})
    refused(answer, 404, "transaction.unknown")
