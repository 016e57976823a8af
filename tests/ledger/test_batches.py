"""Batches: what they hold, that they never change, and that every record is in one of them, once (OPS §5.2)."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cardio.engine.requests import DebitRequest
from cardio.errors import BatchEmpty, BatchUnknown, Money, ShiftUnknown, StorageUnavailable
from cardio.ledger.bill import Bill
from cardio.ledger.document import transaction_document
from cardio.ledger.ledger import Ledger
from cardio.ledger.migration import migration_files
from cardio.ledger.model import Resolution, State, Tender, Transaction
from cardio.virtual.card import Moment
from cardio.virtual.cards import citizen_card
from cardio.virtual.faults import Fault, FaultPlan
from tests.counter import TestCounter, eventually, request, tear, wallet_of

OTHER_SERIAL = "00008600000000000999"
BILL = Bill(total_fen=1000, fund_fen=600, account_fen=250, self_pay_fen=150)


def opened(file: str) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Header, records and last line of a batch file."""
    assert file.endswith("\n")
    header, *records, last = (json.loads(line) for line in file.removesuffix("\n").split("\n"))
    return header, records, last


def records_of(counter: TestCounter, number: int) -> list[dict[str, Any]]:
    return opened(counter.ledger.batches.file(number))[1]


def torn(counter: TestCounter, amount: int = 100) -> Transaction:
    """A debit whose card was pulled out after it was charged."""
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    return counter.debit(amount)


def statement(ledger: Ledger, sql: str) -> None:
    ledger._database.write(lambda db: db.execute(sql))


# ---- what is in one ----------------------------------------------------------------------------------------------


def test_a_batch_holds_all_records_since_the_one_before_with_their_sums(counter: TestCounter) -> None:
    counter.debit(100)
    counter.debit(250)
    counter.debit(20000)  # declined by the card before ARMED: nothing for the centre
    settled = counter.settle(counter.settle(counter.begin_settlement(BILL), counter.social), counter.citizen)
    head = counter.ledger.head
    waiting = counter.ledger.batches.waiting
    batch = counter.ledger.batches.close()
    header, records, last = opened(counter.ledger.batches.file(batch.number))
    assert (batch.number, batch.shift, batch.first_row, batch.last_row) == (1, None, 1, 4)
    assert batch.header == header
    assert header["journal"] == {"seq": head[0], "hash": head[1].hex()}
    assert header["closed_at"] == batch.closed_at.isoformat()
    sums = {
        "records": 4,
        "uncertain": 0,
        "sums": [
            {"purse": "medical", "operation": "purchase", "count": 1, "amount_fen": 250},
            {"purse": "wallet", "operation": "purchase", "count": 3, "amount_fen": 500},
        ],
    }
    assert sums.items() <= header.items()
    assert waiting == sums
    assert [record["amount_fen"] for record in records] == [100, 250, 250, 150]
    assert records[2]["settlement"] == settled.id
    assert last == {"hash": batch.hash}
    assert counter.ledger.batches.waiting == {"records": 0, "uncertain": 0, "sums": []}


def test_a_record_is_the_transactions_document_and_the_number_is_asked_for(counter: TestCounter) -> None:
    done = counter.debit(100)
    counter.ledger.batches.close()
    (record,) = records_of(counter, 1)
    document = transaction_document(done)
    del document["voucher"]
    assert record == document
    assert counter.ledger.privacy.card_number(done.id) == "00008600000000000123"


def test_a_line_is_a_record_whatever_a_caller_wrote_into_it(counter: TestCounter) -> None:
    reference = '\n{"hash":"0"}\r\u2028"\\\u0085'
    asked = DebitRequest(request(), 100, reference, "李雷")
    with counter.channel(counter.citizen, counter.wallet_card) as channel:
        counter.engine.debit(counter.engine.begin_debit(asked), channel)
    counter.ledger.batches.close()
    (record,) = records_of(counter, 1)
    assert (record["reference"], record["operator"]) == (reference, "李雷")


def test_the_last_line_is_the_hash_over_all_lines_before_it(counter: TestCounter) -> None:
    counter.debit(100)
    batch = counter.ledger.batches.close()
    *before, _ = counter.ledger.batches.file(1).splitlines(keepends=True)
    assert hashlib.sha256("".join(before).encode()).hexdigest() == batch.hash


