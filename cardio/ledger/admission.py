"""What must hold before anything new is charged: room on the disk, and a clock that has not gone back (OPS §4.5)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cardio.errors import ClockUntrusted, StorageLow, StorageUnavailable
from cardio.ledger.chain import CLOCK_ACCEPTED, Note, newest_time
from cardio.ledger.database import Database
from cardio.ledger.model import check_persons
from cardio.ledger.times import stamp


@dataclass(frozen=True)
class AdmissionLimits:
    """When a terminal stops to charge anew; what is open can be finished all the same.

    Attributes:
        min_free_bytes: Bytes that must be free on the journal's file system.
        min_free_share: Part of that file system that must be free, 0 to 1.
        clock_tolerance: How far the clock may be behind the newest row. Time services correct a clock by steps of less
            than a second, and one that was started with a wrong time by more: that one is waited for.
    """

    min_free_bytes: int = 200_000_000
    min_free_share: float = 0.05
    clock_tolerance: timedelta = timedelta(seconds=10)


DEFAULT_LIMITS = AdmissionLimits()


class Admission:
    """Lets new money requests into one journal, or refuses them.

    Args:
        database: The journal.
        note: Adds a row to its chain.
        clock: Source of the time.
        limits: When nothing new is let in.
    """

    def __init__(self, database: Database, note: Note, clock: Callable[[], datetime], limits: AdmissionLimits) -> None:
        self._database = database
        self._note = note
        self._clock = clock
        self._limits = limits

    def admit(self, db: sqlite3.Connection) -> None:
        """Insist on all of it, inside the caller's database transaction.

        Raises:
            StorageLow: The disk is nearly full.
            StorageUnavailable: The disk does not answer.
            ClockUntrusted: The clock is behind the journal.
        """
        self.check_storage()
        self.compare_clock(db)

    def check_storage(self) -> None:
        """Insist on room.

        Raises:
            StorageLow: There is less than the limits say.
            StorageUnavailable: The disk does not answer.
        """
        folder = self._database.path.parent
        try:
            found = os.statvfs(folder)
        except OSError as error:
            raise StorageUnavailable(f"{folder}: {error.strerror}") from error
        free, size = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
        if free < max(self._limits.min_free_bytes, self._limits.min_free_share * size):
            raise StorageLow(f"{free // 1_000_000} of {size // 1_000_000} MB are free")

    def check_clock(self) -> None:
        """Insist on a clock that is not behind the journal. One that is ahead cannot be told.

        Raises:
            ClockUntrusted: It is behind.
        """
        self._database.read(self.compare_clock)

    def compare_clock(self, db: sqlite3.Connection) -> None:
        """As `check_clock`, inside the caller's database transaction."""
        now, newest = self._clock(), newest_time(db)
        if newest is not None and now < newest - self._limits.clock_tolerance:
            raise ClockUntrusted(f"it is {stamp(now)}, and the newest row of the journal says {stamp(newest)}")

    def accept_clock(self, persons: tuple[str, str], reason: str) -> None:
        """Two persons say that the clock is right now, and had been ahead: money may move again.

        Raises:
            InputInvalid: Not two different persons, or no reason.
        """
        check_persons(persons, reason)

        def job(db: sqlite3.Connection) -> None:
            newest = newest_time(db)
            told = {"persons": persons, "reason": reason, "newest": newest and stamp(newest)}
            self._note(db, CLOCK_ACCEPTED, "journal", told)

        self._database.write(job)
