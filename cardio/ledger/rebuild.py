"""Transactions and settlements as the chain alone tells them, compared with the tables (OPS §4.5).

The tables are what the terminal works with, the chain is what nobody can change unseen. What the chain of an earlier
schema did not tell is not compared.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Any

from cardio.errors import JournalBroken
from cardio.ledger.model import State

_STATES = frozenset(State)
_ANSWERED = ("state", "finished_at", "reference", "operator")
"""Columns that a frozen answer repeats under their names."""


@dataclass(frozen=True)
class Rebuilt:
    """What the chain tells of one transaction or settlement.

    Attributes:
        id: Its id.
        columns: Columns of its row, as far as the chain tells them.
        ended: Row of the chain that ended it; None while it is open.
    """

    id: str
    columns: dict[str, Any]
    ended: int | None


def compare(db: sqlite3.Connection, table: str, whole_from: int) -> Iterator[tuple[sqlite3.Row, Rebuilt]]:
    """Compare `transactions` or `settlements` with the chain; yields each row that agrees, and what the chain tells.

    Args:
        db: The journal.
        table: The table.
        whole_from: Row of the chain from which on it tells all.

    Raises:
        JournalBroken: A row was changed, put in, or taken away.
    """
    kind = table.removesuffix("s")
    rows = db.execute(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608 - one of two names of ours
    for told, row in zip_longest(rebuild(db, kind, whole_from), rows):
        if told is None or row is None or told.id != row["id"]:
            ids = told.id if told else "none", row["id"] if row else "none"
            raise JournalBroken(f"the next {kind} is {ids[0]} in the chain, and {ids[1]} in the table")
        _check(row, told)
        yield row, told


def rebuild(db: sqlite3.Connection, kind: str, whole_from: int = 0) -> Iterator[Rebuilt]:
    """All transactions (`kind` is `transaction`) or settlements from the chain alone, in the order of their ids."""
    query = "SELECT seq, time, kind, subject, payload FROM journal WHERE kind GLOB ? ORDER BY subject, seq"
    rows = db.execute(query, (f"{kind}.*",))
    for subject, steps in groupby(rows, key=lambda row: str(row["subject"])):
        yield _fold(subject, steps, whole_from)


def _fold(subject: str, steps: Iterable[sqlite3.Row], whole_from: int) -> Rebuilt:
    columns: dict[str, Any] = {}
    ended: int | None = None
    for step in steps:
        payload = json.loads(step["payload"])
        # Before `whole_from`, None stood for what was not known, and amounts were changed without a row.
        columns |= {name: value for name, value in payload.items() if value is not None or name == "error"}
        if step["seq"] < whole_from:
            columns.pop("amounts", None)
        _, _, state = str(step["kind"]).partition(".")
        if state not in _STATES:
            continue
        columns["state"] = state
        if State(state).final:
            ended = step["seq"]
            if step["seq"] >= whole_from:
                columns["finished_at"] = step["time"]
    return Rebuilt(subject, columns, ended)


def _check(row: sqlite3.Row, told: Rebuilt) -> None:
    """Insist on a row that says what the chain says, and on an answer that says what the row says.

    Raises:
        JournalBroken: One of them was changed.
    """
    names = frozenset(row.keys())
    for name, value in told.columns.items():
        found = json.loads(row[name]) if name == "amounts" else row[name] if name in names else value
        if found != value:
            raise JournalBroken(f"{told.id}: {name} in its table is not what the chain says")
    if told.ended is None:
        return
    answer = json.loads(row["answer"] or "{}")
    for name in _ANSWERED:
        if answer.get(name) != row[name]:
            raise JournalBroken(f"{told.id}: {name} in its answer is not what its table says")
