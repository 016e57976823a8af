"""A SQLite file of which every commit is synced: one process, one writing thread (OPS §4.5)."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from cardio.errors import JournalLocked, StorageUnavailable
from cardio.ledger.folders import make_folder, sync
from cardio.ledger.integrity import check_at_start, store_error

T = TypeVar("T")
BUSY_TIMEOUT_MS = 5000
"""Another process may have to repair the write-ahead log first, which a crash has left: `cardiod journal verify`."""


class FileLock:
    """A lock on a file that dies with its process.

    The lock file is not the database: SQLite uses POSIX locks on that, and those are lost when any descriptor of
    the file is closed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock and leave the process id in the file.

        Raises:
            JournalLocked: Another process has it.
            StorageUnavailable: The file cannot be made.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageUnavailable(f"{self._path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise JournalLocked(f"{self._path} is held by process {holder or '?'}") from error
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        except OSError as error:
            os.close(descriptor)
            raise StorageUnavailable(f"{self._path}: {error.strerror}") from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _nobody_watches(connection: sqlite3.Connection) -> None:
    """For databases that nobody wants to hear of."""


def _no_seconds(seconds: float) -> None:
    """For databases whose commits nobody times."""


class SyncedDatabase(ABC):
    """Runs jobs on the one connection, in its own thread.

    Args:
        path: Database file; made with mode 0600 if missing.
        committed: Called in the writing thread after every write that stands; may read, must neither wait nor raise:
            its error would be taken for the write's.

    Raises:
        JournalLocked: Another process works with it.
        JournalBroken: Its schema is newer than this program, or a page is damaged.
        StorageUnavailable: It cannot be opened.
    """

    def __init__(self, path: Path, committed: Callable[[sqlite3.Connection], None] = _nobody_watches) -> None:
        self.path = path
        self._committed = committed
        self._commit_watcher: Callable[[float], None] = _no_seconds
        try:
            make_folder(path.parent)
        except OSError as error:
            raise StorageUnavailable(f"{path.parent}: {error.strerror}") from error
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        self._lock.acquire()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        try:
            self._connection = self._submit(self._open)
        except BaseException:
            self._thread.shutdown()
            self._lock.release()
            raise

    def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run `job` in one transaction; when this returns, its writes are on disk.

        Raises:
            StorageUnavailable: It does not stand. After a failed sync it may still come back if the process dies before
                anything else is written: whoever relies on its absence must ask the journal again after a restart.
        """
        return self._submit(lambda: self._transaction(job))

    def read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a reading `job`."""
        return self._submit(lambda: job(self._connection))

    def watch_commits(self, watcher: Callable[[float], None]) -> None:
        """Be told of the seconds of each commit; in the writing thread, which must not wait for it."""
        self._commit_watcher = watcher

    def wipe(self) -> None:
        """Leave nothing in the write-ahead log of what was deleted; the tables hold nothing of it already.

        Raises:
            StorageUnavailable: A reader keeps the log from being emptied, `cardiod journal verify` for one.
        """

        def job() -> None:
            # Nobody's sale waits for a reader.
            self._connection.execute("PRAGMA busy_timeout = 0")
            (busy, *_) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
            if busy:
                raise StorageUnavailable(f"{self.path}: another process reads the journal; try again when it has ended")

        self._submit(job)

    def close(self) -> None:
        """Close the file and give the lock back."""
        self._submit(self._connection.close)
        self._thread.shutdown()
        self._lock.release()

    def _submit(self, job: Callable[[], T]) -> T:
        try:
            return self._thread.submit(job).result()
        except sqlite3.DatabaseError as error:
            raise store_error(self.path, error) from error
        except OSError as error:
            raise StorageUnavailable(f"{self.path}: {error.strerror}") from error

    def _transaction(self, job: Callable[[sqlite3.Connection], T]) -> T:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = job(self._connection)
            begun = time.perf_counter()
            self._connection.execute("COMMIT")
            self._commit_watcher(time.perf_counter() - begun)
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._committed(self._connection)
        return result

    @abstractmethod
    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Bring the tables to this program's schema, before anything else is asked."""

    def _open(self) -> sqlite3.Connection:
        if not self.path.exists():
            self.path.touch(0o600)
            sync(self.path.parent)
        connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            self._use_wal(connection)
            # FULL: a commit that returned survives power loss. NORMAL would lose the newest ones (OPS §4.5).
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            # What is deleted is overwritten: a destroyed data key must be nowhere in the file.
            connection.execute("PRAGMA secure_delete = ON")
            check_at_start(connection)
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        """Where it cannot switch, SQLite does not fail but answers the mode it stays in.

        A commit in the old mode ends with an unlink, which FULL does not sync.
        """
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StorageUnavailable(f"{self.path}: SQLite stays in mode {mode}")
