"""What the wheel brings besides the program."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

from cardiod.settings import load_settings
from tests.installation.machine import ROOT

SHIPPED = {
    "cardiod.toml": "daemon/cardiod.toml",
    "systemd/cardiod.service": "daemon/systemd/cardiod.service",
    "systemd/cardiod.socket": "daemon/systemd/cardiod.socket",
    "systemd/serial-readers.conf": "daemon/systemd/serial-readers.conf",
    "systemd/sysusers.conf": "daemon/systemd/sysusers.conf",
    "polkit/50-cardio.rules": "daemon/polkit/50-cardio.rules",
    "udev/70-cardio.rules": "udev/70-cardio.rules",
    "udev/93-cardio.rules": "udev/93-cardio.rules",
}


def test_the_wheel_brings_what_makes_a_service_of_the_program(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        shared = {
            name.partition("/data/share/cardio/")[2]: archive.read(name)
            for name in archive.namelist()
            if "/data/share/cardio/" in name
        }
    assert shared == {name: (ROOT / source).read_bytes() for name, source in SHIPPED.items()}


def test_the_configuration_that_is_shipped_is_valid_and_puts_the_journal_where_the_unit_does() -> None:
    assert load_settings(ROOT / SHIPPED["cardiod.toml"]).journal == Path("/var/lib/cardio/journal.db")


def test_every_key_in_its_comments_is_known(tmp_path: Path) -> None:
    """All of it at once would not open, but it must be read without a complaint about a key."""
    lines = (ROOT / SHIPPED["cardiod.toml"]).read_text(encoding="utf-8").splitlines()
    examples = [line.removeprefix("# ") for line in lines if line.startswith("# ") and is_toml(line[2:])]
    file = tmp_path / "cardiod.toml"
    plain = [line for line in examples if not line.startswith("[")]
    assert len(plain) > 15
    file.write_text("\n".join(examples), encoding="utf-8")
    loaded = load_settings(file)
    assert loaded.hsm is not None
    assert loaded.load_host is not None
    assert loaded.display is not None


def is_toml(line: str) -> bool:
    """Whether a comment is a line of an example, not of prose."""
    return line.startswith("[") or (" = " in line and line.split(" = ")[0].isidentifier())
