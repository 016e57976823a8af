"""One row of a benchmark: a value, and the peer that was measured beside it in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any


@dataclass(frozen=True)
class Row:
    """What `bench.json` holds.

    Attributes:
        name: What was measured.
        value: Ours.
        unit: Its unit.
        peer: The peer's value in the same unit and run; None where the bound alone counts.
        bound: The design's bound; None where it has none.
    """

    name: str
    value: float
    unit: str
    peer: float | None = None
    bound: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the bound holds; None without one."""
        return None if self.bound is None else self.value <= self.bound

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "met": self.met}


def interleaved(rounds: int, *jobs: Callable[[], object]) -> list[list[float]]:
    """Seconds of each job, run in turn, so that whatever else the machine does hits all alike."""
    taken: list[list[float]] = [[] for _ in jobs]
    for _ in range(rounds):
        for place, job in enumerate(jobs):
            begin = time.perf_counter()
            job()
            taken[place].append(time.perf_counter() - begin)
    return taken


def micro(seconds: Sequence[float]) -> float:
    """Median in microseconds."""
    return median(seconds) * 1e6


def milli(seconds: Sequence[float]) -> float:
    """Median in milliseconds."""
    return median(seconds) * 1e3


def p99(seconds: Sequence[float]) -> float:
    """99th percentile in milliseconds."""
    return quantiles(seconds, n=100)[98] * 1e3
