"""The n-th failure loop: a fault at the first place, then the second, … until the operation succeeds (design §7)."""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cardio.errors import CardioError
from tests.faults.injections import Elsewhere, Injection
from tests.faults.judge import CardState, Unequal, Verdict, come_to_rest, judge, sequences_of, state_of
from tests.faults.scenarios import Scenario
from tests.faults.world import World

MOST_PLACES = 400
"""No operation has so many: a loop that goes on has a fault that never stops."""


@dataclass
class Tally:
    """Counts verdicts, in the words of the design."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, case: str, verdict: Verdict, detail: str = "") -> None:
        """One more case."""
        self.verdicts[verdict] += 1
        if verdict is not Verdict.RIGHT or detail:
            self.failures.append(f"{case}: {detail or verdict}")

    def __str__(self) -> str:
        counts = self.verdicts
        told = f"{counts.total()} cases, {counts[Verdict.LOST]} lost, {counts[Verdict.DOUBLED]} doubled"
        return f"{told}, {counts[Verdict.UNRESOLVED]} unresolved"


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one case."""
    with tempfile.TemporaryDirectory(prefix="cardio-faults-") as folder:
        yield Path(folder)


def one_case(scenario: Scenario, injection: Injection, n: int) -> tuple[bool, Verdict, str]:
    """One fault at one place; returns whether there was such a place, and how it ended."""
    with scratch() as folder:
        world = scenario.world(folder)
        world.start()
        try:
            before = state_of(scenario, world), sequences_of(world)
            fired = injection.arm(world, n)
            asked = None
            try:
                asked = scenario.ask(world, world.outside.card, "k")
            except (CardioError, LookupError):
                asked = None
            happened = fired()
            if happened:
                before = _afterwards(scenario, injection, world, before)
            transaction = come_to_rest(scenario, world) if happened else asked
            try:
                left = injection.evidence_left(scenario)
                alone = not isinstance(injection, Elsewhere)
                verdict = judge(scenario, world, before, transaction, evidence_left=left, alone=alone)
            except Unequal as unequal:
                return happened, Verdict.LOST, str(unequal)
            return happened, verdict, ""
        finally:
            world.stop()


def _afterwards(
    scenario: Scenario, injection: Injection, world: World, before: tuple[CardState, int]
) -> tuple[CardState, int]:
    """Let the rest of the story happen; what it moves by right is no concern of the judge."""
    was, counted = state_of(scenario, world), sequences_of(world)
    injection.afterwards(world)
    now = state_of(scenario, world)
    card, sequences = before
    if isinstance(injection, Elsewhere):
        card = CardState(
            card.balance + now.balance - was.balance,
            card.counter + now.counter - was.counter,
            card.log + now.log - was.log,
            card.records,
        )
    return card, sequences + sequences_of(world) - counted


def nth_failures(
    scenario: Scenario, injection: Injection, tally: Tally, wanted: Callable[[int], bool] = lambda _: True
) -> None:
    """Fail at place 1, 2, 3 … until the operation succeeds.

    Args:
        scenario: The operation.
        injection: The kind of fault.
        tally: Where to count.
        wanted: Which places to try; the loop ends at the first one tried that is not there.
    """
    for n in itertools.count(1):
        if n > MOST_PLACES:
            raise AssertionError(f"{scenario}, {injection.name}: still failing at place {n}")
        if not wanted(n):
            continue
        happened, verdict, detail = one_case(scenario, injection, n)
        tally.add(f"{scenario} / {injection.name} / {n}", verdict, detail)
        if not happened:
            return
