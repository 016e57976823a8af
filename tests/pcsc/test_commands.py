"""The commands on a real pcscd, as a newcomer runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardio.applications.medical import CardMode
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.vpcd import VpcdLink
from tests.counter import eventually
from tests.daemon_process import TOKEN, running

pytestmark = pytest.mark.pcsc

BIN = Path(sys.executable).parent


def command(name: str, *arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(BIN / name), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
        input=typed,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.fixture
def readers(pcscd: PrivatePcscd) -> Iterator[list[str]]:
    """A social security card, a citizen card and a PSAM in three readers."""
    social = social_security_card(mode=CardMode.OFFLINE, balance_fen=50000, pin="")
    with (
        VpcdLink(social, port=pcscd.port(0)),
        VpcdLink(citizen_card(), port=pcscd.port(1)),
        VpcdLink(psam(), port=pcscd.port(2)),
    ):
        # pcscd looks at its slots every 0.4 s
        eventually(lambda: command("cardio", "readers").stdout.count("card") == 3)
        yield pcscd.readers


def test_readers_are_listed(readers: list[str]) -> None:
    listed = json.loads(command("cardio", "readers", "--json").stdout)
    assert {entry["name"]: entry["card_present"] for entry in listed}.items() >= {
        readers[0]: True,
        readers[3]: False,
    }.items()


def test_a_card_is_read(readers: list[str]) -> None:
    done = command("cardio", "read", "--reader", readers[0], "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["holder"]["data"]["name"] == "测试甲"


def test_a_masked_read_shows_no_person(readers: list[str]) -> None:
    done = command("cardio", "read", "--reader", readers[0], "--masked")
    assert "测试甲" not in done.stdout
    assert "999999199001010016" not in done.stdout


def test_balances_and_logs(readers: list[str]) -> None:
    assert json.loads(command("cardio", "wallet", "balance", "--json").stdout)["balance_fen"] == 10000
    assert json.loads(command("cardio", "account", "balance", "--json").stdout)["balance_fen"] == 50000
    assert json.loads(command("cardio", "account", "log", "--json").stdout) == []


def test_a_debit_with_its_key_repeated(readers: list[str], tmp_path: Path) -> None:
    arguments = ("wallet", "debit", "12.34", "--reference", "S", "--key", "k", "--json")
    journal = ("--journal", str(tmp_path / "journal.db"))
    first, again = (command("cardio", *arguments, *journal) for _ in range(2))
    assert (first.returncode, again.returncode) == (0, 0)
    assert json.loads(first.stdout) == json.loads(again.stdout)
    assert json.loads(first.stdout)["balance_after_fen"] == 8766
    assert json.loads(command("cardio", "wallet", "balance", "--json").stdout)["balance_fen"] == 8766


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("wallet", "debit", "0"), "amount.invalid", 2),
        (("wallet", "debit", "12.345"), "amount.invalid", 2),
        (("wallet", "debit", "999"), "funds.insufficient", 4),
        (("wallet", "balance", "--reader", "nowhere"), "reader.unavailable", 3),
        (("wallet", "balance", "--reader", "Virtual PCD 2 00 01"), "card.absent", 3),
        (("read",), "card.multiple", 3),
        (("wallet", "debit", "1", "--sam", "nowhere"), "sam.absent", 6),
    ],
)
def test_what_goes_wrong_is_told_in_both_languages_with_its_exit_code(
    readers: list[str], tmp_path: Path, arguments: tuple[str, ...], code: str, exit_code: int
) -> None:
    journal = ("--journal", str(tmp_path / "journal.db")) if "debit" in arguments else ()
    done = command("cardio", *arguments, *journal)
    assert done.returncode == exit_code
    assert code in done.stderr
    assert "错误" in done.stderr
    if "debit" in arguments:
        assert "nothing was debited" in done.stderr


def test_without_pcscd_the_exit_code_is_6() -> None:
    done = command("cardio", "readers", PCSCLITE_CSOCK_NAME="/nonexistent/pcscd.comm")
    assert (done.returncode, "reader.service" in done.stderr) == (6, True)


@pytest.mark.parametrize("flags", [(), ("--pcsc",)])
def test_the_demo_adds_up_to_the_fen(flags: tuple[str, ...]) -> None:
    environment = dict(os.environ)
    environment.pop("PCSCLITE_CSOCK_NAME", None)
    done = subprocess.run(
        [str(BIN / "cardiod"), "demo", "--once", *flags],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    for expected in ("测试甲", "测试乙", "¥100.00 - ¥12.34 = ¥87.66", "TAC", "医疗结算凭证", "MEDICAL SETTLEMENT"):
        assert expected in done.stdout
    assert "three cards made from blank ones" in done.stdout
    assert "wallet checked: ¥61.55" in done.stdout
    assert "every fen adds up" in done.stdout
    assert done.stderr == ""


def test_a_command_uses_the_daemon_that_holds_the_journal(readers: list[str], tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        done = command(
            "cardio",
            "wallet",
            "debit",
            "1.00",
            "--journal",
            str(daemon.journal),
            "--wait",
            "10",
            "--json",
            CARDIO_URL=daemon.url,
            CARDIO_TOKEN=TOKEN,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["state"] == "completed"
        refused = command("cardio", "wallet", "debit", "1.00", "--journal", str(daemon.journal))
        assert refused.returncode == 6
        assert "service.unavailable" in refused.stderr
