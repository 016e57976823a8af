"""Presented cards as a resource: waited for, looked at, their PIN, let go."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from cardio.transport.channel import CardProtocol, SlotState
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.cards import CITIZEN_ATR, citizen_card
from cardio.virtual.filesystem import Directory
from cardio.virtual.received import Received
from cardiod.settings import Scope
from tests.counter import eventually, tear, wallet_of
from tests.daemon.callers import call, make_token, refused
from tests.daemon.conftest import PIN, Daemon
from tests.daemon.sales import debit, new_key, sold

NO_HANDLE = "0" * 32
NAME, NUMBER = "测试甲", "999999199001010016"


def get(daemon: Daemon, reader: str, what: str = "") -> httpx.Response:
    return daemon.http("GET", f"/v1/cards/{daemon.cards[reader]['handle']}{what}")


def post(daemon: Daemon, reader: str, what: str, **body: Any) -> httpx.Response:
    return daemon.http("POST", f"/v1/cards/{daemon.cards[reader]['handle']}/{what}", json=body)


def wait(daemon: Daemon, **body: Any) -> httpx.Response:
    return daemon.http("POST", "/v1/cards/wait", json=body)


# ---- who is there --------------------------------------------------------------------------------------------


def test_a_card_is_shown_without_name_and_with_the_end_of_its_number(shared: Daemon) -> None:
    known = shared.cards["social"]
    found = get(shared, "social")
    assert (found.status_code, found.json()) == (200, known)
    assert (known["products"], known["purses"], known["number"]) == (["ssc-2.0"], ["medical"], "****0126")
    assert NAME not in found.text


def test_a_handle_is_one_insertion(shared: Daemon) -> None:
    handle = shared.cards["citizen"]["handle"]
    (again,) = shared.put_in((shared.citizen, shared.take_out(shared.citizen)))
    assert again != handle
    for what in ("", "/wallet", "/pin"):
        refused(shared.http("GET", f"/v1/cards/{handle}{what}"), 409, "card.changed")


@pytest.mark.parametrize(
    ("method", "what", "body"),
    [
        ("GET", "", None),
        ("DELETE", "", None),
        ("POST", "/release", {}),
        ("POST", "/cardholder", {"purpose": "test"}),
        ("GET", "/wallet", None),
        ("GET", "/wallet/log", None),
        ("GET", "/medical-account", None),
        ("GET", "/medical-account/log", None),
        ("GET", "/pin", None),
        ("POST", "/pin/verify", {}),
    ],
)
def test_every_address_of_a_card_wants_its_handle_and_a_scope(
    lasting_daemon: Daemon, method: str, what: str, body: Any
) -> None:
    path = f"/v1/cards/{NO_HANDLE}{what}"
    refused(lasting_daemon.http(method, path, json=body), 409, "card.changed")
    refused(lasting_daemon.http(method, f"/v1/cards/a.b{what}", json=body), 400, "input.invalid")
    needed = Scope.PIN if what == "/pin/verify" else Scope.READ_CARD
    token = make_token(lasting_daemon, new_key(), scopes=frozenset(Scope) - {needed})
    refused(call(lasting_daemon, token, method, path, json=body), 403, "client.forbidden")


# ---- waiting -------------------------------------------------------------------------------------------------


def test_a_card_that_is_there_is_answered_at_once(shared: Daemon) -> None:
    known = shared.cards
    assert wait(shared, reader="citizen", wait_s=0).json() == known["citizen"]
    assert wait(shared, purse="medical", wait_s=0).json() == known["social"]
    assert wait(shared, purse="wallet", wait_s=0).json() == known["citizen"]


def test_a_card_that_comes_later_ends_the_waiting(shared: Daemon) -> None:
    card = shared.take_out(shared.citizen)
    waiting = ThreadPoolExecutor(1).submit(wait, shared, purse="wallet", wait_s=300)
    shared.citizen.insert(card)
    answer = waiting.result(timeout=60)
    assert (answer.status_code, answer.json()) == (200, shared.cards["citizen"])


def test_waiting_ends_without_a_card_or_with_a_choice(shared: Daemon) -> None:
    refused(wait(shared, wait_s=0), 409, "card.multiple")
    refused(wait(shared, reader="citizen", purse="medical", wait_s=0), 422, "operation.unsupported")
    refused(wait(shared, reader="nowhere", wait_s=0), 503, "reader.unavailable")
    shared.take_out(shared.citizen)
    refused(wait(shared, reader="citizen", wait_s=0.1), 409, "card.absent")


@pytest.mark.parametrize(
    "wrong", [{"wait_s": -1}, {"wait_s": 301}, {"wait_s": None}, {"purse": "cash"}, {"reader": ""}]
)
def test_a_wish_of_the_wrong_form_is_400(lasting_daemon: Daemon, wrong: dict[str, Any]) -> None:
    refused(wait(lasting_daemon, **wrong), 400, "input.invalid")


def test_a_card_that_nobody_knows_is_shown_with_the_reason(shared: Daemon) -> None:
    shared.citizen.insert(VirtualCard(CITIZEN_ATR, Directory(0x3F00), CardProtocol.T1))
    eventually(lambda: shared.cards.get("citizen", {}).get("error", {}).get("code") == "card.unsupported")
    refused(wait(shared, reader="citizen", wait_s=0), 422, "card.unsupported")
    for what in ("/wallet", "/pin"):
        refused(get(shared, "citizen", what), 422, "card.unsupported")


def test_a_card_that_brings_up_a_bug_does_not_keep_the_others_from_being_used(shared: Daemon) -> None:
    def stumble(moment: Moment, command: Received) -> None:
        raise ValueError("测试甲")

    card = citizen_card(serial=f"{98:020}")
    card.hook = stumble
    shared.citizen.insert(card)
    eventually(lambda: shared.cards.get("citizen", {}).get("error", {}).get("code") == "internal")
    assert "测试甲" not in get(shared, "citizen").text
    assert wait(shared, purse="medical", wait_s=0).status_code == 200


# ---- what is on it -------------------------------------------------------------------------------------------


def test_purses_and_their_logs_are_shown(shared: Daemon) -> None:
    sold(shared, amount_fen=100)
    assert get(shared, "citizen", "/wallet").json()["data"]["balance_fen"] == 9900
    refused(get(shared, "citizen", "/wallet/log"), 403, "pin.required")
    assert get(shared, "social", "/medical-account").json()["data"]["balance_fen"] == 50000
    assert get(shared, "social", "/medical-account/log").status_code == 200


def test_a_log_that_wants_the_pin_has_it_typed_on_the_pad(shared: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.citizen, "pin_pad", shared.pad)
    sold(shared, amount_fen=100)
    (entry,) = get(shared, "citizen", "/wallet/log").json()["data"]
    assert entry["amount_fen"] == 100
    shared.pad.typed = ""
    refused(get(shared, "citizen", "/wallet/log"), 409, "pin.cancelled")


def test_a_purse_that_the_card_does_not_have_is_refused(shared: Daemon) -> None:
    for reader, what in (("social", "wallet"), ("citizen", "medical-account")):
        for log in ("", "/log"):
            refused(get(shared, reader, f"/{what}{log}"), 422, "operation.unsupported")


def test_a_card_that_leaves_meanwhile_is_told(shared: Daemon) -> None:
    card: Any = shared.citizen.card
    tear(card, Moment.COMMAND, {(0x00, 0xA4)})
    refused(get(shared, "citizen", "/wallet"), 409, "card.removed")


def test_another_card_in_its_place_is_not_taken_for_it(shared: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are swapped, and the other is read, before anybody has noticed."""
    handle, look = shared.cards["citizen"]["handle"], shared.bench.driver.wait
    blind, noticed = threading.Event(), threading.Event()

    def wait_blindly(known: Mapping[str, SlotState], timeout: float) -> dict[str, SlotState]:
        blind.set()
        noticed.wait(timeout)
        return look(known, timeout) if noticed.is_set() else dict(known)

    def notice(moment: Moment, command: Received) -> None:
        other.hook = None
        noticed.set()
        eventually(lambda: shared.http("GET", f"/v1/cards/{handle}").is_error)

    monkeypatch.setattr(shared.bench.driver, "wait", wait_blindly)
    assert blind.wait(60)
    other = citizen_card(serial=f"{99:020}", balance_fen=1)
    other.hook = notice
    shared.citizen.insert(other)
    refused(shared.http("GET", f"/v1/cards/{handle}/wallet"), 409, "card.changed")


