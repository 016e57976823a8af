"""What load hosts must be told: written with the end of an operation, kept until the host has it (EW §6.3)."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from cardio.errors import Money
from cardio.ledger.model import HostNotice, NoticeKind, Transaction


def write(db: sqlite3.Connection, transaction: Transaction, at: datetime) -> None:
    """An operation has ended: its host gets the proof, or must reverse.

    One that persons gave up on (`unknown`) is told to nobody: they settle it with the host themselves.
    """
    if transaction.money is Money.UNKNOWN:
        return
    kind = NoticeKind.CONFIRM if transaction.money is Money.MOVED else NoticeKind.REVERSE
    db.execute(
        "INSERT INTO host_notices VALUES (?, ?, ?, ?, NULL)",
        (transaction.id, kind.value, transaction.outcome.tac, at.isoformat()),
    )


def outstanding(db: sqlite3.Connection) -> list[HostNotice]:
    """Notices that were not delivered yet, oldest first."""
    rows = db.execute("SELECT * FROM host_notices WHERE delivered_at IS NULL ORDER BY created_at")
    return [HostNotice(row["transaction"], NoticeKind(row["kind"]), row["proof"]) for row in rows]


def delivered(db: sqlite3.Connection, notice: HostNotice, at: datetime) -> None:
    """The host has it."""
    db.execute('UPDATE host_notices SET delivered_at = ? WHERE "transaction" = ?', (at.isoformat(), notice.transaction))
