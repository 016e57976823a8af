"""Times of things that are done in turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Sample:
    """What repeated measurements say.

    Attributes:
        median: The middle one.
        quartiles: A quarter is below the first, and a quarter above the second.
    """

    median: float
    quartiles: tuple[float, float]

    @classmethod
    def of(cls, values: Sequence[float], scale: float = 1) -> Self:
        """Of at least one measurement, each taken `scale` times."""
        scaled = [value * scale for value in values]
        first, middle, third = quantiles(scaled, n=4, method="inclusive") if len(scaled) > 1 else (scaled[0],) * 3
        return cls(middle, (first, third))


def percentile99(values: Sequence[float]) -> float:
    """One in a hundred is above it."""
    return quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else values[0]


def seconds(job: Callable[[], object]) -> float:
    """How long one call takes."""
    begin = time.perf_counter()
    job()
    return time.perf_counter() - begin


def in_turn(rounds: int, *jobs: Callable[[], object], warm_up: int = 3) -> list[list[float]]:
    """Seconds of each job. They are called in turn, so that whatever else the machine does hits all of them alike.

    Args:
        rounds: Calls of each that are measured.
        jobs: What to call.
        warm_up: Calls of each before that.
    """
    for _ in range(warm_up):
        for job in jobs:
            job()
    taken: list[list[float]] = [[] for _ in jobs]
    for _ in range(rounds):
        for place, job in enumerate(jobs):
            taken[place].append(seconds(job))
    return taken


class Stopwatch:
    """Adds up the time that functions take, over all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds = 0.0

    def around(self, function: Callable[P, T]) -> Callable[P, T]:
        """The same function, timed."""

        def timed(*arguments: P.args, **named: P.kwargs) -> T:
            begin = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                taken = time.perf_counter() - begin
                with self._lock:
                    self._seconds += taken

        return timed

    def taken(self) -> float:
        """Seconds since the last question."""
        with self._lock:
            found, self._seconds = self._seconds, 0.0
        return found
