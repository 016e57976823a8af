"""The journal: requests under their keys, transactions through their states, open questions by card.

Every method that changes something is one synced database transaction that also extends the hash chain. What is
decided in the engine is only true once it is here.
"""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TypeVar

import uuid6

from cardio.errors import (
    IdempotencyInProgress,
    IdempotencyMismatch,
    TransactionUnknown,
)
from cardio.files.dates import CARD_TIMEZONE
from cardio.ledger import chain
from cardio.ledger.database import Database
from cardio.ledger.document import settlement_document, transaction_document
from cardio.ledger.model import (
    TRANSITIONS,
    Armed,
    Bill,
    Outcome,
    Request,
    Settlement,
    State,
    Tender,
    Transaction,
)
from cardio.ledger.rows import (
    armed_columns,
    insert,
    outcome_columns,
    settlement_columns,
    settlement_from,
    transaction_columns,
    transaction_from,
    update,
)
from cardio.purse.purse import PurseKind

T = TypeVar("T")
CHECKED_AT_START = 1000
"""Newest chain rows that are verified when the journal is opened."""


def now() -> datetime:
    """The terminal's time in the cards' zone."""
    return datetime.now(CARD_TIMEZONE)


class Ledger:
    """The journal of one terminal.

    Args:
        path: Its SQLite file.
        clock: Source of the time.

    Raises:
        JournalLocked: Another process works with it.
        JournalBroken: Its chain or schema is wrong.
        StorageUnavailable: It cannot be opened.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._database = Database(path)
        self._running: set[tuple[str, str]] = set()
        self._running_lock = Lock()
        try:
            self._secret = self._database.write(_device_secret)
            self._database.read(lambda db: chain.verify(db, CHECKED_AT_START))
            self._database.write(self._park_armed)
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # ---- requests --------------------------------------------------------------------------------------------

    @contextmanager
    def exclusive(self, request: Request) -> Iterator[None]:
        """Keep the same key from running twice at a time.

        Raises:
            IdempotencyInProgress: It is running.
        """
        name = (request.client, request.key)
        with self._running_lock:
            if name in self._running:
                raise IdempotencyInProgress
            self._running.add(name)
        try:
            yield
        finally:
            with self._running_lock:
                self._running.discard(name)

    def begin_transaction(
        self,
        request: Request,
        purse: PurseKind,
        amounts: tuple[int, ...],
        reference: str,
        operator: str | None,
    ) -> Transaction:
        """Write a request down, or find the transaction that it began before.

        Raises:
            IdempotencyMismatch: The key belongs to another request.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            known = _subject(db, request)
            if known is not None:
                return _transaction(db, known)
            created = self._accept(db, purse, amounts, request.client, reference, operator)
            _remember(db, request, created.id)
            return created

        return self._database.write(job)

    def begin_settlement(
        self,
        request: Request,
        bill: Bill,
        tender: Tender,
        reference: str,
        operator: str | None,
    ) -> Settlement:
        """Write a settlement request down, or find the one that it began before.

        Raises:
            IdempotencyMismatch: The key belongs to another request.
        """

        def job(db: sqlite3.Connection) -> Settlement:
            known = _subject(db, request)
            if known is not None:
                return _settlement(db, known)
            created = Settlement(
                id=str(uuid6.uuid7()),
                state=State.ACCEPTED,
                client=request.client,
                reference=reference,
                operator=operator,
                bill=bill,
                tender=tender,
                created_at=self._clock(),
            )
            _remember(db, request, created.id)
            columns = settlement_columns(created)
            insert(db, "settlements", columns)
            self._chain(db, "settlement.accepted", created.id, {"total_fen": bill.total_fen})
            return created

        return self._database.write(job)

    def begin_leg(self, settlement: Settlement, purse: PurseKind, amounts: tuple[int, ...]) -> Transaction:
        """The transaction of a settlement on one purse; begun once, its amounts free until it is armed."""

        def job(db: sqlite3.Connection) -> Transaction:
            existing = _settlement(db, settlement.id).leg(purse)
            if existing is not None:
                if existing.state is State.ACCEPTED:
                    update(db, "transactions", existing.id, {"amounts": chain.canonical(amounts)})
                return _transaction(db, existing.id)
            client, reference, operator = settlement.client, settlement.reference, settlement.operator
            return self._accept(db, purse, amounts, client, reference, operator, settlement.id)

        return self._database.write(job)

    # ---- the way of a transaction ----------------------------------------------------------------------------

    def arm(self, transaction: Transaction, armed: Armed) -> Transaction:
        """Put on disk what a debit is about to do; from here on it may have happened.

        Raises:
            StorageUnavailable: It is not on disk; nothing may be sent to the card.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            _check_transition(_transaction(db, transaction.id).state, State.ARMED)
            columns = armed_columns(armed)
            update(db, "transactions", transaction.id, {"state": State.ARMED.value, **columns})
            db.execute("INSERT INTO pending_cards VALUES (?, ?)", (armed.card.key, transaction.id))
            logged = {name: value for name, value in columns.items() if name != "card_number"}
            self._chain(db, "transaction.armed", transaction.id, logged)
            return _transaction(db, transaction.id)

        return self._database.write(job)

    def record(self, transaction: Transaction, outcome: Outcome) -> Transaction:
        """Move a transaction on, and the settlement that it belongs to.

        A final state ends the question about the card and freezes the answer; a new state fills the outbox.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            before = _transaction(db, transaction.id).state
            _check_transition(before, outcome.state)
            columns = outcome_columns(outcome)
            if outcome.state.final:
                columns["finished_at"] = self._clock().isoformat()
                db.execute('DELETE FROM pending_cards WHERE "transaction" = ?', (transaction.id,))
            update(db, "transactions", transaction.id, columns)
            self._chain(
                db,
                f"transaction.{outcome.state}",
                transaction.id,
                {name: columns.get(name) for name in ("tac", "mac2", "balance_after", "error")},
            )
            moved = _transaction(db, transaction.id)
            if outcome.state.final:
                answer = chain.canonical(transaction_document(moved))
                update(db, "transactions", transaction.id, {"answer": answer})
                moved = replace(moved, answer=answer)
            if moved.armed is not None and moved.state is not before:
                self._report(db, moved)
            self._refresh_settlement(db, moved)
            return moved

        return self._database.write(job)

    def note_access(self, client: str, purpose: str, groups: list[str]) -> None:
        """Write down who read personal data of a card, which groups and why; never the data (OPS §4.8)."""
        self._database.write(lambda db: self._chain(db, "person.read", client, {"purpose": purpose, "groups": groups}))

    # ---- questions -------------------------------------------------------------------------------------------

    def transaction(self, identifier: str) -> Transaction:
        """A transaction by its id.

        Raises:
            TransactionUnknown: There is none.
        """
        return self._database.read(lambda db: _transaction(db, identifier))

    def settlement(self, identifier: str) -> Settlement:
        """A settlement by its id.

        Raises:
            TransactionUnknown: There is none.
        """
        return self._database.read(lambda db: _settlement(db, identifier))

    def pending(self, card_key: str) -> list[Transaction]:
        """Open questions about one card, oldest first."""
        query = (
            'SELECT t.* FROM transactions t JOIN pending_cards p ON p."transaction" = t.id'
            " WHERE p.card_key = ? ORDER BY t.created_at"
        )
        return self._database.read(lambda db: [transaction_from(row) for row in db.execute(query, (card_key,))])

    def pending_purses(self) -> set[PurseKind]:
        """Purses about which any question is open."""
        query = 'SELECT DISTINCT t.purse FROM transactions t JOIN pending_cards p ON p."transaction" = t.id'
        return self._database.read(lambda db: {PurseKind(row[0]) for row in db.execute(query)})

    def card_key(self, purse: PurseKind, identity: bytes) -> str:
        """Keyed hash under which a card is found again without storing its number (OPS §4.8)."""
        return hmac.digest(self._secret, purse.value.encode() + b"|" + identity, "sha256").hex()

    def verify_chain(self) -> int:
        """Check the whole chain; return the number of rows.

        Raises:
            JournalBroken: It does not hold.
        """
        return self._database.read(chain.verify)

    # ---- inside ----------------------------------------------------------------------------------------------

    def _accept(
        self,
        db: sqlite3.Connection,
        purse: PurseKind,
        amounts: tuple[int, ...],
        client: str,
        reference: str,
        operator: str | None,
        settlement: str | None = None,
    ) -> Transaction:
        """A new transaction, which has touched no card yet."""
        created = Transaction(
            id=str(uuid6.uuid7()),
            state=State.ACCEPTED,
            purse=purse,
            amounts=amounts,
            client=client,
            reference=reference,
            operator=operator,
            settlement=settlement,
            created_at=self._clock(),
        )
        insert(db, "transactions", transaction_columns(created))
        self._chain(db, "transaction.accepted", created.id, {"amounts": amounts})
        return created

    def _park_armed(self, db: sqlite3.Connection) -> None:
        """After a crash an armed debit may have happened: uncertain until the card says."""
        rows = db.execute("SELECT id FROM transactions WHERE state = ?", (State.ARMED.value,))
        for (identifier,) in rows.fetchall():
            update(db, "transactions", identifier, {"state": State.UNCERTAIN.value})
            self._chain(db, "transaction.uncertain", identifier, {"reason": "restart"})
            parked = _transaction(db, identifier)
            self._report(db, parked)
            self._refresh_settlement(db, parked)

    def _refresh_settlement(self, db: sqlite3.Connection, leg: Transaction) -> None:
        """Bring a leg's settlement to where its legs stand; a final one gets its frozen answer."""
        if leg.settlement is None:
            return
        current = _settlement(db, leg.settlement)
        state = current.standing
        if state is current.state:
            return
        columns = {"state": state.value}
        if state.final:
            columns["finished_at"] = self._clock().isoformat()
        update(db, "settlements", current.id, columns)
        self._chain(db, f"settlement.{state}", current.id, {"due_fen": current.due_fen})
        if state.final:
            answer = chain.canonical(settlement_document(_settlement(db, current.id)))
            update(db, "settlements", current.id, {"answer": answer})

    def _report(self, db: sqlite3.Connection, transaction: Transaction) -> None:
        """Outbox row in the same database transaction as the state it reports (OPS §5.2)."""
        document = transaction_document(transaction)
        del document["voucher"]
        if transaction.armed is not None:
            document["card_number"] = transaction.armed.card.number
        columns = {
            "transaction": transaction.id,
            "record": chain.canonical(document),
            "created_at": self._clock().isoformat(),
        }
        db.execute(
            'INSERT INTO outbox ("transaction", record, created_at) VALUES (:transaction, :record, :created_at)',
            columns,
        )

    def _chain(self, db: sqlite3.Connection, kind: str, subject: str, payload: dict[str, object]) -> None:
        chain.append(db, self._clock(), kind, subject, payload)


