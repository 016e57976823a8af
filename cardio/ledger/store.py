"""Rows behind the journal's methods: inside a database transaction that the caller has begun."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime

from cardio.errors import IdempotencyMismatch, TransactionUnknown
from cardio.ledger import card_notes, chain
from cardio.ledger.model import TRANSITIONS, Document, Request, Settlement, State, Transaction
from cardio.ledger.rows import settlement_from, transaction_from, update


def subject(db: sqlite3.Connection, request: Request) -> str | None:
    """Id of the transaction or settlement that a request began before; None for a new key.

    Raises:
        IdempotencyMismatch: The key belongs to another request.
    """
    row = db.execute("SELECT * FROM requests WHERE client = ? AND key = ?", (request.client, request.key)).fetchone()
    if row is None:
        return None
    if (row["operation"], row["fingerprint"]) != (request.operation, request.fingerprint):
        raise IdempotencyMismatch
    return str(row["subject"])


def remember(db: sqlite3.Connection, request: Request, begun: str) -> None:
    """Keep what a key began."""
    db.execute(
        "INSERT INTO requests VALUES (?, ?, ?, ?, ?)",
        (request.client, request.key, request.operation, request.fingerprint, begun),
    )


def transaction(db: sqlite3.Connection, identifier: str) -> Transaction:
    """A transaction by its id.

    Raises:
        TransactionUnknown: There is none.
    """
    row = db.execute("SELECT * FROM transactions WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        raise TransactionUnknown
    return loaded(db, row)


def state(db: sqlite3.Connection, identifier: str) -> State:
    """The state of a transaction.

    Raises:
        TransactionUnknown: There is none.
    """
    row = db.execute("SELECT state FROM transactions WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        raise TransactionUnknown
    return State(row["state"])


def loaded(db: sqlite3.Connection, row: sqlite3.Row) -> Transaction:
    """A transaction with its notes, which few have."""
    found = transaction_from(row)
    planned = found.armed is not None and found.armed.notes
    return replace(found, notes=card_notes.of_transaction(db, found.id)) if planned else found


def pending(db: sqlite3.Connection, card_key: str) -> list[Transaction]:
    """Open questions about one card, oldest first."""
    query = (
        'SELECT t.* FROM transactions t JOIN pending_cards p ON p."transaction" = t.id'
        " WHERE p.card_key = ? ORDER BY t.created_at"
    )
    return [loaded(db, row) for row in db.execute(query, (card_key,))]


def check_known(db: sqlite3.Connection, identifier: str) -> None:
    """Insist that an id is a transaction's or a settlement's.

    Raises:
        TransactionUnknown: It is neither.
    """
    query = "SELECT 1 FROM transactions WHERE id = :id UNION ALL SELECT 1 FROM settlements WHERE id = :id"
    if db.execute(query, {"id": identifier}).fetchone() is None:
        raise TransactionUnknown


def settlement(db: sqlite3.Connection, identifier: str) -> Settlement:
    """A settlement by its id, with its legs.

    Raises:
        TransactionUnknown: There is none.
    """
    row = db.execute("SELECT * FROM settlements WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        raise TransactionUnknown
    legs = db.execute(
        # medical sorts before wallet, which is the order in which they are paid
        "SELECT * FROM transactions WHERE settlement = ? ORDER BY purse",
        (identifier,),
    )
    return settlement_from(row, tuple(loaded(db, leg) for leg in legs))


def freeze(db: sqlite3.Connection, transaction: Transaction, shown: Document) -> Transaction:
    """Keep the answer of a transaction that has ended."""
    answer = chain.canonical(shown)
    update(db, "transactions", transaction.id, {"answer": answer})
    return replace(transaction, answer=answer)


def freeze_settlement(db: sqlite3.Connection, settlement: Settlement, shown: Document) -> None:
    """Keep the answer of a settlement that has ended."""
    update(db, "settlements", settlement.id, {"answer": chain.canonical(shown)})


def report(db: sqlite3.Connection, identifier: str, document: Document, at: datetime) -> None:
    """Put a record about a transaction into the outbox, beside the state that it reports (OPS §5.2)."""
    db.execute(
        'INSERT INTO outbox ("transaction", record, created_at) VALUES (?, ?, ?)',
        (identifier, chain.canonical(document), at.isoformat()),
    )


def check_transition(current: State, new: State) -> None:
    """Insist on a way from one state to another; any other is a bug."""
    if new not in TRANSITIONS.get(current, frozenset()):
        raise RuntimeError(f"a transaction cannot go from {current} to {new}")
