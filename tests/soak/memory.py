"""Resident memory of a process over a day: samples, by tenths."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import mean

TENTHS = 10


class Memory:
    """Samples of one process.

    Args:
        process: Its id.
    """

    def __init__(self, process: int) -> None:
        self._status = Path(f"/proc/{process}/status")
        self._samples: list[list[float]] = [[] for _ in range(TENTHS)]

    def sample(self, part: float) -> None:
        """Look at it when a part of the day is over, 0 to 1."""
        found = re.search(r"^VmRSS:\s+(\d+) kB$", self._status.read_text(), re.MULTILINE)
        if found is None:
            raise ValueError("the kernel tells no VmRSS")
        self._samples[min(int(part * TENTHS), TENTHS - 1)].append(int(found[1]) / 1024)

    @property
    def tenths(self) -> list[float]:
        """Mean of each tenth in MiB."""
        return [mean(samples) for samples in self._samples]

    @property
    def told(self) -> str:
        """What the two tenths had that are compared."""
        return f"RSS 2nd tenth {self.tenths[1]:.1f} MiB, last tenth {self.tenths[-1]:.1f} MiB ({self.growth:.3f})"

    @property
    def growth(self) -> float:
        """Mean of the last tenth, in parts of that of the second; the first one still fills caches."""
        tenths = self.tenths
        return tenths[-1] / tenths[1]
