"""A small job of the bureau; `make bureau` is the large one, which is long enough to tell about memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardio.products.catalogue import Catalogue
from tests.bureau.account import account
from tests.bureau.run import KILLS, run
from tests.summary import SUMMARY

pytestmark = pytest.mark.pcsc

CARDS = 24


def test_a_job_that_is_killed_twice_ends_with_every_card_accounted_for(tmp_path: Path) -> None:
    made = run(tmp_path, Catalogue.load()["citizen-wallet"], CARDS, seed=3, timed=False)
    found = account(made)
    SUMMARY["bureau"] = f"a small job: {found.told(made)}"
    assert found.failures == []
    assert (found.cards, len(made.begun)) == (CARDS, len(KILLS))
    made.out.pop(0)
    assert len(account(made).failures) == 1, "a missing card was not noticed"
