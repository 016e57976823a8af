"""The journal by itself: lock, schema, chain, append-only."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cardio.errors import (
    IdempotencyInProgress,
    JournalBehind,
    JournalBroken,
    JournalLocked,
    StorageUnavailable,
    TransactionUnknown,
)
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import TRANSITIONS, State
from cardio.ledger.questions import Standing
from cardio.purse.operation import Operation, PurseKind
from cardio.virtual.card import Moment
from tests.counter import TestCounter, request, tear


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    opened = Ledger(path)
    yield opened
    opened.close()


def begin(ledger: Ledger, key: str = "k") -> str:
    return ledger.begin_transaction(request(key=key), PurseKind.WALLET, Operation.PURCHASE, (100,), "sale", None).id


def tampered(path: Path, statement: str) -> None:
    """Change the file as somebody with an editor would, triggers taken away first."""
    connection = sqlite3.connect(path)
    connection.executescript(
        "DROP TRIGGER journal_is_append_only_update; DROP TRIGGER journal_is_append_only_delete;" + statement
    )
    connection.close()


def test_every_commit_is_synced(ledger: Ledger) -> None:
    read = ledger._database.read
    assert read(lambda db: db.execute("PRAGMA synchronous").fetchone()[0]) == 2
    assert read(lambda db: db.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"
    assert read(lambda db: db.execute("PRAGMA secure_delete").fetchone()[0]) == 1


def test_only_its_owner_can_read_the_file(ledger: Ledger, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_second_process_is_refused_and_told_who_holds_it(ledger: Ledger, path: Path) -> None:
    program = "import sys, pathlib; from cardio.ledger.ledger import Ledger; Ledger(pathlib.Path(sys.argv[1]))"
    other = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert other.returncode != 0
    assert "journal.locked" in other.stderr
    assert "held by process" in other.stderr


def test_the_same_process_cannot_open_it_twice(ledger: Ledger, path: Path) -> None:
    with pytest.raises(JournalLocked):
        Ledger(path)


def test_a_newer_schema_is_refused(path: Path) -> None:
    Ledger(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(JournalBroken, match="newer"):
        Ledger(path)


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, but somebody's only copy" * 100)
    before = path.read_bytes()
    with pytest.raises(StorageUnavailable):
        Ledger(path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable):
        Ledger(tmp_path / "file" / "journal.db")


@pytest.mark.parametrize("statement", ["UPDATE journal SET payload = '{}'", "DELETE FROM journal"])
def test_the_journal_is_append_only(ledger: Ledger, statement: str) -> None:
    begin(ledger)
    with pytest.raises(StorageUnavailable, match="append-only"):
        ledger._database.write(lambda db: db.execute(statement))
    assert ledger.verify_chain() == 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE journal SET payload = '{}' WHERE seq = 2",
        "UPDATE journal SET time = 'x' WHERE seq = 2",
        "UPDATE journal SET subject = 'x' WHERE seq = 3",
        "DELETE FROM journal WHERE seq = 2",
        "UPDATE journal SET seq = seq + 10 WHERE seq = 3",
    ],
)
def test_a_changed_row_breaks_the_chain_and_charging_stops(path: Path, change: str) -> None:
    ledger = Ledger(path)
    for number in range(3):
        begin(ledger, f"k{number}")
    assert ledger.verify_chain() == 4
    ledger.close()
    tampered(path, change)
    with pytest.raises(JournalBroken):
        Ledger(path)


def test_the_lock_is_given_back_when_opening_fails(path: Path) -> None:
    ledger = Ledger(path)
    begin(ledger)
    ledger.close()
    tampered(path, "UPDATE journal SET payload = '{}'")
    for _ in range(2):
        with pytest.raises(JournalBroken):
            Ledger(path)


def test_a_key_runs_once_at_a_time(ledger: Ledger) -> None:
    wanted = request(key="k")
    with ledger.exclusive(wanted):
        with pytest.raises(IdempotencyInProgress), ledger.exclusive(wanted):
            pytest.fail("it ran twice")
        with ledger.exclusive(request(key="other")):
            pass
    with ledger.exclusive(wanted):
        pass


def test_clients_do_not_share_keys(ledger: Ledger) -> None:
    mine = request(key="k")
    first = ledger.begin_transaction(mine, PurseKind.WALLET, Operation.PURCHASE, (1,), "a", None)
    second = ledger.begin_transaction(
        replace(mine, client="other"), PurseKind.WALLET, Operation.PURCHASE, (1,), "a", None
    )
    assert first.id != second.id


def test_whoever_arms_a_transaction_gets_what_the_journal_then_holds(counter: TestCounter) -> None:
    done, begun = counter.debit(100).armed, begin(counter.ledger)
    assert done is not None
    armed = counter.ledger.arm(counter.ledger.transaction(begun), replace(done, records=((0x17, 1, "1E00"),)), "")
    assert armed.state is armed.outcome.state is State.ARMED
    assert armed == counter.ledger.transaction(begun)


def test_one_question_tells_all_that_is_known_before_a_card_is_worked_on(counter: TestCounter) -> None:
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    torn, new = counter.debit(100), begin(counter.ledger)
    assert torn.armed is not None
    key = torn.armed.card.key
    standing = counter.ledger.standing(new, key)
    assert standing == Standing(counter.ledger.transaction(new), (torn,), None)
    with pytest.raises(JournalBehind):
        counter.ledger.freshness.check_sequence("999999000001/1001", 99)
    counter.recover()
    after = counter.ledger.standing(new, key)
    assert after.pending == ()
    assert after.behind is not None
    assert after.behind == counter.ledger.freshness.behind
    with pytest.raises(TransactionUnknown):
        counter.ledger.standing("nobody's", key)


def test_an_unknown_transaction_is_told(ledger: Ledger) -> None:
    with pytest.raises(TransactionUnknown):
        ledger.transaction("none")
    with pytest.raises(TransactionUnknown):
        ledger.settlement("none")


def test_card_keys_are_stable_over_restarts_and_tell_no_number(path: Path) -> None:
    ledger = Ledger(path)
    first = ledger.card_key(PurseKind.WALLET, b"8600000000000123")
    ledger.close()
    ledger = Ledger(path)
    assert ledger.card_key(PurseKind.WALLET, b"8600000000000123") == first
    assert ledger.card_key(PurseKind.MEDICAL, b"8600000000000123") != first
    assert "8600" not in first
    ledger.close()


def test_no_final_state_has_a_way_out() -> None:
    for state in State:
        assert (state not in TRANSITIONS) == (state.final or state is State.AWAITING_CARD)
