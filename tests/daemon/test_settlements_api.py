"""Settlements as a resource: begun, found, listed, cancelled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from cardio.virtual.card import Moment
from cardiod.settings import Scope
from tests.counter import account_of, eventually, tear, wallet_of
from tests.daemon.callers import call, make_token, refused
from tests.daemon.conftest import PIN, Daemon
from tests.daemon.sales import BILL, SETTLE, begun_by, debit, money, new_key, settle, settled


def one(daemon: Daemon, identifier: str) -> dict[str, Any]:
    document: dict[str, Any] = daemon.http("GET", f"/v1/settlements/{identifier}").json()
    return document


def cancel(daemon: Daemon, identifier: str) -> httpx.Response:
    return daemon.http("POST", f"/v1/settlements/{identifier}/cancel", json={})


def awaiting(daemon: Daemon, key: str) -> dict[str, Any]:
    """A settlement whose medical part is paid, and whose wallet does not come."""
    daemon.take_citizen_out()
    answer = settle(daemon, key, wait_s=0)
    assert (answer.status_code, answer.json()["state"]) == (202, "awaiting_card"), answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_both_addresses_settle_the_same_bill_under_the_same_key(shared: Daemon) -> None:
    key = new_key()
    first = settle(shared, key)
    again = money(shared, "settlements", SETTLE, key)
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    found = shared.http("GET", f"/v1/settlements/{first.json()['id']}")
    assert (found.status_code, found.content) == (200, first.content)


def test_a_list_is_filtered_and_paged(shared: Daemon) -> None:
    reference = new_key()
    bills = [settled(shared, reference=reference, tender=tender) for tender in ("cash", "wallet", "cash")]
    newest_first = [bill["id"] for bill in reversed(bills)]

    def found(**filters: Any) -> list[str]:
        answer = shared.http("GET", "/v1/settlements", params={"reference": reference, **filters}).json()
        return [bill["id"] for bill in answer["settlements"]]

    assert found() == newest_first
    assert found(state="completed", limit=2) == newest_first[:2]
    assert found(before=newest_first[1]) == newest_first[2:]
    assert found(since=bills[1]["created_at"]) == newest_first[:2]
    assert found(until=bills[1]["created_at"]) == newest_first[2:]
    assert found(state="cancelled") == []


def test_figures_of_a_bill_that_do_not_make_their_sum_are_told_and_kept_as_they_came(shared: Daemon) -> None:
    bill = {"total_fen": 12000, "fund_fen": 6000, "account_fen": 2500, "self_pay_fen": 1500}
    told = {"person_fen": 5400, "funds": [{"fund": "310100", "amount_fen": 6000}], "message": "H9999"}
    done = settled(shared, bill={**bill, "hospital_fen": 500, "mutual_aid_fen": 1500}, bill_details=told, tender="cash")
    assert done["bill"] == {**bill, "hospital_fen": 500, "mutual_aid_fen": 1500, "mutual_aid": "outside"}
    shares = [{"fund": "310100", "amount_fen": 6000, "in_scope_fen": None, "limit_fen": None}]
    assert {name: value for name, value in done["bill_details"].items() if value is not None} == {
        **told,
        "funds": shares,
    }
    assert done["bill_checks"] == [
        {"identity": "funds", "holds": True, "difference_fen": 0},
        {"identity": "person", "holds": False, "difference_fen": 100},
    ]
    assert one(shared, done["id"]) == done


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"bill": {**BILL, "fund_fen": 1}}, 422, "bill.inconsistent"),
        ({"bill": {**BILL, "fund_fen": 8500, "self_pay_fen": -1000}}, 422, "amount.invalid"),
        ({"bill": dict.fromkeys(BILL, 0)}, 422, "amount.invalid"),
        ({"bill": {**BILL, "total_fen": 10000.5}}, 400, "input.invalid"),
        ({"bill": {**BILL, "tip_fen": 1}}, 400, "input.invalid"),
        ({"bill": None}, 400, "input.invalid"),
        ({"bill": {**BILL, "hospital_fen": 1}}, 422, "bill.inconsistent"),
        ({"bill_details": {"funds": [{"fund": "310100"}]}}, 400, "input.invalid"),
        ({"bill_details": {"own_cost_fen": -1}}, 400, "input.invalid"),
        ({"tender": "card"}, 400, "input.invalid"),
        ({"reference": ""}, 400, "input.invalid"),
        ({"reader": "citizen", "wait_s": 0}, 422, "operation.unsupported"),
    ],
)
def test_what_is_no_bill_is_refused_and_takes_nothing(
    shared: Daemon, wrong: dict[str, Any], status: int, code: str
) -> None:
    refused(settle(shared, new_key(), **wrong), status, code)
    card: Any = shared.social.card
    assert account_of(card).balance == 50000


def test_a_settlement_wants_a_key_and_its_scope(shared: Daemon) -> None:
    refused(settle(shared, None), 400, "idempotency.missing")
    token = make_token(shared, new_key(), scopes=frozenset(Scope) - {Scope.SETTLE})
    for path in ("/v1/settle", "/v1/settlements"):
        answer = call(shared, token, "POST", path, json=SETTLE, headers={"Idempotency-Key": new_key()})
        refused(answer, 403, "client.forbidden")
    identifier = settled(shared)["id"]
    refused(call(shared, token, "POST", f"/v1/settlements/{identifier}/cancel", json={}), 403, "client.forbidden")


def test_a_wallet_that_does_not_come_leaves_its_part_due_in_cash(shared: Daemon) -> None:
    key = new_key()
    bill = awaiting(shared, key)
    cancelled = cancel(shared, bill["id"])
    document = cancelled.json()
    assert (cancelled.status_code, document["state"], document["money"]) == (200, "completed", "moved")
    assert document["due_fen"] == BILL["self_pay_fen"]
    assert [leg["state"] for leg in document["legs"]] == ["completed", "cancelled"]
    again = settle(shared, key)
    assert (again.status_code, again.content) == (201, cancelled.content)
    assert one(shared, bill["id"]) == document
    answer = cancel(shared, bill["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "transaction.passed")


def test_a_wallet_that_leaves_before_its_part_is_awaited_and_the_paid_part_is_told(shared: Daemon) -> None:
    key = new_key()
    card: Any = shared.citizen.card
    tear(card, Moment.COMMAND, {(0x00, 0xA4)})
    bill = settle(shared, key)
    assert (bill.status_code, bill.json()["state"], bill.json()["money"]) == (202, "awaiting_card", "moved")
    shared.put_in((shared.citizen, card))
    done = settle(shared, key)
    assert (done.status_code, done.json()["due_fen"]) == (201, 0)


def test_a_wrong_pin_does_not_make_an_open_bill_look_unpaid(shared: Daemon) -> None:
    key = new_key()
    card: Any = shared.social.card
    tear(card, Moment.AFTER_COMMIT)
    assert settle(shared, key).json()["state"] == "uncertain"
    shared.pad.typed = ""
    shared.put_in((shared.social, card))
    answer = settle(shared, key, pin="000000")
    assert (answer.status_code, answer.json()["code"], answer.json()["money"]) == (403, "pin.wrong", "unknown")
    assert settle(shared, key, pin=PIN).status_code == 201
    assert account_of(card).balance == 47500


def test_a_settlement_that_waits_for_its_first_card_is_cancelled_whole(shared: Daemon) -> None:
    patient = shared.take_out(shared.social)
    key = new_key()
    waiting = ThreadPoolExecutor(1).submit(settle, shared, key, wait_s=300)
    eventually(lambda: shared.http("GET", "/v1/settlements", params={"idempotency_key": key}).is_success)
    identifier = begun_by(shared, key, "settlements")
    cancelled = cancel(shared, identifier)
    assert (cancelled.status_code, cancelled.json()["state"], cancelled.json()["money"]) == (200, "cancelled", "none")
    answer = waiting.result(timeout=60)
    assert refused(answer, 409, "transaction.cancelled")["settlement"] == cancelled.json()
    shared.social.insert(patient)
    assert settle(shared, key).content == answer.content
    assert account_of(patient).balance == 50000
    assert cancel(shared, identifier).json() == cancelled.json()


def test_a_settlement_that_waits_for_the_wallet_is_cancelled_and_its_caller_is_told_at_once(shared: Daemon) -> None:
    shared.take_out(shared.citizen)
    key = new_key()
    waiting = ThreadPoolExecutor(1).submit(settle, shared, key, wait_s=300)

    def paid() -> bool:
        found = shared.http("GET", "/v1/settlements", params={"idempotency_key": key})
        return found.is_success and found.json()["settlements"][0]["state"] == "awaiting_card"

    eventually(paid)
    cancelled = cancel(shared, begun_by(shared, key, "settlements"))
    answer = waiting.result(timeout=60)
    assert (answer.status_code, answer.content) == (201, cancelled.content)
    assert answer.json()["due_fen"] == BILL["self_pay_fen"]


def test_what_is_paid_or_uncertain_is_not_cancelled(shared: Daemon) -> None:
    answer = cancel(shared, settled(shared)["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "transaction.passed")
    card: Any = shared.social.card
    tear(card, Moment.AFTER_COMMIT)
    torn = settle(shared, new_key(), tender="cash")
    assert torn.json()["state"] == "uncertain"
    answer = cancel(shared, torn.json()["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "transaction.passed")
    shared.put_in((shared.social, card))
    eventually(lambda: one(shared, torn.json()["id"])["state"] == "completed")


def test_a_wallet_that_holds_too_little_leaves_its_part_due_in_cash(shared: Daemon) -> None:
    card: Any = shared.citizen.card
    wallet_of(card).balance = 100
    answer = settle(shared, new_key())
    assert (answer.status_code, answer.json()["state"]) == (201, "completed")
    assert (answer.json()["due_fen"], answer.json()["legs"][1]["state"]) == (1500, "declined")


def test_a_transaction_is_no_settlement(shared: Daemon) -> None:
    sale = debit(shared, new_key(), reader="citizen").json()
    refused(shared.http("GET", f"/v1/settlements/{sale['id']}"), 404, "transaction.unknown")
    refused(cancel(shared, sale["id"]), 404, "transaction.unknown")
    refused(cancel(shared, "none"), 404, "transaction.unknown")
