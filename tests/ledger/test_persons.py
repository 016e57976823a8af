"""Personal data: encrypted at rest, readable for who must have them, gone from every file once they are destroyed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from cardio.errors import JournalBroken, StorageUnavailable, TransactionUncertain, TransactionUnknown
from cardio.ledger.ledger import Ledger, now
from cardio.ledger.model import State, Transaction
from cardio.ledger.privacy import Retention
from cardio.ledger.read_only import read_only
from cardio.virtual.card import Moment
from cardio.virtual.cards import citizen_card
from tests.counter import TestCounter, tear
from tests.ledger.conftest import on_disk

NUMBER = "00008600000000000123"
OTHER_NUMBER = "00008600000000000999"
LATER = timedelta(days=1)
MANY = 120
"""Enough rows to fill and split pages."""


def wrapped_keys(counter: TestCounter) -> list[bytes]:
    """The data keys as they stand in the table."""
    query = "SELECT data_key FROM persons WHERE data_key IS NOT NULL"
    return counter.ledger._database.read(lambda db: [bytes(row[0]) for row in db.execute(query)])


def torn(counter: TestCounter) -> Transaction:
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    found = counter.debit(300)
    assert found.state is State.UNCERTAIN
    return found


@pytest.fixture
def many(counter: TestCounter) -> TestCounter:
    """A counter with many transactions."""
    for _ in range(MANY):
        assert counter.debit(1).state is State.COMPLETED
    return counter


# ---- kept ----------------------------------------------------------------------------------------------------


def test_the_number_stands_in_no_file_and_is_told_to_who_asks_for_it(counter: TestCounter) -> None:
    done = counter.debit(100)
    for shape in (NUMBER.encode(), NUMBER[4:].encode(), bytes.fromhex(NUMBER), bytes.fromhex(NUMBER[4:])):
        assert shape not in on_disk(counter)
    assert counter.ledger.privacy.card_number(done.id) == NUMBER
    counter.restart()
    assert counter.ledger.privacy.card_number(done.id) == NUMBER


def test_a_transaction_that_touched_no_card_has_no_number(counter: TestCounter) -> None:
    declined = counter.debit(20000)
    assert declined.state is State.DECLINED
    assert counter.ledger.privacy.card_number(declined.id) is None
    assert counter.ledger.privacy.card_number("none") is None


def test_each_transaction_has_a_data_key_of_its_own(counter: TestCounter) -> None:
    for _ in range(3):
        counter.debit(1)
    assert len(set(wrapped_keys(counter))) == 3


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE persons SET content = o.content FROM persons o WHERE o.rowid <> persons.rowid",
        "UPDATE persons SET data_key = o.data_key FROM persons o WHERE o.rowid <> persons.rowid",
        "UPDATE persons SET content = o.content, data_key = o.data_key FROM persons o WHERE o.rowid <> persons.rowid",
    ],
    ids=["content", "key", "both"],
)
def test_data_that_were_moved_to_another_transaction_are_noticed(counter: TestCounter, change: str) -> None:
    first = counter.debit(1)
    counter.debit(1)
    counter.ledger._database.write(lambda db: db.execute(change))
    with pytest.raises(JournalBroken):
        counter.ledger.privacy.card_number(first.id)


# ---- destroyed -----------------------------------------------------------------------------------------------


def test_what_is_destroyed_is_in_no_file_any_more(many: TestCounter) -> None:
    keys = wrapped_keys(many)
    assert len(keys) == MANY
    assert all(key in on_disk(many) for key in keys)
    assert many.ledger.privacy.forget(now() + LATER) == MANY
    left = on_disk(many)
    assert not any(key in left or key[:20] in left or key[20:] in left for key in keys)
    assert many.journal.with_name("journal.db-wal").stat().st_size == 0
    many.restart()
    assert all(many.ledger.privacy.card_number(one.id) is None for one in many.ledger.transactions())


def test_everything_else_is_as_it_was(counter: TestCounter) -> None:
    done = counter.debit(100, key="k")
    voucher, answer = counter.ledger.voucher(done.id), done.answer
    before = counter.audit()
    assert counter.ledger.privacy.forget(now() + LATER) == 1
    assert counter.ledger.voucher(done.id) == voucher
    assert counter.debit(100, key="k").answer == answer
    after = counter.audit()
    assert (after.rows, after.destroyed, after.vouchers) == (before.rows + 1, 1, before.vouchers)
    row = counter.ledger._database.read(
        lambda db: db.execute("SELECT kind, subject FROM journal ORDER BY seq DESC").fetchone()
    )
    assert tuple(row) == ("person.forgotten", "journal")
    assert counter.debit(100).state is State.COMPLETED


def test_only_what_is_old_enough_is_destroyed(counter: TestCounter) -> None:
    old = counter.debit(1)
    assert counter.ledger.privacy.forget(old.created_at - timedelta(seconds=1)) == 0
    assert counter.ledger.privacy.card_number(old.id) == NUMBER
    assert counter.ledger.privacy.forget(now() + timedelta(seconds=1)) == 1
    assert counter.ledger.privacy.card_number(old.id) is None


def test_an_open_question_keeps_its_number(counter: TestCounter) -> None:
    question = torn(counter)
    card_key = question.armed and question.armed.card.key
    assert counter.ledger.privacy.forget(now() + LATER) == 0
    for destroy, whose in (
        (counter.ledger.privacy.forget_transaction, question.id),
        (counter.ledger.privacy.forget_card, card_key or ""),
    ):
        with pytest.raises(TransactionUncertain):
            destroy(whose)
    assert counter.ledger.privacy.card_number(question.id) == NUMBER
    counter.recover(counter.wallet_card)
    assert counter.ledger.privacy.forget_transaction(question.id) == 1


def test_a_holder_can_have_his_own_destroyed_and_nobody_elses(counter: TestCounter) -> None:
    mine = [counter.debit(1), counter.debit(1)]
    others = counter.debit(1, card=citizen_card(serial=OTHER_NUMBER, balance_fen=1000))
    assert mine[0].armed is not None
    assert counter.ledger.privacy.forget_card(mine[0].armed.card.key) == 2
    assert [counter.ledger.privacy.card_number(one.id) for one in (*mine, others)] == [None, None, OTHER_NUMBER]


def test_one_transaction_can_be_destroyed_alone(counter: TestCounter) -> None:
    first, second = counter.debit(1), counter.debit(1)
    assert counter.ledger.privacy.forget_transaction(first.id) == 1
    assert counter.ledger.privacy.forget_transaction(first.id) == 0
    assert [counter.ledger.privacy.card_number(one.id) for one in (first, second)] == [None, NUMBER]
    with pytest.raises(TransactionUnknown):
        counter.ledger.privacy.forget_transaction("none")


def test_a_reader_that_keeps_the_log_from_being_emptied_is_told_and_it_is_emptied_later(counter: TestCounter) -> None:
    counter.debit(1)
    (key,) = wrapped_keys(counter)
    with read_only(counter.journal) as reader:
        reader.execute("SELECT 1 FROM journal").fetchone()
        with pytest.raises(StorageUnavailable, match="another process reads"):
            counter.ledger.privacy.forget(now() + LATER)
    assert counter.ledger.privacy.forget(now() + LATER) == 0
    assert key not in on_disk(counter)


def test_a_data_key_that_was_taken_away_by_hand_is_noticed(counter: TestCounter) -> None:
    counter.debit(1)
    counter.audit()
    counter.ledger._database.write(lambda db: db.execute("UPDATE persons SET data_key = NULL"))
    with pytest.raises(JournalBroken, match="destroyed"):
        counter.audit()
    counter.ledger._database.write(lambda db: db.execute("DELETE FROM persons"))


# ---- retention -----------------------------------------------------------------------------------------------


@pytest.fixture
def years_later(counter: TestCounter) -> Callable[[int], Ledger]:
    """Opens the journal some days later, when it has been written to again."""

    def reopen(days: int) -> Ledger:
        counter.clock = lambda: now() + timedelta(days=days)
        counter.restart()
        counter.ledger.privacy.note_access("till", "to write a row", [])
        return counter.ledger

    return reopen


@pytest.mark.parametrize(("days", "known"), [(1095, True), (1097, False)])
def test_three_years_are_kept_by_default(
    counter: TestCounter, years_later: Callable[[int], Ledger], days: int, known: bool
) -> None:
    done = counter.debit(1)
    counter.ledger.privacy.note_access("till", "settlement", ["holder"])
    ledger = years_later(days)
    assert ledger.privacy.apply(Retention()) == (0 if known else 1)
    assert ledger.privacy.card_number(done.id) == (NUMBER if known else None)
    assert ledger.privacy.accesses()[0].purpose == ("settlement" if known else "to write a row")


def test_the_institution_sets_its_own_times(counter: TestCounter, years_later: Callable[[int], Ledger]) -> None:
    counter.debit(1)
    assert years_later(31).privacy.apply(Retention(personal_days=30)) == 1


def test_a_clock_that_starts_years_ahead_destroys_nothing(counter: TestCounter) -> None:
    done = counter.debit(1)
    counter.clock = lambda: now() + timedelta(days=20000)
    counter.restart()
    assert counter.ledger.privacy.apply(Retention()) == 0
    assert counter.ledger.privacy.card_number(done.id) == NUMBER


def test_backups_of_migrations_go_after_their_time_and_with_what_is_forgotten(counter: TestCounter) -> None:
    backup = counter.journal.with_name("journal.db.schema-2.backup")
    backup.write_bytes(NUMBER.encode())
    counter.debit(1)
    counter.ledger.privacy.apply(Retention())
    assert backup.exists()
    counter.ledger.privacy.forget(now() + LATER)
    assert not backup.exists()
