"""Eight readers at once on a real pcscd: whatever goes wrong, the journal and the cards agree to the fen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pcsc.crowd import SALES, Tally
from tests.pcsc.slots import READERS

pytestmark = pytest.mark.pcsc


def told(story: str, folder: Path) -> Tally:
    """What came of a story, in which every sale has its end and every fen is accounted for."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.pcsc.crowd", story, str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    tally = Tally(**json.loads(done.stdout.splitlines()[-1]))
    assert (tally.unaccounted_fen, tally.doubled, tally.open) == (0, 0, 0)
    assert tally.completed + tally.not_debited == READERS * SALES
    return tally


def test_debits_on_eight_readers_at_once_are_all_accounted_for(tmp_path: Path) -> None:
    tally = told("all_at_once", tmp_path)
    assert (tally.completed, tally.recovered) == (READERS * SALES, 0)


def test_cards_torn_during_their_debits_are_all_accounted_for(tmp_path: Path) -> None:
    tally = told("cards_torn", tmp_path)
    assert tally.recovered > 0


def test_debits_during_which_pcscd_dies_are_all_accounted_for(tmp_path: Path) -> None:
    tally = told("pcscd_restarted", tmp_path)
    assert tally.recovered > 0


def test_debits_while_the_psam_is_taken_out_are_all_accounted_for(tmp_path: Path) -> None:
    assert told("psam_taken_out", tmp_path).completed > 0


def test_a_counter_that_started_before_pcscd_serves_when_that_is_there(tmp_path: Path) -> None:
    assert told("pcscd_started_later", tmp_path).completed == READERS * SALES


def test_a_card_that_never_answers_hangs_its_reader_only(tmp_path: Path) -> None:
    tally = told("one_hangs", tmp_path)
    assert tally.poisoned
