"""The units as they are shipped, run by the real systemd: nothing that protects the service keeps it from its work."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from cardio.security.keyring import Keyring, RootKey
from cardio.virtual.cards import citizen_card, psam
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.vpcd import VpcdLink
from tests.counter import eventually
from tests.daemon.processes import get, post
from tests.installation.machine import PAGE, PATIENCE, Machine, installation
from tests.privileges import NEEDS_ROOT

pytestmark = NEEDS_ROOT

SOCKET = "/run/cardio/cardio.sock"
SALE = {"purse": "wallet", "amount_fen": 1234, "reference": "sale", "wait_s": 20}


@pytest.mark.pcsc
def test_the_first_caller_starts_the_service_which_takes_a_debit_under_all_its_protection(
    pcscd: PrivatePcscd, tmp_path: Path, wheel: Path
) -> None:
    with (
        VpcdLink(citizen_card(balance_fen=10000), port=pcscd.port(0)),
        VpcdLink(psam(), port=pcscd.port(1)),
        Machine(tmp_path / "shared", wheel, pcscd=pcscd.socket.parent) as machine,
    ):
        machine.systemctl("start", "cardiod.socket")
        assert machine.show("ActiveState") == "inactive"
        paid = post(machine.path(SOCKET), "/v1/debit", SALE, "k")
        assert paid.json()["state"] == "completed"
        assert machine.show("ActiveState") == "active"

        process = machine.show("MainPID")
        status = machine.run("cat", f"/proc/{process}/status").stdout
        for line in ("NoNewPrivs:\t1", "Seccomp:\t2", f"CapBnd:\t{0:016x}", f"CapEff:\t{0:016x}", "Umask:\t0077"):
            assert line in status
        limits = machine.run("cat", f"/proc/{process}/limits").stdout
        assert "Max core file size        0" in limits
        inside = ["nsenter", f"--target={process}", "--mount"]
        for closed in ("/etc", "/usr", "/opt/cardio"):
            refused = machine.run(*inside, "touch", f"{closed}/x")
            assert "Read-only file system" in refused.stderr
        assert machine.run(*inside, "ls", "/dev/mem", "/dev/tty0").stdout == ""
        assert machine.run("stat", "--format=%U %a", "/var/lib/cardio/journal.db").stdout == "cardio 600\n"

        machine.systemctl("stop", "cardiod.service")
        assert (machine.show("Result"), machine.show("ExecMainStatus")) == ("success", "0")
        again = post(machine.path(SOCKET), "/v1/debit", SALE, "k")
        assert again.content == paid.content
        assert machine.show("NRestarts") == "0"


def test_a_service_that_hangs_is_ended_and_started_anew(tmp_path: Path, wheel: Path) -> None:
    with Machine(tmp_path / "shared", wheel, drop_in="WatchdogSec=2\nTimeoutAbortSec=1\nRestartSec=0\n") as machine:
        machine.systemctl("start", "cardiod.service")
        first = machine.show("MainPID")
        machine.run("kill", f"-{signal.SIGSTOP.value}", first)
        eventually(lambda: machine.show("NRestarts") == "1" and machine.show("ActiveState") == "active", PATIENCE)
        assert machine.show("MainPID") != first
        assert get(machine.path(SOCKET)).is_success


def test_a_wrong_configuration_is_not_tried_again_and_again(tmp_path: Path, wheel: Path) -> None:
    with Machine(tmp_path / "shared", wheel, drop_in="Environment=CARDIO_LOG_LEVEL=loud\nRestartSec=0\n") as machine:
        assert machine.run("systemctl", "start", "cardiod.service").returncode == 1
        assert (machine.show("ActiveState"), machine.show("NRestarts")) == ("failed", "0")
        assert machine.show("ExecMainStatus") == "2"
        assert "log_level" in machine.log


def test_a_credential_of_systemd_opens_the_keyring(tmp_path: Path, wheel: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    Keyring("keys", {"DPK": RootKey(bytes(16), 1)}, test=True).save(shared / "keyring", "correct horse")
    (shared / "words").touch(0o600)
    (shared / "words").write_text("correct horse")
    section = '{"file": "/run/shared/keyring", "passphrase_file": "credential:words"}'
    drop_in = f"LoadCredential=words:/run/shared/words\nEnvironment='CARDIO_KEYRING={section}'\n"
    with Machine(shared, wheel, drop_in=drop_in) as machine:
        user = machine.path("/etc/passwd").read_text().split("\ncardio:x:")[1].split(":")
        os.chown(shared / "keyring", int(user[0]), int(user[1]))
        machine.systemctl("start", "cardiod.service")
        assert get(machine.path(SOCKET)).is_success


OF_THE_MACHINE = {"clock.synchronized", "storage.durable", "storage.space", "storage.sync"}
"""Checks whose outcome is up to the computer that runs the tests."""


@pytest.mark.pcsc
def test_the_doctor_finds_nothing_on_a_machine_installed_as_the_page_says(
    pcscd: PrivatePcscd, tmp_path: Path, wheel: Path
) -> None:
    with (
        VpcdLink(citizen_card(balance_fen=10000), port=pcscd.port(0)),
        VpcdLink(psam(), port=pcscd.port(1)),
        Machine(tmp_path / "shared", wheel, pcscd=pcscd.socket.parent) as machine,
    ):
        start, examine = installation()[-2:]
        before = examined(machine, examine)
        assert {name for name, outcome in before.items() if outcome != "ok"} - OF_THE_MACHINE == {
            "systemd.enabled",
            "socket",
            "storage.folder",
        }
        assert machine.run("sh", "-e", "-c", start).returncode == 0
        running = examined(machine, examine)
        assert {name for name, outcome in running.items() if outcome != "ok"} <= OF_THE_MACHINE
        assert list(running) == printed_on_the_page()
        assert machine.run("find", "/var/lib/cardio", "!", "-user", "cardio").stdout == ""

        machine.systemctl("stop", "cardiod.socket", "cardiod.service")
        stopped = examined(machine, examine)
        assert {name for name, outcome in stopped.items() if outcome != "ok"} - OF_THE_MACHINE == {"socket"}
        assert machine.run("find", "/var/lib/cardio", "!", "-user", "cardio").stdout == ""


def examined(machine: Machine, command: str) -> dict[str, str]:
    """Outcomes of the doctor's checks."""
    done = machine.run("sh", "-c", f"{command} --json")
    assert done.returncode in {0, 6}, done.stderr
    return {one["name"]: one["outcome"] for one in json.loads(done.stdout)["checks"]}


def printed_on_the_page() -> list[str]:
    """Checks in the example of the page, in their order."""
    return re.findall(r"^[✓!✗] ([a-z.-]+): ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