def test_every_batch_names_the_hash_of_the_one_before(counter: TestCounter) -> None:
    batches = []
    for amount in (1, 2, 3):
        counter.debit(amount)
        batches.append(counter.ledger.batches.close())
    assert [batch.number for batch in batches] == [1, 2, 3]
    assert [batch.previous_hash for batch in batches] == ["0" * 64, batches[0].hash, batches[1].hash]
    assert [batch.header["previous_hash"] for batch in batches] == [batch.previous_hash for batch in batches]
    assert len({batch.hash for batch in batches}) == 3
    assert counter.ledger.batches.all() == batches[::-1]
    assert counter.ledger.batches.batch(2) == batches[1]


def test_closing_is_a_row_of_the_chain_that_holds_the_hash(counter: TestCounter) -> None:
    counter.debit(100)
    batch = counter.ledger.batches.close()
    last = counter.ledger.rows(counter.ledger.head[0] - 1, 1)[0]
    assert (last.kind, last.subject, last.payload) == ("batch.closed", "1", {"records": 1, "hash": batch.hash})


def test_an_empty_batch_is_not_closed_and_takes_no_number(counter: TestCounter) -> None:
    for _ in range(2):
        with pytest.raises(BatchEmpty):
            counter.ledger.batches.close()
    counter.engine.begin_debit(DebitRequest(request(), 100, "sale"))
    with pytest.raises(BatchEmpty):
        counter.ledger.batches.close()
    counter.debit(100)
    assert counter.ledger.batches.close().number == 1
    with pytest.raises(BatchEmpty):
        counter.ledger.batches.close()
    assert len(counter.ledger.batches.all()) == 1


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_batch_that_was_never_closed_is_unknown(counter: TestCounter, number: int) -> None:
    counter.debit(100)
    counter.ledger.batches.close()
    with pytest.raises(BatchUnknown):
        counter.ledger.batches.batch(number)
    with pytest.raises(BatchUnknown):
        counter.ledger.batches.file(number)


def test_a_shift_ends_with_its_batch(counter: TestCounter) -> None:
    shift = counter.ledger.shifts.open("Li Lei", "", (), "1.0")
    counter.debit(100)
    batch = counter.ledger.batches.close(shift.id)
    assert (batch.shift, batch.header["shift"]) == (shift.id, shift.id)


def test_a_shift_that_nobody_opened_closes_no_batch(counter: TestCounter) -> None:
    counter.debit(100)
    with pytest.raises(ShiftUnknown):
        counter.ledger.batches.close("nothing")
    assert counter.ledger.batches.all() == []
    assert counter.ledger.batches.close().number == 1


# ---- it never changes --------------------------------------------------------------------------------------------


def test_a_file_has_the_same_bytes_whenever_it_is_read(counter: TestCounter) -> None:
    open_question = torn(counter)
    counter.ledger.batches.close()
    first = counter.ledger.batches.file(1)
    counter.recover()
    assert counter.ledger.transaction(open_question.id).state is State.COMPLETED
    counter.debit(1)
    counter.ledger.note_reprint(open_question.id)
    counter.ledger.batches.close()
    second = counter.ledger.batches.file(2)
    for _ in range(2):
        counter.restart()
        assert (counter.ledger.batches.file(1), counter.ledger.batches.file(2)) == (first, second)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE batches SET hash = 'x'",
        "UPDATE batches SET header = '{}'",
        "DELETE FROM batches",
        "UPDATE outbox SET record = '{}'",
        "UPDATE outbox SET created_at = ''",
        "UPDATE outbox SET batch = NULL",
        "UPDATE outbox SET batch = 2",
        "UPDATE outbox SET id = id + 100",
        "DELETE FROM outbox",
    ],
)
def test_neither_a_closed_batch_nor_its_records_can_be_changed(counter: TestCounter, change: str) -> None:
    counter.debit(100)
    counter.ledger.batches.close()
    counter.debit(100)
    counter.ledger.batches.close()
    files = [counter.ledger.batches.file(number) for number in (1, 2)]
    with pytest.raises(StorageUnavailable, match="never"):
        statement(counter.ledger, change)
    assert [counter.ledger.batches.file(number) for number in (1, 2)] == files


def test_a_record_that_waits_for_its_batch_is_not_deleted_either(counter: TestCounter) -> None:
    counter.debit(100)
    with pytest.raises(StorageUnavailable, match="never"):
        statement(counter.ledger, "DELETE FROM outbox")


def test_what_the_centre_acknowledged_can_be_noted(counter: TestCounter) -> None:
    counter.debit(100)
    counter.ledger.batches.close()
    file = counter.ledger.batches.file(1)
    statement(counter.ledger, "UPDATE outbox SET acknowledged_at = '2026-01-01'")
    assert counter.ledger.batches.file(1) == file


