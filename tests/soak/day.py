"""A day of a busy counter: 24 simulated hours, all lanes at work, and the books at its end."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from cardiod.settings import Scope
from tests.daemon_process import running
from tests.faults.remote import OutsideServer
from tests.soak.books import Books, close_books
from tests.soak.clock import SimulatedClock
from tests.soak.hands import Act
from tests.soak.lanes import Day, work_all
from tests.soak.memory import Memory
from tests.soak.office import Office, Screen
from tests.soak.outside import SAMS, Outside

SAMPLES = 200
"""Looks at the memory in a day."""
ENVIRONMENT = {
    "CARDIO_RATE_PER_S": "100000",
    "CARDIO_RATE_BURST": "100000",
    "CARDIO_SCOPES": json.dumps([scope.value for scope in Scope]),
}
"""One caller stands for all tills and for the office."""
GROWTH = 1.1
"""Most that the memory of the last tenth may be, in parts of that of the second."""


@dataclass(frozen=True)
class Lived:
    """A day that is over.

    Attributes:
        day: What became of its requests.
        outside: Cards, PSAMs and host as they are now.
        office: With its batches.
        screen: What it showed.
        journal: File of the journal.
        memory: The daemon's memory over the day.
        seconds: Real seconds that it took.
    """

    day: Day
    outside: Outside
    office: Office
    screen: Screen
    journal: Path
    memory: Memory
    seconds: float

    def books(self) -> Books:
        """Compare everything that must agree.

        Raises:
            JournalBroken: The chain does not hold.
        """
        return close_books(self.journal, self.outside, self.day, self.office, self.screen)

    def told(self, books: Books) -> str:
        """What became of the requests."""
        return (
            f"{len(self.day.requests)} transactions, {self.day.faults} faults, {books.lost} lost, "
            f"{books.doubled} doubled, chain {books.rows} rows verified"
        )


def live(folder: Path, total: int, seed: int) -> Lived:
    """Live through a day.

    Args:
        folder: For the journal, the log and the clock.
        total: Requests of the day.
        seed: Of everything that happens at random.

    Raises:
        AssertionError: A cashier was told something that cannot be, or the daemon ended.
    """
    clock = SimulatedClock(folder / "clock")
    outside = Outside(clock)
    begun = time.monotonic()
    with OutsideServer(outside.targets, folder) as server:
        command = (sys.executable, "-m", "tests.soak.daemon", server.address, str(folder / "clock"))
        with running(folder, command, ENVIRONMENT) as daemon:
            memory = Memory(daemon.process.pid)

            def tick(ended: int) -> None:
                clock.advance(ended / total)
                if ended % max(1, total // SAMPLES) == 0:
                    memory.sample((ended - 1) / total)

            day = Day(total, tick)
            for sam in SAMS:
                outside.orders.give(Act.INSERT, sam, sam)
            screen, office = Screen(daemon), Office(daemon, day)
            work_all(daemon, outside, day, seed)
            office.close()
            screen.catch_up()
            assert daemon.stop() == 0
            screen.close()
    return Lived(day, outside, office, screen, daemon.journal, memory, time.monotonic() - begun)
