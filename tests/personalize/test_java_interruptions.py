"""JavaCards that are torn, silenced, garbled or left by a killed process are finished when they return (PERS §3.2)."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from cardio.personalize.globalplatform.layout import Protocol
from tests.personalize.java_cards import JavaWorkshop
from tests.personalize.java_interruptions import JAVA_INTERRUPTIONS, JavaLoop, loops
from tests.summary import SUMMARY

SAMPLES = 40
PLACES = 42
"""About how many commands a card takes."""
SEED = "CARDIO_JAVA_CARD_SEED"
"""Set it to the printed seed to get the same cases."""
TORN_AFTER_A_WRITE = next(one for one in JAVA_INTERRUPTIONS if one.name == "torn after a write")


@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_card_is_finished_whatever_write_it_was_torn_after(tmp_path: Path, protocol: Protocol) -> None:
    assert JavaLoop(JavaWorkshop(tmp_path, protocol), TORN_AFTER_A_WRITE).whole() > 8


@pytest.mark.no_cover  # other cases in every run
def test_cards_are_finished_wherever_and_however_they_were_interrupted(tmp_path: Path) -> None:
    """A sample; `make faults` runs the whole."""
    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(2**32))
    rng = random.Random(seed)  # noqa: S311 - the same cases for the same seed
    made = list(loops(tmp_path))
    expected = {loop.workshop.layout.protocol: loop.expected() for loop in made}
    for _ in range(SAMPLES):
        loop, n = rng.choice(made), rng.randint(1, PLACES)
        try:
            loop.case(n, expected[loop.workshop.layout.protocol])
        except AssertionError as error:
            raise AssertionError(f"{SEED}={seed}: {loop}, place {n}: {error}") from error
    SUMMARY["java cards"] = f"interrupted JavaCards, sampled with {SEED}={seed}: {SAMPLES} finished"
