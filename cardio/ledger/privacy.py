"""Personal data in the journal: kept apart and encrypted, read with a purpose, destroyed in time (OPS §4.8, T-17)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cardio.errors import TransactionUncertain
from cardio.ledger import access_log, persons, store
from cardio.ledger.access_log import Access
from cardio.ledger.chain import Note, newest_time
from cardio.ledger.database import Database
from cardio.ledger.migration import backups
from cardio.ledger.times import stamp


@dataclass(frozen=True)
class Retention:
    """How long personal data are kept; the institution decides. Journal and vouchers are never deleted by the program.

    Attributes:
        personal_days: Card numbers of transactions; 1096 days are three years with their leap day.
        access_log_days: Who read personal data.
        backup_days: Backups that were taken before a migration: those of old schemas hold card numbers in clear.
    """

    personal_days: int = 1096
    access_log_days: int = 1096
    backup_days: int = 30


class Privacy:
    """The personal data of one journal.

    What is destroyed is in no file of the journal afterwards: not in its tables, its write-ahead log, or the backups of
    its migrations. Copies that others have made of it are theirs to destroy.

    Args:
        database: The journal.
        note: Adds a row to its chain.
        clock: Source of the time.
    """

    def __init__(self, database: Database, note: Note, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._note = note
        self._clock = clock

    # ---- reading ---------------------------------------------------------------------------------------------

    def card_number(self, transaction: str) -> str | None:
        """The card number of a transaction, for the settlement centre; None where there is none, or none any more.

        Raises:
            JournalBroken: It was changed.
        """
        return self._database.read(lambda db: persons.card_number(db, self._database.keys, transaction))

    def note_access(
        self, client: str, purpose: str, fields: list[str], *, operator: str | None = None, card_key: str | None = None
    ) -> None:
        """Write down who read personal data of a card, which and why; never the data.

        Args:
            client: Who asked.
            purpose: Why.
            fields: Groups or fields that were read.
            operator: Who sat at the counter.
            card_key: The card, as `Ledger.card_key` hashes it.
        """

        def job(db: sqlite3.Connection) -> None:
            access_log.write(db, self._note, client, purpose, fields, operator, card_key)

        self._database.write(job)

    def accesses(self, since: datetime | None = None, until: datetime | None = None) -> list[Access]:
        """Who read personal data from a time on and before another, oldest first."""
        return self._database.read(lambda db: access_log.between(db, since, until))

    # ---- the end ---------------------------------------------------------------------------------------------

    def apply(self, retention: Retention) -> int:
        """Destroy what has been kept long enough; return of how many transactions.

        Raises:
            StorageUnavailable: Another process reads the journal just now, or the disk fails; to be tried again.
            OSError: A backup cannot be removed.
        """
        now = self._trusted_time()
        self.forget_accesses(now - timedelta(days=retention.access_log_days))
        oldest = (now - timedelta(days=retention.backup_days)).timestamp()
        for backup in backups(self._database.path):
            if backup.stat().st_mtime < oldest:
                backup.unlink()
        return self.forget(now - timedelta(days=retention.personal_days))

    def _trusted_time(self) -> datetime:
        """No later than the newest row: a clock that starts far ahead must not destroy what it cannot give back."""
        now, newest = self._clock(), self._database.read(newest_time)
        return now if newest is None else min(now, newest)

    def forget(self, before: datetime) -> int:
        """Destroy the data keys of all transactions that were begun before a time and have ended; return how many.

        Raises:
            StorageUnavailable: Another process reads the journal just now, or the disk fails; to be tried again.
        """
        return self._forget(lambda db: persons.destroy_before(db, before, self._clock()), {"before": stamp(before)})

    def forget_transaction(self, transaction: str) -> int:
        """Destroy the data key of one transaction, at its holder's wish; return how many there were: 0 or 1.

        Raises:
            TransactionUnknown: There is no such transaction.
            TransactionUncertain: It is open: whoever settles it needs the number.
            StorageUnavailable: Another process reads the journal just now, or the disk fails; to be tried again.
        """

        def job(db: sqlite3.Connection) -> int:
            if not store.transaction(db, transaction).state.final:
                raise TransactionUncertain("the number of its card is still needed")
            return persons.destroy_of_transaction(db, transaction, self._clock())

        return self._forget(job, {"transaction": transaction})

    def forget_card(self, card_key: str) -> int:
        """Destroy the data keys of all transactions of one card, at its holder's wish; return how many.

        Args:
            card_key: The card, as `Ledger.card_key` hashes it.

        Raises:
            TransactionUncertain: One is open: whoever settles it needs the number.
            StorageUnavailable: Another process reads the journal just now, or the disk fails; to be tried again.
        """

        def job(db: sqlite3.Connection) -> int:
            if db.execute("SELECT 1 FROM pending_cards WHERE card_key = ?", (card_key,)).fetchone() is not None:
                raise TransactionUncertain("the number of the card is still needed")
            return persons.destroy_of_card(db, card_key, self._clock())

        return self._forget(job, {"card_key": card_key})

    def forget_accesses(self, before: datetime) -> int:
        """Delete the access log before a time; return how many rows.

        Raises:
            StorageUnavailable: Another process reads the journal just now, or the disk fails; to be tried again.
        """

        def job(db: sqlite3.Connection) -> int:
            count = access_log.forget(db, before)
            if count:
                self._note(db, access_log.FORGOTTEN, "journal", {"before": stamp(before), "count": count})
            return count

        count = self._database.write(job)
        self._database.wipe()
        return count

    def _forget(self, destroy: Callable[[sqlite3.Connection], int], whose: dict[str, str]) -> int:
        def job(db: sqlite3.Connection) -> int:
            count = destroy(db)
            if count:
                self._note(db, persons.FORGOTTEN, "journal", {**whose, "count": count})
                # Before the commit: once the chain says that it is forgotten, it is.
                for backup in backups(self._database.path):
                    backup.unlink()
            return count

        count = self._database.write(job)
        self._database.wipe()
        return count
