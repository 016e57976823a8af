"""The journal's SQLite file: one process, one writing thread, every commit synced (OPS §4.5)."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
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


class Database:
    """Runs jobs on the one connection, in its own thread.

    Args:
        path: Database file; made with mode 0600 if missing.
        committed: Called in the writing thread after every write that stands; may read, must neither wait nor raise:
            its error would be taken for the write's.

    Raises:
        JournalLocked: Another process works with it.
        JournalBroken: Its schema is newer than this program.
        StorageUnavailable: It cannot be opened.
    """

    def __init__(self, path: Path, committed: Callable[[sqlite3.Connection], None] = _nobody_watches) -> None:
        self.path = path
        self._committed = committed
        self._commit_watcher: Callable[[float], None] = _no_seconds
        try:
            _make_folder(path.parent)
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

    def _open(self) -> sqlite3.Connection:
        if not self.path.exists():
            self.path.touch(0o600)
            _sync_folder(self.path.parent)
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            self._use_wal(connection)
            # FULL: a commit that returned survives power loss. NORMAL would lose the newest ones (OPS §4.5).
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            _migrate(connection)
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


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it; its name survives a power loss."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
