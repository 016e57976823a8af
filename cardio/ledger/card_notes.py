"""Bookkeeping that settlements still owe to their cards, written together with the end of the transaction (SSC §7.3).

A note is not money: whether it was written changes nothing about its transaction.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from cardio.ledger.model import CardNote, NoteKind, NoteState, Transaction

OF_TRANSACTION = 'SELECT * FROM card_notes WHERE "transaction" = ? ORDER BY kind'
OF_CARD = (
    'SELECT n.* FROM card_notes n JOIN transactions t ON t.id = n."transaction"'
    ' WHERE n.ended_at IS NULL AND t.card_key = ? ORDER BY n.created_at, n."transaction", n.kind'
)


def write(db: sqlite3.Connection, transaction: Transaction, at: datetime) -> tuple[CardNote, ...]:
    """A transaction has completed: what was planned when it was armed is owed from now on."""
    planned = () if transaction.armed is None else transaction.armed.notes
    for note in planned:
        db.execute(
            "INSERT INTO card_notes VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
            (transaction.id, note.kind.value, *_columns(note), at.isoformat()),
        )
    return planned


def of_transaction(db: sqlite3.Connection, identifier: str) -> tuple[CardNote, ...]:
    """All notes of one transaction."""
    return tuple(_note(row) for row in db.execute(OF_TRANSACTION, (identifier,)))


def of_card(db: sqlite3.Connection, card_key: str) -> list[tuple[str, CardNote]]:
    """Notes that are owed to one card with the ids of their transactions, oldest first."""
    return [(row["transaction"], _note(row)) for row in db.execute(OF_CARD, (card_key,))]


def any_owed(db: sqlite3.Connection) -> bool:
    """Whether anything is owed to any card."""
    return db.execute("SELECT 1 FROM card_notes WHERE ended_at IS NULL").fetchone() is not None


def update(db: sqlite3.Connection, identifier: str, note: CardNote, at: datetime) -> None:
    """Write down how far a note is."""
    db.execute(
        "UPDATE card_notes SET before = ?, target = ?, state = ?, error = ?, ended_at = ?"
        ' WHERE "transaction" = ? AND kind = ?',
        (*_columns(note), None if note.state.owed else at.isoformat(), identifier, note.kind.value),
    )


def encode(notes: tuple[CardNote, ...]) -> str:
    """Planned notes for the row of their transaction."""
    return json.dumps([(note.kind, note.before, note.target) for note in notes])


def decode(text: str) -> tuple[CardNote, ...]:
    """Planned notes from the row of their transaction."""
    return tuple(CardNote(NoteKind(kind), _pair(before), _pair(target)) for kind, before, target in json.loads(text))


def _columns(note: CardNote) -> tuple[str, str, str, str | None]:
    return json.dumps(note.before), json.dumps(note.target), note.state.value, note.error


def _note(row: sqlite3.Row) -> CardNote:
    before, target = _pair(json.loads(row["before"])), _pair(json.loads(row["target"]))
    return CardNote(NoteKind(row["kind"]), before, target, NoteState(row["state"]), row["error"])


def _pair(values: list[int]) -> tuple[int, int]:
    first, second = values
    return first, second
