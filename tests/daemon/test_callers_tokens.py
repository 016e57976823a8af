"""Bearer tokens: what they are, and that each of their bounds holds in a running daemon."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cardio.errors import StorageUnavailable
from cardio.ledger.ledger import now
from cardiod.main import app
from cardiod.settings import CASHIER, Scope, hash_token
from cardiod.tokens import TokenFile
from tests.daemon.callers import call, clients, debit, make_token, refused
from tests.daemon.conftest import TOKEN, Daemon, StartDaemon

CARDIOD = Path(sys.executable).with_name("cardiod")


@pytest.fixture
def cardiod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, on the journal of the test's daemon."""
    monkeypatch.setenv("CARDIO_JOURNAL", str(tmp_path / "journal.db"))

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, list(arguments))

    return run


def made(cardiod: Any, *arguments: str) -> dict[str, Any]:
    result = cardiod("token", "create", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def from_outside(*arguments: str) -> str:
    """The command in a process of its own, beside a running daemon; what it prints."""
    command = [str(CARDIOD), "token", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


# ---- the command ---------------------------------------------------------------------------------------------


def test_a_token_made_while_the_daemon_runs_works_at_once_and_is_worthless_once_revoked(
    daemon: Daemon, cardiod: Any
) -> None:
    secret = from_outside("create", "till-1")
    assert call(daemon, secret).status_code == 200
    from_outside("revoke", "till-1")
    refused(call(daemon, secret), 401, "client.unauthorised")


def test_transactions_are_journalled_under_the_name_of_the_token(daemon: Daemon, cardiod: Any) -> None:
    secret = from_outside("create", "till-1")
    assert debit(daemon, secret, "k").status_code == 201
    assert debit(daemon, TOKEN, "k").status_code == 201
    assert clients(daemon) == ["till-1", "cashier"]


def test_a_token_is_shown_once_and_its_file_holds_only_a_hash_for_its_owner_alone(tmp_path: Path, cardiod: Any) -> None:
    shown = cardiod("token", "create", "till-1").stdout.strip()
    assert len(shown) == 43
    file = tmp_path / "tokens.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert shown not in file.read_text()
    assert hash_token(shown) in file.read_text()
    listed = cardiod("token", "list", "--json").stdout
    assert shown not in listed
    assert hash_token(shown) not in listed


def test_a_token_has_what_it_was_made_with(cardiod: Any) -> None:
    made(
        cardiod,
        "his",
        *("--scope", "debit", "--scope", "read-card", "--max-amount-fen", "500", "--max-day-fen", "900"),
        *("--expires", "2099-12-31", "--origin", "https://his.example"),
    )
    (listed,) = json.loads(cardiod("token", "list", "--json").stdout)
    assert listed["scopes"] == ["debit", "read-card"]
    assert (listed["max_amount_fen"], listed["max_day_fen"]) == (500, 900)
    assert listed["expires"] == "2100-01-01T00:00:00+08:00"  # the last day counts to its end
    assert listed["origin"] == "https://his.example"
    assert "his" in cardiod("token", "list").stdout


def test_a_token_of_which_nothing_is_said_does_the_work_of_a_till_only(cardiod: Any) -> None:
    scopes = set(made(cardiod, "till-1")["scopes"])
    assert scopes == CASHIER
    assert not scopes & {Scope.ADMIN, Scope.RESOLVE, Scope.HOTLIST}


@pytest.mark.parametrize(
    "wrong",
    [
        ["a name"],
        ["x", "--expires", "2001-01-01"],
        ["x", "--expires", "soon"],
        ["x", "--expires", "2099-01-01T00:00:00"],
        ["x", "--origin", "*"],
        ["x", "--origin", "null"],
        ["x", "--origin", "https://his.example/"],
        ["x", "--scope", "everything"],
        ["x", "--max-day-fen", "0"],
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(tmp_path: Path, cardiod: Any, wrong: list[str]) -> None:
    assert cardiod("token", "create", *wrong).exit_code == 2
    assert not (tmp_path / "tokens.json").exists()


def test_a_name_is_given_once_and_revoked_once(cardiod: Any) -> None:
    made(cardiod, "till-1")
    assert cardiod("token", "create", "till-1").exit_code == 2
    assert cardiod("token", "revoke", "till-1").exit_code == 0
    assert cardiod("token", "revoke", "till-1").exit_code == 2


# ---- the file ------------------------------------------------------------------------------------------------


def test_a_file_that_others_may_read_or_that_is_damaged_lets_nobody_in(daemon: Daemon) -> None:
    secret = make_token(daemon)
    file = daemon.settings.tokens_file
    file.chmod(0o644)
    os.utime(file)
    refused(call(daemon, secret), 507, "storage.unavailable")
    file.chmod(0o600)
    content = file.read_text()
    file.write_text(content[:-3])
    refused(call(daemon, secret), 507, "storage.unavailable")
    assert call(daemon, TOKEN).status_code == 200
    file.write_text(content)
    assert call(daemon, secret).status_code == 200


def test_a_change_that_fails_leaves_the_old_file_and_nothing_else(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = make_token(daemon)
    folder = daemon.settings.tokens_file.parent
    before = sorted(file.name for file in folder.iterdir())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageUnavailable):
            TokenFile(daemon.settings.tokens_file).revoke("till")
    assert sorted(file.name for file in folder.iterdir()) == before
    assert call(daemon, secret).status_code == 200


def test_what_root_makes_belongs_to_the_owner_of_the_folder(tmp_path: Path, cardiod: Any) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root makes files for others")
    os.chown(tmp_path, 4321, 4321)
    made(cardiod, "till-1")
    assert (tmp_path / "tokens.json").stat().st_uid == 4321


# ---- its bounds ----------------------------------------------------------------------------------------------


def test_an_expired_token_is_401_and_says_so(daemon: Daemon) -> None:
    secret = make_token(daemon, expires=now() - timedelta(seconds=1))
    assert "expired" in refused(call(daemon, secret), 401, "client.unauthorised")["detail"]
    assert call(daemon, make_token(daemon, "other", expires=now() + timedelta(hours=1))).status_code == 200


def test_a_token_does_nothing_beyond_its_scopes(daemon: Daemon) -> None:
    secret = make_token(daemon, scopes=frozenset({Scope.READ_CARD}))
    assert call(daemon, secret).status_code == 200
    refused(debit(daemon, secret, "k"), 403, "client.forbidden")


@pytest.mark.parametrize("header", ["Bearer", "bearer x", "Basic dGlsbA==", ""])
def test_half_a_token_is_401(daemon: Daemon, header: str) -> None:
    make_token(daemon)
    refused(call(daemon, None, headers={"Authorization": header}), 401, "client.unauthorised")


def test_without_any_token_the_port_answers_nobody(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(token_sha256="")
    refused(call(daemon, None), 401, "client.unauthorised")
    assert call(daemon, None, path="/healthz").status_code == 200
