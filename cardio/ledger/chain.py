"""The hash chain over the journal's rows (OPS §4.5).

A chain proves order and that nothing was changed inside; completeness needs an anchor outside, such as a head
printed on a shift slip.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from cardio.errors import JournalBroken
from cardio.ledger.times import stamp

GENESIS = bytes(32)
CLOCK_ACCEPTED = "clock.accepted"


@dataclass(frozen=True)
class ChainRow:
    """One row of the chain.

    Attributes:
        seq: Its number, from 1 without gaps.
        time: When it was written.
        kind: What happened, such as `transaction.completed`.
        subject: Id of what it happened to.
        payload: What else is to be remembered, without personal data.
        hash: SHA-256 of the row and all before it, 32 bytes: the head of the chain while it is the newest.
    """

    seq: int
    time: datetime
    kind: str
    subject: str
    payload: dict[str, Any]
    hash: bytes


class StoredRow(NamedTuple):
    """One row as it stands in the table, and as it is hashed.

    Attributes:
        seq: Its number.
        time: ISO 8601 with offset.
        kind: What happened.
        subject: To what.
        payload: Canonical JSON.
        previous: Hash of the row before it, 32 bytes; zeros for the first.
        hash: Its own.
    """

    seq: int
    time: str
    kind: str
    subject: str
    payload: str
    previous: bytes
    hash: bytes


Note = Callable[[sqlite3.Connection, str, str, dict[str, Any]], ChainRow]
"""Adds a row of a kind about a subject, with a payload, to the chain of one journal."""


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, text as it is."""
    return _CANONICAL.encode(value)


def append(
    connection: sqlite3.Connection,
    time: datetime,
    kind: str,
    subject: str,
    payload: dict[str, Any],
) -> ChainRow:
    """Add one row to the chain, inside the caller's database transaction.

    Its time is never before that of the row before it, so that months of the journal are pieces of the chain; only the
    row by which two persons say that the clock had been ahead has the time that it is.
    """
    last = connection.execute("SELECT seq, time, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = (last["seq"] + 1, last["hash"]) if last else (1, GENESIS)
    if last and kind != CLOCK_ACCEPTED:
        time = max(time, datetime.fromisoformat(last["time"]))
    text, written = canonical(payload), stamp(time)
    digest = _hash(previous, seq, written, kind, subject, text)
    connection.execute(
        "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)", (seq, written, kind, subject, text, previous, digest)
    )
    return ChainRow(seq, time, kind, subject, payload, digest)


def head(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """Number and hash of the newest row; 0 and 32 zero bytes before the first."""
    last = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    return (int(last["seq"]), bytes(last["hash"])) if last else (0, GENESIS)


def newest_time(connection: sqlite3.Connection) -> datetime | None:
    """Time of the newest row; None before the first."""
    last = connection.execute("SELECT time FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    return datetime.fromisoformat(last["time"]) if last else None


def rows_after(connection: sqlite3.Connection, seq: int, limit: int) -> list[ChainRow]:
    """Rows that follow one, oldest first, at most `limit`."""
    rows = connection.execute("SELECT * FROM journal WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))
    return [
        ChainRow(
            row["seq"],
            datetime.fromisoformat(row["time"]),
            row["kind"],
            row["subject"],
            json.loads(row["payload"]),
            row["hash"],
        )
        for row in rows
    ]


def verify(connection: sqlite3.Connection, last: int | None = None) -> int:
    """Check the chain, or its newest `last` rows; return how many rows were checked.

    Raises:
        JournalBroken: A row was changed, removed or put in.
    """
    rows = connection.execute(
        "SELECT * FROM journal WHERE :last IS NULL OR seq > (SELECT max(seq) FROM journal) - :last ORDER BY seq",
        {"last": last},
    )
    return sum(1 for _ in checked(StoredRow(*row) for row in rows))


def checked(rows: Iterable[StoredRow]) -> Iterator[StoredRow]:
    """Rows that follow each other, each checked before it is handed out; the first may be any.

    Raises:
        JournalBroken: A row was changed, removed or put in.
    """
    before: StoredRow | None = None
    for row in rows:
        if before is not None:
            seq, previous = before.seq + 1, before.hash
        else:
            seq, previous = row.seq, GENESIS if row.seq == 1 else row.previous
        computed = _hash(previous, row.seq, row.time, row.kind, row.subject, row.payload)
        if (row.seq, row.previous, row.hash) != (seq, previous, computed):
            raise JournalBroken(f"the chain does not hold at row {row.seq}")
        yield row
        before = row


def _hash(previous: bytes, seq: int, time: str, kind: str, subject: str, payload: str) -> bytes:
    row = canonical([seq, time, kind, subject, payload])
    return hashlib.sha256(previous + row.encode("utf-8")).digest()
