"""Shifts: who sat at the counter, from when to when (OPS §1.6, T-02).

One operator has one open shift at a lane. Both ends hold the head of the chain: printed on the slip of the shift, it
is the anchor outside that a chain needs.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import uuid6

from cardio.errors import ShiftOpen, ShiftUnknown
from cardio.ledger import chain
from cardio.ledger.chain import Note
from cardio.ledger.database import Database
from cardio.ledger.listing import Filter, Total, totals
from cardio.ledger.rows import insert, update


@dataclass(frozen=True)
class Head:
    """The newest row of the chain at some time.

    Attributes:
        seq: Its number.
        hash: Its hash, 64 hex digits.
    """

    seq: int
    hash: str


@dataclass(frozen=True)
class Shift:
    """One shift.

    Attributes:
        id: UUIDv7.
        operator: Who sits there.
        lane: Where; empty where there is only one.
        terminals: Terminal numbers of the PSAMs in service when it was opened.
        software: Version of the program.
        opened_at: When it was opened.
        opened_head: The chain then.
        closed_at: When it was closed; None while it is open.
        closed_by: Who closed it.
        closed_head: The chain then.
        totals: Sums of its transactions so far.
    """

    id: str
    operator: str
    lane: str
    terminals: tuple[str, ...]
    software: str
    opened_at: datetime
    opened_head: Head
    closed_at: datetime | None
    closed_by: str | None
    closed_head: Head | None
    totals: tuple[Total, ...]


class Shifts:
    """The shifts of one journal.

    Args:
        database: The journal.
        note: Adds a row to its chain.
        clock: Source of the time.
    """

    def __init__(self, database: Database, note: Note, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._note = note
        self._clock = clock

    def open(self, operator: str, lane: str, terminals: Sequence[str], software: str) -> Shift:
        """Open a shift; the arguments are as of `Shift`.

        Raises:
            ShiftOpen: The operator has an open one at this lane.
        """

        def job(db: sqlite3.Connection) -> Shift:
            if any(shift.operator == operator and shift.lane == lane for shift in _shifts(db, only_open=True)):
                raise ShiftOpen(f"{operator} at {lane or 'the counter'}")
            identifier = str(uuid6.uuid7())
            columns = {
                "id": identifier,
                "operator": operator,
                "lane": lane,
                "terminals": chain.canonical(list(terminals)),
                "software": software,
                "opened_at": self._clock().isoformat(),
                "opened_head": _head(db),
            }
            insert(db, "shifts", columns)
            self._note(db, "shift.opened", identifier, {"operator": operator, "lane": lane})
            return _shift(db, identifier)

        return self._database.write(job)

    def close(self, identifier: str, closed_by: str | None = None) -> Shift:
        """Close a shift.

        Args:
            identifier: Its id.
            closed_by: Who closes it; its operator if None.

        Raises:
            ShiftUnknown: There is no such shift, or it is closed.
        """

        def job(db: sqlite3.Connection) -> Shift:
            found = _shift(db, identifier)
            if found.closed_at is not None:
                raise ShiftUnknown(f"closed at {found.closed_at.isoformat()}")
            person = closed_by or found.operator
            columns = {"closed_at": self._clock().isoformat(), "closed_by": person, "closed_head": _head(db)}
            update(db, "shifts", identifier, columns)
            self._note(db, "shift.closed", identifier, {"closed_by": person})
            return _shift(db, identifier)

        return self._database.write(job)

    def shift(self, identifier: str) -> Shift:
        """A shift by its id.

        Raises:
            ShiftUnknown: There is none.
        """
        return self._database.read(lambda db: _shift(db, identifier))

    def all(self, *, only_open: bool = False) -> list[Shift]:
        """All shifts, or the open ones, newest first."""
        return self._database.read(lambda db: _shifts(db, only_open=only_open))


def current(db: sqlite3.Connection, operator: str | None) -> str | None:
    """Id of the open shift that something new belongs to: the operator's; without an operator, the only one.

    None where that leaves a choice: nobody's work is put into another's shift.
    """
    open_ones = db.execute(
        "SELECT id FROM shifts WHERE closed_at IS NULL AND (:operator IS NULL OR operator = :operator)",
        {"operator": operator},
    ).fetchall()
    return str(open_ones[0]["id"]) if len(open_ones) == 1 else None


def check_known(db: sqlite3.Connection, identifier: str) -> None:
    """Insist that an id is a shift's.

    Raises:
        ShiftUnknown: It is not.
    """
    _row(db, identifier)


def _row(db: sqlite3.Connection, identifier: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute("SELECT * FROM shifts WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        raise ShiftUnknown
    return row


def _shift(db: sqlite3.Connection, identifier: str) -> Shift:
    return _loaded(db, _row(db, identifier))


def _shifts(db: sqlite3.Connection, *, only_open: bool) -> list[Shift]:
    condition = "closed_at IS NULL" if only_open else "TRUE"
    rows = db.execute(f"SELECT * FROM shifts WHERE {condition} ORDER BY opened_at DESC, id DESC").fetchall()  # noqa: S608
    return [_loaded(db, row) for row in rows]


def _loaded(db: sqlite3.Connection, row: sqlite3.Row) -> Shift:
    return Shift(
        id=row["id"],
        operator=row["operator"],
        lane=row["lane"],
        terminals=tuple(json.loads(row["terminals"])),
        software=row["software"],
        opened_at=datetime.fromisoformat(row["opened_at"]),
        opened_head=Head(**json.loads(row["opened_head"])),
        closed_at=datetime.fromisoformat(row["closed_at"]) if row["closed_at"] else None,
        closed_by=row["closed_by"],
        closed_head=Head(**json.loads(row["closed_head"])) if row["closed_head"] else None,
        totals=tuple(totals(db, Filter(shift=row["id"]))),
    )


def _head(db: sqlite3.Connection) -> str:
    seq, digest = chain.head(db)
    return chain.canonical({"seq": seq, "hash": digest.hex()})
