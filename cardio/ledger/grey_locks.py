"""Grey locks that stand: a purse was locked, and no debit has freed it yet (EW §3.5)."""

from __future__ import annotations

import sqlite3

_STANDING = (
    "SELECT l.* FROM transactions l WHERE l.operation = 'grey_lock' AND l.state = 'completed' AND NOT EXISTS ("
    "SELECT 1 FROM transactions d WHERE d.grey_lock = l.id"
    " AND (d.state = 'completed' OR json_extract(d.resolution, '$.money') = 'moved'))"
)
"""A debit that two persons found to have moved the money has freed its purse, too."""


def standing(db: sqlite3.Connection) -> list[sqlite3.Row]:
    """Rows of all locks that stand, oldest first."""
    return db.execute(f"{_STANDING} ORDER BY l.created_at, l.id").fetchall()


def stands(db: sqlite3.Connection, identifier: str) -> bool:
    """Whether a transaction is a lock that stands."""
    return db.execute(f"{_STANDING} AND l.id = ?", (identifier,)).fetchone() is not None
