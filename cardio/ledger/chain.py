"""The hash chain over the journal's rows (OPS §4.5).

A chain proves order and that nothing was changed inside; completeness needs an anchor outside, such as a head
printed on a shift slip.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import datetime
from typing import Any

from cardio.errors import JournalBroken

GENESIS = bytes(32)


def canonical(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, text as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def append(
    connection: sqlite3.Connection,
    time: datetime,
    kind: str,
    subject: str,
    payload: dict[str, Any],
) -> None:
    """Add one row to the chain, inside the caller's database transaction."""
    last = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = (last["seq"] + 1, last["hash"]) if last else (1, GENESIS)
    text = canonical(payload)
    stamp = time.isoformat()
    connection.execute(
        "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            seq,
            stamp,
            kind,
            subject,
            text,
            previous,
            _hash(previous, seq, stamp, kind, subject, text),
        ),
    )


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
