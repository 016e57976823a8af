"""What was paid is given back by orders and loads, together never more than was taken (T-14)."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from cardio.engine.requests import DebitRequest
from cardio.errors import IdempotencyMismatch, Money, NotReversible, TransactionUnknown
from cardio.ledger.bill import Bill
from cardio.ledger.document import transaction_document
from cardio.ledger.model import Outcome, Request, Resolution, Settlement, State, Tender, Transaction
from cardio.ledger.reversals import RefundOrder
from cardio.purse.operation import Operation, PurseKind
from cardio.virtual.card import Moment
from cardio.virtual.faults import Fault, FaultPlan
from tests.counter import TestCounter, request, tear

PERSONS = ("Li Lei", "Han Meimei")


def order(counter: TestCounter, purchase: Transaction, amount: int | None = None, key: str = "") -> RefundOrder:
    asked = request("refund", key, f"{purchase.id}{amount}".encode())
    return counter.ledger.reversals.order(asked, purchase.id, amount, "Li Lei", "goods came back")


def begin_load(
    counter: TestCounter, purchase: Transaction, amount: int, key: str = "", purse: PurseKind = PurseKind.WALLET
) -> Transaction:
    asked = request("load", key, f"{purchase.id}{amount}".encode())
    return counter.ledger.begin_transaction(
        asked, purse, Operation.LOAD, (amount,), "refund", None, reverses=purchase.id
    )


def armed(counter: TestCounter, load: Transaction, purchase: Transaction) -> Transaction:
    """A load of the card that paid, as far as the journal goes."""
    assert purchase.armed is not None
    return counter.ledger.arm(load, replace(purchase.armed, card_time=""), "")


def left(counter: TestCounter, purchase: Transaction) -> int:
    """What can still be given back, by the refusal of too much."""
    with pytest.raises(NotReversible) as caught:
        order(counter, purchase, 1 << 40)
    return int(caught.value.detail.split()[0])


def outbox(counter: TestCounter) -> list[dict[str, Any]]:
    """All records for the centre."""
    rows = counter.ledger._database.read(lambda db: db.execute("SELECT record FROM outbox ORDER BY id").fetchall())
    return [json.loads(row["record"]) for row in rows]


# ---- orders ------------------------------------------------------------------------------------------------------


def test_an_order_gives_all_back_and_goes_to_the_centre_linked_to_its_purchase(counter: TestCounter) -> None:
    purchase = counter.debit(1000)
    made = order(counter, purchase)
    assert (made.purchase, made.amount_fen, made.operator, made.reason) == (
        purchase.id,
        1000,
        "Li Lei",
        "goods came back",
    )
    record = outbox(counter)[-1]
    assert {
        "id": made.id,
        "state": "ordered",
        "operation": "refund",
        "purse": "wallet",
        "purchase": purchase.id,
        "amount_fen": 1000,
    }.items() <= record.items()
    assert counter.ledger.reversals.of(purchase.id) == ([made], [])
    last = counter.ledger.rows(counter.ledger.head[0] - 1, 1)[0]
    assert (last.kind, last.subject, last.payload) == (
        "refund.ordered",
        purchase.id,
        {"order": made.id, "amount_fen": 1000},
    )
    assert counter.ledger.transaction(purchase.id).answer == purchase.answer, "the purchase's answer is frozen"


def test_the_same_key_gets_the_same_order_and_orders_once(counter: TestCounter) -> None:
    purchase = counter.debit(1000)
    made = order(counter, purchase, key="k")
    records = len(outbox(counter))
    counter.restart()
    assert order(counter, purchase, key="k") == made
    assert (len(outbox(counter)), left(counter, purchase)) == (records, 0)
    with pytest.raises(IdempotencyMismatch):
        order(counter, purchase, 1, key="k")
    with pytest.raises(IdempotencyMismatch):
        begin_load(counter, purchase, 1, key="k")


def test_parts_are_given_back_until_nothing_is_left(counter: TestCounter) -> None:
    purchase = counter.debit(1000)
    first = order(counter, purchase, 400)
    with pytest.raises(NotReversible, match="600 of 1000"):
        order(counter, purchase, 601)
    last = order(counter, purchase)
    assert [one.amount_fen for one in (first, last)] == [400, 600]
    assert counter.ledger.reversals.of(purchase.id) == ([first, last], [])
    for amount in (None, 1):
        with pytest.raises(NotReversible):
            order(counter, purchase, amount)


@pytest.mark.parametrize("amount", [0, -1, 1001])
def test_what_was_not_taken_is_not_given_back(counter: TestCounter, amount: int) -> None:
    purchase = counter.debit(1000)
    with pytest.raises(NotReversible) as caught:
        order(counter, purchase, amount)
    assert caught.value.money is Money.NONE
    with pytest.raises(NotReversible):
        begin_load(counter, purchase, amount)
    assert counter.ledger.reversals.of(purchase.id) == ([], [])


def test_a_refused_refund_does_not_use_up_its_key(counter: TestCounter) -> None:
    purchase = counter.debit(1000)
    load = begin_load(counter, purchase, 1000)
    with pytest.raises(NotReversible):
        order(counter, purchase, 1000, key="k")
    counter.ledger.cancel(load.id)
    assert order(counter, purchase, 1000, key="k").amount_fen == 1000


def test_nobody_gives_back_what_nobody_knows(counter: TestCounter) -> None:
    purchase = counter.debit(1000)
    unknown = replace(purchase, id="nothing")
    for give_back in (lambda: order(counter, unknown), lambda: begin_load(counter, unknown, 1)):
        with pytest.raises(TransactionUnknown):
            give_back()


def begun(counter: TestCounter) -> Transaction:
    return counter.engine.begin_debit(DebitRequest(request(), 1000, "sale"))


def cancelled(counter: TestCounter) -> Transaction:
    return counter.ledger.cancel(begun(counter).id)


def declined(counter: TestCounter) -> Transaction:
    return counter.debit(20000)


def uncertain(counter: TestCounter) -> Transaction:
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    return counter.debit(1000)


def not_debited(counter: TestCounter) -> Transaction:
    tear(counter.wallet_card, Moment.COMMAND)
    counter.debit(1000)
    (found,) = counter.recover()
    return found


def not_moved(counter: TestCounter) -> Transaction:
    return counter.engine.resolve(uncertain(counter).id, Resolution(Money.NONE, PERSONS, "clearing file"))


def given_up(counter: TestCounter) -> Transaction:
    return counter.engine.resolve(uncertain(counter).id, Resolution(Money.UNKNOWN, PERSONS, "card lost"))


def refund(counter: TestCounter) -> Transaction:
    """A load that gave a purchase back: it is no payment itself."""
    purchase = counter.debit(1000)
    load = armed(counter, begin_load(counter, purchase, 1000), purchase)
    return counter.ledger.record(load, Outcome(State.COMPLETED))


@pytest.mark.parametrize("make", [begun, cancelled, declined, uncertain, not_debited, not_moved, given_up, refund])
def test_only_a_payment_whose_money_moved_is_given_back(
    counter: TestCounter, make: Callable[[TestCounter], Transaction]
) -> None:
    found = make(counter)
    for give_back in (lambda: order(counter, found), lambda: begin_load(counter, found, 1)):
        with pytest.raises(NotReversible):
            give_back()


def test_what_two_persons_found_moved_is_given_back(counter: TestCounter) -> None:
    moved = counter.engine.resolve(uncertain(counter).id, Resolution(Money.MOVED, PERSONS, "clearing file"))
    assert order(counter, moved).amount_fen == 1000


def test_what_a_card_with_a_wrong_proof_paid_is_given_back_too(counter: TestCounter) -> None:
    counter.wallet_card.faults = FaultPlan(Fault.WRONG_MAC2)
    paid = counter.debit(1000)
    assert paid.state is State.NOT_GENUINE
    assert order(counter, paid).amount_fen == 1000


def test_of_a_settlement_each_leg_gives_back_what_left_its_purse(counter: TestCounter) -> None:
    settled = counter.begin_settlement(Bill(10000, 6000, 2500, 1500), Tender.WALLET)
    settled = counter.settle(counter.settle(settled, counter.social), counter.citizen)
    medical, wallet = settled.legs
    assert (order(counter, medical).amount_fen, order(counter, wallet).amount_fen) == (2500, 1500)
    assert [record["purse"] for record in outbox(counter)[-2:]] == ["medical", "wallet"]


# ---- loads -------------------------------------------------------------------------------------------------------


def test_a_load_is_linked_to_the_purchase_in_both_directions(counter: TestCounter) -> None:
    purchase = counter.debit(1000)
    load = begin_load(counter, purchase, 300, key="k")
    assert (load.reverses, transaction_document(load)["reverses"]) == (purchase.id, purchase.id)
    assert counter.ledger.reversals.of(purchase.id) == ([], [load.id])
    counter.restart()
    again = begin_load(counter, purchase, 300, key="k")
    assert again == load
    assert left(counter, purchase) == 700


def test_a_load_gives_back_to_the_purse_that_paid(counter: TestCounter) -> None:
    purchase = counter.debit(1000)
    with pytest.raises(NotReversible, match="wallet"):
        begin_load(counter, purchase, 1000, purse=PurseKind.MEDICAL)
    assert left(counter, purchase) == 1000


def test_a_load_that_waits_for_its_card_keeps_its_part_until_it_is_cancelled(counter: TestCounter) -> None:
    purchase = counter.debit(1000)
    load = begin_load(counter, purchase, 700)
    assert left(counter, purchase) == 300
    with pytest.raises(NotReversible):
        begin_load(counter, purchase, 301)
    counter.ledger.cancel(load.id)
    assert left(counter, purchase) == 1000
    assert begin_load(counter, purchase, 1000).state is State.ACCEPTED


@pytest.mark.parametrize(
    ("outcomes", "still_left"),
    [
        ([], 300),
        ([Outcome(State.COMPLETED)], 300),
        ([Outcome(State.UNCERTAIN)], 300),
        ([Outcome(State.UNCERTAIN), Outcome(State.COMPLETED)], 300),
        ([Outcome(State.UNCERTAIN), Outcome(State.NOT_DEBITED)], 1000),
        ([Outcome(State.DECLINED, error="host.refused")], 1000),
        ([Outcome(State.UNCERTAIN), Resolution(Money.MOVED, PERSONS, "seen")], 300),
        ([Outcome(State.UNCERTAIN), Resolution(Money.UNKNOWN, PERSONS, "card lost")], 300),
        ([Outcome(State.UNCERTAIN), Resolution(Money.NONE, PERSONS, "seen")], 1000),
    ],
)
def test_a_load_that_may_have_reached_the_card_counts_until_it_is_known_not_to_have(
    counter: TestCounter, outcomes: list[Outcome | Resolution], still_left: int
) -> None:
    purchase = counter.debit(1000)
    load = armed(counter, begin_load(counter, purchase, 700), purchase)
    for outcome in outcomes:
        if isinstance(outcome, Resolution):
            counter.ledger.resolve(load.id, outcome)
        else:
            counter.ledger.record(load, outcome)
    assert left(counter, purchase) == still_left


def test_a_load_that_was_never_granted_gives_its_part_free_after_a_crash(counter: TestCounter) -> None:
    purchase = counter.debit(1000)
    armed(counter, begin_load(counter, purchase, 700), purchase)
    counter.restart()
    assert left(counter, purchase) == 1000


def test_a_load_that_was_granted_keeps_its_part_after_a_crash(counter: TestCounter) -> None:
    purchase = counter.debit(1000)
    load = armed(counter, begin_load(counter, purchase, 700), purchase)
    counter.ledger.grant(load, "20260102030405")
    counter.restart()
    assert left(counter, purchase) == 300


def test_a_declined_load_does_not_bring_money_back_to_another_one(counter: TestCounter) -> None:
    purchase = counter.debit(1000)
    first = armed(counter, begin_load(counter, purchase, 1000), purchase)
    counter.ledger.record(first, Outcome(State.DECLINED, error="host.refused"))
    second = begin_load(counter, purchase, 1000)
    with pytest.raises(NotReversible):
        order(counter, purchase, 1)
    assert counter.ledger.reversals.of(purchase.id) == ([], [first.id, second.id])


def test_refunds_asked_for_at_the_same_time_never_exceed_the_purchase(counter: TestCounter) -> None:
    purchase = counter.debit(1000)

    def give_back(number: int) -> int:
        try:
            if number % 2:
                return order(counter, purchase, 300).amount_fen
            return begin_load(counter, purchase, 300).amount_fen
        except NotReversible:
            return 0

    with ThreadPoolExecutor(8) as clerks:
        given = list(clerks.map(give_back, range(16)))
    assert (sum(given), left(counter, purchase)) == (900, 100)


def test_another_clients_key_of_the_same_name_is_another_refund(counter: TestCounter) -> None:
    purchase = counter.debit(1000)
    mine = order(counter, purchase, 400, key="k")
    asked = Request("other", "k", "refund", b"theirs")
    theirs = counter.ledger.reversals.order(asked, purchase.id, 400, None, "again")
    assert mine.id != theirs.id
    assert left(counter, purchase) == 200


# ---- whole settlements -------------------------------------------------------------------------------------------

BILL = Bill(10000, 6000, 2500, 1500)


def settled(counter: TestCounter, tender: Tender = Tender.WALLET, bill: Bill = BILL) -> Settlement:
    """A bill that cards, and perhaps cash, have paid."""
    found = counter.settle(counter.begin_settlement(bill, tender), counter.social)
    return counter.settle(found, counter.citizen) if found.state is State.AWAITING_CARD else found


def order_whole(counter: TestCounter, settlement: Settlement, key: str = "") -> list[RefundOrder]:
    asked = request("refund", key, settlement.id.encode())
    return counter.ledger.reversals.order_settlement(asked, settlement.id, "Li Lei", "wrong patient")


def test_a_settlement_is_given_back_whole_by_one_order_for_each_card(counter: TestCounter) -> None:
    paid = settled(counter)
    orders = order_whole(counter, paid)
    assert [(order.purchase, order.amount_fen) for order in orders] == [
        (paid.legs[0].id, 2500),
        (paid.legs[1].id, 1500),
    ]
    assert [record["id"] for record in outbox(counter)[-2:]] == [order.id for order in orders]
    assert [left(counter, leg) for leg in paid.legs] == [0, 0]
    assert counter.ledger.settlement(paid.id).answer == paid.answer


def test_of_a_settlement_in_cash_only_the_card_is_ordered_back(counter: TestCounter) -> None:
    paid = settled(counter, Tender.CASH)
    (order_of_card,) = order_whole(counter, paid)
    assert (order_of_card.purchase, order_of_card.amount_fen) == (paid.legs[0].id, 2500)
    kinds = [(row.kind, row.payload) for row in counter.ledger.rows(counter.ledger.head[0] - 2, 2)]
    assert kinds[0] == ("refund.settlement", {"due_fen": 1500})


def test_a_settlement_that_no_card_paid_is_given_back_once_too(counter: TestCounter) -> None:
    """All in cash: there is no order to refuse a second time, but the till must not pay twice."""
    paid = settled(counter, Tender.CASH, Bill(1500, 0, 0, 1500))
    assert order_whole(counter, paid) == []
    with pytest.raises(NotReversible):
        order_whole(counter, paid)


def test_the_same_key_gets_the_same_orders_of_a_settlement(counter: TestCounter) -> None:
    paid = settled(counter)
    orders = order_whole(counter, paid, "k")
    counter.restart()
    assert order_whole(counter, paid, "k") == orders
    with pytest.raises(NotReversible):
        order_whole(counter, paid, "another")
    with pytest.raises(IdempotencyMismatch):
        order(counter, paid.legs[0], 1, key="k")


@pytest.mark.parametrize("by_load", [True, False])
def test_a_settlement_of_which_a_part_was_given_back_is_not_given_back_whole(
    counter: TestCounter, by_load: bool
) -> None:
    paid = settled(counter)
    if by_load:
        begin_load(counter, paid.legs[1], 1)
    else:
        order(counter, paid.legs[1], 1)
    with pytest.raises(NotReversible):
        order_whole(counter, paid)
    assert left(counter, paid.legs[0]) == 2500, "nothing of it was ordered"


def test_a_settlement_whose_wallet_part_became_due_in_cash_is_given_back_like_one_in_cash(
    counter: TestCounter,
) -> None:
    waiting = counter.settle(counter.begin_settlement(BILL), counter.social)
    ended = counter.ledger.cancel_settlement(waiting.id)
    (order_of_card,) = order_whole(counter, ended)
    assert order_of_card.purchase == ended.legs[0].id


def test_only_a_completed_settlement_is_given_back(counter: TestCounter) -> None:
    begun = counter.begin_settlement(BILL)
    with pytest.raises(NotReversible):
        order_whole(counter, begun)
    waiting = counter.settle(begun, counter.social)
    with pytest.raises(NotReversible):
        order_whole(counter, waiting)
    cancelled_one = counter.ledger.cancel_settlement(counter.begin_settlement(BILL).id)
    with pytest.raises(NotReversible):
        order_whole(counter, cancelled_one)
    with pytest.raises(TransactionUnknown):
        order_whole(counter, replace(begun, id="nothing"))
