"""Watchers of the chain see every row once, in order, and only when it is on disk."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from cardio.errors import IdempotencyMismatch, JournalBehind, StorageUnavailable
from cardio.ledger import chain
from cardio.ledger.bill import Bill
from cardio.ledger.chain import ChainRow
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import Tender
from cardio.purse.operation import Operation, PurseKind
from cardio.virtual.card import Moment
from tests.counter import TestCounter, request, tear

EVERYTHING = 1_000_000
NEW = 1
"""Rows of a new journal: the one that names its public key."""
BILL = Bill(total_fen=1000, fund_fen=600, account_fen=250, self_pay_fen=150)


class Watcher:
    """Remembers what it was told, call by call."""

    def __init__(self) -> None:
        self.calls: list[list[ChainRow]] = []

    def __call__(self, rows: list[ChainRow]) -> None:
        self.calls.append(rows)

    @property
    def rows(self) -> list[ChainRow]:
        """All rows so far."""
        return [row for rows in self.calls for row in rows]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    opened = Ledger(path)
    yield opened
    opened.verify_chain()
    opened.close()


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


def begin(ledger: Ledger, key: str = "", body: bytes = b"body") -> str:
    asked = request(key=key, body=body)
    return ledger.begin_transaction(asked, PurseKind.WALLET, Operation.PURCHASE, (100,), "sale", None).id


@contextmanager
def failing(ledger: Ledger, event: str) -> Iterator[None]:
    """Every such write fails, as on a full disk."""
    write = ledger._database.write
    write(lambda db: db.execute(f"CREATE TEMP TRIGGER full BEFORE {event} BEGIN SELECT RAISE(ABORT, 'full'); END"))
    yield
    write(lambda db: db.execute("DROP TRIGGER full"))


# ---- every row, once, in order -----------------------------------------------------------------------------------


def test_a_watcher_sees_a_whole_day_once_and_in_order(counter: TestCounter, watcher: Watcher) -> None:
    counter.debit(1)
    known = counter.ledger.watch(watcher)
    counter.ledger.note_start("1.0")
    shift = counter.ledger.shifts.open("Li Lei", "", (), "1.0")
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    torn = counter.debit(100)
    counter.recover()
    counter.settle(counter.settle(counter.begin_settlement(BILL), counter.social), counter.citizen)
    counter.ledger.cancel_settlement(counter.begin_settlement(BILL, Tender.CASH).id)
    counter.ledger.reversals.order(request("refund"), torn.id, None, None, "why")
    counter.ledger.privacy.note_access("cashier", "settlement", ["holder"])
    counter.ledger.note_reprint(torn.id)
    with pytest.raises(JournalBehind):
        counter.ledger.freshness.check_sequence("999999000001/1001", 99)
    counter.ledger.freshness.reconcile(("Li Lei", "Han Meimei"), "compared")
    counter.ledger.batches.close(shift.id)
    counter.ledger.shifts.close(shift.id)
    assert watcher.rows == counter.ledger.rows(known, EVERYTHING)
    assert [row.seq for row in watcher.rows] == list(range(known + 1, counter.ledger.head[0] + 1))
    assert {row.kind for row in watcher.rows} == {
        "batch.closed",
        "journal.behind",
        "journal.reconciled",
        "person.read",
        "refund.ordered",
        "service.started",
        "settlement.accepted",
        "settlement.awaiting_card",
        "settlement.cancelled",
        "settlement.completed",
        "shift.closed",
        "shift.opened",
        "transaction.accepted",
        "transaction.armed",
        "transaction.completed",
        "transaction.uncertain",
        "voucher.reprinted",
    }


def test_rows_of_before_are_not_told_again(ledger: Ledger, watcher: Watcher) -> None:
    begin(ledger)
    begin(ledger)
    assert ledger.watch(watcher) == NEW + 2
    assert watcher.calls == []
    begin(ledger)
    assert [row.seq for row in watcher.rows] == [NEW + 3]


def test_what_one_commit_wrote_is_told_together(counter: TestCounter, watcher: Watcher) -> None:
    settlement = counter.begin_settlement(BILL)
    waiting = counter.settle(settlement, counter.social)
    counter.ledger.watch(watcher)
    counter.ledger.cancel_settlement(waiting.id)
    assert [[row.kind for row in rows] for rows in watcher.calls] == [
        ["transaction.accepted", "transaction.cancelled", "settlement.completed"]
    ]


def test_a_write_without_a_row_of_the_chain_tells_nobody_anything(ledger: Ledger, watcher: Watcher) -> None:
    ledger.watch(watcher)
    ledger._database.write(lambda db: db.execute("UPDATE meta SET value = value"))
    begin(ledger, "k")
    begin(ledger, "k")
    assert [len(rows) for rows in watcher.calls] == [1]


def test_every_watcher_sees_every_row_from_its_first_on(ledger: Ledger, watcher: Watcher) -> None:
    later = Watcher()
    ledger.watch(watcher)
    begin(ledger)
    assert ledger.watch(later) == NEW + 1
    begin(ledger)
    assert [row.seq for row in watcher.rows] == [NEW + 1, NEW + 2]
    assert [row.seq for row in later.rows] == [NEW + 2]


def test_rows_written_by_several_threads_are_told_once_and_in_order(ledger: Ledger, watcher: Watcher) -> None:
    ledger.watch(watcher)
    together = threading.Barrier(8)

    def write(number: int) -> None:
        together.wait()
        for step in range(10):
            identifier = begin(ledger, f"{number}/{step}")
            if step % 2:
                ledger.cancel(identifier)
            elif step % 3:
                with pytest.raises(IdempotencyMismatch):
                    begin(ledger, f"{number}/{step}", b"another body")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    assert watcher.rows == ledger.rows(NEW, EVERYTHING)
    assert len(watcher.rows) == 8 * 15


def test_who_begins_to_watch_among_writers_misses_and_repeats_nothing(ledger: Ledger) -> None:
    """Rows up to the number that `watch` returns, and then those that are told, are all there are."""
    watchers = [Watcher() for _ in range(20)]

    def write() -> None:
        for _ in range(50):
            begin(ledger)

    with ThreadPoolExecutor(4) as threads:
        writing = [threads.submit(write) for _ in range(4)]
        known = [ledger.watch(watcher) for watcher in watchers]
        for one in writing:
            one.result()
    for number, watcher in zip(known, watchers, strict=True):
        assert [row.seq for row in watcher.rows] == list(range(number + 1, NEW + 201))


# ---- only what is on disk ----------------------------------------------------------------------------------------


def test_another_connection_finds_on_disk_what_a_watcher_is_told(ledger: Ledger, path: Path) -> None:
    found: list[tuple[int, int]] = []

    def look(rows: list[ChainRow]) -> None:
        other = sqlite3.connect(path)
        (newest,) = other.execute("SELECT max(seq) FROM journal").fetchone()
        other.close()
        found.append((newest, rows[-1].seq))

    ledger.watch(look)
    for _ in range(3):
        ledger.cancel(begin(ledger))
    assert found == [(NEW + number, NEW + number) for number in range(1, 7)]


@pytest.mark.parametrize("event", ["INSERT ON requests", "UPDATE OF answer ON transactions"])
def test_a_row_that_was_rolled_back_is_never_told_and_its_number_comes_again(
    ledger: Ledger, watcher: Watcher, event: str
) -> None:
    """Both fail after the row of the chain was written."""
    waiting = begin(ledger)
    ledger.watch(watcher)
    with failing(ledger, event), pytest.raises(StorageUnavailable):
        begin(ledger) if event.startswith("INSERT") else ledger.cancel(waiting)
    assert watcher.calls == []
    begin(ledger)
    assert [(row.seq, row.kind) for row in watcher.rows] == [(NEW + 2, "transaction.accepted")]
    assert watcher.rows == ledger.rows(NEW + 1, EVERYTHING)


def test_a_refused_request_tells_nobody_anything(ledger: Ledger, watcher: Watcher) -> None:
    begin(ledger, "k")
    ledger.watch(watcher)
    with pytest.raises(IdempotencyMismatch):
        begin(ledger, "k", b"another body")
    assert watcher.calls == []


# ---- what stands, stands -----------------------------------------------------------------------------------------


def test_a_watcher_that_fails_changes_nothing_about_the_write_and_the_others_are_told(
    ledger: Ledger, watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    """The row is on disk: an error would say to the engine that it is not."""

    def broken(rows: list[ChainRow]) -> None:
        raise RuntimeError("the event loop is closed")

    ledger.watch(broken)
    ledger.watch(watcher)
    with caplog.at_level(logging.ERROR):
        identifier = begin(ledger)
        ledger.cancel(identifier)
    assert [row.seq for row in watcher.rows] == [NEW + 1, NEW + 2]
    assert [record.message for record in caplog.records] == ["a watcher of the journal failed"] * 2


def test_rows_that_could_not_be_read_back_are_told_with_the_next_ones(
    ledger: Ledger, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*arguments: object) -> list[ChainRow]:
        raise sqlite3.OperationalError("disk I/O error")

    ledger.watch(watcher)
    with monkeypatch.context() as patch:
        patch.setattr(chain, "rows_after", unreadable)
        begin(ledger)
        begin(ledger)
    assert watcher.calls == []
    later = Watcher()
    assert ledger.watch(later) == NEW + 2
    begin(ledger)
    assert [row.seq for row in watcher.rows] == [NEW + 1, NEW + 2, NEW + 3]
    assert [row.seq for row in later.rows] == [NEW + 3]


def test_after_a_restart_nobody_watches_and_no_row_is_missing(counter: TestCounter, watcher: Watcher) -> None:
    known = counter.ledger.watch(watcher)
    counter.debit(1)
    told = watcher.rows
    counter.restart()
    counter.debit(1)
    assert watcher.rows == told == counter.ledger.rows(known, len(told))
    again = Watcher()
    assert counter.ledger.watch(again) == counter.ledger.head[0]


def test_rows_can_be_read_in_pages_after_any_number(ledger: Ledger) -> None:
    for _ in range(5 - NEW):
        begin(ledger)
    assert [row.seq for row in ledger.rows(0, 2)] == [1, 2]
    assert [row.seq for row in ledger.rows(2, 2)] == [3, 4]
    assert [row.seq for row in ledger.rows(4, 2)] == [5]
    assert ledger.rows(5, 2) == ledger.rows(99, 2) == []
    (last,) = ledger.rows(4, 1)
    assert ledger.head == (last.seq, last.hash)
