"""`cardio wallet debit` and `cardio wallet load` through the daemon that holds the journal."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cardio.cli.main import app
from cardio.files.dates import encode_time
from cardio.ledger.ledger import now
from cardio.security.software_load_host import BookingState, SoftwareLoadHost
from cardio.virtual.card import Moment
from cardio.virtual.hosts import load_host
from cardiod.client import commands
from cardiod.service import run_token
from cardiod.settings import PeerRule
from tests.counter import tear, wallet_of
from tests.daemon.conftest import TOKEN, Daemon, StartDaemon
from tests.daemon.proxy import Trouble, fault_proxy


@pytest.fixture
def host() -> SoftwareLoadHost:
    """The load host of the daemon."""
    return load_host(lambda: encode_time(now()))


@pytest.fixture
def daemon(start_daemon: StartDaemon, host: SoftwareLoadHost, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    """A daemon with a load host, whose address the environment tells."""
    return told(start_daemon(host=host), monkeypatch)


def told(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    monkeypatch.setenv("CARDIO_URL", daemon.url)
    monkeypatch.setenv("CARDIO_TOKEN", TOKEN)
    return daemon


def cardio(daemon: Daemon, *arguments: str, stdin: str | None = None) -> Result:
    command = ["wallet", *arguments, "--journal", str(daemon.settings.journal)]
    return CliRunner().invoke(app, command, input=stdin)


def balance(daemon: Daemon) -> int:
    card: Any = daemon.citizen.card
    return wallet_of(card).balance


def test_a_load_goes_through_the_load_host_of_the_daemon(daemon: Daemon, host: SoftwareLoadHost) -> None:
    daemon.citizen.pin_pad = daemon.pad
    arguments = ("load", "50", "--reference", "TOP-UP", "--key", "k", "--reader", "citizen", "--json")
    first, again = (cardio(daemon, *arguments) for _ in range(2))
    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    document = json.loads(first.stdout)
    assert (document["operation"], document["state"], document["balance_after_fen"]) == ("load", "completed", 15000)
    assert json.loads(again.stdout) == document
    assert host.bookings[document["id"]].state is BookingState.CONFIRMED
    assert balance(daemon) == 15000


def test_what_the_daemon_of_a_test_logs_is_not_in_the_output_of_a_command(daemon: Daemon) -> None:
    with CliRunner().isolation() as (_, __, output):
        daemon.take_citizen_out()
        assert b"card removed" not in output.getvalue()


def test_a_wrong_pin_is_told_and_nothing_was_loaded(daemon: Daemon) -> None:
    wrong = cardio(daemon, "load", "50", "--pin", stdin="000000\n")
    assert (wrong.exit_code, balance(daemon)) == (4, 10000)
    assert "pin." in wrong.stderr
    assert "nothing was loaded" in wrong.stderr
    assert "000000" not in wrong.output


def test_without_a_load_host_nothing_is_loaded_and_the_exit_code_is_6(
    start_daemon: StartDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = told(start_daemon(), monkeypatch)
    daemon.citizen.pin_pad = daemon.pad
    done = cardio(daemon, "load", "50", "--wait", "5")
    assert (done.exit_code, "host.missing" in done.stderr) == (6, True)
    assert "nothing was loaded" in done.stderr
    assert balance(daemon) == 10000


def test_without_a_daemon_nothing_is_loaded_and_the_exit_code_is_6(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CARDIO_URL", raising=False)
    monkeypatch.delenv("CARDIO_TOKEN", raising=False)
    monkeypatch.setenv("CARDIO_SOCKET", str(tmp_path / "none"))
    done = CliRunner().invoke(app, ["wallet", "load", "50", "--journal", str(tmp_path / "journal.db")])
    assert (done.exit_code, "service.unavailable" in done.stderr) == (6, True)
    assert "nothing was loaded" in done.stderr


def test_a_debit_uses_the_daemon_that_holds_the_journal(daemon: Daemon) -> None:
    done = cardio(daemon, "debit", "12.34", "--key", "k")
    assert (done.exit_code, balance(daemon)) == (0, 8766), done.output
    assert "WALLET PURCHASE" in done.stdout
    refused = cardio(daemon, "debit", "900")
    assert (refused.exit_code, "funds.insufficient" in refused.stderr) == (4, True)
    assert "nothing was debited" in refused.stderr


def test_a_torn_debit_is_exit_code_5_and_the_same_key_tells_its_end(daemon: Daemon) -> None:
    card: Any = daemon.citizen.card
    tear(card, Moment.AFTER_COMMIT)
    torn = cardio(daemon, "debit", "12.34", "--key", "k", "--wait", "1")
    assert (torn.exit_code, "transaction.uncertain" in torn.stderr) == (5, True)
    assert "unknown whether the card was debited" in torn.stderr
    daemon.citizen.insert(card)
    assert cardio(daemon, "debit", "12.34", "--key", "k", "--wait", "10").exit_code == 0
    assert balance(daemon) == 8766


def test_a_lost_answer_is_exit_code_5_with_the_key_to_ask_again(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "PATIENCE_S", 0.15)
    with fault_proxy(daemon.url) as proxy:
        monkeypatch.setenv("CARDIO_URL", proxy.url)
        proxy.plan.extend([Trouble.LOST] * 9)
        lost = cardio(daemon, "debit", "12.34")
        assert (lost.exit_code, "unknown whether the card was debited" in lost.stderr) == (5, True)
        assert f"key {proxy.keys[0]}" in lost.stderr
        proxy.plan.clear()
        assert cardio(daemon, "debit", "12.34", "--key", proxy.keys[0]).exit_code == 0
    assert balance(daemon) == 8766


def test_the_unix_socket_is_used_where_no_address_is_told(
    start_daemon: StartDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = start_daemon(socket=tmp_path / "s", peers=(PeerRule(user=str(os.getuid())),))
    monkeypatch.delenv("CARDIO_URL", raising=False)
    monkeypatch.delenv("CARDIO_TOKEN", raising=False)
    monkeypatch.setenv("CARDIO_SOCKET", str(tmp_path / "s"))
    assert cardio(daemon, "debit", "1").exit_code == 0
    assert balance(daemon) == 9900


def test_the_token_of_a_run_is_found_beside_its_journal(
    start_daemon: StartDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = start_daemon(journal=tmp_path / "other.db").settings.model_copy(
        update={"token_sha256": "", "journal": tmp_path / "journal.db"}
    )
    with run_token(plain) as known:
        daemon = start_daemon(token_sha256=known.token_sha256)
        monkeypatch.setenv("CARDIO_URL", daemon.url)
        monkeypatch.delenv("CARDIO_TOKEN", raising=False)
        assert cardio(daemon, "debit", "1").exit_code == 0
