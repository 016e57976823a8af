"""From an older schema to this program's: forward only, after a backup (OPS §4.13)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from cardio.errors import JournalBroken
from cardio.ledger import persons
from cardio.ledger.folders import sync
from cardio.security.device_keys import DeviceKeys

MIGRATIONS = resources.files("cardio.ledger") / "migrations"

Step = Callable[[sqlite3.Connection, DeviceKeys], None]
STEPS: dict[str, Step] = {"0004_evidence.sql": persons.move_numbers}
"""What SQL cannot do of a migration: it follows the file in the same database transaction."""


def migration_files() -> list[Traversable]:
    """The migrations in their order; the newest schema is the number of the last."""
    return sorted((file for file in MIGRATIONS.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)


def schema_version(connection: sqlite3.Connection) -> int:
    """Schema of a journal; 0 of a new one.

    Raises:
        JournalBroken: It is newer than this program.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    newest = len(migration_files())
    if version > newest:
        raise JournalBroken(f"schema {version} is newer than this program's {newest}")
    return int(version)


def migrate(connection: sqlite3.Connection, path: Path, keys: DeviceKeys) -> None:
    """Bring a journal to the newest schema; a journal that holds anything is copied before.

    Raises:
        JournalBroken: Its schema is newer than this program.
        OSError: The backup cannot be written; nothing was changed.
    """
    files = migration_files()
    version = schema_version(connection)
    if version == len(files):
        return
    if version > 0:
        back_up(connection, path, version)
    for number, file in enumerate(files[version:], start=version + 1):
        script = file.read_text(encoding="utf-8")
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}")
        STEPS.get(file.name, _nothing)(connection, keys)
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    if version > 0:
        # Pages that earlier versions gave up without overwriting them may hold what has been encrypted now.
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def back_up(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Copy a journal to a file beside it, `journal.db.schema-2.backup`, before its schema is changed."""
    backup = path.with_name(f"{path.name}.schema-{version}.backup")
    unfinished = backup.with_name(backup.name + ".new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(0o600)
    copy = sqlite3.connect(unfinished, isolation_level=None)
    try:
        connection.backup(copy)
    finally:
        copy.close()
    sync(unfinished)
    unfinished.rename(backup)
    sync(path.parent)


def backups(path: Path) -> list[Path]:
    """Backups that migrations of a journal have left."""
    return sorted(path.parent.glob(f"{path.name}.schema-*.backup*"))


def _nothing(connection: sqlite3.Connection, keys: DeviceKeys) -> None:
    """Most migrations are SQL alone."""
