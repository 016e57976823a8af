"""A journal opened for reading, beside the daemon that works with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cardio.errors import StorageUnavailable
from cardio.ledger.integrity import store_error
from cardio.ledger.migration import migration_files, schema_version


@contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """All that is asked inside is of one moment, whatever the daemon writes meanwhile; its log grows until the end.

    Args:
        path: The journal.

    Raises:
        StorageUnavailable: It cannot be read, or its schema is older than this program.
        JournalBroken: Its schema is newer than this program, or a page is damaged.
    """
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")
            version, newest = schema_version(connection), len(migration_files())
            if version < newest:
                raise StorageUnavailable(f"{path}: schema {version} is older than {newest}; start the service once")
            yield connection
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise store_error(path, error) from error
