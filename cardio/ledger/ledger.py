"""The journal: requests under their keys, transactions through their states, open questions by card.

Every method that changes something is one synced database transaction that also extends the hash chain. What is
decided in the engine is only true once it is here.
"""

from __future__ import annotations

import hmac
import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TypeVar

import uuid6

from cardio.errors import (
    HostAnswerLost,
    IdempotencyInProgress,
    LockClosed,
    Money,
    TransactionCancelled,
    TransactionClosed,
    TransactionPassed,
)
from cardio.files.dates import CARD_TIMEZONE
from cardio.ledger import card_notes, chain, grey_locks, notices, spending, store
from cardio.ledger.batches import Batches
from cardio.ledger.database import Database
from cardio.ledger.document import settlement_money, transaction_facts
from cardio.ledger.freshness import Freshness, set_sequence
from cardio.ledger.listing import Listing
from cardio.ledger.model import (
    Armed,
    Bill,
    CardNote,
    Evidence,
    HostNotice,
    Outcome,
    Request,
    Resolution,
    Settlement,
    State,
    Tender,
    Transaction,
)
from cardio.ledger.reversals import Reversals, claim
from cardio.ledger.rows import (
    armed_columns,
    insert,
    outcome_columns,
    settlement_columns,
    transaction_columns,
    transaction_from,
    update,
)
from cardio.ledger.shifts import Shifts, current
from cardio.purse.operation import Operation, PurseKind