def _device_secret(db: sqlite3.Connection) -> bytes:
    row = db.execute("SELECT value FROM meta WHERE name = 'device_secret'").fetchone()
    if row is not None:
        return bytes(row["value"])
    secret = secrets.token_bytes(32)
    db.execute("INSERT INTO meta VALUES ('device_secret', ?)", (secret,))
    return secret


def _subject(db: sqlite3.Connection, request: Request) -> str | None:
    row = db.execute("SELECT * FROM requests WHERE client = ? AND key = ?", (request.client, request.key)).fetchone()
    if row is None:
        return None
    if (row["operation"], row["fingerprint"]) != (request.operation, request.fingerprint):
        raise IdempotencyMismatch
    return str(row["subject"])


def _remember(db: sqlite3.Connection, request: Request, subject: str) -> None:
    db.execute(
        "INSERT INTO requests VALUES (?, ?, ?, ?, ?)",
        (request.client, request.key, request.operation, request.fingerprint, subject),
    )


def _transaction(db: sqlite3.Connection, identifier: str) -> Transaction:
    row = db.execute("SELECT * FROM transactions WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        raise TransactionUnknown
    return transaction_from(row)


def _settlement(db: sqlite3.Connection, identifier: str) -> Settlement:
    row = db.execute("SELECT * FROM settlements WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        raise TransactionUnknown
    legs = db.execute(
        # medical sorts before wallet, which is the order in which they are paid
        "SELECT * FROM transactions WHERE settlement = ? ORDER BY purse",
        (identifier,),
    )
    return settlement_from(row, tuple(transaction_from(leg) for leg in legs))


def _check_transition(current: State, new: State) -> None:
    if new not in TRANSITIONS.get(current, frozenset()):
        raise RuntimeError(f"a transaction cannot go from {current} to {new}")
