"""Cards that are torn, silenced or left by a killed process are finished when they come back (PERS §3.2)."""

from __future__ import annotations

import os
import random

import pytest

from cardio.virtual.faults import Fault
from tests.personalize.interruptions import INTERRUPTIONS, LAYOUTS, Interruption, Loop, whole_loop, workshops
from tests.personalize.workshop import Workshop
from tests.summary import SUMMARY

SAMPLES = 40
SEED = "CARDIO_PERSONALIZATION_SEED"
"""Set it to the printed seed to get the same cases."""
PLACES = {
    "ssc-1.0": 470,
    "ssc-2.0": 1010,
    "ssc-3.0": 1020,
    "combined": 1080,
    "social-security-b": 180,
    "ssc-employer": 140,
}
"""About how many commands a card takes; of all others about 60."""
WORKED_WALLET = LAYOUTS[0]
WORST = [one for one in INTERRUPTIONS if one.fault is Fault.CUT_AFTER and (one.kills or one.twice)]
"""The card has changed, and nobody has seen it."""


@pytest.mark.parametrize("interruption", WORST, ids=str)
def test_a_wallet_is_finished_wherever_it_was_interrupted(interruption: Interruption) -> None:
    assert whole_loop(Loop(Workshop(*WORKED_WALLET), interruption)) > 30


@pytest.mark.no_cover  # other cases in every run
def test_cards_of_all_products_are_finished_wherever_they_were_interrupted() -> None:
    """A sample; `make faults` runs the whole."""
    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(2**32))
    rng = random.Random(seed)  # noqa: S311 - a sample
    made = workshops()
    expected: dict[str, str] = {}
    for _ in range(SAMPLES):
        loop = Loop(made[rng.choice(sorted(made))], rng.choice(INTERRUPTIONS))
        n = rng.randint(1, PLACES.get(str(loop.workshop), 60))
        if str(loop.workshop) not in expected:
            expected[str(loop.workshop)] = loop.expected()
        try:
            loop.case(n, expected[str(loop.workshop)])
        except AssertionError as error:
            raise AssertionError(f"{SEED}={seed}: {loop}, place {n}: {error}") from error
    SUMMARY["personalization"] = f"interrupted personalizations, sampled with {SEED}={seed}: {SAMPLES} finished"
