"""Which keys belong to a journal: those of the file beside it, whose public key it knows."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from cardio.errors import JournalBroken
from cardio.ledger.folders import sync
from cardio.security.device_keys import DeviceKeys

NAMED = "journal.key"
"""Row of the chain that names the public key of the terminal; from there on the chain tells all."""
PUBLIC_KEY = "public_key"
_OLD_SECRET = "device_secret"  # noqa: S105 - a name; up to schema 3 the key of the cards' hashes was in the database


def keys_file(path: Path) -> Path:
    """File of the keys of a journal."""
    return path.with_name(path.name + ".keys")


def open_keys(db: sqlite3.Connection, path: Path) -> DeviceKeys:
    """The keys of a journal; made for a new one, and for one of an earlier schema.

    Raises:
        JournalBroken: They are missing, belong to another journal, or others may read them.
        StorageUnavailable: They cannot be read.
        OSError: They cannot be written.
    """
    if _known(db, PUBLIC_KEY) is not None:
        return load_keys(db, path)
    file, old_secret = keys_file(path), _known(db, _OLD_SECRET)
    try:
        keys = DeviceKeys.load(file)
    except FileNotFoundError:
        keys = DeviceKeys.generate(old_secret)
        keys.save(file)
    # Before the journal knows them, their name is on disk.
    sync(file.parent)
    if old_secret is not None and not keys.hashes_with(old_secret):
        raise JournalBroken(f"{file} holds the keys of another journal")
    return keys


def load_keys(db: sqlite3.Connection, path: Path) -> DeviceKeys:
    """The keys that a journal knows.

    Raises:
        JournalBroken: They are missing, belong to another journal, or others may read them.
        StorageUnavailable: They cannot be read.
    """
    file = keys_file(path)
    try:
        keys = DeviceKeys.load(file)
    except FileNotFoundError as error:
        raise JournalBroken(f"the keys of the journal are missing: put {file} back from its backup") from error
    if keys.public != _known(db, PUBLIC_KEY):
        raise JournalBroken(f"{file} holds the keys of another journal")
    return keys


def register(db: sqlite3.Connection, keys: DeviceKeys) -> bool:
    """Let the journal know its keys; return whether they are new to it."""
    if _known(db, PUBLIC_KEY) is not None:
        return False
    db.execute("INSERT INTO meta VALUES (?, ?)", (PUBLIC_KEY, keys.public))
    return True


def _known(db: sqlite3.Connection, name: str) -> bytes | None:
    if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchone() is None:
        return None
    row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row["value"])
