"""One case of the n-th failure loop, and the tally of all (design §7)."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cardio.errors import CardioError
from tests.faults.injections import Elsewhere, Injection
from tests.faults.judge import CardState, Unequal, Verdict, come_to_rest, judge, sequences_of, state_of
from tests.faults.scenarios import Scenario
from tests.faults.world import World


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

    def merge(self, other: Tally) -> None:
        """Add another's cases."""
        self.verdicts += other.verdicts
        self.failures += other.failures

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
            card.locked,
            card.records,
        )
    return card, sequences + sequences_of(world) - counted
