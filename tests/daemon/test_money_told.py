"""What a refusal says about the money is true of the whole request, not only of its last attempt."""

from __future__ import annotations

from typing import Any

from cardio.virtual.card import Moment
from cardio.virtual.faults import PROOF, Fault, FaultPlan
from tests.counter import account_of, eventually, tear, wallet_of
from tests.daemon.conftest import Daemon
from tests.daemon.sales import debit, settle

INITIALIZE = {(0x80, 0x50)}


def test_a_card_that_does_not_answer_does_not_hide_that_the_outcome_is_open(daemon: Daemon) -> None:
    card: Any = daemon.citizen.card
    tear(card, Moment.AFTER_COMMIT)
    assert debit(daemon).json()["state"] == "uncertain"
    # Neither when it comes back nor when it is asked about does the card answer for its proof.
    card.faults = (FaultPlan(Fault.MUTE, only=PROOF), FaultPlan(Fault.MUTE, only=PROOF))
    daemon.citizen.insert(card)
    eventually(lambda: card.faults[0].fired)
    mute = debit(daemon)
    assert (mute.status_code, mute.json()["state"], mute.json()["money"]) == (202, "uncertain", "unknown")
    assert debit(daemon).status_code == 201
    assert wallet_of(card).balance == 8766


def test_a_wallet_that_is_pulled_away_does_not_hide_that_the_account_was_debited(daemon: Daemon) -> None:
    account: Any = daemon.social.card
    paying: Any = daemon.citizen.card
    tear(paying, Moment.COMMAND, INITIALIZE)
    pulled = settle(daemon)
    assert (pulled.status_code, pulled.json()["state"], pulled.json()["money"]) == (202, "awaiting_card", "moved")
    assert (account_of(account).balance, wallet_of(paying).balance) == (47500, 10000)
    daemon.citizen.insert(paying)
    assert settle(daemon).status_code == 201
    assert (account_of(account).balance, wallet_of(paying).balance) == (47500, 8500)


def test_a_wrong_pin_does_not_hide_that_the_outcome_is_open(daemon: Daemon) -> None:
    daemon.social.pin_pad = None
    card: Any = daemon.social.card
    tear(card, Moment.AFTER_COMMIT)
    assert settle(daemon, tender="cash", pin="123456").json()["state"] == "uncertain"
    daemon.social.insert(card)
    wrong = settle(daemon, tender="cash", pin="654321")
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["money"]) == (403, "pin.wrong", "unknown")
    assert settle(daemon, tender="cash", pin="123456").status_code == 201


def test_a_refusal_before_anything_moved_still_says_so(daemon: Daemon) -> None:
    card: Any = daemon.citizen.card
    tear(card, Moment.COMMAND, INITIALIZE)
    refused = debit(daemon)
    assert (refused.status_code, refused.json()["code"], refused.json()["money"]) == (409, "card.removed", "none")
    daemon.citizen.insert(card)
    assert debit(daemon).status_code == 201
