"""The whole matrix: operations × purses × ciphers × key sources × kinds of faults, and a random sample of it."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tests.faults.daemons import daemon_kills
from tests.faults.disk import DiskFaults
from tests.faults.forks import Forks
from tests.faults.injections import Injection, injections
from tests.faults.loop import Tally, one_case
from tests.faults.processes import OnDisk, Result, kills
from tests.faults.scenarios import Scenario, scenarios

MOST_PLACES = 400
"""No operation has so many: a loop that goes on has a fault that never stops."""
COMMANDS, EVENTS = 24, 120
"""About as many commands, and events of the disk, as the longest operation has."""


class ProcessKind(Protocol):
    """A kind of fault that needs a process of its own."""

    @property
    def name(self) -> str:
        """For people."""

    def run(self, scenario: Scenario, n: int, forks: Forks, disk: DiskFaults) -> Result:
        """One case."""


@dataclass(frozen=True)
class Loop:
    """One operation with one kind of fault.

    Attributes:
        scenario: The operation.
        kind: The kind of fault.
    """

    scenario: Scenario
    kind: Injection | ProcessKind

    def __str__(self) -> str:
        return f"{self.scenario} / {self.kind.name}"

    @property
    def places(self) -> int:
        """About how many places there are."""
        return EVENTS if isinstance(self.kind, OnDisk) else COMMANDS

    def case(self, n: int, forks: Forks, disk: DiskFaults) -> Result:
        """The fault at the n-th place."""
        if isinstance(self.kind, Injection):
            return one_case(self.scenario, self.kind, n)
        return self.kind.run(self.scenario, n, forks, disk)

    def run(self, tally: Tally, forks: Forks, disk: DiskFaults) -> None:
        """n = 1, 2, 3 … until the operation succeeds."""
        for n in itertools.count(1):
            if n > MOST_PLACES:
                raise AssertionError(f"{self}: still failing at place {n}")
            happened, verdict, detail = self.case(n, forks, disk)
            tally.add(f"{self} / {n}", verdict, detail)
            if not happened:
                return


def loops(scenario: Scenario) -> Iterator[Loop]:
    """All loops of one operation."""
    for injection in injections():
        if injection.applies(scenario):
            yield Loop(scenario, injection)
    for kind in itertools.chain(kills(), daemon_kills()):
        yield Loop(scenario, kind)


def sample(seed: int, seconds: float, tally: Tally, forks: Forks, disk: DiskFaults) -> None:
    """Random places of random loops, for a while; every kind of fault gets its turn.

    Args:
        seed: Of the choice.
        seconds: For how long.
        tally: Where to count.
        forks: Terminal processes.
        disk: Their disk.
    """
    rng = random.Random(seed)  # noqa: S311
    by_kind: dict[str, list[Loop]] = {}
    for scenario in scenarios():
        for loop in loops(scenario):
            by_kind.setdefault(loop.kind.name, []).append(loop)
    end = time.monotonic() + seconds
    while True:
        for kind in rng.sample(sorted(by_kind), len(by_kind)):
            loop = rng.choice(by_kind[kind])
            n = rng.randint(1, loop.places)
            _, verdict, detail = loop.case(n, forks, disk)
            tally.add(f"{loop} / {n}", verdict, detail)
            if time.monotonic() > end:
                return
