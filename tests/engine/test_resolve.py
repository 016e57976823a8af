"""Questions that no card will answer any more are ended by two named persons."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardio.errors import InputInvalid, Money, TransactionClosed, TransactionUnknown
from cardio.ledger.document import transaction_document
from cardio.ledger.model import Resolution, State, Transaction
from cardio.security.software_load_host import BookingState
from cardio.virtual.card import Moment
from cardio.virtual.faults import Fault, FaultPlan
from tests.counter import TestCounter, tear, wallet_of
from tests.engine.conftest import worlds
from tests.faults.judge import KEY

PERSONS = ("Li Lei", "Han Meimei")


@pytest.fixture
def torn(counter: TestCounter) -> Transaction:
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    return counter.debit(1000, key="k")


@pytest.mark.parametrize("money", [Money.MOVED, Money.NONE, Money.UNKNOWN])
def test_what_two_persons_found_is_final_for_the_key(counter: TestCounter, torn: Transaction, money: Money) -> None:
    resolution = Resolution(money, PERSONS, "clearing file of the day")
    resolved = counter.engine.resolve(torn.id, resolution)
    assert (resolved.state, resolved.money, resolved.outcome.resolution) == (State.RESOLVED, money, resolution)
    document = transaction_document(resolved)
    assert (document["state"], document["money"]) == ("resolved", money)
    assert document["resolution"] == {"money": money, "persons": list(PERSONS), "reason": "clearing file of the day"}
    assert document["voucher"] is None, "the card's proof is missing, so there is no voucher"
    assert counter.debit(1000, key="k").answer == resolved.answer
    assert wallet_of(counter.wallet_card).balance == 9000


def test_a_resolved_card_can_pay_again(counter: TestCounter, torn: Transaction) -> None:
    counter.engine.resolve(torn.id, Resolution(Money.MOVED, PERSONS, "clearing file"))
    assert counter.recover() == []
    assert counter.debit(100).state is State.COMPLETED


def test_one_person_alone_or_without_a_reason_decides_nothing() -> None:
    for persons, reason in ((("a", "A "), "why"), (("a", ""), "why"), ((" ", "b"), "why"), (("a", "b"), "  ")):
        with pytest.raises(InputInvalid):
            Resolution(Money.NONE, persons, reason)


def test_only_an_open_question_can_be_ended(counter: TestCounter) -> None:
    done = counter.debit(100)
    resolution = Resolution(Money.NONE, PERSONS, "why")
    with pytest.raises(TransactionClosed):
        counter.engine.resolve(done.id, resolution)
    with pytest.raises(TransactionUnknown):
        counter.engine.resolve("nothing", resolution)


@pytest.mark.parametrize(
    ("money", "booking"),
    [(Money.MOVED, BookingState.CONFIRMED), (Money.NONE, BookingState.REVERSED), (Money.UNKNOWN, BookingState.BOOKED)],
)
def test_the_host_is_told_what_persons_found_about_a_load(tmp_path: Path, money: Money, booking: BookingState) -> None:
    for make in worlds(tmp_path):
        scenario, world = make("load-3des-psam")
        world.outside.card.faults = FaultPlan(Fault.CUT_AFTER, only="8052")
        torn = scenario.ask(world, world.outside.card, KEY)
        world.engine.resolve(torn.id, Resolution(money, PERSONS, "holder's statement"))
        assert world.outside.host.host.bookings[torn.id].state is booking
