"""Batches: the records for the settlement centre, closed into files that never change (OPS §5.2).

A batch is what the outbox gathered since the batch before. Its file is lines of JSON: a header with counts, sums and
the hash of the batch before, one line for each record, and a last line with the hash over all lines before it. Closing
a batch is local; sending it comes after.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cardio.errors import BatchEmpty, BatchUnknown
from cardio.ledger import chain
from cardio.ledger.chain import Note
from cardio.ledger.database import Database
from cardio.ledger.model import State
from cardio.ledger.rows import insert
from cardio.ledger.shifts import check_known

NO_BATCH_BEFORE = "0" * 64
ENDED = frozenset({State.COMPLETED.value, State.NOT_GENUINE.value})
"""States whose amounts are summed; records of open questions are counted apart, and come again when resolved."""


@dataclass(frozen=True)
class Batch:
    """One closed batch.

    Attributes:
        number: From 1 without gaps.
        shift: Shift at whose end it was closed, if it was.
        closed_at: When.
        first_row: Number of its first record in the outbox.
        last_row: Number of its last one.
        header: The first line of its file.
        previous_hash: Hash of the batch before, 64 hex digits; zeros for the first.
        hash: SHA-256 over the lines before the last, 64 hex digits.
    """

    number: int
    shift: str | None
    closed_at: datetime
    first_row: int
    last_row: int
    header: dict[str, Any]
    previous_hash: str
    hash: str


class Batches:
    """The batches of one journal.

    Args:
        database: The journal.
        note: Adds a row to its chain.
        clock: Source of the time.
    """

    def __init__(self, database: Database, note: Note, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._note = note
        self._clock = clock

    def close(self, shift: str | None = None) -> Batch:
        """Close what was recorded since the last batch into a new one.

        Args:
            shift: Shift that ends with it, if one does.

        Raises:
            BatchEmpty: Nothing was recorded.
            ShiftUnknown: There is no such shift.
        """

        def job(db: sqlite3.Connection) -> Batch:
            if shift is not None:
                check_known(db, shift)
            records = db.execute("SELECT id, record FROM outbox WHERE batch IS NULL ORDER BY id").fetchall()
            if not records:
                raise BatchEmpty
            last = db.execute("SELECT number, hash FROM batches ORDER BY number DESC LIMIT 1").fetchone()
            number, previous = (last["number"] + 1, last["hash"]) if last else (1, NO_BATCH_BEFORE)
            closed_at = self._clock().isoformat()
            seq, digest = chain.head(db)
            header = {
                "batch": number,
                "shift": shift,
                "closed_at": closed_at,
                "first_row": records[0]["id"],
                "last_row": records[-1]["id"],
                "previous_hash": previous,
                "journal": {"seq": seq, "hash": digest.hex()},
                **_sums([json.loads(record["record"]) for record in records]),
            }
            lines = _lines(header, (record["record"] for record in records))
            columns = {
                "number": number,
                "shift": shift,
                "closed_at": closed_at,
                "first_row": records[0]["id"],
                "last_row": records[-1]["id"],
                "header": chain.canonical(header),
                "previous_hash": previous,
                "hash": _hash(lines),
            }
            insert(db, "batches", columns)
            db.execute("UPDATE outbox SET batch = ? WHERE batch IS NULL", (number,))
            self._note(db, "batch.closed", str(number), {"records": len(records), "hash": columns["hash"]})
            return _batch(db, number)

        return self._database.write(job)

    def batch(self, number: int) -> Batch:
        """A closed batch.

        Raises:
            BatchUnknown: There is none of that number.
        """
        return self._database.read(lambda db: _batch(db, number))

    def all(self) -> list[Batch]:
        """All closed batches, newest first."""
        query = "SELECT * FROM batches ORDER BY number DESC"
        return self._database.read(lambda db: [_loaded(row) for row in db.execute(query)])

    def file(self, number: int) -> str:
        """The file of a batch, the same bytes whenever it is asked for; UTF-8.

        Raises:
            BatchUnknown: There is none of that number.
        """

        def job(db: sqlite3.Connection) -> str:
            found = _batch(db, number)
            records = db.execute("SELECT record FROM outbox WHERE batch = ? ORDER BY id", (number,))
            lines = _lines(found.header, (record["record"] for record in records))
            return lines + chain.canonical({"hash": found.hash}) + "\n"

        return self._database.read(job)

    @property
    def waiting(self) -> dict[str, Any]:
        """Counts and sums of the records that are in no batch yet."""
        query = "SELECT record FROM outbox WHERE batch IS NULL ORDER BY id"
        return self._database.read(lambda db: _sums([json.loads(row["record"]) for row in db.execute(query)]))


def _sums(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Number of records, of those with an open question, and sums by purse and operation; amounts in fen."""
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for record in records:
        if record["state"] in ENDED:
            one = sums.setdefault((record["purse"], record["operation"]), {"count": 0, "amount_fen": 0})
            one["count"] += 1
            one["amount_fen"] += record["amount_fen"]
    return {
        "records": len(records),
        "uncertain": sum(record["state"] == State.UNCERTAIN.value for record in records),
        "sums": [{"purse": purse, "operation": operation, **one} for (purse, operation), one in sorted(sums.items())],
    }


def _lines(header: dict[str, Any], records: Iterator[str]) -> str:
    return "".join(line + "\n" for line in (chain.canonical(header), *records))


def _hash(lines: str) -> str:
    return hashlib.sha256(lines.encode("utf-8")).hexdigest()


def _batch(db: sqlite3.Connection, number: int) -> Batch:
    row = db.execute("SELECT * FROM batches WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise BatchUnknown(str(number))
    return _loaded(row)


def _loaded(row: sqlite3.Row) -> Batch:
    return Batch(
        number=row["number"],
        shift=row["shift"],
        closed_at=datetime.fromisoformat(row["closed_at"]),
        first_row=row["first_row"],
        last_row=row["last_row"],
        header=json.loads(row["header"]),
        previous_hash=row["previous_hash"],
        hash=row["hash"],
    )
