"""The journal of a month in files that are written once (OPS §4.5, T-17).

    2026-11/journal.ndjson    rows of the chain, one a line
    2026-11/vouchers.ndjson   signed vouchers, one a line
    2026-11/manifest.json     what the month holds, with the hashes of both files and of the manifest before
    2026-11/manifest.sig      Ed25519 over manifest.json, 64 bytes

No personal data are in them: the chain has none, and the access log is not exported because its time ends.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from cardio.errors import InputInvalid, JournalBroken
from cardio.files.dates import CARD_TIMEZONE
from cardio.ledger import chain
from cardio.ledger.chain import GENESIS, StoredRow, canonical
from cardio.ledger.folders import make_folder, sync
from cardio.ledger.signed_vouchers import software
from cardio.ledger.times import stamp
from cardio.security.device_keys import DeviceKeys

FORMAT = "cardio-export-1"
JOURNAL, VOUCHERS = "journal.ndjson", "vouchers.ndjson"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
MONTHS = "[0-9][0-9][0-9][0-9]-[0-9][0-9]"
DECEMBER = 12


@dataclass(frozen=True, order=True)
class Month:
    """A month in the cards' zone."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """A month as `2026-11`.

        Raises:
            InputInvalid: It is none.
        """
        try:
            first = datetime.strptime(text, "%Y-%m")  # noqa: DTZ007 - a month has no zone
        except ValueError as error:
            raise InputInvalid(f"{text} is no month like 2026-11") from error
        return cls(first.year, first.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def next(self) -> Month:
        """The month after."""
        return Month(self.year + self.month // DECEMBER, self.month % DECEMBER + 1)

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.month, 1, tzinfo=CARD_TIMEZONE)


@dataclass(frozen=True)
class Manifest:
    """What an exported month holds.

    Attributes:
        month: As `2026-11`.
        first_seq: Its first row of the chain.
        last_seq: Its last; one before the first if there are none.
        rows: How many rows.
        vouchers: How many vouchers.
        previous_head: Hash of the row before the first, hex; zeros before the first of all.
        head: Hash of the last row, hex.
        previous_manifest: SHA-256 of the manifest of the month exported before, hex; None without one in the folder.
        files: SHA-256 of each other file by its name, hex.
        made_at: When it was exported.
        software: By which program.
        key: Public key of the terminal, hex.
        format: Version of the form.
    """

    month: str
    first_seq: int
    last_seq: int
    rows: int
    vouchers: int
    previous_head: str
    head: str
    previous_manifest: str | None
    files: dict[str, str]
    made_at: str
    software: str
    key: str
    format: str = FORMAT

    @classmethod
    def read(cls, file: Path) -> Self:
        """The manifest in a file.

        Raises:
            JournalBroken: It is no manifest of this version.
            OSError: It cannot be read.
        """
        try:
            found = cls(**json.loads(file.read_bytes()))
        except (ValueError, TypeError) as error:
            raise JournalBroken(f"{file} is no manifest") from error
        if found.format != FORMAT:
            raise JournalBroken(f"{file} is of another version")
        return found


def export_month(db: sqlite3.Connection, keys: DeviceKeys, month: Month, folder: Path, at: datetime) -> Path:
    """Write a month that is over into a folder of its own.

    Args:
        db: The journal, opened for reading.
        keys: The terminal's keys.
        month: The month.
        folder: Where the folders of the months are.
        at: The time now.

    Returns:
        The folder of the month, all of it on disk.

    Raises:
        InputInvalid: The month is not over, was exported before, or is not the one after the last exported.
        JournalBroken: The chain does not hold, or the month before is not of this journal.
        OSError: It cannot be written; nothing of it is left under the month's name.
    """
    if at < month.next.start:
        raise InputInvalid(f"{month} is not over")
    target = folder / str(month)
    if target.exists():
        raise InputInvalid(f"{target} is there already; an export is never overwritten")
    first, last, previous = _piece(db, month, folder)
    make_folder(folder)
    unfinished = folder / f".{month}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    rows, vouchers = unfinished / JOURNAL, unfinished / VOUCHERS
    manifest = Manifest(
        month=str(month),
        first_seq=first,
        last_seq=last,
        rows=_write(rows, _rows(db, first, last)),
        vouchers=_write(vouchers, _vouchers(db, first, last)),
        previous_head=_hash_at(db, first - 1),
        head=_hash_at(db, last),
        previous_manifest=previous,
        files={file.name: sha256(file) for file in (rows, vouchers)},
        made_at=stamp(at),
        software=software(),
        key=keys.public.hex(),
    )
    document = canonical(asdict(manifest)).encode("utf-8")
    _write_once(unfinished / MANIFEST, document)
    _write_once(unfinished / SIGNATURE, keys.sign(document))
    sync(unfinished)
    unfinished.rename(target)
    sync(folder)
    return target


def months(folder: Path) -> list[Path]:
    """Folders of exported months, oldest first."""
    return sorted(found.parent for found in folder.glob(f"{MONTHS}/{MANIFEST}"))


def sha256(file: Path) -> str:
    """Hash of a file, hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _piece(db: sqlite3.Connection, month: Month, folder: Path) -> tuple[int, int, str | None]:
    """First and last row of a month, and the hash of the manifest before it.

    They follow the month that was exported before; without one, the newest row before the month.
    """
    reached, last, previous = _newest_before(db, month.start), _newest_before(db, month.next.start), None
    exported = months(folder)
    if exported:
        manifest = Manifest.read(exported[-1] / MANIFEST)
        due = Month.parse(manifest.month).next
        if month != due:
            raise InputInvalid(f"after {manifest.month} comes {due}")
        reached, previous = manifest.last_seq, sha256(exported[-1] / MANIFEST)
        if _hash_at(db, reached) != manifest.head:
            raise JournalBroken(f"the export of {manifest.month} is of another journal, or the chain was changed")
    return reached + 1, max(reached, last), previous


