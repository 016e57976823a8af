"""The hash chain over the journal's rows (OPS §4.5).

A chain proves order and that nothing was changed inside; completeness needs an anchor outside, such as a head
printed on a shift slip.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cardio.errors import JournalBroken

GENESIS = bytes(32)


@dataclass(frozen=True)
class ChainRow:
    """One row of the chain.

    Attributes:
        seq: Its number, from 1 without gaps.
        time: When it was written.
        kind: What happened, such as `transaction.completed`.
        subject: Id of what it happened to.
        payload: What else is to be remembered, without personal data.
        hash: SHA-256 of the row and all before it, 32 bytes.
    """

    seq: int
    time: datetime
    kind: str
    subject: str
    payload: dict[str, Any]
    hash: bytes


Note = Callable[[sqlite3.Connection, str, str, dict[str, Any]], None]
"""Adds a row of a kind about a subject, with a payload, to the chain of one journal."""


def canonical(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, text as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def append(
    connection: sqlite3.Connection,
    time: datetime,
    kind: str,
    subject: str,
    payload: dict[str, Any],
) -> ChainRow:
    """Add one row to the chain, inside the caller's database transaction."""
    newest, previous = head(connection)
    seq = newest + 1
    text = canonical(payload)
    stamp = time.isoformat()
    digest = _hash(previous, seq, stamp, kind, subject, text)
    connection.execute(
        "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)", (seq, stamp, kind, subject, text, previous, digest)
    )
    return ChainRow(seq, time, kind, subject, payload, digest)


def head(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """Number and hash of the newest row; 0 and 32 zero bytes before the first."""
    last = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    return (int(last["seq"]), bytes(last["hash"])) if last else (0, GENESIS)


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
    previous: bytes | None = None
    expected: int | None = None
    count = 0
    rows = connection.execute(
        "SELECT * FROM journal WHERE :last IS NULL OR seq > (SELECT max(seq) FROM journal) - :last ORDER BY seq",
        {"last": last},
    )
    for row in rows:
        if previous is None:
            start = row["seq"] == 1
            previous, expected = (GENESIS if start else row["previous"]), row["seq"]
        computed = _hash(previous, row["seq"], row["time"], row["kind"], row["subject"], row["payload"])
        if row["seq"] != expected or row["previous"] != previous or row["hash"] != computed:
            raise JournalBroken(f"the chain does not hold at row {row['seq']}")
        previous, expected = row["hash"], row["seq"] + 1
        count += 1
    return count


def _hash(previous: bytes, seq: int, time: str, kind: str, subject: str, payload: str) -> bytes:
    row = canonical([seq, time, kind, subject, payload])
    return hashlib.sha256(previous + row.encode("utf-8")).digest()
