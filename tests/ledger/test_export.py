"""Months of the journal in files: complete, signed, never overwritten, and checked with nothing but themselves."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cardio.errors import InputInvalid, JournalBroken
from cardio.files.dates import CARD_TIMEZONE
from cardio.ledger.export import MANIFEST, Month, export_month
from cardio.ledger.export_check import check_export
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import State
from cardio.ledger.read_only import read_only
from cardio.security.device_keys import DeviceKeys
from tests.counter import TestCounter

JANUARY, FEBRUARY, MARCH, APRIL = (Month(2027, number) for number in range(1, 5))
NOW = datetime(2027, 4, 2, tzinfo=CARD_TIMEZONE)
NUMBER = b"00008600000000000123"


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.at = JANUARY.start

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counter(tmp_path: Path, clock: Clock) -> Iterator[TestCounter]:
    """A counter with a debit in January, none in February, two in March, and it is April."""
    folder = tmp_path / "state"
    folder.mkdir()
    made = TestCounter(folder, clock=clock)
    for at, debits in ((JANUARY.next.start - timedelta(hours=1), 1), (MARCH.start, 2), (APRIL.start, 1)):
        clock.at = at
        for _ in range(debits):
            assert made.debit(100).state is State.COMPLETED
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "export"


def exported(counter: TestCounter, month: Month, folder: Path) -> Path:
    keys = DeviceKeys.load(counter.journal.with_name("journal.db.keys"))
    with read_only(counter.journal) as db:
        return export_month(db, keys, month, folder, NOW)


@pytest.fixture
def months(counter: TestCounter, folder: Path) -> Path:
    """The three months in their folders."""
    for month in (JANUARY, FEBRUARY, MARCH):
        exported(counter, month, folder)
    return folder


def rows_of(month: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (month / "journal.ndjson").read_text().splitlines()]


def test_every_row_is_in_exactly_one_month(counter: TestCounter, months: Path) -> None:
    manifests = check_export(months)
    assert [one.month for one in manifests] == ["2027-01", "2027-02", "2027-03"]
    assert [one.rows for one in manifests] == [4, 0, 6]
    assert [one.vouchers for one in manifests] == [1, 0, 2]
    assert [(one.first_seq, one.last_seq) for one in manifests] == [(1, 4), (5, 4), (5, 10)]
    rows = rows_of(months / "2027-01") + rows_of(months / "2027-03")
    assert [row["seq"] for row in rows] == list(range(1, 11))
    assert all(str(row["time"]).startswith("2027-03") for row in rows[4:])


def test_the_files_are_for_their_owner_and_not_to_be_written(months: Path) -> None:
    month = months / "2027-01"
    assert month.stat().st_mode & 0o777 == 0o700
    assert sorted(file.name for file in month.iterdir()) == [
        *("journal.ndjson", "manifest.json", "manifest.sig", "vouchers.ndjson"),
    ]
    assert all(file.stat().st_mode & 0o777 == 0o400 for file in month.iterdir())


def test_the_signature_is_the_terminals(counter: TestCounter, months: Path) -> None:
    month = months / "2027-01"
    public = Ed25519PublicKey.from_public_bytes(counter.ledger.public_key)
    public.verify((month / "manifest.sig").read_bytes(), (month / MANIFEST).read_bytes())
    assert check_export(months, counter.ledger.public_key)
    with pytest.raises(JournalBroken, match="signature"):
        check_export(months, DeviceKeys.generate().public)


def test_vouchers_are_exported_byte_by_byte(counter: TestCounter, months: Path) -> None:
    (line,) = (months / "2027-01" / "vouchers.ndjson").read_text().splitlines()
    found = json.loads(line)
    voucher = counter.ledger.voucher(found["subject"])
    assert voucher is not None
    assert (found["document"].encode(), bytes.fromhex(found["signature"])) == (voucher.document, voucher.signature)


def test_no_personal_data_are_exported(counter: TestCounter, folder: Path) -> None:
    counter.ledger.privacy.note_access("till", "a purpose", ["holder"])
    exported(counter, MARCH, folder)
    everything = b"".join(file.read_bytes() for file in (folder / "2027-03").iterdir())
    for personal in (NUMBER, NUMBER[4:], b"a purpose", b"holder"):
        assert personal not in everything


def test_a_month_is_never_overwritten(counter: TestCounter, months: Path) -> None:
    before = (months / "2027-01" / MANIFEST).read_bytes()
    with pytest.raises(InputInvalid, match="never overwritten"):
        exported(counter, JANUARY, months)
    assert (months / "2027-01" / MANIFEST).read_bytes() == before


def test_a_month_that_is_not_over_is_not_exported(counter: TestCounter, folder: Path) -> None:
    with pytest.raises(InputInvalid, match="not over"):
        exported(counter, APRIL, folder)
    assert not folder.exists()


def test_months_are_exported_one_after_the_other(counter: TestCounter, folder: Path) -> None:
    exported(counter, FEBRUARY, folder)
    with pytest.raises(InputInvalid, match="after 2027-02 comes 2027-03"):
        exported(counter, JANUARY, folder)
    exported(counter, MARCH, folder)
    assert [one.first_seq for one in check_export(folder)] == [5, 5]


def test_what_a_crash_left_unfinished_is_done_again(counter: TestCounter, folder: Path) -> None:
    left = folder / ".2027-01.unfinished"
    left.mkdir(parents=True)
    (left / "journal.ndjson").write_text("half of a l")
    exported(counter, JANUARY, folder)
    assert [file.name for file in folder.iterdir()] == ["2027-01"]
    assert check_export(folder)


def test_the_export_of_another_journal_is_not_continued(counter: TestCounter, months: Path, tmp_path: Path) -> None:
    other = Ledger(tmp_path / "other.db", lambda: JANUARY.start)
    other.close()
    keys = DeviceKeys.load(tmp_path / "other.db.keys")
    with read_only(tmp_path / "other.db") as db, pytest.raises(JournalBroken, match="another journal"):
        export_month(db, keys, APRIL, months, datetime(2027, 6, 1, tzinfo=CARD_TIMEZONE))


def changed(file: Path, old: bytes, new: bytes) -> None:
    content = file.read_bytes()
    assert old in content
    file.chmod(0o600)
    file.write_bytes(content.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("journal.ndjson", b'"amounts":[100]', b'"amounts":[900]'),
        ("vouchers.ndjson", rb"\"amount_fen\":100", rb"\"amount_fen\":900"),
        (MANIFEST, b'"rows":4', b'"rows":3'),
        (MANIFEST, b"2027-01", b"2027-02"),
        ("manifest.sig", b"", b"x"),
    ],
    ids=["row", "voucher", "manifest", "month", "signature"],
)
def test_a_changed_file_is_noticed(months: Path, name: str, old: bytes, new: bytes) -> None:
    changed(months / "2027-01" / name, old, new)
    with pytest.raises(JournalBroken):
        check_export(months / "2027-01")


def test_rows_that_were_signed_anew_with_another_key_still_do_not_chain(months: Path) -> None:
    """Somebody who makes the manifest fit, and signs it with a key of his own."""
    month, keys = months / "2027-01", DeviceKeys.generate()
    changed(month / "journal.ndjson", b'"amounts":[100]', b'"amounts":[900]')
    manifest = json.loads((month / MANIFEST).read_bytes())
    manifest["files"]["journal.ndjson"] = hashlib.sha256((month / "journal.ndjson").read_bytes()).hexdigest()
    manifest["key"] = keys.public.hex()
    document = json.dumps(manifest).encode()
    changed(month / MANIFEST, (month / MANIFEST).read_bytes(), document)
    changed(month / "manifest.sig", (month / "manifest.sig").read_bytes(), keys.sign(document))
    with pytest.raises(JournalBroken, match="chain does not hold"):
        check_export(month)


def test_a_month_that_was_taken_away_is_noticed(months: Path) -> None:
    shutil.rmtree(months / "2027-02")
    with pytest.raises(JournalBroken, match="does not follow"):
        check_export(months)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format": "other"}'])
def test_a_manifest_that_is_none_is_told(months: Path, content: bytes) -> None:
    changed(months / "2027-01" / MANIFEST, (months / "2027-01" / MANIFEST).read_bytes(), content)
    with pytest.raises(JournalBroken):
        check_export(months)


def test_where_nothing_was_exported_nothing_is_whole(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid):
        check_export(tmp_path)


@pytest.mark.parametrize("text", ["2027", "2027-13", "march", "2027-1-1", ""])
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(InputInvalid):
        Month.parse(text)


def test_a_month_ends_where_the_next_begins() -> None:
    assert Month.parse("2026-12").next == Month(2027, 1)
    assert str(Month(2027, 1)) == "2027-01"
    assert Month(2027, 1).start == datetime(2027, 1, 1, tzinfo=CARD_TIMEZONE)
