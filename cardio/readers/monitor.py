"""Watches all readers of a driver: who is there, and which card was put in or taken out.

Watching has a thread and a PC/SC context of its own, apart from transmitting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from cardio.errors import ReaderError
from cardio.transport.channel import ReaderDriver, SlotState

WAIT = 0.25
"""Seconds of one wait; the time within which `stop` is noticed."""
RETRY = 0.25
"""Seconds between tries to reach a reader service that does not run (OPS §4.11: no faster)."""

Watcher = Callable[[dict[str, SlotState]], None]


class ReaderMonitor:
    """Calls `watcher` with the state of all readers at the start and on every change.

    Args:
        driver: Driver of the readers.
        watcher: Called in the monitor's thread; must not block.
    """

    def __init__(self, driver: ReaderDriver, watcher: Watcher) -> None:
        self._driver = driver
        self._watcher = watcher
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="reader monitor", daemon=True)

    def start(self) -> None:
        """Begin to watch; cards that are already there are reported first."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Stop watching."""
        self._stopped.set()
        self._thread.join(timeout)

    def _watch(self) -> None:
        known: dict[str, SlotState] | None = None
        told: dict[str, SlotState] | None = None
        while not self._stopped.is_set():
            try:
                now = known = self._driver.readers() if known is None else self._driver.wait(known, WAIT)
            except ReaderError:
                # Event counters start anew with the service, so nothing that was known holds any more.
                now, known = {}, None
            if now != told:
                told = now
                self._watcher(now)
            if known is None:
                self._stopped.wait(RETRY)
        self._driver.release()
