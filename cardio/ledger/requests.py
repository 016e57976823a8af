"""Requests under their keys: begun once, and cancelled as long as they have not reached a card."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock

import uuid6

from cardio.errors import IdempotencyInProgress, LockClosed, Money, TransactionCancelled, TransactionPassed
from cardio.ledger import chain, grey_locks, store
from cardio.ledger.admission import Admission, AdmissionLimits
from cardio.ledger.bill import Bill, BillDetails
from cardio.ledger.chain import Note
from cardio.ledger.database import Database
from cardio.ledger.document import settlement_money
from cardio.ledger.model import Outcome, Request, Settlement, State, Tender, Transaction
from cardio.ledger.questions import Questions
from cardio.ledger.reversals import claim
from cardio.ledger.rows import for_chain, insert, settlement_columns, transaction_columns, update
from cardio.ledger.shifts import current
from cardio.ledger.transitions import Transitions
from cardio.purse.operation import Operation, PurseKind

CANCELLED = Outcome(State.CANCELLED, error=TransactionCancelled.code)


class Requests(Questions):
    """The requests of one journal.

    Args:
        database: The journal.
        note: Adds a row to its chain.
        clock: Source of the time.
        limits: When nothing new is charged any more.

    Attributes:
        admission: Whether anything new may be charged.
    """

    def __init__(self, database: Database, note: Note, clock: Callable[[], datetime], limits: AdmissionLimits) -> None:
        super().__init__(database)
        self._database = database
        self._note = note
        self._clock = clock
        self.admission = Admission(database, note, clock, limits)
        self._transitions = Transitions(note, database.keys)
        self._running: set[tuple[str, str]] = set()
        self._running_lock = Lock()

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
            StorageLow: The disk is nearly full, and the key is new.
            ClockUntrusted: The clock is behind the journal, and the key is new.
            LockClosed: `grey_lock`, which a debit for unlock charges, does not stand.
            NotReversible: The purchase that `reverses` names has not so much left to give back, or is another purse's.
            TransactionUnknown: There is no such purchase.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            known = store.subject(db, request)
            if known is not None:
                return store.transaction(db, known)
            self.admission.admit(db)
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
        details: BillDetails | None = None,
        settlement_class: str | None = None,
        temporary_offline: bool = False,
    ) -> Settlement:
        """Write a settlement request down, or find the one that it began before.

        Raises:
            IdempotencyMismatch: The key belongs to another request.
            StorageLow: The disk is nearly full, and the key is new.
            ClockUntrusted: The clock is behind the journal, and the key is new.
        """

        def job(db: sqlite3.Connection) -> Settlement:
            known = store.subject(db, request)
            if known is not None:
                return store.settlement(db, known)
            self.admission.admit(db)
            created = Settlement(
                id=str(uuid6.uuid7()),
                state=State.ACCEPTED,
                client=request.client,
                reference=reference,
                operator=operator,
                bill=bill,
                details=details,
                tender=tender,
                created_at=self._clock(),
                settlement_class=settlement_class,
                temporary_offline=temporary_offline,
                shift=current(db, operator),
            )
            store.remember(db, request, created.id)
            columns = settlement_columns(created)
            insert(db, "settlements", columns)
            self._note(db, "settlement.accepted", created.id, for_chain(columns))
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
            return self._transitions.move(db, found, CANCELLED)

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
                self._transitions.move(db, leg, CANCELLED)
            if not ended:
                self._transitions.move_settlement(db, found, State.CANCELLED)
            return store.settlement(db, identifier)

        return self._database.write(job)

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
        told = {**for_chain(transaction_columns(created)), "amounts": amounts}
        self._note(db, "transaction.accepted", created.id, told)
        return created

    def _leg(
        self, db: sqlite3.Connection, settlement: Settlement, purse: PurseKind, amounts: tuple[int, ...]
    ) -> Transaction:
        existing = settlement.leg(purse)
        if existing is not None:
            if existing.state is State.ACCEPTED and existing.amounts != amounts:
                update(db, "transactions", existing.id, {"amounts": chain.canonical(amounts)})
                self._note(db, "transaction.amended", existing.id, {"amounts": amounts})
            return store.transaction(db, existing.id)
        client, reference, operator = settlement.client, settlement.reference, settlement.operator
        return self._accept(db, purse, Operation.PURCHASE, amounts, client, reference, operator, settlement)
