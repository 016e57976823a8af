"""The units as they are shipped: systemd finds nothing to say about them, and little that an attacker could use."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from cardio.readers.watch import CALL_LIMIT, PIN_ENTRY
from cardiod.service import SHUTDOWN_TIMEOUT
from cardiod.settings import SYSTEM_SOCKET
from tests.daemon.processes import CARDIOD
from tests.installation.machine import ROOT
from tests.summary import SUMMARY

UNITS = ROOT / "daemon" / "systemd"
EXPOSURE = 20
"""Tenths of systemd's scale of 0 to 10; below 2.0 it says OK, and pcscd's own unit is no better."""

# $1 folder with the units, $2 where the command really is, $3... what to verify.
VERIFY = """
mount -t tmpfs tmpfs /opt && mkdir -p /opt/cardio/bin && ln -s "$2" /opt/cardio/bin/cardiod
export SYSTEMD_UNIT_PATH="$1:/lib/systemd/system"
shift 2
exec systemd-analyze verify --man=no "$@"
"""


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, installed with the drop-in for serial readers."""
    folder = tmp_path / "units"
    (folder / "cardiod.service.d").mkdir(parents=True)
    for name in ("cardiod.service", "cardiod.socket"):
        (folder / name).write_bytes((UNITS / name).read_bytes())
    drop_in = "serial-readers.conf"
    (folder / "cardiod.service.d" / drop_in).write_bytes((UNITS / drop_in).read_bytes())
    return folder


def verify(units: Path) -> subprocess.CompletedProcess[str]:
    """`systemd-analyze verify`, where the command is installed as the unit says."""
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    files = [units / "cardiod.service", units / "cardiod.socket"]
    return subprocess.run(
        [*namespace, "sh", "-c", VERIFY, "sh", units, CARDIOD.resolve(), *files],
        capture_output=True,
        text=True,
        check=False,
    )


def service(name: str = "cardiod.service") -> dict[str, list[str]]:
    """Settings of a unit, each with all its values."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text(encoding="utf-8").splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def seconds(name: str) -> float:
    return float(service()[name][0])


def test_systemd_has_nothing_to_say_about_the_units(units: Path) -> None:
    done = verify(units)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("ProtectSystem=strict", "ProtectSytem=strict"),
        ("ProtectHome=yes", "ProtectHome=always"),
        ("/opt/cardio/bin/cardiod", "/opt/cardio/cardiod"),
        ("@system-service", "@sytem-service"),
    ],
)
def test_systemd_would_say_so_if_there_were(units: Path, right: str, wrong: str) -> None:
    file = units / "cardiod.service"
    content = file.read_text()
    assert right in content
    file.write_text(content.replace(right, wrong))
    assert verify(units).stderr


def test_the_service_is_exposed_to_little() -> None:
    judged = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}"]
    done = subprocess.run([*judged, UNITS / "cardiod.service"], capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for cardiod.service: ([0-9.]+)", done.stdout)
    assert found is not None, done.stderr
    SUMMARY["exposure"] = f"systemd-analyze security: exposure level {found[1]} of cardiod.service"
    assert float(found[1]) * 10 <= EXPOSURE
    assert done.returncode == 0


HARDENED = (
    "NoNewPrivileges",
    "ProtectHome",
    "PrivateTmp",
    "PrivateDevices",
    "ProtectClock",
    "ProtectKernelTunables",
    "ProtectKernelModules",
    "ProtectKernelLogs",
    "ProtectControlGroups",
    "MemoryDenyWriteExecute",
)


def test_what_the_operations_chapter_asks_for_is_in_the_unit() -> None:
    """OPS §4.13, subject systemd."""
    given = service()
    for name in HARDENED:
        assert given[name] == ["yes"], name
    assert given["Type"] == ["notify"]
    assert given["ProtectSystem"] == ["strict"]
    assert given["RestrictAddressFamilies"] == ["AF_UNIX AF_INET AF_INET6"]
    assert given["SystemCallFilter"] == ["@system-service"]
    assert given["CapabilityBoundingSet"] == [""]
    assert given["UMask"] == ["0077"]
    assert (given["User"], given["StateDirectory"], given["RuntimeDirectory"]) == (["cardio"], ["cardio"], ["cardio"])


def test_systemd_waits_longer_than_the_daemon_and_the_daemon_longer_than_a_card() -> None:
    """Else a debit would be cut between ARMED and its proof."""
    assert SHUTDOWN_TIMEOUT >= PIN_ENTRY + 2 * CALL_LIMIT
    assert seconds("TimeoutStopSec") >= SHUTDOWN_TIMEOUT + CALL_LIMIT


def test_a_hung_service_leaves_no_core_with_keys_behind() -> None:
    assert service()["LimitCORE"] == ["0"]
    assert service()["Environment"] == ["PYTHONFAULTHANDLER=1"]


def test_the_socket_is_where_callers_look_for_it() -> None:
    socket = service("cardiod.socket")
    assert socket["ListenStream"] == [str(SYSTEM_SOCKET)]
    assert (socket["SocketGroup"], socket["SocketMode"]) == (["cardio"], ["0660"])