# ---- the holder ----------------------------------------------------------------------------------------------


def test_the_holder_is_shown_for_a_purpose_and_to_whom_may_see_persons(shared: Daemon) -> None:
    shown = post(shared, "social", "cardholder", purpose="settlement")
    assert (shown.status_code, shown.json()["masked"]) == (200, False)
    assert shown.json()["groups"]["holder"]["data"]["name"] == NAME
    token = make_token(shared, new_key(), scopes=frozenset({Scope.READ_CARD}))
    path = f"/v1/cards/{shared.cards['social']['handle']}/cardholder"
    masked = call(shared, token, "POST", path, json={"purpose": "settlement", "fields": ["holder", "card"]})
    assert (masked.status_code, masked.json()["masked"]) == (200, True)
    assert NAME not in masked.text
    assert NUMBER not in masked.text
    refused(post(shared, "social", "cardholder"), 400, "input.invalid")
    refused(post(shared, "social", "cardholder", purpose="x", fields=[]), 400, "input.invalid")
    refused(post(shared, "social", "cardholder", purpose="x", fields=["soul"]), 400, "input.invalid")


def test_who_saw_a_person_and_why_is_in_the_access_log_and_chained_without_it(shared: Daemon) -> None:
    head = shared.http("GET", "/v1/journal/head").json()["seq"]
    post(shared, "social", "cardholder", purpose="because", fields=["holder", "card"])
    get(shared, "social", "/medical-account")
    rows = shared.http("GET", "/v1/journal", params={"after": head}).json()["rows"]
    (noted,) = [row for row in rows if row["kind"] == "person.read"]
    assert "because" not in str(noted)
    (access,) = [one for one in shared.counter.engine.ledger.privacy.accesses() if one.seq == noted["seq"]]
    assert (access.client, access.purpose, access.fields) == ("cashier", "because", ("holder",))


