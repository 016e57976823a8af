"""What is checked before a journal is used, and before anything new is charged: its pages, and the clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cardio.engine.requests import DebitRequest
from cardio.errors import ClockUntrusted, InputInvalid, JournalBroken, Money
from cardio.ledger import integrity
from cardio.ledger.bill import Bill
from cardio.ledger.ledger import Ledger, now
from cardio.ledger.model import State, Tender
from cardio.virtual.card import Moment
from tests.counter import TestCounter, request, tear

PERSONS = ("Li Lei", "Han Meimei")
BILL = Bill(total_fen=12000, fund_fen=7000, account_fen=3000, self_pay_fen=2000)
HOUR = timedelta(hours=1)


class Clock:
    """The terminal's clock, which can be set."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return now() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counter(tmp_path: Path, clock: Clock) -> Iterator[TestCounter]:
    """A counter with a clock that can be set."""
    made = TestCounter(tmp_path, clock=clock)
    yield made
    made.close()


def newest(counter: TestCounter) -> datetime:
    query = "SELECT time FROM journal ORDER BY seq DESC"
    return datetime.fromisoformat(counter.ledger._database.read(lambda db: db.execute(query).fetchone()[0]))


# ---- clock ---------------------------------------------------------------------------------------------------


def test_with_a_clock_behind_the_journal_nothing_new_is_begun(counter: TestCounter, clock: Clock) -> None:
    done = counter.debit(100, key="k")
    clock.ahead = -HOUR
    for begin in (lambda: counter.debit(100, key="new"), lambda: counter.begin_settlement(BILL, Tender.CASH)):
        with pytest.raises(ClockUntrusted) as caught:
            begin()
        assert caught.value.money is Money.NONE
    with pytest.raises(ClockUntrusted):
        counter.ledger.admission.check_clock()
    assert counter.debit(100, key="k").answer == done.answer, "what was begun before gets its answer"
    clock.ahead = timedelta()
    counter.ledger.admission.check_clock()
    assert counter.debit(100, key="new").state is State.COMPLETED


def test_a_clock_that_goes_back_between_request_and_card_arms_nothing(counter: TestCounter, clock: Clock) -> None:
    begun = counter.engine.begin_debit(DebitRequest(request(key="k"), 100, "sale"))
    clock.ahead = -HOUR
    with counter.channel(counter.citizen) as channel:
        with pytest.raises(ClockUntrusted):
            counter.engine.debit(begun, channel)
        assert counter.ledger.transaction(begun.id).state is State.ACCEPTED
        clock.ahead = timedelta()
        assert counter.engine.debit(begun, channel).state is State.COMPLETED
    assert counter.ledger.transactions()[0].outcome.balance_after == 9900


def test_a_small_step_of_the_time_service_is_no_reason_to_stop(counter: TestCounter, clock: Clock) -> None:
    counter.debit(100)
    clock.ahead = -timedelta(seconds=5)
    assert counter.debit(100).state is State.COMPLETED


def test_an_open_question_is_answered_under_any_clock(counter: TestCounter, clock: Clock) -> None:
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    assert counter.debit(100).state is State.UNCERTAIN
    clock.ahead = -HOUR
    assert [found.state for found in counter.recover(counter.wallet_card)] == [State.COMPLETED]


def test_rows_never_go_back_in_time(counter: TestCounter, clock: Clock) -> None:
    counter.debit(100)
    before = newest(counter)
    clock.ahead = -HOUR
    counter.ledger.privacy.note_access("till", "look-up", [])
    assert newest(counter) == before


def test_a_journal_opens_under_a_wrong_clock_and_charges_nothing(counter: TestCounter, clock: Clock) -> None:
    counter.debit(100)
    clock.ahead = -HOUR
    counter.restart()
    with pytest.raises(ClockUntrusted):
        counter.debit(100)


def test_after_a_time_that_was_ahead_two_persons_let_money_move_again(counter: TestCounter, clock: Clock) -> None:
    clock.ahead = timedelta(days=365)
    counter.ledger.privacy.note_access("till", "under a wrong clock", [])
    clock.ahead = timedelta()
    with pytest.raises(ClockUntrusted):
        counter.debit(100)
    with pytest.raises(InputInvalid):
        counter.ledger.admission.accept_clock(("one", "one"), "battery")
    counter.ledger.admission.accept_clock(PERSONS, "the battery was changed and the year was wrong")
    assert counter.debit(100).state is State.COMPLETED
    assert newest(counter) <= now()
    query = "SELECT payload FROM journal WHERE kind = 'clock.accepted'"
    payload = counter.ledger._database.read(lambda db: db.execute(query).fetchone()[0])
    assert "Han Meimei" in payload


# ---- pages ---------------------------------------------------------------------------------------------------


def damage_root_of(table: str, path: Path) -> None:
    """Overwrite the first page of a table."""
    with sqlite3.connect(path) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        (page,) = connection.execute(query, (table,)).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


@pytest.mark.parametrize("table", ["meta", "pending_cards", "requests", "outbox"])
def test_a_damaged_page_is_found_when_the_journal_is_opened(tmp_path: Path, table: str) -> None:
    path = tmp_path / "journal.db"
    Ledger(path).close()
    damage_root_of(table, path)
    with pytest.raises(JournalBroken):
        Ledger(path)


def test_of_a_large_journal_the_tables_that_decide_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity, "WHOLE_UP_TO", 0)
    path = tmp_path / "journal.db"
    Ledger(path).close()
    damage_root_of("outbox", path)
    Ledger(path).close()
    damage_root_of("pending_cards", path)
    with pytest.raises(JournalBroken):
        Ledger(path)
