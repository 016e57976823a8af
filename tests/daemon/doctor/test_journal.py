"""The journal, looked at without a trace."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from cardio.cli.doctor.findings import Outcome
from cardio.errors import JournalBehind
from cardio.ledger.ledger import Ledger, now
from cardio.purse.operation import Operation, PurseKind
from cardiod.doctor.journal import clock_behind_journal, journal
from cardiod.doctor.site import Site
from tests.counter import request
from tests.daemon.doctor.conftest import MakeSite
from tests.privileges import NEEDS_ROOT, as_nobody


@pytest.fixture
def written(site: MakeSite) -> Site:
    """A site with a journal: a row with its key, and two transactions."""
    made = site()
    ledger = Ledger(made.settings.journal)
    begin(ledger)
    begin(ledger)
    ledger.close()
    return made


def begin(ledger: Ledger) -> None:
    ledger.begin_transaction(request(), PurseKind.WALLET, Operation.PURCHASE, (100,), "sale", None)


def everything(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_no_journal_yet_is_well(site: MakeSite) -> None:
    assert journal(site()).outcome is Outcome.OK
    assert clock_behind_journal(site()).outcome is Outcome.OK


def test_a_whole_chain_is_well_and_its_files_are_as_before(written: Site) -> None:
    before = everything(written.settings.journal.parent)
    found = journal(written)
    assert (found.outcome, found.text.en) == (Outcome.OK, "the journal is whole, 3 rows")
    assert clock_behind_journal(written).outcome is Outcome.OK
    after = everything(written.settings.journal.parent)
    # Through these two SQLite reads a journal that somebody may be writing.
    assert {name: content for name, content in after.items() if not name.endswith(("-shm", "-wal"))} == before


def test_rows_in_the_log_that_a_killed_daemon_left_are_read(written: Site, tmp_path: Path) -> None:
    ledger = Ledger(written.settings.journal)
    begin(ledger)
    killed = tmp_path / "killed"
    killed.mkdir()
    for file in ("journal.db", "journal.db-wal", "journal.db.keys"):
        shutil.copy2(written.settings.journal.with_name(file), killed)
    ledger.close()
    left = Site(written.settings.model_copy(update={"journal": killed / "journal.db"}))
    assert journal(left).text.en == "the journal is whole, 4 rows"


def test_a_journal_that_a_service_works_with_is_left_to_it(written: Site) -> None:
    ledger = Ledger(written.settings.journal)
    try:
        found = journal(written)
        assert found.outcome is Outcome.OK
        assert str(os.getpid()) in found.text.en
    finally:
        ledger.close()
    assert written.holder() is None


def test_a_changed_row_fails(written: Site) -> None:
    with closing(sqlite3.connect(written.settings.journal)) as db:
        db.executescript("DROP TRIGGER journal_is_append_only_update; UPDATE journal SET subject = 'x' WHERE seq = 1;")
    found = journal(written)
    assert found.outcome is Outcome.FAIL
    assert "row 1" in found.text.en


@pytest.mark.parametrize("content", [b"no database at all" * 100, b""], ids=["noise", "empty"])
def test_a_file_that_is_no_journal_fails(written: Site, content: bytes) -> None:
    written.settings.journal.write_bytes(content)
    assert journal(written).outcome is Outcome.FAIL
    assert clock_behind_journal(written).outcome is Outcome.OK


def test_a_journal_that_is_behind_its_cards_fails(written: Site) -> None:
    ledger = Ledger(written.settings.journal)
    with pytest.raises(JournalBehind):
        ledger.freshness.check_log("card", "000000000001", [7])
    ledger.close()
    found = journal(written)
    assert found.outcome is Outcome.FAIL
    assert "behind the cards" in found.text.en


def test_a_clock_behind_the_journal_fails(site: MakeSite) -> None:
    made = site()
    ledger = Ledger(made.settings.journal, clock=lambda: now() + timedelta(hours=1))
    begin(ledger)
    ledger.close()
    assert clock_behind_journal(made).outcome is Outcome.FAIL


@NEEDS_ROOT
def test_a_journal_that_may_not_be_read_is_told(written: Site) -> None:
    with as_nobody():
        found = journal(written)
        assert clock_behind_journal(written).outcome is Outcome.OK
    assert found.outcome is Outcome.WARN
    assert found.remedy is not None
