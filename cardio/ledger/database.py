"""The journal's SQLite file: one process, one writing thread, every commit synced (OPS §4.5)."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import TypeVar

from cardio.errors import JournalBroken, JournalLocked, StorageUnavailable

T = TypeVar("T")
MIGRATIONS = resources.files("cardio.ledger") / "migrations"


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
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Database:
    """Runs jobs on the one connection, in its own thread.

    Args:
        path: Database file; made with mode 0600 if missing.

    Raises:
        JournalLocked: Another process works with it.
        JournalBroken: Its schema is newer than this program.
        StorageUnavailable: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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
            StorageUnavailable: Nothing of it was written.
        """
        return self._submit(lambda: self._transaction(job))

    def read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a reading `job`."""
        return self._submit(lambda: job(self._connection))

    def close(self) -> None:
        """Close the file and give the lock back."""
        self._submit(self._connection.close)
        self._thread.shutdown()
        self._lock.release()

    def _submit(self, job: Callable[[], T]) -> T:
        try:
            return self._thread.submit(job).result()
        except sqlite3.DatabaseError as error:
            raise StorageUnavailable(f"{self.path}: {error}") from error

    def _transaction(self, job: Callable[[sqlite3.Connection], T]) -> T:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = job(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return result

    def _open(self) -> sqlite3.Connection:
        if not self.path.exists():
            self.path.touch(0o600)
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a commit that returned survives power loss. NORMAL would lose the newest ones (OPS §4.5).
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection)
        return connection


def _migrate(connection: sqlite3.Connection) -> None:
    files = sorted(
        (file for file in MIGRATIONS.iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(files):
        raise JournalBroken(f"schema {version} is newer than this program's {len(files)}")
    for number, file in enumerate(files[version:], start=version + 1):
        script = file.read_text(encoding="utf-8")
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