def _newest_before(db: sqlite3.Connection, time: datetime) -> int:
    query = "SELECT COALESCE(max(seq), 0) FROM journal WHERE time < ?"
    return int(db.execute(query, (stamp(time),)).fetchone()[0])


def _hash_at(db: sqlite3.Connection, seq: int) -> str:
    """Hash of a row, hex; zeros before the first, nothing after the last."""
    if not seq:
        return GENESIS.hex()
    row = db.execute("SELECT hash FROM journal WHERE seq = ?", (seq,)).fetchone()
    return "" if row is None else str(row["hash"].hex())


def _rows(db: sqlite3.Connection, first: int, last: int) -> Iterator[dict[str, Any]]:
    rows = db.execute("SELECT * FROM journal WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last))
    for row in chain.checked(StoredRow(*row) for row in rows):
        hashes = {"previous": row.previous.hex(), "hash": row.hash.hex()}
        yield {**row._asdict(), "payload": json.loads(row.payload), **hashes}


def _vouchers(db: sqlite3.Connection, first: int, last: int) -> Iterator[dict[str, Any]]:
    query = "SELECT * FROM vouchers WHERE seq BETWEEN ? AND ? ORDER BY seq, subject"
    for row in db.execute(query, (first, last)):
        yield {name: row[name] for name in ("seq", "subject", "document")} | {"signature": row["signature"].hex()}


def _write(file: Path, lines: Iterable[dict[str, Any]]) -> int:
    """Write NDJSON; return how many lines."""
    count = 0
    with file.open("x", encoding="utf-8", newline="\n") as output:
        for line in lines:
            output.write(canonical(line) + "\n")
            count += 1
    _finish(file)
    return count


def _write_once(file: Path, content: bytes) -> None:
    with file.open("xb") as output:
        output.write(content)
    _finish(file)


def _finish(file: Path) -> None:
    file.chmod(0o400)
    sync(file)
