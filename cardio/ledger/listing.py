"""Transactions as lists and sums, for the counter's screen, shifts and batches."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cardio.errors import TransactionUnknown
from cardio.ledger import store
from cardio.ledger.database import Database
from cardio.ledger.model import Settlement, State, Transaction
from cardio.ledger.times import stamp
from cardio.purse.operation import Operation, PurseKind

PAGE = 100
"""Most rows of one page."""


@dataclass(frozen=True)
class Filter:
    """Which transactions or settlements are meant; None means any.

    Attributes:
        state: In this state.
        since: Begun at or after this time.
        until: Begun before this time.
        shift: Of this shift.
        reference: Of this sale or bill.
    """

    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None
    shift: str | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Total:
    """Transactions of one kind in one state.

    Attributes:
        purse: Which purse.
        operation: What was done.
        state: How it stands.
        count: How many.
        amount_fen: Sum of what left or came to the cards, in fen.
    """

    purse: PurseKind
    operation: Operation
    state: State
    count: int
    amount_fen: int


class Listing:
    """Lists of one journal, newest first.

    Args:
        database: The journal.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def transactions(self, wanted: Filter, *, before: str | None = None, limit: int = PAGE) -> list[Transaction]:
        """One page of transactions.

        Args:
            wanted: Which.
            before: Id of the last one of the page before.
            limit: 1 to `PAGE`.

        Raises:
            TransactionUnknown: There is none with the id `before`.
        """
        return self._database.read(
            lambda db: [store.loaded(db, row) for row in _page(db, "transactions", wanted, before, limit)]
        )

    def settlements(self, wanted: Filter, *, before: str | None = None, limit: int = PAGE) -> list[Settlement]:
        """One page of settlements; arguments and errors are as of `transactions`."""
        return self._database.read(
            lambda db: [store.settlement(db, row["id"]) for row in _page(db, "settlements", wanted, before, limit)]
        )

    def totals(self, wanted: Filter) -> list[Total]:
        """Sums of all transactions that are meant, by purse, operation and state."""
        return self._database.read(lambda db: totals(db, wanted))

    def begun_by(self, client: str, key: str) -> str | None:
        """Id of the transaction, settlement or refund order that a client's key began; None if the key never came."""
        query = "SELECT subject FROM requests WHERE client = ? AND key = ?"
        row = self._database.read(lambda db: db.execute(query, (client, key)).fetchone())
        return None if row is None else str(row["subject"])


def totals(db: sqlite3.Connection, wanted: Filter) -> list[Total]:
    """See `Listing.totals`; inside a database transaction that the caller has begun."""
    condition, values = _condition(wanted)
    sums = "COUNT(*) AS count, SUM(json_extract(amounts, '$[0]')) AS amount"
    by = "purse, operation, state"
    query = f"SELECT {by}, {sums} FROM transactions WHERE {condition} GROUP BY {by} ORDER BY {by}"  # noqa: S608
    rows = db.execute(query, values)
    return [
        Total(PurseKind(row["purse"]), Operation(row["operation"]), State(row["state"]), row["count"], row["amount"])
        for row in rows
    ]


def _page(db: sqlite3.Connection, table: str, wanted: Filter, before: str | None, limit: int) -> list[sqlite3.Row]:
    condition, values = _condition(wanted)
    if before is not None and db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (before,)).fetchone() is None:  # noqa: S608
        raise TransactionUnknown
    return db.execute(
        f"SELECT * FROM {table} WHERE {condition} AND (:before IS NULL OR"  # noqa: S608
        f" (created_at, id) < (SELECT created_at, id FROM {table} WHERE id = :before))"
        " ORDER BY created_at DESC, id DESC LIMIT :limit",
        {**values, "before": before, "limit": max(1, min(limit, PAGE))},
    ).fetchall()


def _condition(wanted: Filter) -> tuple[str, Mapping[str, Any]]:
    """SQL of a filter, and its values; the columns are ours, the values are bound."""
    values = {
        "state": wanted.state and wanted.state.value,
        "shift": wanted.shift,
        "reference": wanted.reference,
        "since": wanted.since and stamp(wanted.since),
        "until": wanted.until and stamp(wanted.until),
    }
    tests = {
        "state": "state = :state",
        "shift": "shift = :shift",
        "reference": "reference = :reference",
        "since": "created_at >= :since",
        "until": "created_at < :until",
    }
    conditions = [tests[name] for name, value in values.items() if value is not None]
    return " AND ".join(conditions) or "TRUE", values
