"""The chain of the journal over HTTP, and the catalogue of errors."""

from __future__ import annotations

import sqlite3
from typing import Any

import httpx
import pytest

from cardio.errors import CardioError
from cardio.ledger.chain import GENESIS
from cardiod.api.problems import STATUS
from cardiod.settings import Scope
from tests.daemon.callers import call, make_token, refused
from tests.daemon.conftest import Daemon, StartDaemon
from tests.daemon.sales import debit, new_key, read, sold


def rows(daemon: Daemon, **which: Any) -> dict[str, Any]:
    document: dict[str, Any] = daemon.http("GET", "/v1/journal", params=which).json()
    return document


def reconcile(daemon: Daemon, **body: Any) -> httpx.Response:
    return daemon.http("POST", "/v1/journal/reconcile", json={"persons": ["01", "02"], "reason": "compared", **body})


def test_the_rows_are_numbered_without_gaps_and_end_with_the_head(shared: Daemon) -> None:
    sold(shared)
    found = rows(shared)
    assert [row["seq"] for row in found["rows"]] == list(range(1, len(found["rows"]) + 1))
    last = found["rows"][-1]
    assert found["head"] == {"seq": last["seq"], "hash": last["hash"]}
    assert shared.http("GET", "/v1/journal/head").json() == found["head"]
    kinds = [row["kind"] for row in found["rows"]]
    assert kinds[:2] == ["journal.key", "service.started"]
    assert kinds[-3:] == ["transaction.accepted", "transaction.armed", "transaction.completed"]


def test_a_reader_of_the_chain_goes_on_where_it_was(shared: Daemon) -> None:
    head = rows(shared)["head"]["seq"]
    assert rows(shared, after=head)["rows"] == []
    sale = sold(shared)
    first = rows(shared, after=head, limit=2)["rows"]
    rest = rows(shared, after=first[-1]["seq"])["rows"]
    assert [row["kind"] for row in [*first, *rest]] == [
        "transaction.accepted",
        "transaction.armed",
        "transaction.completed",
    ]
    assert {row["subject"] for row in [*first, *rest]} == {sale["id"]}


@pytest.mark.parametrize("wrong", [{"after": -1}, {"after": "x"}, {"after": 2**53}, {"limit": 0}, {"limit": 1001}])
def test_rows_that_there_cannot_be_are_400(lasting_daemon: Daemon, wrong: dict[str, Any]) -> None:
    refused(lasting_daemon.http("GET", "/v1/journal", params=wrong), 400, "input.invalid")


def test_the_chain_holds_until_somebody_changes_it(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(scopes=frozenset(Scope))
    sold(daemon)
    verified = daemon.http("POST", "/v1/journal/verify", json={})
    head = daemon.http("GET", "/v1/journal/head").json()
    assert (verified.status_code, verified.json()) == (200, {"rows": head["seq"], "head": head})
    with sqlite3.connect(daemon.settings.journal) as forger:
        for (trigger,) in forger.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            forger.execute(f"DROP TRIGGER {trigger}")
        forger.execute("UPDATE journal SET payload = '{}' WHERE seq = 2")
    forger.close()
    answer = daemon.http("POST", "/v1/journal/verify", json={})
    assert "row 2" in refused(answer, 503, "journal.broken")["detail"]


def test_no_row_holds_a_number_or_a_name(shared: Daemon) -> None:
    read(shared, "holder", "card", reader="social")
    sold(shared)
    answer = shared.http("GET", "/v1/journal").text
    for secret in ("测试甲", "999999199001010016", "A00000126", '123456"'):
        assert secret not in answer


def test_reconciling_wants_two_persons_and_a_reason_and_is_noted_only_if_there_was_a_doubt(shared: Daemon) -> None:
    for wrong in ({"persons": ["01", "01"]}, {"persons": ["01"]}, {"reason": " "}, {"reason": ""}):
        refused(reconcile(shared, **wrong), 400, "input.invalid")
    head = shared.http("GET", "/v1/journal/head").json()
    assert reconcile(shared).status_code == 204
    assert shared.http("GET", "/v1/journal/head").json() == head


def test_a_journal_that_is_behind_takes_no_money_until_it_is_reconciled(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(scopes=frozenset(Scope))
    sold(daemon)
    psam: Any = daemon.sam.card
    purchases = next(d.function for d in psam.master_file.walk() if d.label == "1001")
    purchases.sequence += 5
    refused(debit(daemon, "behind", reader="citizen"), 503, "journal.behind")
    assert daemon.http("GET", "/readyz").json()["status"] == "down"
    assert reconcile(daemon).status_code == 204
    assert debit(daemon, "behind", reader="citizen").status_code == 201
    noted = rows(daemon)["rows"]
    assert "journal.reconciled" in [row["kind"] for row in noted]


def test_the_journal_is_for_whoever_governs_the_terminal(lasting_daemon: Daemon) -> None:
    for scope, method, path, body in [
        (Scope.ADMIN, "GET", "/v1/journal", None),
        (Scope.ADMIN, "GET", "/v1/journal/head", None),
        (Scope.ADMIN, "POST", "/v1/journal/verify", {}),
        (Scope.RESOLVE, "POST", "/v1/journal/reconcile", {"persons": ["01", "02"], "reason": "x"}),
    ]:
        token = make_token(lasting_daemon, new_key(), scopes=frozenset(Scope) - {scope})
        refused(call(lasting_daemon, token, method, path, json=body), 403, "client.forbidden")


def test_every_error_is_explained_to_anybody_in_both_languages(lasting_daemon: Daemon) -> None:
    listed = httpx.get(lasting_daemon.url + "/v1/errors", trust_env=False).json()["errors"]
    assert [entry["code"] for entry in listed] == sorted(CardioError.catalogue)
    for entry in listed:
        alone = lasting_daemon.http("GET", f"/v1/errors/{entry['code']}")
        assert (alone.status_code, alone.json()) == (200, entry)
        assert entry["status"] == STATUS[entry["code"]]
        assert all(entry[member] for member in ("zh", "en", "retry", "money", "action", "about"))
    refused(lasting_daemon.http("GET", "/v1/errors/none"), 404, "error.unknown")


def test_the_type_of_a_problem_is_the_address_of_its_explanation(lasting_daemon: Daemon) -> None:
    problem = lasting_daemon.http("GET", "/v1/transactions/none").json()
    explained = lasting_daemon.http("GET", problem["type"]).json()
    assert {name: problem[name] for name in ("code", "status", "retry", "money", "action")} == {
        name: explained[name] for name in ("code", "status", "retry", "money", "action")
    }
    assert (problem["title"], problem["title_en"]) == (explained["zh"], explained["en"])


def test_a_new_journal_begins_with_nothing_before_its_first_row(daemon: Daemon) -> None:
    token = make_token(daemon, "auditor", scopes=frozenset({Scope.ADMIN}))
    first = call(daemon, token, path="/v1/journal").json()["rows"][0]
    assert first["seq"] == 1
    assert first["hash"] != GENESIS.hex()
