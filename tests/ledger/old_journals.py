"""Journals as programs of earlier schemas wrote them."""

from __future__ import annotations

import hmac
import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cardio.files.dates import CARD_TIMEZONE
from cardio.ledger.chain import append, canonical
from cardio.ledger.migration import migration_files
from cardio.ledger.rows import insert

NUMBER = "00008600000000000123"
SECRET = bytes(range(32))
CARD_KEY = hmac.digest(SECRET, b"wallet|" + b"0123456789", "sha256").hex()
DONE, OPEN, DECLINED = (f"01a0{number:04d}-0000-7000-8000-000000000000" for number in range(3))
BEGUN_AT = datetime(2026, 11, 1, 9, 0, tzinfo=CARD_TIMEZONE)


def old_journal(path: Path, schema: int) -> None:
    """Make a journal with a completed, an open and a declined debit, in schema 1 to 3."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    for number, file in enumerate(migration_files()[:schema], start=1):
        db.executescript(f"{file.read_text(encoding='utf-8')}\nPRAGMA user_version = {number};")
    db.execute("INSERT INTO meta VALUES ('device_secret', ?)", (SECRET,))
    _accepted(db, DONE)
    _armed(db, DONE, schema)
    _ended(db, DONE, "completed", tac="0A0B0C0D", mac2="ok", balance_after=9900)
    _accepted(db, DECLINED)
    _ended(db, DECLINED, "declined", error="funds.insufficient")
    _accepted(db, OPEN)
    _armed(db, OPEN, schema)
    db.execute("INSERT INTO pending_cards VALUES (?, ?)", (CARD_KEY, OPEN))
    append(db, BEGUN_AT, "person.read", "till", {"purpose": "settlement", "groups": ["holder"]})
    _leave_remnants(db)
    db.close()


def _leave_remnants(db: sqlite3.Connection) -> None:
    """Pages that are not used any more, and were not overwritten, as most builds of SQLite leave them."""
    db.execute("PRAGMA secure_delete = OFF")
    for number in range(100):
        db.execute("INSERT INTO requests VALUES ('gone', ?, 'debit', x'', ?)", (number, NUMBER * 9))
    db.execute("DELETE FROM requests WHERE client = 'gone'")


def _accepted(db: sqlite3.Connection, identifier: str) -> None:
    columns = {"id": identifier, "state": "accepted", "purse": "wallet", "amounts": "[100]", "client": "till"}
    insert(db, "transactions", {**columns, "reference": "sale", "created_at": BEGUN_AT.isoformat()})
    append(db, BEGUN_AT, "transaction.accepted", identifier, {"operation": "purchase", "amounts": [100]})


def _armed(db: sqlite3.Connection, identifier: str, schema: int) -> None:
    columns: dict[str, Any] = {
        "reader": "citizen",
        "product": "citizen-wallet",
        "application": "A000000632010105",
        "terminal_number": "999999000001",
        "terminal_sequence": 1,
        "key_source": "psam:sam",
        "key_index": 1,
        "key_version": 1,
        "algorithm_id": 0,
        "card_counter": 0 if identifier == DONE else 1,
        "card_time": "20261101090000",
        "mac1_sha256": "00" * 32,
        "balance_before": 10000,
        "card_key": CARD_KEY,
        "card_masked": "****0123",
    }
    if schema > 1:
        columns |= {"card_random": "01020304", "balance_expected": 9900, "records": "[]"}
    changed = {"state": "armed", **columns, "card_number": NUMBER}
    assignments = ", ".join(f"{name} = :{name}" for name in changed)
    db.execute(f"UPDATE transactions SET {assignments} WHERE id = :id", {**changed, "id": identifier})  # noqa: S608
    append(db, BEGUN_AT, "transaction.armed", identifier, columns)


def _ended(db: sqlite3.Connection, identifier: str, state: str, **outcome: Any) -> None:
    finished = (BEGUN_AT + timedelta(seconds=1)).isoformat()
    answer = {"id": identifier, "state": state, "finished_at": finished, "reference": "sale", "operator": None}
    changed = {**outcome, "state": state, "finished_at": finished, "answer": canonical(answer)}
    assignments = ", ".join(f"{name} = :{name}" for name in changed)
    db.execute(f"UPDATE transactions SET {assignments} WHERE id = :id", {**changed, "id": identifier})  # noqa: S608
    told = {name: outcome.get(name) for name in ("tac", "mac2", "balance_after", "error")}
    append(db, BEGUN_AT, f"transaction.{state}", identifier, told)
    if state == "completed":
        record = canonical({"id": identifier, "state": state, "card": "****0123", "card_number": NUMBER, "地": "点"})
        db.execute(
            'INSERT INTO outbox ("transaction", record, created_at) VALUES (?, ?, ?)', (identifier, record, finished)
        )


def outbox_record(path: Path) -> dict[str, Any]:
    """The one record of the outbox that is about the completed debit."""
    db = sqlite3.connect(path)
    try:
        (record,) = db.execute('SELECT record FROM outbox WHERE "transaction" = ?', (DONE,)).fetchone()
    finally:
        db.close()
    found: dict[str, Any] = json.loads(record)
    return found