# ---- the PIN -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reader", "tries"), [("social", 6), ("citizen", 6)])
def test_the_state_of_the_pin_costs_no_try(shared: Daemon, reader: str, tries: int) -> None:
    for _ in range(8):
        assert get(shared, reader, "/pin").json() == {"state": "required", "tries_left": tries}


@pytest.mark.parametrize("reader", ["social", "citizen"])
def test_the_holder_shows_that_the_card_is_theirs(shared: Daemon, reader: str) -> None:
    wrong = post(shared, reader, "pin/verify", pin="000000")
    assert refused(wrong, 403, "pin.wrong")["tries_left"] == 5
    right = post(shared, reader, "pin/verify", pin=PIN)
    assert (right.status_code, right.json()) == (200, {"state": "verified", "tries_left": None})
    assert get(shared, reader, "/pin").json()["tries_left"] == 6
    refused(post(shared, reader, "pin/verify", pin="12"), 409, "pin.length")
    assert "000000" not in wrong.text


def test_without_a_pin_the_pad_asks_and_without_a_pad_it_is_required(shared: Daemon) -> None:
    assert post(shared, "social", "pin/verify").status_code == 200
    shared.pad.typed = ""
    refused(post(shared, "social", "pin/verify"), 409, "pin.cancelled")
    shared.pad.typed = None
    refused(post(shared, "social", "pin/verify"), 409, "pin.timeout")
    refused(post(shared, "citizen", "pin/verify"), 403, "pin.required")


@pytest.mark.parametrize("reader", ["social", "citizen"])
def test_the_last_try_is_used_only_if_the_holder_agrees(shared: Daemon, reader: str) -> None:
    card: Any = {"social": shared.social, "citizen": shared.citizen}[reader].card
    card.pin.tries_left = 1
    assert get(shared, reader, "/pin").json() == {"state": "required", "tries_left": 1}
    refused(post(shared, reader, "pin/verify", pin="000000"), 403, "pin.last-try")
    refused(post(shared, reader, "pin/verify", pin="000000", allow_last_try=True), 403, "pin.blocked")
    assert get(shared, reader, "/pin").json() == {"state": "blocked", "tries_left": 0}
    refused(post(shared, reader, "pin/verify", pin=PIN), 403, "pin.blocked")
    refused(post(shared, reader, "pin/verify", pin=PIN, allow_last_try="yes"), 400, "input.invalid")


# ---- letting it go -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["DELETE", "release"])
def test_a_card_that_was_let_go_is_offered_to_nobody_until_it_is_put_in_anew(shared: Daemon, by: str) -> None:
    handle = shared.cards["citizen"]["handle"]
    if by == "DELETE":
        answer = shared.http("DELETE", f"/v1/cards/{handle}")
    else:
        answer = shared.http("POST", f"/v1/cards/{handle}/release", json={})
    assert (answer.status_code, answer.content) == (204, b"")
    assert "citizen" not in shared.cards
    refused(shared.http("GET", f"/v1/cards/{handle}"), 409, "card.changed")
    refused(shared.http("DELETE", f"/v1/cards/{handle}"), 409, "card.changed")
    refused(wait(shared, reader="citizen", wait_s=0), 409, "card.absent")
    refused(debit(shared, new_key(), reader="citizen", wait_s=0), 409, "card.absent")
    reader = shared.http("GET", "/v1/readers/citizen").json()
    assert (reader["card"], reader["card_present"]) == (None, True)
    card: Any = shared.citizen.card
    shared.put_in((shared.citizen, card))
    assert debit(shared, new_key(), reader="citizen", wait_s=0).status_code == 201
    assert wallet_of(card).balance == 10000 - 1234


def test_letting_go_ends_nobodys_work_on_the_card(shared: Daemon) -> None:
    card: Any = shared.citizen.card
    handle = shared.cards["citizen"]["handle"]

    def let_go(moment: Moment, command: Received) -> None:
        if moment is Moment.COMMAND and command.ins == 0x54:
            card.hook = None
            assert shared.http("DELETE", f"/v1/cards/{handle}").status_code == 204

    card.hook = let_go
    assert debit(shared, new_key(), reader="citizen").status_code == 201
