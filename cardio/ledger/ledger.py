"""The journal: requests under their keys, transactions through their states, open questions by card.

Every method that changes something is one synced database transaction that also extends the hash chain. What is
decided in the engine is only true once it is here.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cardio.errors import (
    TransactionCancelled,
    TransactionClosed,
)
from cardio.files.dates import CARD_TIMEZONE
from cardio.ledger import card_notes, chain, notices, persons, store, terminal_keys
from cardio.ledger.admission import DEFAULT_LIMITS, AdmissionLimits
from cardio.ledger.batches import Batches
from cardio.ledger.chain import ChainRow
from cardio.ledger.database import Database
from cardio.ledger.freshness import Freshness, set_sequence
from cardio.ledger.listing import Listing
from cardio.ledger.model import (
    Armed,
    CardNote,
    HostNotice,
    Outcome,
    Resolution,
    State,
    Transaction,
)
from cardio.ledger.privacy import Privacy
from cardio.ledger.requests import Requests
from cardio.ledger.reversals import Reversals
from cardio.ledger.rows import armed_columns, for_chain, update
from cardio.ledger.shifts import Shifts
from cardio.purse.operation import PurseKind

logger = logging.getLogger(__name__)
ALL = -1
"""SQLite's word for no limit."""
CHECKED_AT_START = 1000
"""Newest chain rows that are verified when the journal is opened."""


def now() -> datetime:
    """The terminal's time in the cards' zone."""
    return datetime.now(CARD_TIMEZONE)


class Ledger(Requests):
    """The journal of one terminal.

    Args:
        path: Its SQLite file.
        clock: Source of the time.
        limits: When nothing new is charged any more.

    Attributes:
        freshness: Whether it knows all that its cards and PSAMs know.
        listing: Transactions as lists and sums.
        shifts: Who sat at the counter.
        batches: Records for the settlement centre.
        reversals: What was given back.
        privacy: Personal data: who read them, and their end.

    Raises:
        JournalLocked: Another process works with it.
        JournalBroken: Its chain, schema or keys are wrong, or a page is damaged.
        StorageUnavailable: It cannot be opened.
    """

    def __init__(
        self, path: Path, clock: Callable[[], datetime] = now, limits: AdmissionLimits = DEFAULT_LIMITS
    ) -> None:
        self._watchers: list[Callable[[list[ChainRow]], None]] = []
        self._announced = 0
        database = Database(path, self._announce)
        super().__init__(database, self._chain, clock, limits)
        self._keys = database.keys
        self.freshness = Freshness(database, lambda db, kind, payload: self._chain(db, kind, "journal", payload))
        self.listing = Listing(database)
        self.shifts = Shifts(database, self._chain, clock)
        self.batches = Batches(database, self._chain, clock)
        self.reversals = Reversals(database, self._chain, clock)
        self.privacy = Privacy(database, self._chain, clock)
        try:
            database.read(lambda db: chain.verify(db, CHECKED_AT_START))
            database.write(self._start)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # ---- the way of a transaction ----------------------------------------------------------------------------

    def arm(
        self, transaction: Transaction, armed: Armed, card_number: str, sam_counter: str | None = None
    ) -> Transaction:
        """Put on disk what is about to be done to a card; from here on it may have happened.

        Args:
            transaction: The transaction.
            armed: What is about to be done.
            card_number: Number that the clearing centre needs; empty where it needs none. It is kept encrypted.
            sam_counter: Name of the PSAM's counter that gave the terminal sequence; None if no counter did.

        Raises:
            StorageUnavailable: It is not on disk; nothing may be sent to the card.
            ClockUntrusted: The clock has gone back; nothing may be sent to the card.
            TransactionCancelled: It was cancelled meanwhile; nothing may be sent to the card.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            self.admission.compare_clock(db)
            before = store.state(db, transaction.id)
            if before is State.CANCELLED:
                raise TransactionCancelled
            store.check_transition(before, State.ARMED)
            columns = armed_columns(armed)
            update(db, "transactions", transaction.id, {"state": State.ARMED.value, **columns})
            db.execute("INSERT INTO pending_cards VALUES (?, ?)", (armed.card.key, transaction.id))
            if sam_counter is not None:
                set_sequence(db, sam_counter, armed.terminal_sequence)
            persons.keep(db, self._keys, transaction.id, card_number)
            self._chain(db, "transaction.armed", transaction.id, for_chain(columns))
            return replace(transaction, state=State.ARMED, armed=armed, outcome=Outcome(State.ARMED))

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
            known_better = before.final and outcome.state is State.UNCERTAIN
            if known_better or (before is State.CANCELLED and outcome.state is State.DECLINED):
                return store.transaction(db, transaction.id)
            return self._transitions.move(db, replace(transaction, state=before), outcome)

        return self._database.write(job)

    def resolve(self, identifier: str, resolution: Resolution) -> Transaction:
        """End an open question by the word of two persons; the cards and their issuers are not asked.

        Raises:
            TransactionUnknown: There is no such transaction.
            TransactionClosed: It is not open: it has an end already, or none could be missing.
        """

        def job(db: sqlite3.Connection) -> Transaction:
            found = store.transaction(db, identifier)
            if found.state is not State.UNCERTAIN:
                raise TransactionClosed(f"it is {found.state}")
            return self._transitions.move(db, found, Outcome(State.RESOLVED, resolution=resolution))

        return self._database.write(job)

    # ---- evidence ----------------------------------------------------------------------------------------------

    @property
    def public_key(self) -> bytes:
        """Public key of the vouchers' signatures (Ed25519), 32 bytes."""
        return self._keys.public

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

    def host_told(self, notice: HostNotice) -> None:
        """The host knows."""
        self._database.write(lambda db: notices.delivered(db, notice, self._clock()))

    # ---- the chain -------------------------------------------------------------------------------------------

    def watch(self, watcher: Callable[[list[ChainRow]], None]) -> int:
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

    def note_start(self, software: str) -> None:
        """Write down that a program of this version begins its work."""
        self._database.write(lambda db: self._chain(db, "service.started", "journal", {"software": software}))

    def card_key(self, purse: PurseKind, identity: bytes) -> str:
        """Keyed hash under which a card is found again without storing its number (OPS §4.8)."""
        return self._keys.hash(purse.value.encode() + b"|" + identity)

    # ---- inside ----------------------------------------------------------------------------------------------

    def _start(self, db: sqlite3.Connection) -> None:
        if terminal_keys.register(db, self._keys):
            told = {"algorithm": "Ed25519", "public": self._keys.public.hex()}
            self._chain(db, terminal_keys.NAMED, "journal", told)
        self._transitions.park_armed(db)

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

    def _chain(self, db: sqlite3.Connection, kind: str, subject: str, payload: dict[str, Any]) -> ChainRow:
        return chain.append(db, self._clock(), kind, subject, payload)