T = TypeVar("T")
logger = logging.getLogger(__name__)
ALL = -1
"""SQLite's word for no limit."""
CANCELLED = Outcome(State.CANCELLED, error=TransactionCancelled.code)
NEVER_SENT = Outcome(
    State.NOT_DEBITED,
    evidence=(Evidence("journal", False, "no grant of the host is on disk"),),
    recovered=True,
    error=HostAnswerLost.code,
)
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

    Attributes:
        freshness: Whether it knows all that its cards and PSAMs know.
        listing: Transactions as lists and sums.
        shifts: Who sat at the counter.
        batches: Records for the settlement centre.
        reversals: What was given back.

    Raises:
        JournalLocked: Another process works with it.
        JournalBroken: Its chain or schema is wrong.
        StorageUnavailable: It cannot be opened.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._database = Database(path, self._announce)
        self._running: set[tuple[str, str]] = set()
        self._running_lock = Lock()
        self._watchers: list[Callable[[list[chain.ChainRow]], None]] = []
        self._announced = 0
        self.freshness = Freshness(self._database, lambda db, kind, payload: self._chain(db, kind, "journal", payload))
        self.listing = Listing(self._database)
        self.shifts = Shifts(self._database, self._chain, clock)
        self.batches = Batches(self._database, self._chain, clock)
        self.reversals = Reversals(self._database, self._chain, clock)
        try:
            self._secret = self._database.write(store.device_secret)
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
        *,
        grey_lock: str | None = None,
        reverses: str | None = None,
    ) -> Transaction:
        """Write a request down, or find the transaction that it began before.

        Raises:
            IdempotencyMismatch: The key belongs to another request.
            LockClosed: `grey_lock`, which a debit for unlock charges, does not stand.
            NotReversible: The purchase that `reverses` names has not so much left to give back, or is another purse's.
            TransactionUnknown: There is no such purchase.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            known = store.subject(db, request)
            if known is not None:
                return store.transaction(db, known)
            if grey_lock is not None and not grey_locks.stands(db, grey_lock):
                raise LockClosed
            if reverses is not None:
                claim(db, store.transaction(db, reverses), amounts[0], purse)
            client = request.client
            created = self._accept(
                db, purse, operation, amounts, client, reference, operator, grey_lock=grey_lock, reverses=reverses
            )
            store.remember(db, request, created.id)
            return created

        return self._database.write(job)

    def begin_settlement(
        self,
        request: Request,
        bill: Bill,
        tender: Tender,
        reference: str,
        operator: str | None,
        *,
        settlement_class: str | None = None,
        temporary_offline: bool = False,
    ) -> Settlement:
        """Write a settlement request down, or find the one that it began before.

        Raises:
            IdempotencyMismatch: The key belongs to another request.
        """

        def job(db: sqlite3.Connection) -> Settlement:
            known = store.subject(db, request)
            if known is not None:
                return store.settlement(db, known)
            created = Settlement(
                id=str(uuid6.uuid7()),
                state=State.ACCEPTED,
                client=request.client,
                reference=reference,
                operator=operator,
                bill=bill,
                tender=tender,
                created_at=self._clock(),
                settlement_class=settlement_class,
                temporary_offline=temporary_offline,
                shift=current(db, operator),
            )
            store.remember(db, request, created.id)
            columns = settlement_columns(created)
            insert(db, "settlements", columns)
            self._chain(db, "settlement.accepted", created.id, {"total_fen": bill.total_fen})
            return created

        return self._database.write(job)

    def begin_leg(self, settlement: Settlement, purse: PurseKind, amounts: tuple[int, ...]) -> Transaction:
        """The transaction of a settlement on one purse; begun once, its amounts free until it is armed.

        Raises:
            TransactionCancelled: The settlement was cancelled.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            known = store.settlement(db, settlement.id)
            if known.state is State.CANCELLED:
                raise TransactionCancelled
            return self._leg(db, known, purse, amounts)

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
            TransactionCancelled: It was cancelled meanwhile; nothing may be sent to the card.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            before = store.state(db, transaction.id)
            if before is State.CANCELLED:
                raise TransactionCancelled
            store.check_transition(before, State.ARMED)
            columns = armed_columns(armed)
            update(db, "transactions", transaction.id, {"state": State.ARMED.value, **columns})
            db.execute("INSERT INTO pending_cards VALUES (?, ?)", (armed.card.key, transaction.id))
            if sam_counter is not None:
                set_sequence(db, sam_counter, armed.terminal_sequence)
            # A settlement class tells about somebody's health.
            logged = {name: value for name, value in columns.items() if name not in {"card_number", "notes"}}
            self._chain(db, "transaction.armed", transaction.id, logged)
            return store.transaction(db, transaction.id)

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
            return store.transaction(db, transaction.id)

        return self._database.write(job)

    def record(self, transaction: Transaction, outcome: Outcome) -> Transaction:
        """Move a transaction on, and the settlement that it belongs to.

        A final state ends the question about the card and freezes the answer; a new state fills the outbox.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            before = store.state(db, transaction.id)
            # The card was shown to another reader, and answered there, before a stuck one gave up.
            answered_elsewhere = before.final and outcome.state is State.UNCERTAIN
            if answered_elsewhere or (before is State.CANCELLED and outcome.state is State.DECLINED):
                return store.transaction(db, transaction.id)
            return self._move(db, transaction.id, before, outcome)

        return self._database.write(job)

    def cancel(self, identifier: str) -> Transaction:
        """End a transaction that has not reached a card; one of a settlement ends with that only.

        Raises:
            TransactionUnknown: There is no such transaction.
            TransactionPassed: It is armed, or it has ended.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            found = store.transaction(db, identifier)
            if found.state is State.CANCELLED:
                return found
            if found.settlement is not None:
                raise TransactionPassed(f"it ends with settlement {found.settlement} only", money=found.money)
            if found.state is not State.ACCEPTED:
                raise TransactionPassed(f"it is {found.state}", money=found.money)
            return self._move(db, identifier, found.state, CANCELLED)

        return self._database.write(job)

    def cancel_settlement(self, identifier: str) -> Settlement:
        """End what is not paid yet of a settlement.

        If nothing was paid from a card, it is cancelled; if the medical leg is done and the wallet's card does not
        come, that part becomes due in cash.

        Raises:
            TransactionUnknown: There is no such settlement.
            TransactionPassed: A leg is on its way or uncertain, or the settlement has ended.
        """

        def job(db: sqlite3.Connection) -> Settlement:
            found = store.settlement(db, identifier)
            if found.state is State.CANCELLED:
                return found
            # A leg that is armed shows in the legs only: its settlement moves on with the outcome.
            if found.standing not in {State.ACCEPTED, State.AWAITING_CARD}:
                raise TransactionPassed(f"it is {found.standing}", money=Money(settlement_money(found)))
            ended = found.legs
            if found.standing is State.AWAITING_CARD:
                ended = (self._leg(db, found, PurseKind.WALLET, (found.bill.self_pay_fen,)),)
            for leg in ended:
                self._move(db, leg.id, leg.state, CANCELLED)
            if not ended:
                self._move_settlement(db, found, State.CANCELLED)
            return store.settlement(db, identifier)

        return self._database.write(job)

    def resolve(self, identifier: str, resolution: Resolution) -> Transaction:
        """End an open question by the word of two persons; the cards and their issuers are not asked.

        Raises:
            TransactionUnknown: There is no such transaction.
            TransactionClosed: It is not open: it has an end already, or none could be missing.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            before = store.state(db, identifier)
            if before is not State.UNCERTAIN:
                raise TransactionClosed(f"it is {before}")
            return self._move(db, identifier, before, Outcome(State.RESOLVED, resolution=resolution))

        return self._database.write(job)

    def _move(self, db: sqlite3.Connection, identifier: str, before: State, outcome: Outcome) -> Transaction:
        """Write an outcome, and everything that follows from it, in the caller's database transaction."""
        store.check_transition(before, outcome.state)
        columns = outcome_columns(outcome)
        if outcome.state.final:
            columns["finished_at"] = self._clock().isoformat()
            db.execute('DELETE FROM pending_cards WHERE "transaction" = ?', (identifier,))
        update(db, "transactions", identifier, columns)
        moved = store.transaction(db, identifier)
        logged = {
            "purse": moved.purse,
            "operation": moved.operation,
            "amount_fen": moved.amount_fen,
            "recovered": outcome.recovered,
            **{name: columns.get(name) for name in ("tac", "mac2", "balance_after", "error")},
        }
        if outcome.resolution is not None:
            logged["resolution"] = columns["resolution"]
        self._chain(db, f"transaction.{outcome.state}", identifier, logged)
        if moved.state is State.COMPLETED:
            moved = replace(moved, notes=card_notes.write(db, moved, self._clock()))
        if outcome.state.final:
            moved = store.freeze(db, moved)
        if moved.armed is not None and moved.state is not before:
            self._report(db, moved)
            if outcome.state.final and moved.operation.online:
                notices.write(db, moved, self._clock())
        self._refresh_settlement(db, moved)
        return moved

    def note_access(self, client: str, purpose: str, groups: list[str]) -> None:
        """Write down who read personal data of a card, which groups and why; never the data (OPS §4.8)."""
        self._database.write(lambda db: self._chain(db, "person.read", client, {"purpose": purpose, "groups": groups}))

    def note_reprint(self, identifier: str) -> int:
        """Write down that the voucher of a transaction or settlement is printed again; return which reprint it is.

        Raises:
            TransactionUnknown: There is no such transaction or settlement.
        """

        def job(db: sqlite3.Connection) -> int:
            store.check_known(db, identifier)
            (count,) = db.execute(
                "INSERT INTO reprints VALUES (?, 1) ON CONFLICT (subject) DO UPDATE SET count = count + 1"
                " RETURNING count",
                (identifier,),
            ).fetchone()
            self._chain(db, "voucher.reprinted", identifier, {"reprint": count})
            return int(count)

        return self._database.write(job)

    # ---- what is still to be written to cards ------------------------------------------------------------------

    def card_notes(self, card_key: str) -> list[tuple[str, CardNote]]:
        """Bookkeeping that is owed to one card, each with the id of its transaction, oldest first."""
        return self._database.read(lambda db: card_notes.of_card(db, card_key))

    @property
    def owes_notes(self) -> bool:
        """Whether bookkeeping is owed to any card."""
        return self._database.read(card_notes.any_owed)

    def update_note(self, identifier: str, note: CardNote) -> None:
        """Write down how far a note of a transaction is; the answer that its key gets stays as it was.

        Raises:
            StorageUnavailable: It is not on disk; nothing may be written to the card on the strength of it.
        """

        def job(db: sqlite3.Connection) -> None:
            card_notes.update(db, identifier, note, self._clock())
            self._chain(db, f"card-note.{note.state}", identifier, {"kind": note.kind, "error": note.error})

        self._database.write(job)

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
        return self._database.read(lambda db: store.transaction(db, identifier))

    def transactions(self, state: State | None = None) -> list[Transaction]:
        """All transactions, oldest first, or those in one state: `uncertain` ones wait for their card."""
        query = "SELECT * FROM transactions WHERE :state IS NULL OR state = :state ORDER BY created_at, id"
        return self._database.read(lambda db: [store.loaded(db, row) for row in db.execute(query, {"state": state})])

    @property
    def open_locks(self) -> list[Transaction]:
        """Grey locks that no debit has freed yet, oldest first.

        One that was freed on-line stays among them: this terminal is not told.
        """
        return self._database.read(lambda db: [transaction_from(row) for row in grey_locks.standing(db)])

    def lock_stands(self, identifier: str) -> bool:
        """Whether a transaction is a grey lock that no debit has freed yet."""
        return self._database.read(lambda db: grey_locks.stands(db, identifier))

    def settlement(self, identifier: str) -> Settlement:
        """A settlement by its id.

        Raises:
            TransactionUnknown: There is none.
        """
        return self._database.read(lambda db: store.settlement(db, identifier))

    def pending(self, card_key: str) -> list[Transaction]:
        """Open questions about one card, oldest first."""
        query = (
            'SELECT t.* FROM transactions t JOIN pending_cards p ON p."transaction" = t.id'
            " WHERE p.card_key = ? ORDER BY t.created_at"
        )
        return self._database.read(lambda db: [store.loaded(db, row) for row in db.execute(query, (card_key,))])

    @property
    def newest_time(self) -> datetime | None:
        """Time of the newest row of the chain; None before the first."""
        query = "SELECT time FROM journal ORDER BY seq DESC LIMIT 1"
        row = self._database.read(lambda db: db.execute(query).fetchone())
        return None if row is None else datetime.fromisoformat(row["time"])

    @property
    def path(self) -> Path:
        """The journal's file."""
        return self._database.path

    @property
    def outbox(self) -> tuple[int, datetime | None]:
        """Number of records that the settlement centre has not acknowledged, and the time of the oldest."""
        query = "SELECT COUNT(*) AS count, MIN(created_at) AS oldest FROM outbox WHERE acknowledged_at IS NULL"
        row = self._database.read(lambda db: db.execute(query).fetchone())
        return int(row["count"]), datetime.fromisoformat(row["oldest"]) if row["oldest"] else None

    @property
    def uncertain(self) -> int:
        """Number of transactions whose outcome is open."""
        query = "SELECT COUNT(*) FROM transactions WHERE state = ?"
        return self._database.read(lambda db: int(db.execute(query, (State.UNCERTAIN,)).fetchone()[0]))

    def pending_purses(self) -> set[PurseKind]:
        """Purses about which any question is open."""
        query = 'SELECT DISTINCT t.purse FROM transactions t JOIN pending_cards p ON p."transaction" = t.id'
        return self._database.read(lambda db: {PurseKind(row[0]) for row in db.execute(query)})

    def card_key(self, purse: PurseKind, identity: bytes) -> str:
        """Keyed hash under which a card is found again without storing its number (OPS §4.8)."""
        return hmac.digest(self._secret, purse.value.encode() + b"|" + identity, "sha256").hex()

    def spending(self, request: Request, since: datetime, running: Collection[str]) -> spending.Spending:
        """What a client has moved since a time, and what is known about one of its requests; see `of_client`."""
        return self._database.read(lambda db: spending.of_client(db, request, since, running))

    # ---- the chain -------------------------------------------------------------------------------------------

    def watch(self, watcher: Callable[[list[chain.ChainRow]], None]) -> int:
        """Be told of every new row of the chain, once it is on disk and in order; returns the number of the newest now.

        Args:
            watcher: Called in the journal's own thread, which must not be kept waiting; what it raises is only logged.
        """

        def job(db: sqlite3.Connection) -> int:
            self._announce(db)
            self._watchers.append(watcher)
            self._announced, _ = chain.head(db)
            return self._announced

        return self._database.read(job)

    def watch_commits(self, watcher: Callable[[float], None]) -> None:
        """Be told of the seconds that each synced commit took; in the journal's own thread, as `watch`."""
        self._database.watch_commits(watcher)

    def rows(self, after: int, limit: int) -> list[chain.ChainRow]:
        """Rows of the chain after a number, oldest first."""
        return self._database.read(lambda db: chain.rows_after(db, after, limit))

    @property
    def head(self) -> tuple[int, bytes]:
        """Number and hash of the newest row; 0 and 32 zero bytes before the first."""
        return self._database.read(chain.head)

    def note_start(self, software: str) -> None:
        """Write down that a program of this version begins its work."""
        self._database.write(lambda db: self._chain(db, "service.started", "journal", {"software": software}))

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
        settlement: Settlement | None = None,
        grey_lock: str | None = None,
        reverses: str | None = None,
    ) -> Transaction:
        """A new transaction, which has touched no card yet; a leg belongs to the shift of its settlement."""
        created = Transaction(
            id=str(uuid6.uuid7()),
            state=State.ACCEPTED,
            purse=purse,
            operation=operation,
            amounts=amounts,
            client=client,
            reference=reference,
            operator=operator,
            settlement=settlement.id if settlement else None,
            created_at=self._clock(),
            grey_lock=grey_lock,
            reverses=reverses,
            shift=settlement.shift if settlement else current(db, operator),
        )
        insert(db, "transactions", transaction_columns(created))
        payload: dict[str, object] = {"purse": purse, "operation": operation, "amounts": amounts}
        self._chain(db, "transaction.accepted", created.id, payload)
        return created

    def _leg(
        self, db: sqlite3.Connection, settlement: Settlement, purse: PurseKind, amounts: tuple[int, ...]
    ) -> Transaction:
        existing = settlement.leg(purse)
        if existing is not None:
            if existing.state is State.ACCEPTED:
                update(db, "transactions", existing.id, {"amounts": chain.canonical(amounts)})
            return store.transaction(db, existing.id)
        client, reference, operator = settlement.client, settlement.reference, settlement.operator
        return self._accept(db, purse, Operation.PURCHASE, amounts, client, reference, operator, settlement)

    def _park_armed(self, db: sqlite3.Connection) -> None:
        """After a crash an armed transaction may have happened: uncertain until the card says."""
        rows = db.execute("SELECT id FROM transactions WHERE state = ?", (State.ARMED.value,))
        for (identifier,) in rows.fetchall():
            armed = store.transaction(db, identifier)
            if armed.operation.online and armed.armed is not None and not armed.armed.card_time:
                # Nothing is sent to the card before the host's grant is on disk.
                self._move(db, identifier, State.ARMED, NEVER_SENT)
                continue
            update(db, "transactions", identifier, {"state": State.UNCERTAIN.value})
            payload: dict[str, object] = {"purse": armed.purse, "operation": armed.operation, "reason": "restart"}
            self._chain(db, "transaction.uncertain", identifier, payload)
            parked = store.transaction(db, identifier)
            self._report(db, parked)
            self._refresh_settlement(db, parked)

    def _refresh_settlement(self, db: sqlite3.Connection, leg: Transaction) -> None:
        """Bring a leg's settlement to where its legs stand; a final one gets its frozen answer."""
        if leg.settlement is None:
            return
        settled = store.settlement(db, leg.settlement)
        if settled.standing is not settled.state:
            self._move_settlement(db, settled, settled.standing)

    def _move_settlement(self, db: sqlite3.Connection, settlement: Settlement, state: State) -> None:
        columns = {"state": state.value}
        if state.final:
            columns["finished_at"] = self._clock().isoformat()
        update(db, "settlements", settlement.id, columns)
        self._chain(db, f"settlement.{state}", settlement.id, {"due_fen": replace(settlement, state=state).due_fen})
        store.freeze_settlement(db, settlement.id)

    def _report(self, db: sqlite3.Connection, transaction: Transaction) -> None:
        """Outbox row in the same database transaction as the state it reports (OPS §5.2)."""
        document = transaction_facts(transaction)
        if transaction.armed is not None:
            document["card_number"] = transaction.armed.card.number
        store.report(db, transaction.id, document, self._clock())

    def _announce(self, db: sqlite3.Connection) -> None:
        """Tell the watchers what a write has added to the chain; the write stands, whatever becomes of that."""
        if not self._watchers:
            return
        try:
            rows = chain.rows_after(db, self._announced, ALL)
        except sqlite3.DatabaseError:
            logger.exception("new rows of the journal cannot be read back; they are told with the next ones")
            return
        if rows:
            self._announced = rows[-1].seq
            for watcher in self._watchers:
                try:
                    watcher(rows)
                except Exception:
                    logger.exception("a watcher of the journal failed")

    def _chain(self, db: sqlite3.Connection, kind: str, subject: str, payload: dict[str, object]) -> None:
        chain.append(db, self._clock(), kind, subject, payload)
