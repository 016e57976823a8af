"""Several kinds of readers as one: PC/SC and serial boxes at the same counter."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from cardio.errors import ReaderServiceStopped, ReaderUnavailable
from cardio.transport.channel import Channel, ReaderDriver, SlotState

TURN = 0.25
"""Seconds in which every driver is waited for once."""

States = dict[str, SlotState]


class CombinedDriver:
    """The readers of several drivers; a `ReaderDriver`.

    A driver whose service does not run has no readers, and the others go on; only if none runs is that an error. One
    whose service was restarted has none for a moment, so that nobody compares its new counts with the old ones.

    Args:
        drivers: The drivers; no two have readers of the same name.
    """

    def __init__(self, drivers: Sequence[ReaderDriver]) -> None:
        self._drivers = tuple(drivers)
        self._owners: dict[str, ReaderDriver] = {}

    def readers(self) -> States:
        """All readers of all drivers.

        Raises:
            ReaderServiceStopped: No service runs.
        """
        return self._gather(lambda driver: driver.readers())

    def wait(self, known: Mapping[str, SlotState], timeout: float) -> States:
        """Wait for each driver in turn until something changes.

        Raises:
            ReaderServiceStopped: No service runs.
        """
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            turn = min(left, TURN) / len(self._drivers)
            now = self._gather(partial(self._wait, known=known, seconds=turn))
            if now != dict(known) or time.monotonic() >= deadline:
                return now

    def connect(self, reader: str) -> Channel:
        """Power the card in a reader.

        Raises:
            ReaderUnavailable: No reader of that name.
            ReaderError: As its driver says.
        """
        if reader not in self._owners:
            self.readers()
        if reader not in self._owners:
            raise ReaderUnavailable(reader)
        return self._owners[reader].connect(reader)

    def release(self) -> None:
        """Give up what the calling thread holds."""
        for driver in self._drivers:
            driver.release()

    def _wait(self, driver: ReaderDriver, *, known: Mapping[str, SlotState], seconds: float) -> States:
        mine = {name: state for name, state in known.items() if self._owners.get(name) is driver}
        try:
            return driver.wait(mine, seconds)
        except ReaderServiceStopped:
            if not mine:
                time.sleep(seconds)
            raise

    def _gather(self, ask: Callable[[ReaderDriver], States]) -> States:
        found: States = {}
        stopped: list[ReaderServiceStopped] = []
        for driver in self._drivers:
            try:
                states = ask(driver)
            except ReaderServiceStopped as error:
                stopped.append(error)
                continue
            self._owners.update(dict.fromkeys(states, driver))
            found |= states
        if stopped and len(stopped) == len(self._drivers):
            raise stopped[0]
        return found
