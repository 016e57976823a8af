"""docs/keys.md: its commands and its code run as they are printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cardio.cli.hsm_keys import load_hsm_keys
from cardio.security import keyring
from cardio.security.hsm import HsmKey
from tests.cli.test_cli import cardio

PAGE = Path(__file__).parents[2] / "docs" / "keys.md"
SECRET = "correct horse battery"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_pages_commands_run_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(keyring.COST, "n", 2**10)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    check_values: list[str] = []
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    shown = ""
    for command in commands:
        _, *arguments = shlex.split(command)
        answers = [SECRET, SECRET]
        if "ceremony" in arguments:
            answers = [SECRET, SECRET, check_values[-2], SECRET, check_values[-1]]
            # The key's check value is shown when it is asked for; whoever types it has read it.
            asked = cardio(*arguments, stdin="\n".join(answers) + "\n")
            answers.append(asked.stderr.split("KCV of the key ")[1][:6])
        done = cardio(*arguments, stdin="\n".join(answers) + "\n")
        assert done.exit_code == 0, (command, done.stderr)
        if "component" in arguments:
            check_values.append(done.stdout.split()[-1])
        shown = done.stdout
    assert [word for word in ("keyring.made", "key.entered", "key.exported") if word not in shown] == []


def test_the_pages_file_for_a_token_can_be_used(tmp_path: Path) -> None:
    (content,) = blocks("toml")
    file = tmp_path / "token.toml"
    file.write_text(content)
    assert load_hsm_keys(file, []) == {"RKSSSE": HsmKey("city-rkssse-2026", 1)}


def test_the_pages_code_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python")
    exec(compile(code, str(PAGE), "exec"), {})  # noqa: S102 - it is our own page
    assert capsys.readouterr().out == "B9EC03\n"
