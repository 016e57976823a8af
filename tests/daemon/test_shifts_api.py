"""Shifts and batches: the order of a working day."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import httpx
import pytest

from cardio.virtual.card import Moment
from cardiod.settings import Scope
from tests.daemon.callers import call, make_token, refused
from tests.daemon.conftest import Daemon, StartDaemon
from tests.daemon.sales import debit, money, new_key, settled, sold, torn


def open_shift(daemon: Daemon, operator: str, **more: Any) -> httpx.Response:
    return daemon.http("POST", "/v1/shifts", json={"operator": operator, **more})


def close_shift(daemon: Daemon, identifier: str, **body: Any) -> httpx.Response:
    return daemon.http("POST", f"/v1/shifts/{identifier}/close", json=body)


def close_batch(daemon: Daemon, **body: Any) -> httpx.Response:
    return daemon.http("POST", "/v1/batches", json=body)


def waiting(daemon: Daemon) -> dict[str, Any]:
    document: dict[str, Any] = daemon.http("GET", "/v1/batches").json()["waiting"]
    return document


# ---- shifts --------------------------------------------------------------------------------------------------


def test_a_shift_is_opened_once_for_an_operator_and_a_lane(shared: Daemon) -> None:
    operator = new_key()
    opened = open_shift(shared, operator)
    shift = opened.json()
    assert (opened.status_code, shift["operator"], shift["lane"], shift["closed_at"]) == (201, operator, "", None)
    assert shift["terminals"] == ["999999000001"]
    assert shift["software"].startswith("cardio ")
    refused(open_shift(shared, operator), 409, "shift.open")
    other = open_shift(shared, operator, lane="B")
    assert other.status_code == 201
    assert shared.http("GET", f"/v1/shifts/{shift['id']}").json() == shift
    listed = [one["id"] for one in shared.http("GET", "/v1/shifts").json()["shifts"]]
    assert listed[:2] == [other.json()["id"], shift["id"]]


def test_both_ends_of_a_shift_hold_the_head_of_the_chain(shared: Daemon) -> None:
    head = shared.http("GET", "/v1/journal/head").json()
    shift = open_shift(shared, new_key()).json()
    assert shift["opened_head"] == head
    head = shared.http("GET", "/v1/journal/head").json()
    closed = close_shift(shared, shift["id"], operator="supervisor")
    document = closed.json()
    assert (closed.status_code, document["closed_by"], document["closed_head"]) == (200, "supervisor", head)
    refused(close_shift(shared, shift["id"]), 404, "shift.unknown")
    assert shared.http("GET", f"/v1/shifts/{shift['id']}").json() == document


def test_a_shift_sums_what_its_operator_did(shared: Daemon) -> None:
    operator = new_key()
    shift = open_shift(shared, operator).json()["id"]
    sold(shared, operator=operator, amount_fen=100)
    sold(shared, operator=operator, amount_fen=200)
    sold(shared, operator="somebody else", amount_fen=400)
    bill = settled(shared, operator=operator)
    assert bill["shift"] == shift
    document = close_shift(shared, shift).json()
    assert document["closed_by"] == operator
    assert [(one["purse"], one["count"], one["amount_fen"]) for one in document["totals"]] == [
        ("medical", 1, 2500),
        ("wallet", 3, 1800),
    ]


def test_open_shifts_are_listed_apart(shared: Daemon) -> None:
    closed = open_shift(shared, new_key()).json()["id"]
    close_shift(shared, closed)
    still = open_shift(shared, new_key()).json()["id"]
    listed = {one["id"] for one in shared.http("GET", "/v1/shifts", params={"open": True}).json()["shifts"]}
    assert still in listed
    assert closed not in listed
    assert still in {shift["id"] for shift in shared.http("GET", "/v1/status").json()["shifts"]}
    refused(shared.http("GET", "/v1/shifts", params={"open": "perhaps"}), 400, "input.invalid")


@pytest.mark.parametrize(
    "wrong", [{"operator": ""}, {"operator": None}, {"operator": "x" * 65}, {"lane": None}, {"lane": 3}, {"till": "1"}]
)
def test_a_shift_of_the_wrong_form_is_400(lasting_daemon: Daemon, wrong: dict[str, Any]) -> None:
    answer = lasting_daemon.http("POST", "/v1/shifts", json={"operator": "01", **wrong})
    refused(answer, 400, "input.invalid")


def test_an_unknown_shift_is_404(lasting_daemon: Daemon) -> None:
    refused(lasting_daemon.http("GET", "/v1/shifts/none"), 404, "shift.unknown")
    refused(close_shift(lasting_daemon, "none"), 404, "shift.unknown")


# ---- batches -------------------------------------------------------------------------------------------------


def test_a_batch_holds_what_was_recorded_since_the_one_before(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    assert waiting(daemon) == {"records": 0, "uncertain": 0, "sums": []}
    refused(close_batch(daemon), 409, "batch.empty")
    sold(daemon, amount_fen=100)
    sold(daemon, amount_fen=200)
    sums = [{"purse": "wallet", "operation": "purchase", "count": 2, "amount_fen": 300}]
    assert waiting(daemon) == {"records": 2, "uncertain": 0, "sums": sums}
    first = close_batch(daemon)
    document = first.json()
    assert (first.status_code, document["number"], document["state"], document["records"]) == (201, 1, "closed", 2)
    assert (document["sums"], document["previous_hash"]) == (sums, "0" * 64)
    assert waiting(daemon)["records"] == 0
    shift = open_shift(daemon, "01").json()["id"]
    sold(daemon, amount_fen=50)
    second = close_batch(daemon, shift=shift).json()
    assert (second["number"], second["shift"], second["previous_hash"]) == (2, shift, document["hash"])
    listed = daemon.http("GET", "/v1/batches").json()["batches"]
    assert listed == [second, document]
    assert daemon.http("GET", "/v1/batches/1").json() == document


def test_its_file_is_lines_of_json_under_a_hash_and_never_changes(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    sale = sold(daemon)
    money(daemon, f"transactions/{sale['id']}/reverse", {"by": "order", "reason": "x", "amount_fen": 34}, "back")
    torn(daemon, Moment.AFTER_COMMIT)
    closed = close_batch(daemon).json()
    file = daemon.http("GET", "/v1/batches/1/file")
    assert (file.status_code, file.headers["content-type"]) == (200, "application/x-ndjson")
    *lines, last = file.text.splitlines()
    header, *records = map(json.loads, lines)
    assert (header["batch"], header["records"], header["uncertain"]) == (1, 3, 1)
    assert [(one["id"], one["state"]) for one in records[:1]] == [(sale["id"], "completed")]
    assert [one["state"] for one in records[1:]] == ["ordered", "uncertain"]
    digest = hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()
    assert json.loads(last) == {"hash": digest}
    assert digest == closed["hash"]
    debit(daemon, "another", reader="citizen", wait_s=0)
    assert daemon.http("GET", "/v1/batches/1/file").content == file.content


def test_an_unknown_batch_is_404_and_an_impossible_number_400(lasting_daemon: Daemon) -> None:
    for what in ("", "/file"):
        refused(lasting_daemon.http("GET", f"/v1/batches/999{what}"), 404, "batch.unknown")
        for number in ("0", "-1", "one", "9" * 20, "1.5"):
            refused(lasting_daemon.http("GET", f"/v1/batches/{number}{what}"), 400, "input.invalid")
    refused(close_batch(lasting_daemon, shift=7), 400, "input.invalid")
    refused(close_batch(lasting_daemon, shift="none"), 404, "shift.unknown")


def test_shifts_and_batches_want_their_scopes(lasting_daemon: Daemon) -> None:
    requests = [
        (Scope.SHIFT, "POST", "/v1/shifts", {"operator": "01"}),
        (Scope.SHIFT, "POST", "/v1/shifts/none/close", {}),
        (Scope.BATCH, "POST", "/v1/batches", {}),
        (Scope.BATCH, "GET", "/v1/batches/1/file", None),
        (Scope.READ_CARD, "GET", "/v1/shifts", None),
        (Scope.READ_CARD, "GET", "/v1/shifts/none", None),
        (Scope.READ_CARD, "GET", "/v1/batches", None),
        (Scope.READ_CARD, "GET", "/v1/batches/1", None),
    ]
    for scope, method, path, body in requests:
        token = make_token(lasting_daemon, new_key(), scopes=frozenset(Scope) - {scope})
        refused(call(lasting_daemon, token, method, path, json=body), 403, "client.forbidden")
