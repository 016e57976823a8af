"""The time of a simulated day, in a file that the daemon's process and that of its outside look at."""

from __future__ import annotations

import mmap
import struct
from datetime import datetime, time, timedelta
from pathlib import Path

from cardio.files.dates import CARD_TIMEZONE
from cardio.ledger.ledger import now

SECONDS = struct.Struct("d")
DAY = timedelta(hours=24)


class SimulatedClock:
    """The day before today, from 00:00 to 24:00: no row of its journal is younger than the computer's own clock.

    Args:
        file: Where the time is kept; made if it is missing.
    """

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(SECONDS.pack(0))
        with file.open("r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), SECONDS.size)
        self.begin = datetime.combine(now().date(), time(), CARD_TIMEZONE) - DAY

    def advance(self, part: float) -> None:
        """Let a part of the day be over, 0 to 1."""
        SECONDS.pack_into(self._memory, 0, part * DAY.total_seconds())

    def __call__(self) -> datetime:
        """The simulated time."""
        (seconds,) = SECONDS.unpack_from(self._memory)
        return self.begin + timedelta(seconds=seconds)
