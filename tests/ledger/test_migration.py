"""Journals of earlier schemas: backed up, migrated, their card numbers encrypted, and their past still whole."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from cardio.errors import JournalBroken, StorageUnavailable
from cardio.ledger.audit import audit
from cardio.ledger.ledger import Ledger, now
from cardio.ledger.migration import backups, migration_files
from cardio.ledger.model import State
from cardio.ledger.read_only import read_only
from cardio.purse.operation import PurseKind
from tests.ledger.old_journals import CARD_KEY, DECLINED, DONE, NUMBER, OPEN, SECRET, old_journal, outbox_record

SCHEMAS = [1, 2, 3]


@pytest.fixture(params=SCHEMAS, ids=lambda schema: f"schema-{schema}")
def schema(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


@pytest.fixture
def path(tmp_path: Path, schema: int) -> Path:
    """A journal of that schema."""
    old_journal(tmp_path / "journal.db", schema)
    return tmp_path / "journal.db"


def files(path: Path) -> bytes:
    """All files beside the journal but its keys and the backups."""
    left = set(path.parent.iterdir()) - set(backups(path)) - {path.with_name("journal.db.keys")}
    return b"".join(file.read_bytes() for file in left)


def test_the_numbers_are_encrypted_and_stand_nowhere_else(path: Path) -> None:
    assert files(path).count(NUMBER.encode()) > 100, "in rows, and in pages that rows have left"
    ledger = Ledger(path)
    assert [ledger.privacy.card_number(one) for one in (DONE, OPEN, DECLINED)] == [NUMBER, NUMBER, None]
    assert NUMBER.encode() not in files(path)
    ledger.close()
    assert NUMBER.encode() not in files(path)
    assert outbox_record(path) == {"id": DONE, "state": "completed", "card": "****0123", "地": "点"}


def test_what_it_held_is_still_there(path: Path) -> None:
    ledger = Ledger(path)
    states = {found.id: found.state for found in ledger.transactions()}
    assert states == {DONE: State.COMPLETED, OPEN: State.UNCERTAIN, DECLINED: State.DECLINED}
    assert [found.id for found in ledger.pending(CARD_KEY)] == [OPEN]
    assert ledger.transaction(DONE).outcome.tac == "0A0B0C0D"
    assert ledger.voucher(DONE) is None, "nobody signs what he has not seen"
    ledger.close()
    with read_only(path) as db:
        found = audit(db)
    assert (found.transactions, found.vouchers, found.accesses) == (3, 0, 0)


def test_cards_are_found_by_the_same_hashes_whose_key_has_left_the_database(path: Path) -> None:
    ledger = Ledger(path)
    assert ledger.card_key(PurseKind.WALLET, b"0123456789") == CARD_KEY
    ledger.close()
    assert SECRET not in files(path)


def test_a_backup_is_taken_before_anything_is_changed(path: Path, schema: int, tmp_path: Path) -> None:
    original = sqlite3.connect(path)
    before = list(original.iterdump())
    original.close()
    Ledger(path).close()
    (backup,) = backups(path)
    assert backup.name == f"journal.db.schema-{schema}.backup"
    assert backup.stat().st_mode & 0o777 == 0o600
    copy = sqlite3.connect(backup)
    assert list(copy.iterdump()) == before
    assert copy.execute("PRAGMA user_version").fetchone() == (schema,)
    copy.close()


def test_a_migrated_journal_takes_no_second_backup(path: Path) -> None:
    Ledger(path).close()
    (backup,) = backups(path)
    backup.unlink()
    Ledger(path).close()
    assert not backups(path)


def test_a_new_journal_needs_no_backup(tmp_path: Path) -> None:
    Ledger(tmp_path / "new.db").close()
    assert not backups(tmp_path / "new.db")


def test_without_its_backup_nothing_is_changed(path: Path, schema: int) -> None:
    (path.parent / f"journal.db.schema-{schema}.backup").mkdir()
    before = path.read_bytes()
    with pytest.raises(StorageUnavailable):
        Ledger(path)
    assert path.read_bytes() == before


def test_what_is_forgotten_is_in_no_backup_either(path: Path) -> None:
    ledger = Ledger(path)
    (backup,) = backups(path)
    assert NUMBER.encode() in backup.read_bytes()
    assert ledger.privacy.forget(now() + timedelta(days=1)) == 1
    assert not backup.exists()
    ledger.close()


def test_a_backup_that_is_put_back_can_be_migrated_again(path: Path) -> None:
    ledger = Ledger(path)
    known = ledger.public_key
    ledger.close()
    (backup,) = backups(path)
    path.unlink()
    shutil.move(backup, path)
    ledger = Ledger(path)
    assert ledger.privacy.card_number(DONE) == NUMBER
    assert ledger.public_key == known
    ledger.close()


def test_keys_of_another_terminal_are_not_taken_for_an_old_journal(path: Path, tmp_path: Path) -> None:
    Ledger(tmp_path / "other.db").close()
    shutil.copy(tmp_path / "other.db.keys", path.with_name("journal.db.keys"))
    with pytest.raises(JournalBroken, match="another journal"):
        Ledger(path)


def test_the_schema_is_the_number_of_the_last_migration(tmp_path: Path) -> None:
    Ledger(tmp_path / "new.db").close()
    connection = sqlite3.connect(tmp_path / "new.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (len(migration_files()),)
    connection.close()
    numbers = [file.name.split("_")[0] for file in migration_files()]
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
