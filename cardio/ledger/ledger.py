"""The journal: requests under their keys, transactions through their states, open questions by card.

Every method that changes something is one synced database transaction that also extends the hash chain. What is
decided in the engine is only true once it is here.
"""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import NoReturn, TypeVar

import uuid6

from cardio.errors import (
    HostAnswerLost,
    IdempotencyInProgress,
    IdempotencyMismatch,
    JournalBehind,
    TransactionClosed,
    TransactionUnknown,
)
from cardio.files.dates import CARD_TIMEZONE
from cardio.ledger import chain, freshness, notices
from cardio.ledger.database import Database
from cardio.ledger.document import settlement_document, transaction_document
from cardio.ledger.model import (
    TRANSITIONS,
    Armed,
    Bill,
    Evidence,
    HostNotice,
    Outcome,
    Request,
    Resolution,
    Settlement,
    State,
    Tender,
    Transaction,
    check_persons,
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
from cardio.purse.operation import Operation, PurseKind

T = TypeVar("T")
NEVER_SENT = Outcome(
    State.NOT_DEBITED,
    evidence=(Evidence("journal", False, "no grant of the host is on disk"),),
    recovered=True,
    error=HostAnswerLost.code,
)
ENOUGH_CARDS = 16
"""Returning cards whose logs are compared after the journal was opened."""
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
        self._agreeing_cards = 0
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
        operation: Operation,
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
            created = self._accept(db, purse, operation, amounts, request.client, reference, operator)
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
            purchase = Operation.PURCHASE
            return self._accept(db, purse, purchase, amounts, client, reference, operator, settlement.id)

        return self._database.write(job)

    # ---- the way of a transaction ----------------------------------------------------------------------------

    def arm(self, transaction: Transaction, armed: Armed, sam_counter: str | None = None) -> Transaction:
        """Put on disk what is about to be done to a card; from here on it may have happened.

        Args:
            transaction: The transaction.
            armed: What is about to be done.
            sam_counter: Name of the PSAM's counter that gave the terminal sequence; None if no counter did.

        Raises:
            StorageUnavailable: It is not on disk; nothing may be sent to the card.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            _check_transition(_transaction(db, transaction.id).state, State.ARMED)
            columns = armed_columns(armed)
            update(db, "transactions", transaction.id, {"state": State.ARMED.value, **columns})
            db.execute("INSERT INTO pending_cards VALUES (?, ?)", (armed.card.key, transaction.id))
            if sam_counter is not None:
                freshness.set_sequence(db, sam_counter, armed.terminal_sequence)
            logged = {name: value for name, value in columns.items() if name != "card_number"}
            self._chain(db, "transaction.armed", transaction.id, logged)
            return _transaction(db, transaction.id)

        return self._database.write(job)

    def grant(self, transaction: Transaction, card_time: str) -> Transaction:
        """Put on disk that the host has authorized an on-line operation: only now may the card be changed.

        Args:
            transaction: The transaction, armed.
            card_time: The host's time, 14 digits.

        Raises:
            StorageUnavailable: It is not on disk; nothing may be sent to the card.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            update(db, "transactions", transaction.id, {"card_time": card_time})
            self._chain(db, "transaction.granted", transaction.id, {"card_time": card_time})
            return _transaction(db, transaction.id)

        return self._database.write(job)

    def record(self, transaction: Transaction, outcome: Outcome) -> Transaction:
        """Move a transaction on, and the settlement that it belongs to.

        A final state ends the question about the card and freezes the answer; a new state fills the outbox.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            before = _transaction(db, transaction.id).state
            _check_transition(before, outcome.state)
            return self._move(db, transaction.id, before, outcome)

        return self._database.write(job)

    def resolve(self, identifier: str, resolution: Resolution) -> Transaction:
        """End an open question by the word of two persons; the cards and their issuers are not asked.

        Raises:
            TransactionUnknown: There is no such transaction.
            TransactionClosed: It is not open: it has an end already, or none could be missing.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            before = _transaction(db, identifier).state
            if before is not State.UNCERTAIN:
                raise TransactionClosed(f"it is {before}")
            return self._move(db, identifier, before, Outcome(State.RESOLVED, resolution=resolution))

        return self._database.write(job)

    def _move(self, db: sqlite3.Connection, identifier: str, before: State, outcome: Outcome) -> Transaction:
        """Write an outcome, and everything that follows from it, in the caller's database transaction."""
        columns = outcome_columns(outcome)
        if outcome.state.final:
            columns["finished_at"] = self._clock().isoformat()
            db.execute('DELETE FROM pending_cards WHERE "transaction" = ?', (identifier,))
        update(db, "transactions", identifier, columns)
        logged = {name: columns.get(name) for name in ("tac", "mac2", "balance_after", "error")}
        if outcome.resolution is not None:
            logged["resolution"] = columns["resolution"]
        self._chain(db, f"transaction.{outcome.state}", identifier, logged)
        moved = _transaction(db, identifier)
        if outcome.state.final:
            answer = chain.canonical(transaction_document(moved))
            update(db, "transactions", identifier, {"answer": answer})
            moved = replace(moved, answer=answer)
        if moved.armed is not None and moved.state is not before:
            self._report(db, moved)
            if outcome.state.final and moved.operation.online:
                notices.write(db, moved, self._clock())
        self._refresh_settlement(db, moved)
        return moved

    def note_access(self, client: str, purpose: str, groups: list[str]) -> None:
        """Write down who read personal data of a card, which groups and why; never the data (OPS §4.8)."""
        self._database.write(lambda db: self._chain(db, "person.read", client, {"purpose": purpose, "groups": groups}))

    # ---- what the journal may be missing -----------------------------------------------------------------------

    @property
    def behind(self) -> dict[str, object] | None:
        """What the journal was found to miss; money stops while it is not None."""
        return self._database.read(freshness.doubt)

    def check_sequence(self, sam_counter: str, sequence: int, slack: int = 0) -> None:
        """Compare a PSAM's counter with the journal's, before a debit is armed with it.

        Args:
            sam_counter: Name of the counter: terminal number and application.
            sequence: The sequence that the PSAM gave.
            slack: Numbers that the PSAM may have used up without a debit.

        Raises:
            JournalBehind: The PSAM has made purchases that the journal does not know.
        """
        known = self._database.read(lambda db: freshness.newest_sequence(db, sam_counter))
        # A torn debit's number comes again; one that was finished is followed by the next (EW PC-16).
        if known is not None and sequence > known + 1 + slack:
            self._found_behind({"sam_counter": sam_counter, "known": known, "found": sequence})

    def known_counter(self, card_key: str, operation: Operation) -> int | None:
        """The card's counter after its newest transaction here, on the side of the operation; None for a new card."""
        side = tuple(other.value for other in Operation if other.online is operation.online)
        return self._database.read(lambda db: freshness.known_counter(db, card_key, side))

    @property
    def log_checks_wanted(self) -> bool:
        """Whether the logs of cards are still to be compared: until enough of them agreed since the journal was opened.

        A backup is put back while the journal is closed, so what some cards did not miss soon after, no later one will.
        """
        return self._agreeing_cards < ENOUGH_CARDS

    def check_log(self, card_key: str, terminal: str, counters: Iterable[int]) -> None:
        """Compare what a card remembers of this terminal with the journal.

        Args:
            card_key: The card.
            terminal: Terminal number, 12 digits.
            counters: Off-line counters of the card's log records with that terminal number.

        Raises:
            JournalBehind: The card remembers a transaction that the journal does not know.
        """

        def unknown(db: sqlite3.Connection) -> int | None:
            found = (counter for counter in counters if not freshness.knows(db, card_key, terminal, counter))
            return next(found, None)

        missing = self._database.read(unknown)
        if missing is not None:
            self._found_behind({"terminal_number": terminal, "card_counter": missing})
        self._agreeing_cards += 1

    def reconcile(self, persons: tuple[str, str], reason: str) -> None:
        """Two persons have compared the journal with cards and centre: money may move again.

        Raises:
            InputInvalid: Not two different persons, or no reason.
        """
        check_persons(persons, reason)

        def job(db: sqlite3.Connection) -> None:
            found = freshness.doubt(db)
            if found is None:
                return
            sam_counter, sequence = found.get("sam_counter"), found.get("found")
            if isinstance(sam_counter, str) and isinstance(sequence, int):
                freshness.set_sequence(db, sam_counter, sequence)
            freshness.clear_doubt(db)
            self._chain(db, "journal.reconciled", "journal", {"persons": persons, "reason": reason, **found})

        self._database.write(job)

    def _found_behind(self, found: dict[str, object]) -> NoReturn:
        def job(db: sqlite3.Connection) -> None:
            freshness.set_doubt(db, found)
            self._chain(db, "journal.behind", "journal", found)

        self._database.write(job)
        raise JournalBehind(", ".join(f"{name} {value}" for name, value in found.items()))

    # ---- what hosts must be told -------------------------------------------------------------------------------

    def host_notices(self) -> list[HostNotice]:
        """How on-line operations ended of which their host was not told yet, oldest first."""
        return self._database.read(notices.outstanding)

    def host_told(self, notice: HostNotice) -> None:
        """The host knows."""
        self._database.write(lambda db: notices.delivered(db, notice, self._clock()))

    # ---- questions -------------------------------------------------------------------------------------------

    def transaction(self, identifier: str) -> Transaction:
        """A transaction by its id.

        Raises:
            TransactionUnknown: There is none.
        """
        return self._database.read(lambda db: _transaction(db, identifier))

    def transactions(self, state: State | None = None) -> list[Transaction]:
        """All transactions, oldest first, or those in one state: `uncertain` ones wait for their card."""
        query = "SELECT * FROM transactions WHERE :state IS NULL OR state = :state ORDER BY created_at, id"
        return self._database.read(lambda db: [transaction_from(row) for row in db.execute(query, {"state": state})])

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
        operation: Operation,
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
            operation=operation,
            amounts=amounts,
            client=client,
            reference=reference,
            operator=operator,
            settlement=settlement,
            created_at=self._clock(),
        )
        insert(db, "transactions", transaction_columns(created))
        self._chain(db, "transaction.accepted", created.id, {"operation": operation, "amounts": amounts})
        return created

    def _park_armed(self, db: sqlite3.Connection) -> None:
        """After a crash an armed transaction may have happened: uncertain until the card says."""
        rows = db.execute("SELECT id FROM transactions WHERE state = ?", (State.ARMED.value,))
        for (identifier,) in rows.fetchall():
            armed = _transaction(db, identifier)
            if armed.operation.online and armed.armed is not None and not armed.armed.card_time:
                # Nothing is sent to the card before the host's grant is on disk.
                self._move(db, identifier, State.ARMED, NEVER_SENT)
                continue
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
