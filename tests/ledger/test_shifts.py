"""Shifts: one for each operator and lane, what belongs to them, and the head of the chain at both ends (T-02)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cardio.engine.requests import DebitRequest, SettleRequest
from cardio.errors import Money, ShiftOpen, ShiftUnknown, StorageUnavailable
from cardio.ledger.bill import Bill
from cardio.ledger.document import settlement_document, transaction_document
from cardio.ledger.listing import Filter, Total
from cardio.ledger.model import Settlement, State, Tender, Transaction
from cardio.ledger.shifts import Head, Shift
from cardio.purse.operation import Operation, PurseKind
from cardio.virtual.card import Moment
from tests.counter import TestCounter, request, tear

TERMINALS = ("999999000001", "999999000002")
BILL = Bill(total_fen=1000, fund_fen=600, account_fen=250, self_pay_fen=150)


def open_shift(counter: TestCounter, operator: str = "Li Lei", lane: str = "") -> Shift:
    return counter.ledger.shifts.open(operator, lane, TERMINALS, "1.0")


def begin(counter: TestCounter, operator: str | None = None, amount: int = 100) -> Transaction:
    return counter.engine.begin_debit(DebitRequest(request(), amount, "sale", operator))


def debit(counter: TestCounter, operator: str | None = None, amount: int = 100) -> Transaction:
    begun = begin(counter, operator, amount)
    with counter.channel(counter.citizen, counter.wallet_card) as channel:
        return counter.engine.debit(begun, channel)


def begin_settlement(counter: TestCounter, operator: str | None = None) -> Settlement:
    return counter.engine.begin_settlement(SettleRequest(request("settle"), BILL, Tender.WALLET, "bill", operator))


def head(counter: TestCounter) -> Head:
    seq, digest = counter.ledger.head
    return Head(seq, digest.hex())


# ---- opening and closing -----------------------------------------------------------------------------------------


def test_a_shift_tells_who_where_with_what_and_the_head_of_the_chain_at_both_ends(counter: TestCounter) -> None:
    debit(counter)
    first = head(counter)
    opened = open_shift(counter, "Li Lei", "gate 3")
    assert (opened.operator, opened.lane, opened.terminals, opened.software) == ("Li Lei", "gate 3", TERMINALS, "1.0")
    assert (opened.closed_at, opened.closed_by, opened.closed_head, opened.totals) == (None, None, None, ())
    assert opened.opened_head == first
    debit(counter, "Li Lei")
    last = head(counter)
    closed = counter.ledger.shifts.close(opened.id, "Han Meimei")
    assert (closed.opened_head, closed.closed_head, closed.closed_by) == (first, last, "Han Meimei")
    assert closed.closed_at is not None
    assert closed.opened_at <= closed.closed_at
    counter.restart()
    assert counter.ledger.shifts.shift(opened.id) == closed


def test_between_the_two_heads_lies_what_happened_and_both_ends_are_rows_of_the_chain(counter: TestCounter) -> None:
    opened = open_shift(counter)
    debit(counter, "Li Lei")
    closed = counter.ledger.shifts.close(opened.id)
    assert closed.closed_head is not None
    rows = counter.ledger.rows(opened.opened_head.seq, 100)
    assert [row.kind for row in rows] == [
        "shift.opened",
        "transaction.accepted",
        "transaction.armed",
        "transaction.completed",
        "shift.closed",
    ]
    assert (rows[-2].seq, rows[-2].hash.hex()) == (closed.closed_head.seq, closed.closed_head.hash)
    assert (rows[0].subject, rows[0].payload) == (opened.id, {"operator": "Li Lei", "lane": ""})
    assert (rows[-1].subject, rows[-1].payload) == (opened.id, {"closed_by": "Li Lei"})


def test_a_shift_that_begins_the_journal_has_the_head_before_its_first_row(counter: TestCounter) -> None:
    seq, digest = counter.ledger.head
    assert open_shift(counter).opened_head == Head(seq, digest.hex())


def test_an_operator_has_one_open_shift_at_a_lane(counter: TestCounter) -> None:
    first = open_shift(counter, "Li Lei", "1")
    with pytest.raises(ShiftOpen) as caught:
        open_shift(counter, "Li Lei", "1")
    assert caught.value.money is Money.NONE
    elsewhere = open_shift(counter, "Li Lei", "2")
    other = open_shift(counter, "Han Meimei", "1")
    counter.restart()
    with pytest.raises(ShiftOpen):
        open_shift(counter, "Li Lei", "1")
    counter.ledger.shifts.close(first.id)
    again = open_shift(counter, "Li Lei", "1")
    assert [shift.id for shift in counter.ledger.shifts.all(only_open=True)] == [again.id, other.id, elsewhere.id]
    assert [shift.id for shift in counter.ledger.shifts.all()] == [again.id, other.id, elsewhere.id, first.id]


def test_of_many_who_open_the_same_shift_at_the_same_time_one_does(counter: TestCounter) -> None:
    together = threading.Barrier(8)

    def open_it(_: int) -> bool:
        together.wait()
        try:
            open_shift(counter)
        except ShiftOpen:
            return False
        return True

    with ThreadPoolExecutor(8) as clerks:
        assert sum(clerks.map(open_it, range(8))) == 1
    assert len(counter.ledger.shifts.all()) == 1


def test_a_shift_is_closed_once(counter: TestCounter) -> None:
    opened = open_shift(counter)
    closed = counter.ledger.shifts.close(opened.id)
    rows = counter.ledger.head
    with pytest.raises(ShiftUnknown):
        counter.ledger.shifts.close(opened.id, "somebody else")
    assert (counter.ledger.shifts.shift(opened.id), counter.ledger.head) == (closed, rows)


def test_a_shift_that_nobody_opened_is_unknown(counter: TestCounter) -> None:
    for ask in (counter.ledger.shifts.shift, counter.ledger.shifts.close):
        with pytest.raises(ShiftUnknown):
            ask("nothing")


def test_a_shift_is_opened_with_its_row_of_the_chain_or_not_at_all(counter: TestCounter) -> None:
    counter.ledger._database.write(
        lambda db: db.execute(
            "CREATE TEMP TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    )
    with pytest.raises(StorageUnavailable):
        open_shift(counter)
    assert counter.ledger.shifts.all() == []
    counter.restart()
    assert open_shift(counter).closed_at is None


# ---- what belongs to one -----------------------------------------------------------------------------------------


def test_what_an_operator_does_belongs_to_the_operators_shift(counter: TestCounter) -> None:
    mine, theirs = open_shift(counter, "Li Lei"), open_shift(counter, "Han Meimei")
    assert debit(counter, "Li Lei").shift == mine.id
    done = debit(counter, "Han Meimei")
    assert (done.shift, transaction_document(done)["shift"]) == (theirs.id, theirs.id)
    settled = begin_settlement(counter, "Han Meimei")
    assert (settled.shift, settlement_document(settled)["shift"]) == (theirs.id, theirs.id)
    settled = counter.settle(counter.settle(settled, counter.social), counter.citizen)
    assert [leg.shift for leg in settled.legs] == [theirs.id, theirs.id]


def test_without_an_operator_it_belongs_to_the_only_shift_that_is_open(counter: TestCounter) -> None:
    assert debit(counter).shift is None
    only = open_shift(counter)
    assert (debit(counter).shift, begin_settlement(counter).shift) == (only.id, only.id)
    counter.ledger.shifts.close(only.id)
    assert debit(counter).shift is None


def test_where_it_is_not_clear_it_belongs_to_none(counter: TestCounter) -> None:
    """Nobody's work is put into another's shift."""
    open_shift(counter, "Li Lei", "1")
    assert debit(counter, "Han Meimei").shift is None, "she has none open"
    open_shift(counter, "Han Meimei", "1")
    assert debit(counter).shift is None, "two are open"
    open_shift(counter, "Li Lei", "2")
    assert debit(counter, "Li Lei").shift is None, "he has two"
    assert debit(counter, "Han Meimei").shift is not None


def test_it_stays_in_the_shift_in_which_it_was_asked_for(counter: TestCounter) -> None:
    first = open_shift(counter)
    begun, settlement = begin(counter, "Li Lei"), begin_settlement(counter, "Li Lei")
    settlement = counter.settle(settlement, counter.social)
    counter.ledger.shifts.close(first.id)
    second = open_shift(counter)
    with counter.channel(counter.citizen, counter.wallet_card) as channel:
        assert counter.engine.debit(begun, channel).shift == first.id
    settlement = counter.settle(settlement, counter.citizen)
    assert settlement.state is State.COMPLETED
    assert [settlement.shift, *(leg.shift for leg in settlement.legs)] == [first.id] * 3
    assert debit(counter, "Li Lei").shift == second.id


def test_a_repeat_in_the_next_shift_gets_the_answer_of_the_first(counter: TestCounter) -> None:
    first = open_shift(counter)
    done = counter.debit(100, key="k")
    counter.ledger.shifts.close(first.id)
    open_shift(counter)
    assert counter.debit(100, key="k").answer == done.answer
    assert done.shift == first.id


def test_a_refund_belongs_to_the_shift_that_gives_it(counter: TestCounter) -> None:
    first = open_shift(counter, "Li Lei")
    purchase = debit(counter, "Li Lei")
    counter.ledger.shifts.close(first.id)
    second = open_shift(counter, "Han Meimei")
    load = counter.ledger.begin_transaction(
        request("load"), PurseKind.WALLET, Operation.LOAD, (100,), "refund", "Han Meimei", reverses=purchase.id
    )
    assert load.shift == second.id


# ---- its totals --------------------------------------------------------------------------------------------------


def test_the_totals_of_a_shift_are_those_of_its_transactions(counter: TestCounter) -> None:
    debit(counter, amount=7)
    shift = open_shift(counter)
    debit(counter, "Li Lei", 100)
    debit(counter, "Li Lei", 250)
    debit(counter, "Li Lei", 20000)
    counter.ledger.cancel(begin(counter, "Li Lei", 5).id)
    counter.settle(begin_settlement(counter, "Li Lei"), counter.social)
    wallet, medical, purchase = PurseKind.WALLET, PurseKind.MEDICAL, Operation.PURCHASE
    closed = counter.ledger.shifts.close(shift.id)
    assert closed.totals == (
        Total(medical, purchase, State.COMPLETED, 1, 250),
        Total(wallet, purchase, State.CANCELLED, 1, 5),
        Total(wallet, purchase, State.COMPLETED, 2, 350),
        Total(wallet, purchase, State.DECLINED, 1, 20000),
    )
    assert list(closed.totals) == counter.ledger.listing.totals(Filter(shift=shift.id))


def test_what_was_open_when_a_shift_was_closed_is_shown_as_it_ends(counter: TestCounter) -> None:
    """As OPS 1.7 wants it: what is not known at the end of a shift is listed, and no sale."""
    shift = open_shift(counter)
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    debit(counter, "Li Lei")
    closed = counter.ledger.shifts.close(shift.id)
    assert [(total.state, total.amount_fen) for total in closed.totals] == [(State.UNCERTAIN, 100)]
    counter.recover()
    later = counter.ledger.shifts.shift(shift.id)
    assert [(total.state, total.amount_fen) for total in later.totals] == [(State.COMPLETED, 100)]
    assert later.closed_head == closed.closed_head
