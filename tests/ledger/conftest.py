"""A counter for each test, and what lies on its disk."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.counter import TestCounter


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[TestCounter]:
    """A counter whose journal must still be whole at the end."""
    made = TestCounter(tmp_path)
    yield made
    made.close()


def on_disk(counter: TestCounter) -> bytes:
    """Every byte of every file beside the journal, the journal included, and the terminal's own keys left out."""
    files = [file for file in counter.folder.iterdir() if file.is_file() and file.suffix != ".keys"]
    return b"".join(file.read_bytes() for file in files)


def altered(path: Path, *statements: str) -> None:
    """Change the journal as somebody with an editor would, the triggers against it taken away."""
    connection = sqlite3.connect(path, isolation_level=None)
    for (trigger,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        connection.execute(statement)
    connection.close()
