"""A log in a file of its own whose rows are chained like the journal's: nothing can be changed in it unseen.

For what is not money, such as what happened to keys. Cutting off its end is seen only by who knows its head.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from cardio.errors import JournalBroken, StorageUnavailable
from cardio.ledger import chain
from cardio.ledger.chain import ChainRow
from cardio.ledger.integrity import store_error

_TABLE = """
CREATE TABLE IF NOT EXISTS journal (
    seq      INTEGER PRIMARY KEY,
    time     TEXT NOT NULL,
    kind     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    payload  TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash     BLOB NOT NULL
) STRICT
"""
_ALL = -1


class ChainLog:
    """The log; several processes may add to it.

    Args:
        path: Its file; made with mode 0600 when the first row is added.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, time: datetime, kind: str, subject: str, payload: dict[str, Any]) -> ChainRow:
        """Add one row; when this returns it is on disk.

        Args:
            time: When it happened.
            kind: What happened, such as `key.entered`.
            subject: To what.
            payload: What else is to be remembered, without secrets.

        Raises:
            JournalBroken: The file is damaged.
            StorageUnavailable: It cannot be written.
        """
        with self._opened() as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute(_TABLE)
            row = chain.append(db, time, kind, subject, payload)
            db.execute("COMMIT")
            return row

    def rows(self) -> list[ChainRow]:
        """All rows, oldest first, after the chain was checked; none where there is no file.

        Raises:
            JournalBroken: A row was changed, removed or put in.
            StorageUnavailable: It cannot be read.
        """
        if not self._path.exists():
            return []
        with self._opened() as db:
            chain.verify(db)
            rows = chain.rows_after(db, 0, _ALL)
        if rows and rows[0].seq != 1:
            raise JournalBroken(f"{self._path} begins with row {rows[0].seq}")
        return rows

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            with closing(sqlite3.connect(self._path, isolation_level=None)) as db:
                db.row_factory = sqlite3.Row
                # FULL does not sync the folder when the rollback journal is deleted: a power loss could bring it back.
                db.execute("PRAGMA synchronous = EXTRA")
                yield db
        except OSError as error:
            raise StorageUnavailable(f"{self._path}: {error.strerror}") from error
        except sqlite3.DatabaseError as error:
            raise store_error(self._path, error) from error
