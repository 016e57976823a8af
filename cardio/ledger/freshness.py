"""Whether the journal knows all that its cards and PSAMs know: a restored backup does not (design §3).

A PSAM counts its purchases itself, and so does a card. If a PSAM is ahead of the journal, transactions are missing
here: the idempotency keys of sales are missing too, and a caller's repeat would charge twice. So money stops until two
persons have compared the records and said so.
"""

from __future__ import annotations

import json
import sqlite3

from cardio.ledger.model import State

_DOUBT = "behind"


def doubt(db: sqlite3.Connection) -> dict[str, object] | None:
    """What the journal was found to miss; None if nothing."""
    row = db.execute("SELECT value FROM meta WHERE name = ?", (_DOUBT,)).fetchone()
    return None if row is None else dict(json.loads(row["value"]))


def set_doubt(db: sqlite3.Connection, found: dict[str, object]) -> None:
    """Keep what was found, until it is reconciled."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_DOUBT, json.dumps(found).encode()))


def clear_doubt(db: sqlite3.Connection) -> None:
    """It is reconciled."""
    db.execute("DELETE FROM meta WHERE name = ?", (_DOUBT,))


def newest_sequence(db: sqlite3.Connection, counter: str) -> int | None:
    """Sequence of the newest debit armed with a PSAM's counter; None for one that this journal does not know."""
    row = db.execute("SELECT sequence FROM sam_counters WHERE name = ?", (counter,)).fetchone()
    return None if row is None else int(row["sequence"])


def set_sequence(db: sqlite3.Connection, counter: str, sequence: int) -> None:
    """A debit was armed with this sequence, or two persons accepted it."""
    db.execute("INSERT OR REPLACE INTO sam_counters VALUES (?, ?)", (counter, sequence))


def known_counter(db: sqlite3.Connection, card_key: str, operations: tuple[str, ...]) -> int | None:
    """The card's counter after the newest transaction on it that the journal knows; None for a new card."""
    row = db.execute(
        "SELECT card_counter, state FROM transactions"
        " WHERE card_key = ? AND operation IN (SELECT value FROM json_each(?))"
        " ORDER BY card_counter DESC, created_at DESC LIMIT 1",
        (card_key, json.dumps(operations)),
    ).fetchone()
    if row is None:
        return None
    changed = State(row["state"]) not in {State.DECLINED, State.NOT_DEBITED}
    return int(row["card_counter"]) + (1 if changed else 0)


def knows(db: sqlite3.Connection, card_key: str, terminal: str, counter: int) -> bool:
    """Whether a transaction that a card remembers of this terminal is in the journal."""
    row = db.execute(
        "SELECT 1 FROM transactions WHERE card_key = ? AND terminal_number = ? AND card_counter = ?",
        (card_key, terminal, counter),
    ).fetchone()
    return row is not None
