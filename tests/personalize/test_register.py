"""The register: what is known of each card, in a chain that shows every change (PERS §3.2)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cardio.errors import InputInvalid, JobInvalid, JournalBroken, JournalLocked, SamKeyMissing
from cardio.personalize.attempts import CardState, JobHead
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.pins import pin_of
from cardio.personalize.register import SCHEMA, Register
from cardio.security.issuing import KeyringIssuingKeys
from cardio.security.keyring import Keyring
from tests.personalize.workshop import Workshop

JOB = JobHead("job-1", "ssc-2.0", 3, bytes(32), "keyring:virtual-issuer", ("Li", "Wang"))
NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    opened = Register(tmp_path / "cards.db", lambda: NOON)
    opened.open_job(JOB)
    yield opened
    opened.close()


def kinds(register: Register) -> list[str]:
    return [row.kind for row in register.rows_after(0, 100)]


def test_a_card_goes_through_its_states(register: Register) -> None:
    begun = register.begin("job-1", "1", "3B00", "desk")
    assert (begun.state, begun.keys, begun.finished_at) == (CardState.STARTED, {}, None)
    register.writing_key(begun.id, "MF/BATCH", "AABBCC")
    register.writing_key(begun.id, "MF/PIN", None)
    now = register.attempt(begun.id)
    assert now.state is CardState.KEY_UNCONFIRMED
    assert now.keys == {"MF/BATCH": True, "MF/PIN": False}
    assert now.kcvs == {"MF/BATCH": "AABBCC"}
    register.move(begun.id, CardState.CLOSED)
    assert all(register.attempt(begun.id).keys.values())
    register.move(begun.id, CardState.FINISHED)
    finished = register.attempt(begun.id)
    assert finished.finished_at == finished.started_at == NOON
    assert register.made("job-1") == {"1"}
    assert register.made("job-2") == set()
    assert kinds(register) == [
        "job.opened",
        "card.started",
        "card.key-unconfirmed",
        "card.key-unconfirmed",
        "card.closed",
        "card.finished",
    ]
    assert register.verify() == 6


def test_a_key_that_was_being_written_when_a_card_was_rejected_stays_in_doubt(register: Register) -> None:
    begun = register.begin("job-1", "1", "3B00", "desk")
    register.writing_key(begun.id, "MF/CCK", "AABBCC")
    register.move(begun.id, CardState.REJECTED, reason="gone")
    assert register.attempt(begun.id).keys == {"MF/CCK": False}
    assert register.attempt(begun.id).reason == "gone"


def test_an_interruption_is_told_and_changes_no_state(register: Register) -> None:
    begun = register.begin("job-1", "1", "3B00", "desk")
    register.interrupted(begun.id, "card.removed")
    known = register.newest("3B00")
    assert known is not None
    assert (known.state, known.reason) == (CardState.STARTED, "card.removed")
    assert register.newest("3B01") is None


def test_neither_a_row_nor_a_card_is_worked_on_twice(register: Register) -> None:
    first = register.begin("job-1", "1", "3B00", "desk")
    for row, card in (("1", "3B01"), ("2", "3B00")):
        with pytest.raises(InputInvalid):
            register.begin("job-1", row, card, "other desk")
    register.move(first.id, CardState.REJECTED, reason="full")
    again = register.begin("job-1", "1", "3B00", "desk")
    register.move(again.id, CardState.FINISHED)
    with pytest.raises(InputInvalid):
        register.begin("job-1", "1", "3B02", "desk")
    assert [one.id for one in register.attempts("job-1")] == [first.id, again.id]
    assert register.attempts("job-2") == []


def test_a_card_that_does_not_come_back_is_given_up_by_name(register: Register) -> None:
    begun = register.begin("job-1", "1", "3B00", "desk")
    register.give_up(begun.id, "lost", ("Li", "Wang"))
    given_up = register.attempt(begun.id)
    assert (given_up.state, given_up.reason) == (CardState.REJECTED, "given up: lost")
    assert register.rows_after(0, 100)[-1].payload["operators"] == ["Li", "Wang"]
    for number in (begun.id, 99):
        with pytest.raises(InputInvalid, match=str(number)):
            register.give_up(number, "lost", ("Li", "Wang"))
    register.begin("job-1", "1", "3B01", "desk")


def test_the_row_of_a_finished_card_that_was_destroyed_is_made_on_another(register: Register) -> None:
    register.open_job(JOB)
    made = register.begin("job-1", "1", "3B00", "desk")
    with pytest.raises(InputInvalid, match="finished"):
        register.give_up(made.id, "misprinted", ("Li", "Wang"), destroyed=True)
    register.move(made.id, CardState.FINISHED)
    with pytest.raises(InputInvalid, match="open"):
        register.give_up(made.id, "misprinted", ("Li", "Wang"))
    register.give_up(made.id, "misprinted", ("Li", "Wang"), destroyed=True)
    assert (register.attempt(made.id).reason, register.made("job-1")) == ("destroyed: misprinted", set())
    register.move(register.begin("job-1", "1", "3B01", "desk").id, CardState.FINISHED)
    assert register.made("job-1") == {"1"}
    register.verify()


def test_a_job_is_gone_on_with_by_the_same_rows_only(register: Register) -> None:
    register.open_job(JOB)
    with pytest.raises(InputInvalid):
        register.open_job(replace(JOB, digest=b"\x01" * 32))
    with pytest.raises(InputInvalid, match="other keys"):
        register.open_job(replace(JOB, made_with=b"\x01" * 32))
    with pytest.raises(InputInvalid, match="job job-1 has the very same rows"):
        register.open_job(replace(JOB, id="a copy"))
    register.note("mailer.exported", "job-1", {"rows": 3})
    assert kinds(register) == ["job.opened", "job.resumed", "mailer.exported"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE attempts SET state = 'rejected' WHERE id = 1",
        "UPDATE attempts SET record = 'another' WHERE id = 1",
        "UPDATE attempts SET identity = '3B01' WHERE id = 1",
        "UPDATE attempts SET reason = 'none' WHERE id = 2",
        "INSERT INTO attempts VALUES (9, 'job-1', '9', '3B09', 'desk', 'finished', NULL, '', '')",
        "DELETE FROM attempts WHERE id = 3",
        "UPDATE key_writes SET kcv = '000000'",
        "UPDATE key_writes SET confirmed = 0",
        "DELETE FROM key_writes",
        "INSERT INTO key_writes VALUES (7, 'MF/BATCH', NULL, 1)",
        "DELETE FROM presentations",
        "UPDATE jobs SET digest = x'00'",
        "UPDATE jobs SET made_with = x'00'",
    ],
)
def test_what_was_changed_behind_the_chain_is_found(tmp_path: Path, change: str) -> None:
    """Who would make a row twice would call its card rejected, or have it never begun."""
    file = tmp_path / "cards.db"
    register = Register(file)
    register.open_job(JOB)
    made = register.begin("job-1", "1", "3B00", "desk").id
    register.presenting(made, "TRANSPORT", "AABBCC")
    register.erasing(made, "MF/BATCH")
    register.writing_key(made, "MF/BATCH", "112233")
    register.move(made, CardState.FINISHED)
    rejected = register.begin("job-1", "2", "3B02", "desk")
    register.presenting(rejected.id, "TRANSPORT", "AABBCC")
    register.refused(rejected.id, "TRANSPORT", "AABBCC")
    register.interrupted(rejected.id, "torn")
    register.move(rejected.id, CardState.REJECTED, reason="full")
    register.begin_again(register.attempt(rejected.id), "job-1", "3", "desk")
    assert register.verify() == 13
    register.close()
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute(change)
    register = Register(file)
    with pytest.raises(JournalBroken, match=r"attempt \d|job job-1"):
        register.verify()
    register.close()


Spoil = Callable[[sqlite3.Connection], object]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda db: db.execute("UPDATE journal SET payload = '{}' WHERE seq = 1"),
        lambda db: db.execute("DELETE FROM journal WHERE seq = 1"),
        lambda db: db.execute("UPDATE journal SET kind = 'card.finished' WHERE seq = 2"),
    ],
)
def test_a_changed_register_is_found_and_is_not_changed_by_accident(tmp_path: Path, spoil: Spoil) -> None:
    file = tmp_path / "cards.db"
    register = Register(file)
    register.open_job(JOB)
    register.begin("job-1", "1", "3B00", "desk")
    register.close()
    with sqlite3.connect(file) as db, pytest.raises(sqlite3.IntegrityError, match="never"):
        spoil(db)
    with sqlite3.connect(file) as db:
        db.execute("DROP TRIGGER journal_is_never_rewritten")
        db.execute("DROP TRIGGER journal_is_never_deleted")
        spoil(db)
    register = Register(file)
    with pytest.raises(JournalBroken):
        register.verify()
    register.close()


def test_a_register_is_one_processs_and_no_newer_than_the_program(tmp_path: Path) -> None:
    file = tmp_path / "cards.db"
    register = Register(file)
    with pytest.raises(JournalLocked):
        Register(file)
    register.close()
    assert file.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(file) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    with pytest.raises(JournalBroken):
        Register(file)


# ---- PINs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", ["ssc-2.0", "citizen-wallet"])
def test_a_pin_is_the_same_for_the_same_card_and_another_for_others(product: str) -> None:
    made = Workshop(product, rows=20)
    pins = [pin_of(made.maker, row) for row in made.data]
    assert pins == [pin_of(made.maker, row) for row in made.data]
    assert len(set(pins)) > 15
    assert all(len(pin) == 6 and pin.isdecimal() for pin in pins)


def test_a_pin_needs_a_number_and_a_key() -> None:
    made = Workshop("ssc-2.0")
    with pytest.raises(JobInvalid):
        pin_of(made.maker, made.data[0].model_copy(update={"card_serial": None}))
    keyless = Personalizer(made.product, KeyringIssuingKeys(Keyring("none", {}, test=True)))
    with pytest.raises(SamKeyMissing):
        pin_of(keyless, made.data[0])
