"""Rows of a benchmark: a value, and the peer that was measured beside it in the same run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.clock import Sample

SCALES = {"s": 1, "ms": 1e3, "µs": 1e6}


@dataclass(frozen=True)
class Row:
    """One line of the result.

    Attributes:
        name: What was measured.
        value: Ours.
        unit: Its unit.
        peer: The peer's value in the same unit and run; None where there is none.
        bound: The design's bound; None where it has none.
        spread: Quartiles of ours; None for a count, or one measurement.
        peer_spread: Quartiles of the peer's.
        parts: What the value is made of, by name; empty if it is not told apart.
        more_is_better: Whether a greater value is better, as of a rate.
    """

    name: str
    value: float
    unit: str
    peer: float | None = None
    bound: float | None = None
    spread: tuple[float, float] | None = None
    peer_spread: tuple[float, float] | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    more_is_better: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the bound holds; None without one."""
        return None if self.bound is None else self.value <= self.bound

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's; None without one."""
        return self.value / self.peer if self.peer else None

    def document(self) -> dict[str, Any]:
        """As `bench.json` holds it."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "peer": self.peer,
            "bound": self.bound,
            "met": self.met,
        }


def timed(
    name: str, unit: str, ours: Sequence[float], peer: Sequence[float] | None = None, *, bound: float | None = None
) -> Row:
    """A row of medians with their quartiles.

    Args:
        name: What was measured.
        unit: `s`, `ms` or `µs`.
        ours: Seconds.
        peer: Seconds of the peer.
        bound: In the unit.
    """
    mine, theirs = Sample.of(ours, SCALES[unit]), None if peer is None else Sample.of(peer, SCALES[unit])
    return Row(
        name,
        mine.median,
        unit,
        None if theirs is None else theirs.median,
        bound,
        mine.quartiles,
        None if theirs is None else theirs.quartiles,
    )


@dataclass(frozen=True)
class Effort:
    """How often things are measured.

    Attributes:
        many: Rounds of what takes microseconds.
        some: Rounds of what takes milliseconds.
        few: Rounds of what takes seconds.
    """

    many: int
    some: int
    few: int


FULL = Effort(many=3000, some=1000, few=7)
QUICK = Effort(many=30, some=8, few=1)
"""For a look whether everything runs: its times say nothing."""


@dataclass(frozen=True)
class Subject:
    """Rows that belong together.

    Attributes:
        title: What they are about.
        about: What was measured and how, and what it means where cards are used.
        measure: Measures them.
    """

    title: str
    about: str
    measure: Callable[[Effort], Iterator[Row]]
