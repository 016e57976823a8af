"""`cardiod shift` and `cardiod batch`, against a daemon that runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cardio.errors import ExitCode
from cardiod.main import app
from tests.daemon.conftest import TOKEN, Daemon

DEBIT = {"purse": "wallet", "amount_fen": 1234, "reference": "sale", "operator": "李雷"}


@pytest.fixture
def counter(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    """A daemon whose address and token the commands find in their environment."""
    monkeypatch.setenv("CARDIO_URL", daemon.url)
    monkeypatch.setenv("CARDIO_TOKEN", TOKEN)
    return daemon


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def answer(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == ExitCode.DONE, result.output
    return json.loads(result.stdout)


def debit(daemon: Daemon) -> None:
    done = daemon.http("POST", "/v1/debit", json=DEBIT, headers={"Idempotency-Key": "k"})
    assert done.status_code == 201


def test_a_shift_is_opened_worked_and_closed_with_its_totals_and_heads(counter: Daemon) -> None:
    opened = answer("shift", "open", "李雷", "--lane", "3")
    debit(counter)
    closed = answer("shift", "close", "李雷", "--lane", "3")
    assert closed["id"] == opened["id"]
    assert [(one["state"], one["count"], one["amount_fen"]) for one in closed["totals"]] == [("completed", 1, 1234)]
    assert closed["closed_head"]["seq"] > closed["opened_head"]["seq"]


def test_the_slip_shows_operator_sums_and_the_head_of_the_chain(counter: Daemon) -> None:
    run("shift", "open", "李雷")
    debit(counter)
    slip = run("shift", "close", "李雷").stdout
    head = counter.http("GET", "/v1/shifts").json()["shifts"][0]["closed_head"]
    assert "李雷" in slip
    assert "¥12.34" in slip
    assert head["hash"] in slip.replace("\n", "")


def test_a_second_shift_of_an_operator_and_one_that_was_never_opened_are_refused(counter: Daemon) -> None:
    run("shift", "open", "李雷")
    assert "shift.open" in run("shift", "open", "李雷").stderr
    never = run("shift", "close", "韩梅梅")
    assert never.exit_code == ExitCode.REFUSED
    assert "shift.unknown" in never.stderr


def test_a_batch_is_closed_once_and_listed_with_what_waits(counter: Daemon) -> None:
    debit(counter)
    assert answer("batch", "status")["waiting"]["records"] == 1
    closed = answer("batch", "close")
    assert (closed["number"], closed["records"], closed["sums"][0]["amount_fen"]) == (1, 1, 1234)
    assert "batch.empty" in run("batch", "close").stderr
    listed = run("batch", "status").stdout
    assert closed["hash"][:16] in listed
    assert "¥12.34" in listed


def test_without_a_daemon_the_commands_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARDIO_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("CARDIO_TOKEN", TOKEN)
    for command in (["shift", "open", "李雷"], ["batch", "close"], ["batch", "status"]):
        result = run(*command)
        assert result.exit_code == ExitCode.UNAVAILABLE
        assert "service.unavailable" in result.stderr
