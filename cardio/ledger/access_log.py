"""Who read personal data of which card, what and why; never the data (OPS §4.8).

The rows are deleted after their time. The chain keeps a salted fingerprint of each: it proves the rows that are there,
and tells nothing of those that are not.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from cardio.errors import JournalBroken
from cardio.ledger.chain import Note, canonical
from cardio.ledger.times import stamp

READ = "person.read"
FORGOTTEN = "access-log.forgotten"
SALT_SIZE = 16
_COLUMNS = ("client", "operator", "purpose", "fields", "card_key")


@dataclass(frozen=True)
class Access:
    """One reading of personal data.

    Attributes:
        seq: Its row in the chain.
        time: When.
        client: Who asked.
        operator: Who sat at the counter, if the caller said.
        purpose: Why, in the caller's words.
        fields: Groups or fields that were read.
        card_key: Keyed hash of the card, as `Ledger.card_key` makes it; None if it is not known.
    """

    seq: int
    time: datetime
    client: str
    operator: str | None
    purpose: str
    fields: tuple[str, ...]
    card_key: str | None


def write(
    db: sqlite3.Connection,
    note: Note,
    client: str,
    purpose: str,
    fields: list[str],
    operator: str | None,
    card_key: str | None,
) -> None:
    """Write a reading down; `note` adds a row to the chain."""
    salt = secrets.token_bytes(SALT_SIZE)
    row = (client, operator, purpose, canonical(fields), card_key)
    noted = note(db, READ, "journal", {"sha256": _fingerprint(salt, row)})
    db.execute("INSERT INTO access_log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (noted.seq, stamp(noted.time), *row, salt))


def between(db: sqlite3.Connection, since: datetime | None, until: datetime | None) -> list[Access]:
    """Readings from a time on and before another, oldest first."""
    rows = db.execute(
        "SELECT * FROM access_log WHERE (:since IS NULL OR time >= :since) AND (:until IS NULL OR time < :until)"
        " ORDER BY seq",
        {"since": since and stamp(since), "until": until and stamp(until)},
    )
    return [
        Access(
            seq=row["seq"],
            time=datetime.fromisoformat(row["time"]),
            client=row["client"],
            operator=row["operator"],
            purpose=row["purpose"],
            fields=tuple(json.loads(row["fields"])),
            card_key=row["card_key"],
        )
        for row in rows
    ]


def forget(db: sqlite3.Connection, before: datetime) -> int:
    """Delete the readings before a time; return how many."""
    return db.execute("DELETE FROM access_log WHERE time < ?", (stamp(before),)).rowcount


def check(db: sqlite3.Connection) -> int:
    """Compare the readings with their fingerprints in the chain; return how many there are.

    Raises:
        JournalBroken: One was changed, put in, or taken away before its time.
    """
    query = "SELECT max(json_extract(payload, '$.before')) FROM journal WHERE kind = ?"
    forgotten = db.execute(query, (FORGOTTEN,)).fetchone()[0] or ""
    found = 0
    for row in db.execute(
        "SELECT j.seq AS position, j.time AS noted_at, json_extract(j.payload, '$.sha256') AS sha256, a.*"
        " FROM journal j LEFT JOIN access_log a ON a.seq = j.seq WHERE j.kind = ?",
        (READ,),
    ):
        if row["sha256"] is None:
            continue  # of schema 3 and before: all of it stands in the chain
        if row["seq"] is None:
            if row["noted_at"] >= forgotten:
                raise JournalBroken(f"the reading of row {row['position']} is missing from the access log")
            continue
        found += 1
        computed = _fingerprint(row["salt"], tuple(row[name] for name in _COLUMNS))
        if (computed, row["time"]) != (row["sha256"], row["noted_at"]):
            raise JournalBroken(f"the reading of row {row['position']} was changed")
    (count,) = db.execute("SELECT count(*) FROM access_log").fetchone()
    if count != found:
        raise JournalBroken("the access log holds readings that the chain does not know")
    return found


def _fingerprint(salt: bytes, row: tuple[str | None, ...]) -> str:
    return hashlib.sha256(salt + canonical(row).encode("utf-8")).hexdigest()
