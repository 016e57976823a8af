"""The PIN over HTTP: changed, unblocked, replaced; and the events that tell when a holder is asked for it."""

from __future__ import annotations

from typing import Any

import pytest

from cardio.applications.pin import encode_pin
from cardio.transport.channel import Channel
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.card import CardPin, VirtualCard
from cardio.virtual.cards import citizen_card
from cardio.virtual.faults import Fault, FaultPlan
from cardiod.settings import Scope
from tests.daemon.callers import call, make_token, refused
from tests.daemon.conftest import PIN, Daemon
from tests.daemon.listening import kinds, listening, snapshot, until
from tests.daemon.sales import new_key, settled
from tests.daemon.test_cards_api import get, post

NEW, WRONG = "654321", "000000"
REQUIRED = {"state": "required", "tries_left": 6}


@pytest.fixture
def issuing(issuing_daemon: Daemon) -> Daemon:
    """The daemon with the issuer's keys, with fresh cards: a native wallet and a social security card."""
    _, patient = issuing_daemon.bench.restore()
    wallet = citizen_card(serial=new_serial(), native=True)
    issuing_daemon.put_in((issuing_daemon.citizen, wallet), (issuing_daemon.social, patient))
    return issuing_daemon


def new_serial() -> str:
    return f"{int.from_bytes(new_key().encode()[-6:], 'big') % 10**15:020}"


def card_in(reader: EmbeddedReader) -> VirtualCard:
    card = reader.card
    assert isinstance(card, VirtualCard)
    return card


def block(reader: EmbeddedReader) -> None:
    pin = card_in(reader).pin
    assert pin is not None
    pin.tries_left = 0


# ---- change ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", ["social", "citizen"])
def test_a_caller_changes_the_pin_of_a_virtual_card(shared: Daemon, reader: str) -> None:
    changed = post(shared, reader, "pin/change", old_pin=PIN, new_pin=NEW)
    assert (changed.status_code, changed.json()) == (200, REQUIRED)
    assert post(shared, reader, "pin/verify", pin=NEW).status_code == 200
    wrong = post(shared, reader, "pin/change", old_pin=WRONG, new_pin=PIN)
    assert refused(wrong, 403, "pin.wrong")["tries_left"] == 5
    for digits in (PIN, NEW, WRONG):
        assert digits not in changed.text + wrong.text


def test_the_holder_changes_the_pin_on_the_pad(shared: Daemon) -> None:
    shared.pad.new = NEW
    assert post(shared, "social", "pin/change").json() == REQUIRED
    assert post(shared, "social", "pin/verify", pin=NEW).status_code == 200
    shared.pad.typed, shared.pad.again = NEW, PIN
    refused(post(shared, "social", "pin/change"), 409, "pin.mismatch")
    shared.pad.typed = None
    refused(post(shared, "social", "pin/change"), 409, "pin.timeout")
    refused(post(shared, "social", "pin/change", digits=4), 409, "pin.timeout")
    refused(post(shared, "citizen", "pin/change"), 403, "pin.required")


def test_a_card_gets_its_first_pin(shared: Daemon) -> None:
    card_in(shared.social).pin = None
    refused(post(shared, "social", "pin/change", old_pin=PIN, new_pin=NEW), 409, "pin.unset")
    assert post(shared, "social", "pin/change", new_pin=NEW).json() == REQUIRED
    refused(post(shared, "social", "pin/change", new_pin=PIN), 403, "pin.required")


def test_the_last_try_of_the_old_pin_is_guarded(shared: Daemon) -> None:
    pin = card_in(shared.social).pin
    assert pin is not None
    pin.tries_left = 1
    refused(post(shared, "social", "pin/change", old_pin=PIN, new_pin=NEW), 403, "pin.last-try")
    answer = post(shared, "social", "pin/change", old_pin=PIN, new_pin=NEW, allow_last_try=True)
    assert answer.json() == REQUIRED


def test_a_lost_answer_is_unknown_until_the_new_pin_is_verified(shared: Daemon) -> None:
    card_in(shared.social).faults = FaultPlan(Fault.LATE, only="805E")
    lost = refused(post(shared, "social", "pin/change", old_pin=PIN, new_pin=NEW), 409, "pin.change-unknown")
    assert (lost["money"], lost["action"]) == ("none", "verify_new_pin")
    assert post(shared, "social", "pin/verify", pin=NEW).status_code == 200


def test_the_state_after_a_change_does_not_turn_it_into_an_error(shared: Daemon) -> None:
    card_in(shared.social).faults = FaultPlan(Fault.CUT_BEFORE, 2, only="0020")
    changed = post(shared, "social", "pin/change", old_pin=PIN, new_pin=NEW)
    assert (changed.status_code, changed.json()) == (200, {"state": "required", "tries_left": None})


