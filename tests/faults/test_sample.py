"""A random sample of the n-th failure loop; `make faults` runs the whole of it."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.faults.hsm_token import own_token
from tests.faults.loop import Tally
from tests.faults.matrix import sample
from tests.faults.processes import faulty_processes
from tests.summary import SUMMARY

SECONDS = 60.0
SEED = "CARDIO_FAULT_SEED"
"""Set it to the printed seed to get the same cases."""


@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.no_cover  # as many cases as the time allows
def test_no_fault_anywhere_loses_a_fen_takes_one_twice_or_leaves_the_caller_without_the_truth(tmp_path: Path) -> None:
    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(2**32))
    tally = Tally()
    (tmp_path / "token").mkdir()
    with own_token(tmp_path / "token"), faulty_processes(tmp_path) as (forks, disk):
        sample(seed, SECONDS, tally, forks, disk)
    SUMMARY["faults"] = f"fault loop, sampled with {SEED}={seed}: {tally}"
    assert not tally.failures, f"{SEED}={seed}: {tally.failures}"
