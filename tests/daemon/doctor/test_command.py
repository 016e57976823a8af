"""`cardiod doctor` as a command: its exit codes, its two languages, its JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cardio.cli.doctor.checks import connected_readers, reader_service
from cardio.cli.doctor.findings import Finding, Outcome, Text, examine, exit_code, fail, ok, warn
from cardio.errors import ReaderUnavailable, Source
from cardio.transport.channel import Channel, SlotState
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.cards import psam
from cardiod.doctor import clock, sams
from cardiod.doctor.site import Site
from cardiod.main import app
from cardiod.sections import KeyringSection
from tests.daemon.conftest import StartDaemon
from tests.daemon.doctor.conftest import MakeSite

# The command looks for readers in this process, whose PC/SC library keeps the first pcscd it meets.
pytestmark = [pytest.mark.pcsc, pytest.mark.usefixtures("pcscd")]

A, B = Text("甲", "a"), Text("乙", "b")


def doctor(tmp_path: Path, *arguments: str, config: str = "") -> Any:
    """The command, with a configuration."""
    file = tmp_path / "cardiod.toml"
    file.write_text(f"journal = '{tmp_path / 'journal.db'}'\nport = 0\n{config}", encoding="utf-8")
    return CliRunner().invoke(app, ["doctor", "--config", str(file), *arguments])


# ---- findings ----------------------------------------------------------------------------------------------------


def test_only_what_fails_makes_the_exit_code_6() -> None:
    assert exit_code([ok("a", A), warn("b", A, B)]) == 0
    assert exit_code([ok("a", A), fail("b", A, B)]) == 6


def test_a_check_that_breaks_is_a_finding_and_tells_no_value() -> None:
    def broken() -> Finding:
        raise ValueError("canary")

    found = examine([broken, lambda: ok("next", A)])
    assert [(one.name, one.outcome) for one in found] == [("doctor", Outcome.FAIL), ("next", Outcome.OK)]
    assert "ValueError" in found[0].text.en
    assert "canary" not in str(found)


# ---- the command -------------------------------------------------------------------------------------------------


def test_every_finding_is_told_in_both_languages_with_a_remedy_where_one_is_needed(tmp_path: Path) -> None:
    result = doctor(tmp_path, "--json", "--user", "nobody-of-that-name")
    assert result.exit_code == 6
    checks = json.loads(result.stdout)["checks"]
    assert len({one["name"] for one in checks}) == len(checks) > 20
    assert "paths" not in json.loads(result.stdout)
    for one in checks:
        assert one["zh"]
        assert any("\u4e00" <= character <= "\u9fff" for character in one["zh"])
        assert one["en"].isascii()
        assert (one["outcome"] == "ok") is ("remedy_zh" not in one) is ("remedy_en" not in one)


def test_people_see_marks_and_both_languages(tmp_path: Path) -> None:
    shown = doctor(tmp_path, "--user", "nobody-of-that-name").stdout
    assert "✗ account: 没有用户nobody-of-that-name / there is no user nobody-of-that-name\n    → " in shown
    assert "✓ config: " in shown


def test_a_configuration_that_is_wrong_is_the_one_finding(tmp_path: Path) -> None:
    result = doctor(tmp_path, "--json", config="portt = 1")
    assert result.exit_code == 6
    (only,) = json.loads(result.stdout)["checks"]
    assert (only["name"], only["outcome"]) == ("config", "fail")
    assert "portt" in only["en"]


def test_the_ways_of_a_page_are_told_and_count_for_nothing(tmp_path: Path) -> None:
    result = doctor(tmp_path, "--json", "--page", "http://10.1.2.3/", "--browser", "chrome 147")
    paths = {one["name"]: one["outcome"] for one in json.loads(result.stdout)["paths"]}
    assert list(paths) == ["browser.call", "browser.console", "browser.server", "browser.websocket"]
    assert paths["browser.call"] == "fail"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--page", "https://his.example"],
        ["--browser", "chrome 147"],
        ["--page", "his.example", "--browser", "chrome 147"],
        ["--page", "https://his.example", "--browser", "chrome"],
    ],
)
def test_half_a_question_about_a_page_is_wrong_usage(tmp_path: Path, arguments: list[str]) -> None:
    assert doctor(tmp_path, *arguments).exit_code == 2


# ---- readers, keys, clock ----------------------------------------------------------------------------------------


class Refusing(EmbeddedDriver):
    """pcscd, as polkit keeps us from it."""

    def readers(self) -> dict[str, SlotState]:
        raise ReaderUnavailable("PC/SC error 8010006A", source=Source("pcsc", "SCardEstablishContext", "8010006A"))

    def connect(self, reader: str) -> Channel:
        raise NotImplementedError


def test_polkits_refusal_is_told_from_a_service_that_does_not_run() -> None:
    found = reader_service(Refusing([]))
    assert found.outcome is Outcome.FAIL
    assert found.remedy is not None
    assert "50-cardio.rules" in found.remedy.en


def test_no_reader_fails_and_readers_are_listed() -> None:
    assert connected_readers(EmbeddedDriver([])).outcome is Outcome.FAIL
    found = connected_readers(EmbeddedDriver([EmbeddedReader("counter"), EmbeddedReader("sam", psam())]))
    assert found.outcome is Outcome.OK
    assert found.text.en == "2 readers: counter [empty], sam [card]"


def test_a_psam_is_looked_for_unless_a_service_has_it(site: MakeSite, start_daemon: StartDaemon) -> None:
    there, empty = EmbeddedDriver([EmbeddedReader("sam", psam())]), EmbeddedDriver([EmbeddedReader("sam")])
    assert sams.psam(there, site()).outcome is Outcome.OK
    assert sams.psam(there, site(sam="another reader")).outcome is Outcome.FAIL
    assert sams.psam(empty, site()).outcome is Outcome.FAIL
    keyring = KeyringSection(file=Path("/x"), passphrase_file="/x")
    assert sams.psam(empty, site(keyring=keyring)).outcome is Outcome.WARN
    assert sams.psam(empty, Site(start_daemon().settings)).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("state", "outcome"), [(0, Outcome.OK), (1, Outcome.OK), (clock.TIME_ERROR, Outcome.WARN), (-1, Outcome.WARN)]
)
def test_a_clock_that_nobody_keeps_is_told(state: int, outcome: Outcome) -> None:
    assert clock.judge(state, 1234).outcome is outcome


def test_the_kernel_tells_about_its_clock() -> None:
    state, error_us = clock.kernel_clock()
    assert state in range(6)
    assert 0 <= error_us <= 16_000_000