def test_no_caller_hands_a_pin_over_to_a_real_card(issuing: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    def real(self: Channel) -> bool:
        return False

    monkeypatch.setattr("cardio.transport.embedded.EmbeddedChannel.virtual", property(real))
    refused(post(issuing, "social", "pin/change", old_pin=PIN, new_pin=NEW), 403, "pin.not-allowed")
    refused(post(issuing, "social", "pin/unblock", pin=NEW, replace=True), 403, "pin.not-allowed")
    refused(post(issuing, "social", "pin/unblock"), 403, "keys.test-only")


# ---- unblock -----------------------------------------------------------------------------------------------------


def test_a_blocked_pin_is_unblocked_under_the_issuers_keys(issuing: Daemon) -> None:
    block(issuing.social)
    assert get(issuing, "social", "/pin").json()["state"] == "blocked"
    assert post(issuing, "social", "pin/unblock").json() == REQUIRED
    assert post(issuing, "social", "pin/verify", pin=PIN).status_code == 200


def test_a_wallet_is_unblocked_by_its_pin(issuing: Daemon) -> None:
    block(issuing.citizen)
    refused(post(issuing, "citizen", "pin/unblock"), 403, "pin.required")
    refused(post(issuing, "citizen", "pin/unblock", pin=WRONG), 409, "pin.unblock-refused")
    assert post(issuing, "citizen", "pin/unblock", pin=PIN).json() == {"state": "required", "tries_left": 3}


@pytest.mark.parametrize("reader", ["social", "citizen"])
def test_a_pin_that_was_forgotten_is_replaced(issuing: Daemon, reader: str) -> None:
    block({"social": issuing.social, "citizen": issuing.citizen}[reader])
    refused(post(issuing, reader, "pin/unblock", replace=True), 403, "pin.required")
    refused(post(issuing, reader, "pin/unblock", replace=True, pin="12"), 409, "pin.length")
    replaced = post(issuing, reader, "pin/unblock", replace=True, pin=NEW)
    assert (replaced.status_code, replaced.json()["state"]) == (200, "required")
    assert NEW not in replaced.text
    assert post(issuing, reader, "pin/verify", pin=NEW).status_code == 200


def test_a_card_without_a_pin_has_none_to_unblock(issuing: Daemon) -> None:
    card_in(issuing.social).pin = None
    refused(post(issuing, "social", "pin/unblock"), 409, "pin.unset")
    card_in(issuing.social).pin = CardPin(encode_pin(PIN))


@pytest.mark.parametrize("reader", ["social", "citizen"])
def test_a_daemon_without_the_issuers_keys_says_so(shared: Daemon, reader: str) -> None:
    told = refused(post(shared, reader, "pin/unblock", pin=PIN), 503, "keys.maintenance-missing")
    assert told["action"] == "ask_holder"


@pytest.mark.parametrize("what", ["change", "unblock"])
def test_both_want_their_scope_and_a_handle(shared: Daemon, what: str) -> None:
    token = make_token(shared, new_key(), scopes=frozenset(Scope) - {Scope.PIN})
    path = f"/v1/cards/{shared.cards['social']['handle']}/pin/{what}"
    refused(call(shared, token, "POST", path, json={}), 403, "client.forbidden")
    refused(shared.http("POST", f"/v1/cards/{'0' * 32}/pin/{what}", json={}), 409, "card.changed")
    refused(post(shared, "social", f"pin/{what}", pine="x"), 400, "input.invalid")


# ---- events ------------------------------------------------------------------------------------------------------


def pins(events: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """The events about PINs: what, and why it failed."""
    return [(event["type"], event["data"].get("error")) for event in events if event["type"].startswith("pin.")]


def test_whoever_listens_is_told_of_prompts_and_what_came_of_them(shared: Daemon) -> None:
    handle = shared.cards["social"]["handle"]
    with listening(shared) as stream:
        snapshot(stream)
        post(shared, "social", "pin/verify")
        seen = until(stream, "pin.verified")
        assert pins(seen) == [("pin.prompt", None), ("pin.verified", None)]
        assert {(event["reader"], event["card"]) for event in seen} == {("social", handle)}
        shared.pad.typed = ""
        post(shared, "social", "pin/verify")
        assert pins(until(stream, "pin.failed")) == [("pin.prompt", None), ("pin.failed", "pin.cancelled")]
        post(shared, "social", "pin/verify", pin=WRONG)
        failed = until(stream, "pin.failed")
        assert pins(failed) == [("pin.failed", "pin.wrong")]
        assert "tries" not in str(failed)
        pin = card_in(shared.social).pin
        assert pin is not None
        pin.tries_left = 1
        post(shared, "social", "pin/verify", pin=WRONG, allow_last_try=True)
        assert pins(until(stream, "pin.blocked")) == [("pin.blocked", None)]


def test_a_settlement_and_a_reading_prompt_too(shared: Daemon) -> None:
    with listening(shared) as stream:
        snapshot(stream)
        settled(shared)
        seen = until(stream, "settlement.completed")
        assert ("pin.verified", None) in pins(seen)
        get(shared, "social", "/medical-account")
        assert kinds(until(stream, "pin.verified"), "pin.") == ["pin.prompt", "pin.verified"]
        shared.pad.new = PIN
        post(shared, "social", "pin/change")
        assert kinds(until(stream, "pin.verified"), "pin.") == ["pin.prompt", "pin.verified"]


def test_a_card_that_leaves_while_the_pin_is_typed_ends_the_prompt(shared: Daemon) -> None:
    card_in(shared.social).faults = FaultPlan(Fault.CUT_BEFORE, 2, only="0020")
    with listening(shared) as stream:
        snapshot(stream)
        refused(post(shared, "social", "pin/verify"), 409, "card.removed")
        assert pins(until(stream, "pin.failed")) == [("pin.prompt", None), ("pin.failed", "card.removed")]
