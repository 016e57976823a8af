"""The whole harness with a few rounds: whether everything runs and says what it must; never how fast."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.bench.clock import Sample, percentile99
from tests.bench.page import figure, verdict
from tests.bench.rows import Row, timed

pytestmark = [pytest.mark.pcsc, pytest.mark.timeout(400)]

PROJECT = Path(__file__).parents[2]
MEMBERS = {"name", "value", "unit", "peer", "bound", "met"}
COUNTED = {
    "holder's data": 3,
    "wallet balance": 2,
    "wallet purchase, card": 3,
    "wallet purchase, PSAM": 2,
    "gate tap, card": 5,
    "gate tap, PSAM before the card is let go": 1,
    "gate tap, PSAM after": 1,
    "gate exit with a journey record, card": 7,
    "gate exit, PSAM before the card is let go": 1,
    "gate exit, PSAM after": 1,
    "recovery at the next tap, card, more than a tap": 1,
}
"""Bounds of the design's section 6 that are the same on every machine, so that they must be met here, too."""
BOUNDED = {
    "one APDU above SCardTransmit, peer: pyscard": 15,
    **{f"gate tap, PSAM, {kbit} kbit/s": 260 for kbit in (106, 212, 424, 848)},
    **{f"gate tap, keyring, {kbit} kbit/s": 135 for kbit in (106, 212, 424, 848)},
    "daemon's time of a debit above APDUs and synced writes, median": 3,
    "daemon's time of a debit above APDUs and synced writes, p99": 10,
}
"""Bounds on times: they are told, and here not judged."""
BESIDE_A_PEER = {
    "one APDU through pcscd, peer: SCardTransmit",
    "one APDU through pcscd, peer: pyscard",
    "one APDU in process, peer: the card called directly",
    "one APDU in process, peer: pyscard",
    "holder's data through pcscd, peer: a pyscard program",
    "wallet purchase with a PSAM, peer: a pyscard program",
    "wallet purchase with keys in software, peer: a pyscard program",
    "/healthz while 8 readers debit, peer: idle, median",
    "/healthz while 8 readers debit, peer: idle, p99",
    "/v1/readers while 8 readers debit, peer: idle, median",
    "/v1/readers while 8 readers debit, peer: idle, p99",
    "requests a second of one caller, peer: idle",
    "start to the first answer, peer: bare FastAPI",
    "memory after the start, peer: bare FastAPI",
    "memory after 8 debits, peer: as many requests",
    "decoding a log record (EF18), peer: bare construct",
    "encoding a log record (EF18), peer: bare construct",
    "decoding public data (EF15), peer: bare construct",
    "encoding public data (EF15), peer: bare construct",
    "making a citizen card, peer: its APDUs computed beforehand",
    "making a social security card 2.0, peer: its APDUs computed beforehand",
}
ALONE = {
    "gate tap, PSAM, the software's share",
    "gate tap, keyring, the software's share",
    "a whole debit over HTTP, cards without a wire",
    "synced writes of a debit",
    "debits a second meanwhile",
    "start to the first possible debit",
    "making a citizen card, the software's share",
    "making a citizen card, cards a second and reader",
    "making a social security card 2.0, the software's share",
    "making a social security card 2.0, cards a second and reader",
}


@dataclass(frozen=True)
class Run:
    """What a run left."""

    output: str
    rows: dict[str, dict[str, Any]]
    docs: Path

    @property
    def page(self) -> str:
        return (self.docs / "benchmarks.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("bench")
    # pcscd of our own: the session's one is the only one that this process can reach
    environment = {name: value for name, value in os.environ.items() if name != "PCSCLITE_CSOCK_NAME"}
    command = [sys.executable, "-W", "error", "-m", "tests.bench", "--quick"]
    done = subprocess.run(
        [*command, "--json", str(folder / "bench.json"), "--docs", str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        cwd=PROJECT,
        timeout=360,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = json.loads((folder / "bench.json").read_text(encoding="utf-8"))
    return Run(done.stdout, {row["name"]: row for row in rows}, folder)


def test_every_row_is_there_with_its_peer_and_bound(run: Run) -> None:
    assert set(run.rows) == {*COUNTED, *BOUNDED, *BESIDE_A_PEER, *ALONE}
    assert {name for name, row in run.rows.items() if row["bound"] is not None} == {*COUNTED, *BOUNDED}
    for name in BESIDE_A_PEER | set(BOUNDED):
        assert run.rows[name]["peer"] is not None, name


def test_a_row_has_the_members_that_programs_know(run: Run) -> None:
    for row in run.rows.values():
        assert set(row) == MEMBERS
        assert isinstance(row["value"], int | float)
        assert row["met"] == (None if row["bound"] is None else row["value"] <= row["bound"])


def test_apdu_counts_are_the_designs(run: Run) -> None:
    assert {name: run.rows[name]["value"] for name in COUNTED} == COUNTED
    assert {name: run.rows[name]["bound"] for name in BOUNDED} == BOUNDED


def test_the_output_tells_every_row_and_every_bound_that_is_missed(run: Run) -> None:
    missed = [name for name, row in run.rows.items() if row["met"] is False]
    assert re.findall(r"bound missed: (.*): [\d.]+ \S+, ", run.output) == missed
    assert f"{len(run.rows)} rows" in run.output


def test_the_page_holds_every_row_and_pictures_that_can_be_drawn(run: Run) -> None:
    for name in run.rows:
        assert f"| {name} |" in run.page
    shown = re.findall(r"!\[[^]]+\]\((benchmarks/[a-z-]+\.svg)\)", run.page)
    assert sorted(shown) == sorted(f"benchmarks/{file.name}" for file in (run.docs / "benchmarks").iterdir())
    for name in shown:
        picture = ET.parse(run.docs / name)  # noqa: S314 (our own)
        texts = {node.text for node in picture.iter("{http://www.w3.org/2000/svg}text")}
        assert texts & set(run.rows), name


def test_a_missed_bound_is_told_with_by_how_much() -> None:
    row = timed("a row", "ms", [0.003, 0.001, 0.002], bound=1.6)
    assert (row.value, row.met, verdict(row)) == (2, False, "≤ 1.6 MISSED by 25%")
    assert verdict(timed("a row", "ms", [0.001], bound=1.6)) == "≤ 1.6 met"


def test_medians_quartiles_and_ratios() -> None:
    assert Sample.of([4, 1, 3, 2, 5], 10) == Sample(30, (20, 40))
    assert percentile99(range(101)) == 99
    assert Row("a row", 3, "ms", peer=2).ratio == 1.5
    assert [figure(value) for value in (3, 0.6312, 84.44, 1234.5)] == ["3", "0.631", "84.4", "1234"]
