"""`cardio personalize` as a bureau uses it: what a run leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cardio.cli.main import app
from cardio.security import keyring
from cardio.security.keyring import RootKey
from cardio.virtual.issuing_keys import issuer_test_keyring

PRODUCT = ("--product", "citizen-wallet")
ROWS = 3


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job file in the current folder."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "job.jsonl"
    file.write_text(cardio("personalize", "--example", *PRODUCT).stdout, encoding="utf-8")
    return file


def cardio(*arguments: str) -> Result:
    """A command, as it is typed."""
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})


def run(job: Path) -> Result:
    """The job on the virtual reader."""
    return cardio("personalize", job.name, *PRODUCT, "--reader", "virtual")


def finished(job: Path) -> list[str]:
    """Rows that the result file has as finished; a torn line is none."""
    found = []
    for line in job.with_name(job.name + ".results.jsonl").read_text(encoding="utf-8").splitlines():
        try:
            document = json.loads(line)
        except ValueError:
            continue
        assert document["state"] == "finished"
        found.append(document["record"])
    return sorted(found)


@pytest.mark.parametrize("kept", [0, 1, 100, -30, -1])
def test_cards_that_a_killed_run_could_not_tell_are_told_by_the_next(job: Path, kept: int) -> None:
    """It died between the register and the result file, in the middle of a line at the worst."""
    assert run(job).exit_code == 0
    results = job.with_name(job.name + ".results.jsonl")
    whole = results.read_bytes()
    assert finished(job) == ["000001", "000002", "000003"]
    results.write_bytes(whole[:kept])
    again = run(job)
    assert (again.exit_code, finished(job)) == (0, ["000001", "000002", "000003"]), again.output
    told = [json.loads(line) for line in whole.decode().splitlines()]
    lines = [line for line in results.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    for document in map(json.loads, lines):
        (before,) = (one for one in told if one["record"] == document["record"])
        assert {**document, "seconds": 0, "started": ""} == {**before, "seconds": 0, "started": ""}


@pytest.mark.parametrize("line", ["12", "null", '["a"]', "no JSON"])
def test_lines_of_others_in_the_result_file_are_no_hindrance(job: Path, line: str) -> None:
    results = job.with_name(job.name + ".results.jsonl")
    results.write_text(line, encoding="utf-8")
    assert run(job).exit_code == 0
    assert run(job).exit_code == 0
    assert results.read_text(encoding="utf-8").splitlines()[0] == line
    assert results.read_text(encoding="utf-8").count("finished") == ROWS


def test_a_run_that_has_nothing_to_do_adds_nothing(job: Path) -> None:
    run(job)
    results = job.with_name(job.name + ".results.jsonl")
    before = results.read_bytes()
    assert run(job).exit_code == 0
    assert results.read_bytes() == before


def test_the_same_rows_under_another_name_are_refused(job: Path) -> None:
    run(job)
    copy = job.with_name("copy.jsonl")
    copy.write_text(job.read_text(encoding="utf-8").replace("example-citizen-wallet", "again"), encoding="utf-8")
    refused = run(copy)
    assert refused.exit_code != 0
    assert "example-citizen-wallet" in refused.output


def test_the_list_of_cards_tells_day_and_minute_on_a_narrow_screen(job: Path) -> None:
    run(job)
    listed = cardio("register", "list").stdout
    assert listed.count("finished") == ROWS
    assert "…" not in listed


def test_a_destroyed_card_is_made_again(job: Path) -> None:
    run(job)
    said = ("--reason", "misprinted", "--operator", "Li", "--operator", "Wang")
    assert cardio("register", "give-up", "2", *said).exit_code != 0
    assert cardio("register", "give-up", "2", "--destroyed", *said).exit_code == 0
    assert "3/3" in run(job).stdout
    listed = json.loads(cardio("register", "list", "--json").stdout)
    assert [one["state"] for one in listed] == ["finished", "rejected", "finished", "finished"]
    assert cardio("register", "verify").exit_code == 0


def test_a_lots_own_transport_key_opens_the_virtual_card_of_a_dry_run(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(keyring.COST, "n", 2**10)
    known = issuer_test_keyring()
    roots = {name: known.root(name) for name in known.names()}
    roots["TRANSPORT"] = RootKey(bytes.fromhex("0123456789ABCDEF"), 0)
    keyring.Keyring("city", roots, test=False).save(job.with_name("city.keys"), "secret")
    arguments = ("personalize", job.name, *PRODUCT, "--keyring", "city.keys", "--operator", "Li", "--operator", "Wang")
    planned = CliRunner().invoke(app, [*arguments, "--dry-run"], input="secret\n")
    assert planned.exit_code == 0, planned.output
    assert "no card was touched" in planned.output
    assert "0123456789ABCDEF" not in planned.output
    made = CliRunner().invoke(app, [*arguments, "--reader", "virtual"], input="secret\n")
    assert "3/3" in made.output
