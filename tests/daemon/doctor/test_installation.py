"""Units and rules: missing, of another version, wrong. That the right ones work is for `tests/installation`."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from cardio.cli.doctor.findings import Outcome
from cardiod.doctor import installation
from cardiod.doctor.installation import shipped
from cardiod.doctor.site import Site
from tests.daemon.doctor.conftest import MakeSite
from tests.daemon.processes import CARDIOD
from tests.privileges import NEEDS_ROOT, as_nobody


def install(site: Site, file: Path, folder: str, content: str | None = None) -> None:
    place = site.root / folder / file.name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(file.read_text(encoding="utf-8") if content is None else content, encoding="utf-8")


def test_everything_that_is_to_be_installed_is_there() -> None:
    files = [
        *(shipped("udev", rule) for rule in installation.UDEV_RULES),
        *(shipped("systemd", name) for name in ("cardiod.service", "cardiod.socket", "sysusers.conf")),
        shipped("polkit", installation.POLKIT_RULE),
    ]
    assert [file for file in files if not file.is_file()] == []


# ---- udev --------------------------------------------------------------------------------------------------------


def test_udev_rules_that_are_missing_are_told_with_the_way_to_install_them(site: MakeSite) -> None:
    made = site()
    install(made, shipped("udev", "70-cardio.rules"), "etc/udev/rules.d")
    found = installation.udev_rules(made)
    assert found.outcome is Outcome.WARN
    assert found.text.en.endswith(": 93-cardio.rules")
    assert found.remedy is not None
    assert str(shipped("udev", "*.rules")) in found.remedy.en


@pytest.mark.parametrize("folder", installation.UDEV_FOLDERS)
def test_udev_rules_are_found_wherever_udev_looks(site: MakeSite, folder: str) -> None:
    made = site()
    for rule in installation.UDEV_RULES:
        install(made, shipped("udev", rule), folder)
    assert installation.udev_rules(made).outcome is Outcome.OK


def test_udev_rules_of_another_version_are_told(site: MakeSite) -> None:
    made = site()
    for rule in installation.UDEV_RULES:
        install(made, shipped("udev", rule), "etc/udev/rules.d", "# of another version\n")
    assert installation.udev_rules(made).outcome is Outcome.WARN


# ---- systemd -----------------------------------------------------------------------------------------------------


def test_a_unit_that_is_not_installed_is_told(site: MakeSite) -> None:
    assert installation.unit(site()).outcome is Outcome.WARN


@pytest.mark.parametrize(
    ("right", "wrong", "outcome"),
    [
        ("Type=notify", "Type=notify", Outcome.OK),
        ("ProtectSystem=strict", "ProtectSytem=strict", Outcome.FAIL),
        ("Type=notify", "Type=sometimes", Outcome.FAIL),
    ],
)
def test_systemds_own_opinion_of_the_unit_is_told(site: MakeSite, right: str, wrong: str, outcome: Outcome) -> None:
    made = site()
    content = shipped("systemd", "cardiod.service").read_text(encoding="utf-8")
    content = content.replace("/opt/cardio/bin/cardiod", str(CARDIOD)).replace(right, wrong)
    install(made, shipped("systemd", "cardiod.service"), "etc/systemd/system", content)
    found = installation.unit(made)
    assert found.outcome is outcome, found


def test_a_computer_without_systemd_is_told(site: MakeSite) -> None:
    assert installation.enabled(site()).outcome is Outcome.WARN


def test_a_service_that_is_not_started_with_the_computer_is_told(site: MakeSite) -> None:
    made = site()
    (made.root / "run/systemd/system").mkdir(parents=True)
    found = installation.enabled(made)
    assert found.outcome is Outcome.WARN
    assert found.remedy is not None
    assert found.remedy.en.startswith("systemctl enable")


# ---- polkit: its own answer is in tests/installation/test_polkit.py ---------------------------------------------


def test_without_polkit_no_rule_is_needed(site: MakeSite) -> None:
    assert installation.polkit(site("nobody-of-that-name")).outcome is Outcome.OK


def test_with_polkit_the_rule_must_be_there(site: MakeSite) -> None:
    made = site("nobody-of-that-name")
    name, folder = installation.POLICY
    install(made, Path(name), folder, "<policyconfig/>")
    assert installation.polkit(made).outcome is Outcome.WARN
    install(made, shipped("polkit", installation.POLKIT_RULE), "etc/polkit-1/rules.d")
    assert installation.polkit(made).outcome is Outcome.OK


@NEEDS_ROOT
def test_a_folder_of_rules_that_may_not_be_looked_into_is_no_obstacle(site: MakeSite) -> None:
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        made = replace(site("nobody-of-that-name"), root=Path(root))
        name, folder = installation.POLICY
        install(made, Path(name), folder, "<policyconfig/>")
        (made.root / "etc/polkit-1").mkdir(parents=True)
        (made.root / "etc/polkit-1/rules.d").mkdir(mode=0o700)
        with as_nobody():
            assert installation.polkit(made).outcome is Outcome.WARN