@pytest.mark.parametrize("failing", ["INSERT ON batches", "UPDATE ON outbox", "INSERT ON journal"])
def test_a_batch_is_closed_as_a_whole_or_not_at_all(counter: TestCounter, failing: str) -> None:
    counter.debit(100)
    statement(
        counter.ledger, f"CREATE TEMP TRIGGER full BEFORE {failing} BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    )
    before = counter.ledger.head, counter.ledger.batches.waiting
    with pytest.raises(StorageUnavailable, match="full"):
        counter.ledger.batches.close()
    assert (counter.ledger.head, counter.ledger.batches.waiting) == before
    assert counter.ledger.batches.all() == []
    counter.restart()
    assert counter.ledger.batches.close().number == 1


# ---- open questions ----------------------------------------------------------------------------------------------


def test_an_open_question_is_sent_at_once_and_again_when_it_is_resolved(counter: TestCounter) -> None:
    question = torn(counter, 100)
    first = counter.ledger.batches.close()
    assert (first.header["uncertain"], first.header["sums"]) == (1, [])
    counter.recover()
    second = counter.ledger.batches.close()
    assert second.header["uncertain"] == 0
    assert second.header["sums"] == [{"purse": "wallet", "operation": "purchase", "count": 1, "amount_fen": 100}]
    told = [(record["id"], record["state"]) for number in (1, 2) for record in records_of(counter, number)]
    assert told == [(question.id, "uncertain"), (question.id, "completed")]


def test_a_try_to_find_out_that_finds_nothing_is_no_new_record(counter: TestCounter) -> None:
    torn(counter)
    counter.ledger.batches.close()
    counter.wallet_card.faults = FaultPlan(Fault.PROOF_GONE)
    wallet_of(counter.wallet_card).purse.balance = 10000
    (still,) = counter.recover()
    assert (still.state, still.outcome.error) == (State.UNCERTAIN, "transaction.evidence-conflict")
    with pytest.raises(BatchEmpty):
        counter.ledger.batches.close()


def test_a_crash_leaves_an_open_question_for_the_next_batch(
    counter: TestCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(counter.ledger, "record", die)
    with pytest.raises(KeyboardInterrupt):
        counter.debit(100)
    with pytest.raises(BatchEmpty):
        counter.ledger.batches.close()
    counter.restart()
    assert counter.ledger.batches.close().header["uncertain"] == 1
    counter.recover()
    assert [record["state"] for record in records_of(counter, counter.ledger.batches.close().number)] == ["completed"]


@pytest.mark.parametrize("money", list(Money))
def test_what_two_persons_decided_is_told_but_not_summed(counter: TestCounter, money: Money) -> None:
    """The card gave no proof of it: the centre decides."""
    question = torn(counter)
    counter.ledger.batches.close()
    counter.engine.resolve(question.id, Resolution(money, ("Li Lei", "Han Meimei"), "clearing file"))
    batch = counter.ledger.batches.close()
    (record,) = records_of(counter, batch.number)
    assert (record["state"], record["money"], record["resolution"]["money"]) == ("resolved", money, money)
    assert (batch.header["uncertain"], batch.header["sums"]) == (0, [])


def test_a_refund_order_goes_with_the_next_batch_and_is_no_sum(counter: TestCounter) -> None:
    purchase = counter.debit(100)
    counter.ledger.batches.close()
    order = counter.ledger.reversals.order(request("refund"), purchase.id, None, None, "goods came back")
    batch = counter.ledger.batches.close()
    assert [record["id"] for record in records_of(counter, 2)] == [order.id]
    assert (batch.header["records"], batch.header["sums"]) == (1, [])


# ---- every record in one batch, once -----------------------------------------------------------------------------

HOW = ("debit", "debit", "too much", "torn before", "torn after", "wrong", "recover", "settle", "refund", "restart")


class Day:
    """A counter's day in any order."""

    def __init__(self, folder: Path) -> None:
        self.counter = TestCounter(folder)
        self.cards = [self.counter.wallet_card, citizen_card(serial=OTHER_SERIAL, balance_fen=10000)]

    def step(self, how: str, amount: int) -> None:
        """Something happens."""
        counter, card = self.counter, self.cards[amount % 2]
        card.faults = None
        match how:
            case "recover":
                counter.recover(card)
            case "restart":
                counter.restart()
            case "settle":
                counter.social_card.faults = None
                begun = counter.begin_settlement(Bill(amount, 0, amount, 0), Tender.CASH)
                counter.settle(begun, counter.social)
            case "refund":
                for paid in counter.ledger.transactions(State.COMPLETED)[-1:]:
                    if not counter.ledger.reversals.of(paid.id)[0]:
                        counter.ledger.reversals.order(request("refund"), paid.id, None, None, "why")
            case _:
                counter.recover(card)  # so that nothing open is in the way
                counter.recover(card)
                only = "8054"
                if how == "torn before":
                    card.faults = FaultPlan(Fault.CUT_BEFORE, only=only)
                elif how == "torn after":
                    card.faults = FaultPlan(Fault.CUT_AFTER, only=only)
                elif how == "wrong":
                    card.faults = FaultPlan(Fault.WRONG_MAC2)
                counter.debit(10000 if how == "too much" else amount, card=card)

    def close_batch(self) -> None:
        """Or there is nothing to close."""
        try:
            self.counter.ledger.batches.close()
        except BatchEmpty:
            assert self.counter.ledger.batches.waiting["records"] == 0


def sums(records: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[int, int]]:
    """Count and amount of what moved, by purse and operation."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for record in records:
        if record["state"] in {"completed", "not_genuine"}:
            kind = record["purse"], record["operation"]
            count, amount = found.get(kind, (0, 0))
            found[kind] = (count + 1, amount + record["amount_fen"])
    return found


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(st.tuples(st.sampled_from(HOW), st.integers(1, 200), st.booleans()), min_size=3, max_size=12))
def test_whatever_the_day_brings_every_record_is_in_one_batch_and_the_sums_are_those_of_the_transactions(
    steps: list[tuple[str, int, bool]],
) -> None:
    with TemporaryDirectory() as folder:
        day = Day(Path(folder))
        for how, amount, closes in steps:
            day.step(how, amount)
            if closes:
                day.close_batch()
        day.close_batch()
        ledger = day.counter.ledger
        records: list[dict[str, Any]] = []
        for batch in ledger.batches.all()[::-1]:
            header, found, last = opened(ledger.batches.file(batch.number))
            assert (header["first_row"], header["last_row"]) == (len(records) + 1, len(records) + len(found))
            assert header["records"] == len(found)
            assert header["uncertain"] == sum(record["state"] == "uncertain" for record in found)
            summed = {(one["purse"], one["operation"]): (one["count"], one["amount_fen"]) for one in header["sums"]}
            assert summed == sums(found)
            assert last["hash"] == batch.hash
            records += found
        told = [(record["id"], record["state"]) for record in records]
        assert len(told) == len(set(told)), "a state was told twice"
        transactions = ledger.transactions()
        assert sums(records) == sums([transaction_document(one) for one in transactions])
        newest = {record["id"]: record["state"] for record in records if record["operation"] != "refund"}
        assert newest == {one.id: one.state.value for one in transactions if one.armed is not None}
        day.counter.close()


def test_batches_that_are_closed_while_money_moves_lose_and_double_nothing(counter: TestCounter) -> None:
    ended = threading.Event()

    def close_all() -> None:
        while not ended.is_set():
            with suppress(BatchEmpty):
                counter.ledger.batches.close()

    with ThreadPoolExecutor(2) as clerks:
        closing = [clerks.submit(close_all) for _ in range(2)]
        for _ in range(40):
            counter.debit(1)
        eventually(lambda: counter.ledger.batches.waiting["records"] == 0)
        ended.set()
        for one in closing:
            one.result()
    batches = counter.ledger.batches.all()[::-1]
    ids = [record["id"] for batch in batches for record in records_of(counter, batch.number)]
    assert ids == [one.id for one in counter.ledger.transactions()]
    assert [batch.previous_hash for batch in batches] == ["0" * 64, *(batch.hash for batch in batches[:-1])]


# ---- journals of before ------------------------------------------------------------------------------------------


def test_records_of_a_journal_without_batches_go_into_its_first_one(tmp_path: Path) -> None:
    """A journal of the schema before; its records wait for the centre since then."""
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as db:
        for file in migration_files()[:2]:
            db.executescript(file.read_text("utf-8"))
        record = {"id": "t", "state": "completed", "purse": "wallet", "operation": "purchase", "amount_fen": 5}
        db.execute(
            "INSERT INTO transactions (id, state, purse, amounts, client, reference, created_at)"
            " VALUES ('t', 'completed', 'wallet', '[5]', 'test', 'sale', '2026-01-01T00:00:00+08:00')"
        )
        db.execute(
            "INSERT INTO outbox (\"transaction\", record, created_at) VALUES ('t', ?, '')", (json.dumps(record),)
        )
        db.execute("PRAGMA user_version = 2")
    db.close()
    ledger = Ledger(path)
    batch = ledger.batches.close()
    assert (batch.header["records"], opened(ledger.batches.file(1))[1]) == (1, [record])
    ledger.close()
