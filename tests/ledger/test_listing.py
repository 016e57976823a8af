"""Lists and sums: complete, without repeats, newest first, whatever the clock says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio.engine.requests import OnlineRequest
from cardio.errors import TransactionUnknown
from cardio.files.dates import CARD_TIMEZONE
from cardio.ledger.admission import AdmissionLimits
from cardio.ledger.bill import Bill
from cardio.ledger.ledger import Ledger
from cardio.ledger.listing import PAGE, Filter, Total
from cardio.ledger.model import Outcome, Request, State, Tender, Transaction
from cardio.purse.operation import Operation, PurseKind
from cardio.virtual.card import Moment
from tests.counter import TestCounter, request, tear

NOON = datetime(2026, 3, 1, 12, tzinfo=CARD_TIMEZONE)
BILL = Bill(total_fen=1000, fund_fen=600, account_fen=250, self_pay_fen=150)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    # A clock may be set back here: how far is the institution's to say.
    opened = Ledger(tmp_path / "journal.db", clock, AdmissionLimits(clock_tolerance=timedelta(days=1)))
    yield opened
    opened.verify_chain()
    opened.close()


def begin(ledger: Ledger, amount: int = 100, reference: str = "sale") -> Transaction:
    return ledger.begin_transaction(request(), PurseKind.WALLET, Operation.PURCHASE, (amount,), reference, None)


def begin_settlement(ledger: Ledger, reference: str = "bill") -> str:
    return ledger.begin_settlement(request("settle"), BILL, Tender.CASH, reference, None).id


def pages(ledger: Ledger, wanted: Filter, limit: int) -> list[list[str]]:
    """Ids of all transactions that are meant, page by page, up to the first that is not full."""
    found: list[list[str]] = []
    before: str | None = None
    while not found or len(found[-1]) == limit:
        page = ledger.listing.transactions(wanted, before=before, limit=limit)
        found.append([one.id for one in page])
        before = page[-1].id if page else before
    return found


def whole(ledger: Ledger, wanted: Filter, limit: int = PAGE) -> list[str]:
    return [identifier for page in pages(ledger, wanted, limit) for identifier in page]


# ---- pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 7, PAGE])
def test_pages_are_complete_and_without_repeats_though_all_began_at_the_same_time(ledger: Ledger, limit: int) -> None:
    begun = [begin(ledger).id for _ in range(7)]
    found = pages(ledger, Filter(), limit)
    assert sorted(identifier for page in found for identifier in page) == sorted(begun)
    assert all(len(page) == limit for page in found[:-1])
    assert [identifier for page in found for identifier in page] == sorted(begun, reverse=True)


def test_what_is_begun_while_somebody_turns_the_pages_moves_nothing(ledger: Ledger, clock: Clock) -> None:
    begun = [begin(ledger).id for _ in range(5)]
    first = ledger.listing.transactions(Filter(), limit=2)
    begin(ledger)
    clock.time += timedelta(seconds=1)
    begin(ledger)
    ledger.cancel(begun[0])
    rest = ledger.listing.transactions(Filter(), before=first[-1].id)
    assert [one.id for one in (*first, *rest)] == begun[::-1]


def test_the_newest_come_first_also_around_a_full_second(ledger: Ledger, clock: Clock) -> None:
    """The texts of times with and without a fraction must sort as the times do."""
    begun = []
    for microseconds in (-1, 0, 1, 500_000, 1_000_000):
        clock.time = NOON + timedelta(microseconds=microseconds)
        begun.append(begin(ledger).id)
    assert whole(ledger, Filter(), 2) == begun[::-1]


def test_a_clock_that_was_set_back_neither_hides_nor_repeats_anything(ledger: Ledger, clock: Clock) -> None:
    begun = []
    for hours in (0, 2, -5, 1, -5):
        clock.time = NOON + timedelta(hours=hours)
        begun.append(begin(ledger).id)
    assert whole(ledger, Filter(), 2) == [begun[1], begun[3], begun[0], begun[4], begun[2]]


def test_a_page_has_one_row_to_a_hundred(ledger: Ledger) -> None:
    for _ in range(PAGE + 1):
        begin(ledger)
    for limit, rows in ((PAGE + 1, PAGE), (1000, PAGE), (1, 1), (0, 1), (-1, 1)):
        assert len(ledger.listing.transactions(Filter(), limit=limit)) == rows
    assert len(ledger.listing.transactions(Filter())) == PAGE


def test_a_page_after_what_nobody_began_is_refused_and_not_empty(ledger: Ledger) -> None:
    """An empty page would say that the list had come to its end."""
    begin(ledger)
    settlement = begin_settlement(ledger)
    with pytest.raises(TransactionUnknown):
        ledger.listing.transactions(Filter(), before="nothing")
    with pytest.raises(TransactionUnknown):
        ledger.listing.transactions(Filter(), before=settlement)
    with pytest.raises(TransactionUnknown):
        ledger.listing.settlements(Filter(), before="nothing")


def test_settlements_have_pages_too_with_their_legs(counter: TestCounter) -> None:
    ledger = counter.ledger
    begun = [begin_settlement(ledger, f"bill {number}") for number in range(3)]
    settled = counter.settle(counter.begin_settlement(BILL), counter.social)
    newest, *rest = ledger.listing.settlements(Filter(), limit=2)
    assert (newest, [one.id for one in rest]) == (settled, [begun[2]])
    after = ledger.listing.settlements(Filter(), before=begun[2])
    assert [one.id for one in after] == [begun[1], begun[0]]
    assert ledger.listing.settlements(Filter(state=State.AWAITING_CARD)) == [settled]
    assert [one.id for one in ledger.listing.settlements(Filter(reference="bill 1"))] == [begun[1]]


# ---- filters -----------------------------------------------------------------------------------------------------


def test_a_time_is_meant_from_its_beginning_to_before_its_end_in_any_zone(ledger: Ledger, clock: Clock) -> None:
    begun = []
    for minute in range(5):
        clock.time = NOON + timedelta(minutes=minute)
        begun.append(begin(ledger).id)
    for zone in (CARD_TIMEZONE, UTC, timezone(timedelta(hours=-9, minutes=-30))):
        since, until = ((NOON + timedelta(minutes=minute)).astimezone(zone) for minute in (1, 3))
        assert whole(ledger, Filter(since=since, until=until)) == [begun[2], begun[1]]
        assert whole(ledger, Filter(since=since)) == begun[:0:-1]
        assert whole(ledger, Filter(until=until)) == begun[2::-1]
        assert whole(ledger, Filter(since=until, until=since)) == []


def test_a_callers_text_is_looked_for_as_it_is(ledger: Ledger) -> None:
    nasty = "' OR 1=1 --"
    found = begin(ledger, reference=nasty).id
    begin(ledger, reference="%")
    assert whole(ledger, Filter(reference=nasty)) == [found]
    assert whole(ledger, Filter(reference="_")) == []


def test_what_is_uncertain_is_listed_until_its_card_answered(counter: TestCounter) -> None:
    counter.debit(100)
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    torn = counter.debit(200)
    assert counter.ledger.listing.transactions(Filter(state=State.UNCERTAIN)) == [torn]
    counter.recover()
    assert counter.ledger.listing.transactions(Filter(state=State.UNCERTAIN)) == []


def test_the_key_tells_what_it_began_to_its_own_client_only(counter: TestCounter) -> None:
    done = counter.debit(100, key="k")
    settlement = counter.begin_settlement(BILL, key="b")
    order = counter.ledger.reversals.order(request("refund", "r"), done.id, None, None, "why")
    begun_by: Callable[[str, str], str | None] = counter.ledger.listing.begun_by
    assert [begun_by("test", key) for key in ("k", "b", "r")] == [done.id, settlement.id, order.id]
    assert (begun_by("test", "never"), begun_by("other", "k")) == (None, None)


# ---- sums --------------------------------------------------------------------------------------------------------


def test_sums_tell_purse_operation_and_state_apart(counter: TestCounter) -> None:
    counter.debit(100)
    counter.debit(250)
    counter.debit(20000)
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    counter.debit(7)
    counter.settle(counter.begin_settlement(BILL), counter.social)
    load = OnlineRequest(request("load"), 500, "order")
    counter.engine.begin_online(load)
    wallet, medical, purchase = PurseKind.WALLET, PurseKind.MEDICAL, Operation.PURCHASE
    assert counter.ledger.listing.totals(Filter()) == [
        Total(medical, purchase, State.COMPLETED, 1, 250),
        Total(wallet, Operation.LOAD, State.ACCEPTED, 1, 500),
        Total(wallet, purchase, State.COMPLETED, 2, 350),
        Total(wallet, purchase, State.DECLINED, 1, 20000),
        Total(wallet, purchase, State.UNCERTAIN, 1, 7),
    ]
    assert counter.ledger.listing.totals(Filter(reference="nothing")) == []


def test_large_amounts_are_summed_to_the_fen(ledger: Ledger) -> None:
    for _ in range(3):
        begin(ledger, 0x7FFFFFFF)
    assert [total.amount_fen for total in ledger.listing.totals(Filter())] == [3 * 0x7FFFFFFF]


ENDS: dict[str, Outcome | None] = {
    "accepted": None,
    "cancelled": Outcome(State.CANCELLED),
    "declined": Outcome(State.DECLINED, error="funds.insufficient"),
}
SALES = st.lists(
    st.tuples(
        st.integers(-3, 3),
        st.integers(1, 0x7FFFFFFF),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["Li Lei", "Han Meimei", None]),
        st.sampled_from(sorted(ENDS)),
    ),
    max_size=12,
)
FILTERS = st.builds(
    Filter,
    state=st.none() | st.sampled_from([State.ACCEPTED, State.CANCELLED, State.DECLINED]),
    since=st.none() | st.integers(-3, 3).map(lambda seconds: NOON + timedelta(seconds=seconds)),
    until=st.none() | st.integers(-3, 3).map(lambda seconds: NOON + timedelta(seconds=seconds)),
    shift=st.none() | st.sampled_from(["Li Lei", "Han Meimei"]),
    reference=st.none() | st.sampled_from(["a", "b", "c"]),
)


def meant(one: Transaction, wanted: Filter) -> bool:
    """What a filter says, in plain words."""
    return (
        wanted.state in {None, one.state}
        and (wanted.since is None or one.created_at >= wanted.since)
        and (wanted.until is None or one.created_at < wanted.until)
        and wanted.shift in {None, one.shift}
        and wanted.reference in {None, one.reference}
    )


@settings(max_examples=40, deadline=None)
@given(sales=SALES, wanted=FILTERS, limit=st.integers(1, 5))
def test_every_filter_gives_what_it_says_in_pages_and_in_sums(
    sales: list[tuple[int, int, str, str | None, str]], wanted: Filter, limit: int
) -> None:
    with TemporaryDirectory() as folder:
        clock = Clock()
        ledger = Ledger(Path(folder) / "journal.db", clock)
        shifts = {name: ledger.shifts.open(name, "", (), "1.0").id for name in ("Li Lei", "Han Meimei")}
        for number, (seconds, amount, reference, operator, end) in enumerate(sales):
            clock.time = NOON + timedelta(seconds=seconds)
            asked = Request("test", f"k{number}", "debit", b"")
            begun = ledger.begin_transaction(
                asked, PurseKind.WALLET, Operation.PURCHASE, (amount,), reference, operator
            )
            outcome = ENDS[end]
            if outcome is not None:
                ledger.record(begun, outcome)
        wanted = replace(wanted, shift=wanted.shift and shifts[wanted.shift])
        expected = [one for one in ledger.transactions() if meant(one, wanted)]
        assert whole(ledger, wanted, limit) == [one.id for one in expected[::-1]]
        sums: dict[State, tuple[int, int]] = {}
        for one in expected:
            count, amount = sums.get(one.state, (0, 0))
            sums[one.state] = count + 1, amount + one.amount_fen
        found = ledger.listing.totals(wanted)
        assert {total.state: (total.count, total.amount_fen) for total in found} == sums
        ledger.close()
