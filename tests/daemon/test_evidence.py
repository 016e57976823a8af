"""The journal as evidence, from outside: `cardiod journal` beside a running daemon, the access log, the retention."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cardio.ledger.ledger import now
from cardio.ledger.privacy import Retention
from cardiod.main import app
from cardiod.retention import retained
from cardiod.settings import load_settings
from tests.counter import TestCounter, eventually
from tests.daemon.conftest import Daemon, StartDaemon
from tests.daemon.sales import BILL, debit, read, settle

CARDIOD = Path(sys.executable).with_name("cardiod")


def journal(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`cardiod journal` in a process of its own."""
    return subprocess.run(
        [str(CARDIOD), "journal", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def inside(*arguments: str) -> Any:
    """`cardiod journal` in this process."""
    return CliRunner().invoke(app, ["journal", *arguments])


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A closed journal with two debits of July 2026."""
    folder = tmp_path / "old"
    folder.mkdir()
    start = now()
    counter = TestCounter(folder, clock=lambda: now() - start + start.replace(year=2026, month=7, day=15))
    counter.debit(100)
    counter.debit(200)
    counter.close()
    return counter.journal


# ---- verify --------------------------------------------------------------------------------------------------


def test_the_journal_is_verified_beside_the_daemon_that_works_with_it(daemon: Daemon) -> None:
    assert debit(daemon).status_code == 201
    assert settle(daemon, pin="123456").status_code == 201
    path = str(daemon.settings.journal)
    done = journal("verify", "--journal", path, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["transactions"], found["settlements"], found["vouchers"]) == (3, 1, 4)
    assert debit(daemon, key="after").status_code == 201
    told = journal("verify", "--journal", path)
    assert "journal is whole" in told.stdout
    assert found["head"] not in told.stdout, "it has grown"


def test_a_journal_that_was_changed_is_exit_code_6_and_says_where(old: Path) -> None:
    db = sqlite3.connect(old)
    db.execute("UPDATE transactions SET tac = '00000000' WHERE amounts = '[200]'")
    db.commit()
    db.close()
    done = inside("verify", "--journal", str(old))
    assert (done.exit_code, done.stdout) == (6, "")
    assert "journal.broken" in done.stderr
    assert "tac in its table" in done.stderr


def test_a_journal_that_is_not_there_is_exit_code_6(tmp_path: Path) -> None:
    done = inside("verify", "--journal", str(tmp_path / "none.db"))
    assert done.exit_code == 6
    assert "storage.unavailable" in done.stderr


# ---- export --------------------------------------------------------------------------------------------------


def test_a_month_is_exported_once_and_verified_without_its_journal(old: Path, tmp_path: Path) -> None:
    to = tmp_path / "export"
    arguments = ("export", "--month", "2026-07", "--to", str(to), "--journal", str(old), "--json")
    (manifest,) = json.loads(inside(*arguments).stdout)
    assert (manifest["month"], manifest["vouchers"]) == ("2026-07", 2)
    again = inside(*arguments)
    assert again.exit_code == 2
    assert "never overwritten" in again.stderr
    old.unlink()
    for where in (to, to / "2026-07", to / "2026-07" / "manifest.json"):
        done = inside("verify", str(where), "--key", manifest["key"], "--json")
        assert done.exit_code == 0, done.stderr
        assert json.loads(done.stdout) == [manifest]
    assert f"head {manifest['head']}" in inside("verify", str(to)).stdout


@pytest.mark.parametrize("key", ["00" * 32, "no key"])
def test_an_export_under_another_key_is_not_verified(old: Path, tmp_path: Path, key: str) -> None:
    inside("export", "--month", "2026-07", "--to", str(tmp_path / "export"), "--journal", str(old))
    assert inside("verify", str(tmp_path / "export"), "--key", key).exit_code in {2, 6}


def test_a_folder_that_cannot_be_written_is_exit_code_6(old: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = inside("export", "--month", "2026-07", "--to", str(tmp_path / "file" / "x"), "--journal", str(old))
    assert done.exit_code == 6
    assert "storage.unavailable" in done.stderr


# ---- forget --------------------------------------------------------------------------------------------------


def test_what_is_destroyed_is_asked_for_first(old: Path) -> None:
    refused = CliRunner().invoke(
        app, ["journal", "forget", "--before", "2026-08-01", "--journal", str(old)], input="n\n"
    )
    assert refused.exit_code == 1
    done = inside("forget", "--before", "2026-08-01", "--journal", str(old), "--force", "--json")
    assert json.loads(done.stdout) == {"destroyed": 0}, "ids have the time of their making, which is now"
    tomorrow = (now() + timedelta(days=2)).date().isoformat()
    done = inside("forget", "--before", tomorrow, "--journal", str(old), "--force", "--json")
    assert json.loads(done.stdout) == {"destroyed": 2}
    assert json.loads(inside("verify", "--journal", str(old), "--json").stdout)["destroyed"] == 2


def test_a_daemon_keeps_its_journal_to_itself(daemon: Daemon) -> None:
    done = journal("forget", "--journal", str(daemon.settings.journal), "--force")
    assert done.returncode == 6
    assert "journal.locked" in done.stderr


@pytest.mark.parametrize("arguments", [("--before", "yesterday"), ("--before", "2026-08-01", "--transaction", "x")])
def test_what_is_no_wish(old: Path, arguments: tuple[str, ...]) -> None:
    assert inside("forget", *arguments, "--journal", str(old), "--force").exit_code == 2


# ---- in the daemon -------------------------------------------------------------------------------------------


def test_a_reading_over_http_is_in_the_access_log_under_the_key_of_its_card(daemon: Daemon) -> None:
    assert read(daemon, "card", "holder", "medical", reader="social", pin="123456", purpose="settlement").is_success
    assert settle(daemon, pin="123456", bill=BILL).status_code == 201
    with sqlite3.connect(daemon.settings.journal) as db:
        (client, purpose, fields, card_key) = db.execute(
            "SELECT client, purpose, fields, card_key FROM access_log"
        ).fetchone()
        known = db.execute("SELECT card_key FROM transactions WHERE purse = 'medical'").fetchone()
    db.close()
    assert (client, purpose, json.loads(fields)) == ("cashier", "settlement", ["holder"])
    assert (card_key,) == known


def test_the_institutions_limits_and_times_are_configured(
    start_daemon: StartDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = os.statvfs(tmp_path)
    more_than_there_is = found.f_blocks * found.f_frsize // 1_000_000 + 1
    daemon = start_daemon(storage_min_free_mb=more_than_there_is)
    refused = debit(daemon)
    assert (refused.status_code, refused.json()["code"], refused.json()["money"]) == (507, "storage.low", "none")
    monkeypatch.setenv("CARDIO_RETENTION_PERSONAL_DAYS", "365")
    monkeypatch.setenv("CARDIO_CLOCK_TOLERANCE_S", "2")
    settings = load_settings()
    assert settings.retention == Retention(personal_days=365)
    assert settings.limits.clock_tolerance == timedelta(seconds=2)


def test_a_running_daemon_destroys_what_is_over_by_itself(tmp_path: Path) -> None:
    counter = TestCounter(tmp_path)
    done = counter.debit(100)
    counter.clock = lambda: now() + timedelta(days=2000)
    counter.restart()
    counter.ledger.privacy.note_access("till", "a row of that day", [])
    with retained(counter.ledger, Retention()):
        eventually(lambda: counter.ledger.privacy.card_number(done.id) is None)
    counter.close()
