"""Personal data of transactions: each under a data key of its own, so that it can be destroyed alone (OPS §4.5, §4.8).

A data key for each transaction, and not for each month, because a holder may ask for the end of his own data before
their time is over. What is left of him then are keyed hashes, by which nobody without the terminal's keys finds him.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from cardio.errors import JournalBroken
from cardio.ledger.chain import canonical
from cardio.ledger.model import FINAL
from cardio.ledger.times import first_id
from cardio.security.device_keys import DeviceKeys, Sealed

FORGOTTEN = "person.forgotten"
_DESTROY = (
    "UPDATE persons SET data_key = NULL, destroyed_at = :at WHERE data_key IS NOT NULL AND {whose}"
    ' AND (SELECT state FROM transactions WHERE id = "transaction") IN (SELECT value FROM json_each(:ended))'
)
"""An open question keeps its data: whoever settles it needs them."""


def keep(db: sqlite3.Connection, keys: DeviceKeys, transaction: str, card_number: str) -> None:
    """Keep the card number of a transaction, encrypted; nothing is kept of a card whose number nobody needs."""
    if not card_number:
        return
    content = canonical({"card_number": card_number}).encode("utf-8")
    sealed = keys.seal(content, transaction.encode("ascii"))
    db.execute("INSERT INTO persons VALUES (?, ?, ?, NULL)", (transaction, sealed.content, sealed.data_key))


def card_number(db: sqlite3.Connection, keys: DeviceKeys, transaction: str) -> str | None:
    """The card number of a transaction; None where there is none, or none any more.

    Raises:
        JournalBroken: It was changed, or belongs to another terminal.
    """
    query = 'SELECT content, data_key FROM persons WHERE "transaction" = ? AND data_key IS NOT NULL'
    row = db.execute(query, (transaction,)).fetchone()
    if row is None:
        return None
    content = keys.unseal(Sealed(row["content"], row["data_key"]), transaction.encode("ascii"))
    return str(json.loads(content)["card_number"])


def destroy_before(db: sqlite3.Connection, before: datetime, at: datetime) -> int:
    """Destroy the data keys of all transactions that were begun before a time and have ended; return how many."""
    return _destroy(db, '"transaction" < :value', first_id(before), at)


def destroy_of_card(db: sqlite3.Connection, card_key: str, at: datetime) -> int:
    """Destroy the data keys of all transactions of one card that have ended; return how many."""
    return _destroy(db, '"transaction" IN (SELECT id FROM transactions WHERE card_key = :value)', card_key, at)


def destroy_of_transaction(db: sqlite3.Connection, transaction: str, at: datetime) -> int:
    """Destroy the data key of one transaction, if it has ended; return how many: 0 or 1."""
    return _destroy(db, '"transaction" = :value', transaction, at)


def _destroy(db: sqlite3.Connection, whose: str, value: str, at: datetime) -> int:
    values = {"value": value, "at": at.isoformat(), "ended": json.dumps(sorted(FINAL))}
    return db.execute(_DESTROY.format(whose=whose), values).rowcount


def check(db: sqlite3.Connection) -> int:
    """Compare what was destroyed with what the chain says of it; return how many.

    Raises:
        JournalBroken: A data key was taken away, or came back.
    """
    query = "SELECT COALESCE(SUM(json_extract(payload, '$.count')), 0) FROM journal WHERE kind = ?"
    (told,) = db.execute(query, (FORGOTTEN,)).fetchone()
    (found,) = db.execute("SELECT count(*) FROM persons WHERE data_key IS NULL").fetchone()
    if found != told:
        raise JournalBroken(f"the data of {found} persons are destroyed, and the chain says {told}")
    return int(found)


def move_numbers(db: sqlite3.Connection, keys: DeviceKeys) -> None:
    """Encrypt the card numbers that journals up to schema 3 held in clear, in transactions and in the outbox."""
    for row in db.execute("SELECT id, card_number FROM transactions WHERE card_number IS NOT NULL").fetchall():
        keep(db, keys, row["id"], row["card_number"])
    db.execute("ALTER TABLE transactions DROP COLUMN card_number")
    # A closed batch never changes; none was closed by a program that did not encrypt.
    db.execute("UPDATE outbox SET record = json_remove(record, '$.card_number') WHERE batch IS NULL")
    db.execute("DELETE FROM meta WHERE name = 'device_secret'")
