"""Whether SQLite's own structures hold, which the hash chain cannot see (OPS §4.5)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from cardio.errors import JournalBroken, StorageUnavailable, StoreError

WHOLE_UP_TO = 64 * 1024 * 1024
"""Bytes of a file that is checked as a whole when it is opened: less than 0.1 s from memory, some seconds from a slow
memory card."""
DECIDING = ("meta", "pending_cards", "sam_counters")
"""Small tables by which it is decided whether money may move: of a larger file only these are checked."""


def check_at_start(db: sqlite3.Connection) -> None:
    """Check as much as a start has time for; `cardiod journal verify` checks all.

    Raises:
        JournalBroken: A page is damaged.
    """
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    if pages * size <= WHOLE_UP_TO:
        _check(db, "PRAGMA quick_check(1)")
        return
    there = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    for table in there.intersection(DECIDING):
        _check(db, f"PRAGMA quick_check({table})")


def check_all(db: sqlite3.Connection) -> None:
    """Check every page, and every index against its table.

    Raises:
        JournalBroken: One is damaged.
    """
    _check(db, "PRAGMA integrity_check(1)")


def store_error(path: Path, error: sqlite3.DatabaseError) -> StoreError:
    """What SQLite's refusal means: that the file is damaged, or that it cannot be read or written now."""
    damaged = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CORRUPT
    return (JournalBroken if damaged else StorageUnavailable)(f"{path}: {error}")


def _check(db: sqlite3.Connection, pragma: str) -> None:
    (answer,) = db.execute(pragma).fetchone()
    if answer != "ok":
        raise JournalBroken(f"SQLite: {answer}")
