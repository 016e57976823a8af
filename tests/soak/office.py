"""What goes on behind the tills: a screen that follows the events, somebody who looks at everything, batches."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
from httpx_sse import connect_sse

from cardio.ledger.model import State
from tests.counter import eventually
from tests.daemon_process import DaemonProcess
from tests.soak.lanes import Day

LOOKS = (
    "/metrics",
    "/readyz",
    "/v1/status",
    "/v1/readers",
    "/v1/sams",
    "/v1/cards",
    "/v1/shifts?open=true",
    "/v1/transactions?limit=50",
    "/v1/settlements?limit=50",
    "/v1/batches",
    "/v1/journal/head",
)
PAUSE = 0.5
"""Seconds between rounds of looks."""
FINAL = {f"transaction.{state}" for state in State if state.final}


@dataclass
class Screen:
    """Follows the events, and comes back with the last id when the stream breaks off.

    Attributes:
        daemon: The daemon.
        ended: How often a transaction was told to have its end, by id.
        last: Id of the newest event.
    """

    daemon: DaemonProcess
    ended: Counter[str] = field(default_factory=Counter)
    last: int | None = None

    def __post_init__(self) -> None:
        self._follows = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="screen")
        self._thread.start()
        assert self._follows.wait(20), "the events do not come"

    def catch_up(self) -> None:
        """Wait until it has everything that has happened so far."""
        newest = self.daemon.get("events?after=9007199254740991")["next"]
        eventually(lambda: (self.last or 0) >= newest, 30)

    def close(self) -> None:
        """Wait for the end of the stream, which comes with that of the daemon."""
        self._thread.join()

    def _follow(self) -> None:
        while self.daemon.process.poll() is None:
            seen = {} if self.last is None else {"Last-Event-ID": str(self.last)}
            try:
                with connect_sse(self.daemon.http, "GET", "/v1/events", headers=seen, timeout=None) as source:
                    for event in source.iter_sse():
                        self._follows.set()
                        self._take(event.event, event.id, event.json())
            except httpx.TransportError:
                continue

    def _take(self, kind: str, identifier: str, document: dict[str, Any]) -> None:
        if identifier:
            assert self.last is None or int(identifier) > self.last, "events came out of order"
            self.last = int(identifier)
        if kind in FINAL:
            self.ended[document["transaction"]] += 1


@dataclass
class Office:
    """Looks at everything again and again, and closes a batch at the end of each shift.

    Attributes:
        daemon: The daemon.
        day: The day.
        batches: The batches that it closed.
    """

    daemon: DaemonProcess
    day: Day
    batches: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._closing = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="office")
        self._thread.start()

    def close(self) -> None:
        """Close the last batch, and go home.

        Raises:
            BaseException: What went wrong on the way.
        """
        self._closing.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        self._close_batch()

    def _work(self) -> None:
        try:
            while not self._closing.wait(PAUSE):
                for path in LOOKS:
                    answer = self.daemon.http.get(path)
                    assert answer.status_code == 200, answer.text
                if self.day.shift > len(self.batches):
                    self._close_batch()
        except BaseException as failure:  # noqa: BLE001 - it belongs to whoever closes the office
            self._failure = failure

    def _close_batch(self) -> None:
        closed = self.daemon.post("batches", {})
        assert closed.status_code == 201, closed.text
        batch = closed.json()
        file = self.daemon.http.get(f"/v1/batches/{batch['number']}/file")
        assert file.text.splitlines()[-1] == f'{{"hash":"{batch["hash"]}"}}'
        verified = self.daemon.post("journal/verify", {})
        assert verified.status_code == 200, verified.text
        self.batches.append(batch)
