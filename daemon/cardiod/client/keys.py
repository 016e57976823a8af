"""A till's own record of the requests that it sent, so that its program can be restarted at any moment."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cardio.errors import StorageUnavailable
from cardiod.client.requests import Request

_TABLE = (
    "CREATE TABLE IF NOT EXISTS requests (key TEXT PRIMARY KEY, operation TEXT NOT NULL, body TEXT NOT NULL) STRICT"
)


class KeyStore:
    """Requests in a small file (SQLite); safe for use from several threads and processes.

    Give `write` to the client, and `forget` a request as soon as your own books hold what became of it. Whatever `open`
    returns after a restart is a request whose end you do not know: ask `find` of the client, which moves no money.
    The file has mode 0600, and holds no PIN.

    Args:
        file: The file; made if it is not there, in a folder that is.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def write(self, request: Request) -> None:
        """Write a request down; it is on the disk when this returns.

        Raises:
            StorageUnavailable: It cannot be written. From the client's hook: nothing was sent.
        """
        values = (request.key, request.operation, json.dumps(request.body, ensure_ascii=False))
        with self._opened() as db:
            db.execute("INSERT INTO requests VALUES (?, ?, ?) ON CONFLICT DO NOTHING", values)

    def open(self) -> list[Request]:
        """Requests that were written down and not forgotten, oldest first.

        Raises:
            StorageUnavailable: The file cannot be read.
        """
        with self._opened() as db:
            rows = db.execute("SELECT operation, key, body FROM requests ORDER BY rowid").fetchall()
        return [Request(operation, key, json.loads(body)) for operation, key, body in rows]

    def forget(self, key: str) -> None:
        """Forget a request; one that is not there is forgotten already.

        Raises:
            StorageUnavailable: The file cannot be written.
        """
        with self._opened() as db:
            db.execute("DELETE FROM requests WHERE key = ?", [key])

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            self._file.touch(0o600)
            # Every statement is a transaction of its own, which EXTRA syncs with its folder.
            db = sqlite3.connect(self._file, isolation_level=None)
            try:
                db.execute("PRAGMA synchronous = EXTRA")
                db.execute(_TABLE)
                yield db
            finally:
                db.close()
        except (OSError, sqlite3.Error) as error:
            raise StorageUnavailable(f"{self._file}: {error}") from error
