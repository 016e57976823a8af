"""A log in a file of its own, chained as the journal is."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cardio.errors import JournalBroken, StorageUnavailable
from cardio.ledger.chain_log import ChainLog

AT = datetime(2026, 6, 15, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    log = ChainLog(tmp_path / "keys.log")
    log.append(AT, "key.entered", "DLK", {"kcv": "F043FF"})
    ChainLog(tmp_path / "keys.log").append(AT, "key.exported", "DLK", {})
    return tmp_path / "keys.log"


def test_rows_come_back_in_order_from_another_process_too(path: Path) -> None:
    rows = ChainLog(path).rows()
    assert [(row.seq, row.kind, row.payload) for row in rows] == [
        (1, "key.entered", {"kcv": "F043FF"}),
        (2, "key.exported", {}),
    ]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "change", ["UPDATE journal SET payload = '{}' WHERE seq = 1", "DELETE FROM journal WHERE seq = 1"]
)
def test_a_changed_or_removed_row_is_seen(path: Path, change: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute(change)
    db.close()
    with pytest.raises(JournalBroken):
        ChainLog(path).rows()


def test_a_row_that_was_added_survives_power_loss(path: Path) -> None:
    with ChainLog(path)._opened() as db:
        # EXTRA: the journal mode is not that of the ledger, and FULL does not sync the end of a commit (SQLite).
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 3


def test_a_log_that_is_not_there_has_no_rows_and_is_not_made_by_reading(tmp_path: Path) -> None:
    assert ChainLog(tmp_path / "none").rows() == []
    assert not (tmp_path / "none").exists()


def test_a_file_that_cannot_be_used_says_so(tmp_path: Path, path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="No such file"):
        ChainLog(tmp_path / "no" / "folder").append(AT, "kind", "subject", {})
    path.write_bytes(b"this is no database, but long enough to be looked at as one" * 20)
    with pytest.raises(StorageUnavailable):
        ChainLog(path).rows()
