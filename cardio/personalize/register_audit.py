"""The audit of a register: jobs, cards and keys must be what the hash chain tells of them, event by event."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from cardio.errors import JournalBroken
from cardio.ledger.chain import StoredRow, checked

CARD = "card."
UNCONFIRMED, REJECTED = "key-unconfirmed", "rejected"


def audit(db: sqlite3.Connection) -> int:
    """Check the chain, and every table against it; returns the number of its rows.

    Raises:
        JournalBroken: The chain does not hold, or a table was changed without it.
    """
    told, rows = _Told(), 0
    for row in checked(StoredRow(*row) for row in db.execute("SELECT * FROM journal ORDER BY seq")):
        if rows == 0 and row.seq != 1:
            raise JournalBroken(f"the chain begins with row {row.seq}")
        told.take(row)
        rows += 1
    told.compare(db)
    return rows


@dataclass
class _Card:
    """What the chain tells of one attempt."""

    of: list[str]
    state: str
    reason: str | None = None
    keys: dict[str, tuple[str | None, bool]] = field(default_factory=dict)
    presented: dict[str, tuple[int, bool]] = field(default_factory=dict)

    def confirm(self) -> None:
        self.keys = {name: (kcv, True) for name, (kcv, _) in self.keys.items()}
        self.presented = {}


class _Told:
    """What the chain tells of everything."""

    def __init__(self) -> None:
        self._jobs: dict[str, list[Any]] = {}
        self._cards: dict[str, _Card] = {}

    def take(self, row: StoredRow) -> None:
        """One event more."""
        payload: dict[str, Any] = json.loads(row.payload)
        if row.kind == "job.opened":
            self._jobs[row.subject] = [payload[name] for name in ("product", "cards", "digest", "made_with", "keys")]
        elif row.kind == "card.started":
            of = [payload[name] for name in ("job", "record", "identity", "reader")]
            self._cards[row.subject] = _Card(of, "started")
        elif row.kind.startswith(CARD):
            self._take_event(row.kind.removeprefix(CARD), self._cards[row.subject], payload)

    def _take_event(self, event: str, card: _Card, payload: dict[str, Any]) -> None:
        if event == "tried-again":
            rejected = self._cards[str(payload["rejected"])]
            card.keys = dict(rejected.keys)
            card.presented = {kcv: (0, True) for kcv, (_, refused) in rejected.presented.items() if refused}
        elif event == "presenting":
            unanswered, refused = card.presented.get(payload["kcv"], (0, False))
            card.presented[payload["kcv"]] = (unanswered + 1, refused)
        elif event == "refused":
            card.presented[payload["kcv"]] = (0, True)
        elif event == "erasing":
            card.keys = {name: key for name, key in card.keys.items() if name == payload["kept"]}
        elif event == "interrupted":
            card.reason = payload["reason"]
        else:
            card.state, card.reason = event, payload.get("reason")
            if event != REJECTED:
                card.confirm()
            if event == UNCONFIRMED:
                card.keys[payload["key"]] = (payload["kcv"], False)

    def compare(self, db: sqlite3.Connection) -> None:
        """Every table against what was told.

        Raises:
            JournalBroken: They differ.
        """
        jobs = {
            row["id"]: [row["product"], row["cards"], row["digest"].hex(), row["made_with"].hex(), row["keys"]]
            for row in db.execute("SELECT * FROM jobs")
        }
        _compare("job", jobs, self._jobs)
        cards = {
            str(row["id"]): _Card(
                [row["job"], row["record"], row["identity"], row["reader"]], row["state"], row["reason"]
            )
            for row in db.execute("SELECT * FROM attempts")
        }
        try:
            for row in db.execute("SELECT * FROM key_writes"):
                cards[str(row["attempt"])].keys[row["name"]] = (row["kcv"], bool(row["confirmed"]))
            for row in db.execute("SELECT * FROM presentations"):
                cards[str(row["attempt"])].presented[row["kcv"]] = (row["unanswered"], bool(row["refused"]))
        except KeyError as error:
            raise JournalBroken(f"keys of attempt {error.args[0]}, which is not there") from error
        _compare("attempt", cards, self._cards)


def _compare(what: str, found: dict[str, Any], told: dict[str, Any]) -> None:
    for subject in sorted({*found, *told}):
        if found.get(subject) != told.get(subject):
            raise JournalBroken(f"{what} {subject} is not what the chain says")
