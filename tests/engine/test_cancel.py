"""Cancelling what has not reached a card, at every moment of a transaction and of a settlement (OPS §4.3, T-14)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from cardio.applications import journeys
from cardio.engine.requests import DebitRequest
from cardio.engine.transit import Tap, TransitCard
from cardio.errors import CardRemoved, Money, StorageUnavailable, TransactionPassed, TransactionUnknown
from cardio.ledger.bill import Bill
from cardio.ledger.document import settlement_document, transaction_document
from cardio.ledger.model import Resolution, Settlement, State, Tender, Transaction
from cardio.purse.operation import PurseKind
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from tests.counter import TestCounter, account_of, request, tear, wallet_of
from tests.engine.conftest import BY_NAME, worlds
from tests.faults.injections import Cancelled
from tests.faults.judge import KEY, sequences_of, state_of
from tests.faults.loop import Tally, one_case
from tests.faults.scenarios import STOP, Scenario
from tests.faults.world import World

BILL = Bill(total_fen=10000, fund_fen=6000, account_fen=2500, self_pay_fen=1500)
AUTHORIZED = ("8070", "E040", "E044")
"""What the PSAM answers right before ARMED."""
Made = Callable[[str], tuple[Scenario, World]]


@pytest.fixture
def world_of(tmp_path: Path) -> Iterator[Made]:
    yield from worlds(tmp_path)


def begin(counter: TestCounter, amount: int = 1000, key: str = "k") -> Transaction:
    return counter.engine.begin_debit(DebitRequest(request(key=key, body=str(amount).encode()), amount, "sale"))


def debit(counter: TestCounter, begun: Transaction) -> Transaction:
    with counter.channel(counter.citizen, counter.wallet_card) as channel:
        return counter.engine.debit(begun, channel)


def meanwhile(card: VirtualCard, act: Callable[[], object], *commands: str, before: bool = False) -> FaultPlan:
    """Do something else while a command is on its way to a card, or when it has just been executed."""
    fault = Fault.CUT_BEFORE if before else Fault.CUT_AFTER
    plan = card.faults = FaultPlan(fault, only=commands, action=act)
    return plan


def refused(cancel: Callable[[str], object], identifier: str) -> TransactionPassed:
    """The refusal of a cancellation that comes too late."""
    with pytest.raises(TransactionPassed) as caught:
        cancel(identifier)
    return caught.value


# ---- a transaction -----------------------------------------------------------------------------------------------


def test_what_waits_for_its_card_is_cancelled_and_its_key_gets_the_same_bytes_for_ever(counter: TestCounter) -> None:
    begun = begin(counter)
    cancelled = counter.ledger.cancel(begun.id)
    assert (cancelled.state, cancelled.money, cancelled.outcome.error) == (
        State.CANCELLED,
        Money.NONE,
        "transaction.cancelled",
    )
    assert cancelled.finished_at is not None
    assert cancelled.answer is not None
    assert debit(counter, begun).answer == cancelled.answer, "the card was held out just then"
    assert counter.ledger.cancel(begun.id).answer == cancelled.answer
    counter.restart()
    assert begin(counter).answer == cancelled.answer
    assert debit(counter, begin(counter)).answer == cancelled.answer
    assert (wallet_of(counter.wallet_card).balance, wallet_of(counter.wallet_card).offline_counter) == (10000, 0)
    kinds = [row.kind for row in counter.ledger.rows(0, 10)]
    assert kinds == ["journal.key", "transaction.accepted", "transaction.cancelled"]


def test_a_cancelled_transaction_has_no_voucher_and_is_no_record_for_the_centre(counter: TestCounter) -> None:
    cancelled = counter.ledger.cancel(begin(counter).id)
    assert transaction_document(cancelled)["voucher"] is None
    assert counter.ledger.batches.waiting["records"] == 0


def test_a_new_sale_with_a_new_key_is_charged_after_a_cancelled_one(counter: TestCounter) -> None:
    counter.ledger.cancel(begin(counter).id)
    assert counter.debit(1000, key="new").state is State.COMPLETED


def test_nothing_is_cancelled_that_nobody_began(counter: TestCounter) -> None:
    with pytest.raises(TransactionUnknown):
        counter.ledger.cancel("nothing")
    with pytest.raises(TransactionUnknown):
        counter.ledger.cancel_settlement("nothing")
    with pytest.raises(TransactionUnknown):
        counter.ledger.cancel_settlement(begin(counter).id)


def test_what_has_ended_stays_as_it_ended_and_the_refusal_tells_the_money(counter: TestCounter) -> None:
    completed, declined = counter.debit(100), counter.debit(20000)
    tear(counter.wallet_card, Moment.COMMAND)
    torn = counter.debit(100)
    assert refused(counter.ledger.cancel, torn.id).money is Money.UNKNOWN
    (not_debited,) = counter.recover()
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    resolution = Resolution(Money.MOVED, ("Li Lei", "Han Meimei"), "clearing file")
    resolved = counter.engine.resolve(counter.debit(100).id, resolution)
    for ended, money in (
        (completed, Money.MOVED),
        (declined, Money.NONE),
        (not_debited, Money.NONE),
        (resolved, Money.MOVED),
    ):
        assert refused(counter.ledger.cancel, ended.id).money is money
        assert counter.ledger.transaction(ended.id) == ended


def test_a_legs_cancellation_is_its_settlements(counter: TestCounter) -> None:
    tear(counter.social_card, Moment.COMMAND, {(0xB0, 0x28)})
    begun = counter.begin_settlement(BILL)
    with pytest.raises(CardRemoved):
        counter.settle(begun, counter.social)
    (leg,) = counter.ledger.settlement(begun.id).legs
    assert leg.state is State.ACCEPTED
    caught = refused(counter.ledger.cancel, leg.id)
    assert (caught.money, begun.id in caught.detail) == (Money.NONE, True)


# ---- while a card is worked on -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "purchase-3des-psam",
        "purchase-sm4-psam",
        "passbook-purchase-3des-psam",
        "ride-3des-psam",
        "grey-lock-3des-psam",
        "refuel-3des-psam",
    ],
)
def test_cancelled_after_the_psam_allowed_it_nothing_is_sent_to_the_card_and_the_next_sale_goes_on(
    world_of: Made, name: str
) -> None:
    scenario, world = world_of(name)
    before, counted = state_of(scenario, world), sequences_of(world)
    begun = scenario.begin(world.engine, KEY)
    plan = meanwhile(world.outside.sam, lambda: world.ledger.cancel(begun.id), *AUTHORIZED)
    changing = world.outside.card.faults = FaultPlan(Fault.CUT_BEFORE, only=("8054", "E07C", "E07E"))
    answer = scenario.ask(world, world.outside.card, KEY)
    assert plan.fired
    assert (answer.state, answer.money, changing.seen) == (State.CANCELLED, Money.NONE, 0)
    assert (state_of(scenario, world), sequences_of(world)) == (before, counted)
    assert world.ledger.pending_purses() == set()
    world.outside.card.faults = None
    done = scenario.ask(world, world.outside.card, "next")
    assert done.state is State.COMPLETED
    assert state_of(scenario, world) != before
    again = scenario.ask(world, world.outside.card, KEY)
    assert again.answer == answer.answer == world.ledger.transaction(begun.id).answer


@pytest.mark.parametrize("name", ["load-3des-psam", "account-load-sm4-psam", "overdraft-3des-psam"])
def test_a_load_that_is_cancelled_before_its_host_is_asked_books_nothing(world_of: Made, name: str) -> None:
    scenario, world = world_of(name)
    before = state_of(scenario, world)
    begun = scenario.begin(world.engine, KEY)
    plan = meanwhile(world.outside.card, lambda: world.ledger.cancel(begun.id), "8050", "B028")
    assert scenario.ask(world, world.outside.card, KEY).state is State.CANCELLED
    assert plan.fired
    assert world.outside.host.host.bookings == {}
    assert world.ledger.host_notices() == []
    assert state_of(scenario, world) == before
    assert scenario.ask(world, world.outside.card, "next").state is State.COMPLETED


@pytest.mark.parametrize(
    "name", ["purchase-3des-psam", "ride-3des-psam", "grey-lock-3des-psam", "refuel-3des-psam", "load-3des-psam"]
)
@pytest.mark.parametrize("before", [True, False])
def test_once_the_card_is_charged_it_is_too_late_to_cancel(world_of: Made, name: str, before: bool) -> None:
    scenario, world = world_of(name)
    begun = scenario.begin(world.engine, KEY)
    caught: list[TransactionPassed] = []
    changing = ("8054", "E07C", "E07E", "8052")
    meanwhile(
        world.outside.card, lambda: caught.append(refused(world.ledger.cancel, begun.id)), *changing, before=before
    )
    assert scenario.ask(world, world.outside.card, KEY).state is State.COMPLETED
    (late,) = caught
    assert late.money is (Money.NONE if name.startswith("grey-lock") else Money.UNKNOWN)


def test_a_cancellation_that_comes_before_the_cards_refusal_stands(counter: TestCounter) -> None:
    begun = begin(counter, 20000)
    meanwhile(counter.wallet_card, lambda: counter.ledger.cancel(begun.id), "8050")
    answer = debit(counter, begun)
    assert (answer.state, answer.outcome.error) == (State.CANCELLED, "transaction.cancelled")
    assert debit(counter, begun).answer == answer.answer


def test_a_refusal_that_comes_before_the_cancellation_stands(counter: TestCounter) -> None:
    declined = debit(counter, begin(counter, 20000))
    assert refused(counter.ledger.cancel, declined.id).money is Money.NONE
    assert begin(counter, 20000).answer == declined.answer


def test_a_gate_answers_a_cancelled_tap_and_the_card_goes_on_to_the_next(world_of: Made) -> None:
    scenario, world = world_of("ride-3des-psam")
    before = state_of(scenario, world)
    released: list[bool] = []

    def ride(key: str) -> Callable[[TransitCard], Tap]:
        asked = DebitRequest(request(key=key), 200, "ride", None, scenario.operation)
        return lambda _: Tap(asked, journeys.single_ride(STOP))

    def tap(key: str) -> Transaction | None:
        with world.presented(world.outside.card) as channel:
            return world.engine.tap(channel, ride(key), lambda: released.append(True))

    meanwhile(world.outside.sam, lambda: world.ledger.cancel(world.ledger.transactions()[-1].id), "8070")
    answer = tap("tap")
    assert answer is not None
    assert (answer.state, released, state_of(scenario, world)) == (State.CANCELLED, [], before)
    done = tap("tap again")
    assert done is not None
    assert (done.state, released) == (State.COMPLETED, [True])


def test_whoever_is_first_wins_and_both_say_the_same(counter: TestCounter) -> None:
    """The cancellation comes from another thread at any time; the card was charged if and only if the answer says."""
    outcomes = []
    with ThreadPoolExecutor(1) as canceller:
        for number in range(30):
            begun = begin(counter, 1, f"race {number}")
            start = threading.Event()

            def cancel(identifier: str = begun.id, start: threading.Event = start) -> State:
                start.wait()
                try:
                    return counter.ledger.cancel(identifier).state
                except TransactionPassed:
                    return State.COMPLETED

            late = canceller.submit(cancel)
            start.set()
            done = debit(counter, begun)
            assert done.state is late.result()
            outcomes.append(done.state)
    assert set(outcomes) <= {State.COMPLETED, State.CANCELLED}
    assert wallet_of(counter.wallet_card).offline_counter == outcomes.count(State.COMPLETED)


@pytest.mark.parametrize(
    "name",
    [
        "purchase-3des-psam",
        "purchase-3des-keyring",
        "ride-3des-psam",
        "settlement-3des-psam",
        "load-3des-psam",
        "grey-lock-3des-psam",
        "refuel-3des-psam",
    ],
)
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
def test_at_every_command_the_answer_is_what_became_of_the_money(name: str, fault: Fault) -> None:
    tally = Tally()
    for n in count(1):
        happened, verdict, detail = one_case(BY_NAME[name], Cancelled("cancelled", fault), n)
        tally.add(str(n), verdict, detail)
        if not happened:
            break
    assert tally.failures == []
    assert tally.verdicts.total() > 3


# ---- a settlement ------------------------------------------------------------------------------------------------


def medical(settlement: Settlement) -> Transaction:
    leg = settlement.leg(PurseKind.MEDICAL)
    assert leg is not None
    return leg


def wallet(settlement: Settlement) -> Transaction:
    leg = settlement.leg(PurseKind.WALLET)
    assert leg is not None
    return leg


def settlement_rows(counter: TestCounter) -> list[str]:
    return [row.kind for row in counter.ledger.rows(0, 100) if row.kind.startswith("settlement")]


def untouched(counter: TestCounter) -> bool:
    return account_of(counter.social_card).purchase_counter == 0 and wallet_of(counter.wallet_card).balance == 10000


@pytest.mark.parametrize("tender", list(Tender))
def test_a_settlement_is_cancelled_before_any_card_came(counter: TestCounter, tender: Tender) -> None:
    begun = counter.begin_settlement(BILL, tender, "k")
    cancelled = counter.ledger.cancel_settlement(begun.id)
    assert (cancelled.state, cancelled.legs, cancelled.due_fen) == (State.CANCELLED, (), 0)
    assert cancelled.finished_at is not None
    assert cancelled.answer is not None
    document = settlement_document(cancelled)
    assert (document["money"], document["voucher"], document["due_fen"]) == ("none", None, 0)
    assert counter.settle(begun, counter.social).answer == cancelled.answer, "the card was held out just then"
    counter.restart()
    again = counter.begin_settlement(BILL, tender, "k")
    assert again.answer == counter.ledger.cancel_settlement(begun.id).answer == cancelled.answer
    assert counter.settle(again, counter.social).answer == cancelled.answer
    assert untouched(counter)
    assert settlement_rows(counter) == ["settlement.accepted", "settlement.cancelled"]


def test_a_settlement_whose_card_was_pulled_before_anything_moved_is_cancelled_with_its_leg(
    counter: TestCounter,
) -> None:
    tear(counter.social_card, Moment.COMMAND, {(0xB0, 0x28)})
    begun = counter.begin_settlement(BILL)
    with pytest.raises(CardRemoved):
        counter.settle(begun, counter.social)
    cancelled = counter.ledger.cancel_settlement(begun.id)
    assert (cancelled.state, medical(cancelled).state) == (State.CANCELLED, State.CANCELLED)
    assert settlement_rows(counter) == ["settlement.accepted", "settlement.cancelled"]
    counter.social.insert(counter.social_card)
    assert counter.settle(begun, counter.social).answer == cancelled.answer
    assert untouched(counter)


@pytest.mark.parametrize("command", ["B028", "8070"])
def test_a_settlement_is_cancelled_while_the_medical_leg_is_prepared(counter: TestCounter, command: str) -> None:
    begun = counter.begin_settlement(BILL)
    card = counter.psam if command == "8070" else counter.social_card
    plan = meanwhile(card, lambda: counter.ledger.cancel_settlement(begun.id), command)
    answer = counter.settle(begun, counter.social)
    assert plan.fired
    assert (answer.state, medical(answer).state) == (State.CANCELLED, State.CANCELLED)
    assert answer.answer == counter.ledger.settlement(begun.id).answer
    assert untouched(counter)
    assert settlement_rows(counter) == ["settlement.accepted", "settlement.cancelled"]
    done = counter.settle(counter.begin_settlement(BILL, Tender.CASH), counter.social)
    assert done.state is State.COMPLETED


@pytest.mark.parametrize("before", [True, False])
def test_a_settlement_whose_medical_leg_is_on_its_way_is_not_cancelled(counter: TestCounter, before: bool) -> None:
    begun = counter.begin_settlement(BILL, Tender.CASH)
    caught: list[TransactionPassed] = []
    meanwhile(
        counter.social_card,
        lambda: caught.append(refused(counter.ledger.cancel_settlement, begun.id)),
        "B02C",
        before=before,
    )
    done = counter.settle(begun, counter.social)
    assert (done.state, account_of(counter.social_card).balance) == (State.COMPLETED, 47500)
    assert [late.money for late in caught] == [Money.UNKNOWN]


def test_when_the_wallets_card_does_not_come_its_part_is_due_in_cash(counter: TestCounter) -> None:
    begun = counter.begin_settlement(BILL, key="k")
    waiting = counter.settle(begun, counter.social)
    assert waiting.state is State.AWAITING_CARD
    ended = counter.ledger.cancel_settlement(begun.id)
    assert (ended.state, ended.due_fen) == (State.COMPLETED, 1500)
    assert (medical(ended).state, wallet(ended).state, wallet(ended).amounts) == (
        State.COMPLETED,
        State.CANCELLED,
        (1500,),
    )
    document = settlement_document(ended)
    assert document["money"] == "moved"
    paid, due = document["voucher"]["en"].replace(" ", "").splitlines()[-2:]
    assert ("0.00" in paid, "15.00" in due) == (True, True)
    assert counter.settle(begun, counter.social).answer == ended.answer
    for stale in (waiting, ended):
        assert counter.settle(stale, counter.citizen).answer == ended.answer
    counter.restart()
    assert counter.begin_settlement(BILL, key="k").answer == ended.answer
    assert wallet_of(counter.wallet_card).balance == 10000
    assert account_of(counter.social_card).purchase_counter == 1
    assert settlement_rows(counter) == ["settlement.accepted", "settlement.awaiting_card", "settlement.completed"]
    assert refused(counter.ledger.cancel_settlement, begun.id).money is Money.MOVED


@pytest.mark.parametrize("command", ["8050", "8070"])
def test_the_wallets_part_is_cancelled_while_its_leg_is_prepared(counter: TestCounter, command: str) -> None:
    waiting = counter.settle(counter.begin_settlement(BILL), counter.social)
    card = counter.psam if command == "8070" else counter.wallet_card
    plan = meanwhile(card, lambda: counter.ledger.cancel_settlement(waiting.id), command)
    answer = counter.settle(waiting, counter.citizen)
    assert plan.fired
    assert (answer.state, answer.due_fen, wallet(answer).state) == (State.COMPLETED, 1500, State.CANCELLED)
    assert answer.answer == counter.ledger.settlement(waiting.id).answer
    assert wallet_of(counter.wallet_card).balance == 10000
    assert counter.debit(100).state is State.COMPLETED


@pytest.mark.parametrize("before", [True, False])
def test_a_settlement_whose_wallet_leg_is_on_its_way_is_not_cancelled(counter: TestCounter, before: bool) -> None:
    waiting = counter.settle(counter.begin_settlement(BILL), counter.social)
    caught: list[TransactionPassed] = []
    meanwhile(
        counter.wallet_card,
        lambda: caught.append(refused(counter.ledger.cancel_settlement, waiting.id)),
        "8054",
        before=before,
    )
    done = counter.settle(waiting, counter.citizen)
    assert (done.state, done.due_fen, wallet_of(counter.wallet_card).balance) == (State.COMPLETED, 0, 8500)
    assert [late.money for late in caught] == [Money.UNKNOWN]


def test_an_uncertain_leg_keeps_its_settlement_until_its_card_has_answered(counter: TestCounter) -> None:
    tear(counter.social_card, Moment.AFTER_COMMIT)
    begun = counter.begin_settlement(BILL)
    counter.settle(begun, counter.social)
    assert refused(counter.ledger.cancel_settlement, begun.id).money is Money.UNKNOWN
    counter.restart()
    assert refused(counter.ledger.cancel_settlement, begun.id).money is Money.UNKNOWN
    counter.recover(counter.social_card, counter.social)
    tear(counter.wallet_card, Moment.COMMAND)
    assert counter.settle(counter.ledger.settlement(begun.id), counter.citizen).state is State.UNCERTAIN
    assert refused(counter.ledger.cancel_settlement, begun.id).money is Money.UNKNOWN
    counter.recover()
    ended = counter.ledger.settlement(begun.id)
    assert (ended.state, ended.due_fen) == (State.COMPLETED, 1500)
    assert refused(counter.ledger.cancel_settlement, begun.id).money is Money.MOVED


def test_a_declined_settlement_is_not_cancelled_any_more(counter: TestCounter) -> None:
    account_of(counter.social_card).balance = 100
    declined = counter.settle(counter.begin_settlement(BILL), counter.social)
    assert refused(counter.ledger.cancel_settlement, declined.id).money is Money.NONE
    assert counter.ledger.settlement(declined.id) == declined


def test_a_cancellation_is_on_disk_as_a_whole_or_not_at_all(counter: TestCounter) -> None:
    """The end of the leg, the settlement's, and both answers."""
    waiting = counter.settle(counter.begin_settlement(BILL), counter.social)
    counter.ledger._database.write(
        lambda db: db.execute(
            "CREATE TEMP TRIGGER full BEFORE UPDATE OF answer ON settlements BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    )
    rows = counter.ledger.head
    with pytest.raises(StorageUnavailable, match="full"):
        counter.ledger.cancel_settlement(waiting.id)
    assert (counter.ledger.head, counter.ledger.settlement(waiting.id)) == (rows, waiting)
    counter.restart()
    assert counter.settle(waiting, counter.citizen).due_fen == 0
