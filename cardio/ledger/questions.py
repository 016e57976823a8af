"""What can be asked of a journal; nothing here changes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from cardio.ledger import card_notes, chain, grey_locks, notices, signed_vouchers, spending, store
from cardio.ledger.freshness import doubt
from cardio.ledger.model import CardNote, HostNotice, Request, Settlement, State, Transaction
from cardio.ledger.rows import transaction_from
from cardio.ledger.signed_vouchers import SignedVoucher
from cardio.purse.operation import PurseKind

T = TypeVar("T")


class Readable(Protocol):
    """A database that answers."""

    def read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a reading `job`."""


@dataclass(frozen=True)
class Standing:
    """What a journal says before a card is worked on.

    Attributes:
        transaction: What is to be done, as it stands.
        pending: Open questions about the card, oldest first.
        behind: What the journal was found to miss; money stops while it is not None.
    """

    transaction: Transaction
    pending: tuple[Transaction, ...]
    behind: dict[str, object] | None


class Questions:
    """The questions of one journal.

    Args:
        database: The journal.
    """

    def __init__(self, database: Readable) -> None:
        self._readable = database

    def transaction(self, identifier: str) -> Transaction:
        """A transaction by its id.

        Raises:
            TransactionUnknown: There is none.
        """
        return self._readable.read(lambda db: store.transaction(db, identifier))

    def transactions(self, state: State | None = None) -> list[Transaction]:
        """All transactions, oldest first, or those in one state: `uncertain` ones wait for their card."""
        query = "SELECT * FROM transactions WHERE :state IS NULL OR state = :state ORDER BY created_at, id"
        return self._readable.read(lambda db: [store.loaded(db, row) for row in db.execute(query, {"state": state})])

    @property
    def open_locks(self) -> list[Transaction]:
        """Grey locks that no debit has freed yet, oldest first.

        One that was freed on-line stays among them: this terminal is not told.
        """
        return self._readable.read(lambda db: [transaction_from(row) for row in grey_locks.standing(db)])

    def lock_stands(self, identifier: str) -> bool:
        """Whether a transaction is a grey lock that no debit has freed yet."""
        return self._readable.read(lambda db: grey_locks.stands(db, identifier))

    def settlement(self, identifier: str) -> Settlement:
        """A settlement by its id.

        Raises:
            TransactionUnknown: There is none.
        """
        return self._readable.read(lambda db: store.settlement(db, identifier))

    def pending(self, card_key: str) -> list[Transaction]:
        """Open questions about one card, oldest first."""
        return self._readable.read(lambda db: store.pending(db, card_key))

    def standing(self, identifier: str, card_key: str) -> Standing:
        """All that must be known before a transaction may be done on a card, in one question.

        Raises:
            TransactionUnknown: There is no such transaction.
        """
        return self._readable.read(
            lambda db: Standing(store.transaction(db, identifier), tuple(store.pending(db, card_key)), doubt(db))
        )

    def pending_purses(self) -> set[PurseKind]:
        """Purses about which any question is open."""
        query = 'SELECT DISTINCT t.purse FROM transactions t JOIN pending_cards p ON p."transaction" = t.id'
        return self._readable.read(lambda db: {PurseKind(row[0]) for row in db.execute(query)})

    def spending(self, request: Request, since: datetime, running: Collection[str]) -> spending.Spending:
        """What a client has moved since a time, and what is known about one of its requests; see `of_client`."""
        return self._readable.read(lambda db: spending.of_client(db, request, since, running))

    def verify_chain(self) -> int:
        """Check the whole chain; return the number of rows.

        Raises:
            JournalBroken: It does not hold.
        """
        return self._readable.read(chain.verify)

    def card_notes(self, card_key: str) -> list[tuple[str, CardNote]]:
        """Bookkeeping that is owed to one card, each with the id of its transaction, oldest first."""
        return self._readable.read(lambda db: card_notes.of_card(db, card_key))

    @property
    def owes_notes(self) -> bool:
        """Whether bookkeeping is owed to any card."""
        return self._readable.read(card_notes.any_owed)

    def host_notices(self) -> list[HostNotice]:
        """How on-line operations ended of which their host was not told yet, oldest first."""
        return self._readable.read(notices.outstanding)

    def voucher(self, identifier: str) -> SignedVoucher | None:
        """The signed voucher of a transaction or settlement; None while or where no money moved, or if it is older.

        Raises:
            TransactionUnknown: There is no such transaction or settlement.
        """

        def job(db: sqlite3.Connection) -> SignedVoucher | None:
            store.check_known(db, identifier)
            return signed_vouchers.find(db, identifier)

        return self._readable.read(job)

    @property
    def outbox(self) -> tuple[int, datetime | None]:
        """Number of records that the settlement centre has not acknowledged, and the time of the oldest."""
        query = "SELECT COUNT(*) AS count, MIN(created_at) AS oldest FROM outbox WHERE acknowledged_at IS NULL"
        row = self._readable.read(lambda db: db.execute(query).fetchone())
        return int(row["count"]), datetime.fromisoformat(row["oldest"]) if row["oldest"] else None

    @property
    def uncertain(self) -> int:
        """Number of transactions whose outcome is open."""
        query = "SELECT COUNT(*) FROM transactions WHERE state = ?"
        return self._readable.read(lambda db: int(db.execute(query, (State.UNCERTAIN,)).fetchone()[0]))

    def rows(self, after: int, limit: int) -> list[chain.ChainRow]:
        """Rows of the chain after a number, oldest first."""
        return self._readable.read(lambda db: chain.rows_after(db, after, limit))

    @property
    def head(self) -> tuple[int, bytes]:
        """Number and hash of the newest row; 0 and 32 zero bytes before the first."""
        return self._readable.read(chain.head)
