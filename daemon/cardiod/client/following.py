"""Events of the counter: where to go on after the connection broke (OPS §4.10)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from httpx_sse import ServerSentEvent

from cardio.errors import ServiceUnavailable
from cardiod.client.exchange import API, QUICK_S, Answer
from cardiod.client.persistence import pauses
from cardiod.client.problems import problem_of
from cardiod.client.results import Event

SILENCE_S = 60.0
"""Seconds without a sign of life after which the connection is made anew."""
SNAPSHOT = "snapshot"


class Following:
    """How far a follower is; it asks again from there, so that nothing is missed and nothing comes twice.

    Args:
        after: Number of the last event that is known; None to begin now.
        patience_s: Seconds without a connection after which it gives up.
        clock: Seconds that only ever grow.
    """

    def __init__(self, after: int | None, patience_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._last = after
        self._patience_s = patience_s
        self._clock = clock
        self._pauses: Iterator[float] = pauses()
        self._down_since: float | None = None

    def arguments(self) -> dict[str, Any]:
        """Arguments for `connect_sse` of httpx-sse."""
        headers = {} if self._last is None else {"Last-Event-ID": str(self._last)}
        return {
            "method": "GET",
            "url": f"{API}events",
            "headers": headers,
            "timeout": httpx.Timeout(QUICK_S, read=SILENCE_S),
        }

    def connected(self) -> None:
        """The stream is there."""
        self._down_since = None

    def check(self, answer: Answer) -> None:
        """Look at an answer that is no stream.

        Raises:
            ApiProblem: The daemon refused for good.
        """
        problem = problem_of(answer)
        if problem is not None and not problem.passes:
            raise problem

    def took(self, sent: ServerSentEvent) -> Event | None:
        """An event; None for one that carries nothing."""
        self._pauses = pauses()
        if not sent.data:
            return None
        document = json.loads(sent.data)
        if sent.event == SNAPSHOT:
            return Event(SNAPSHOT, None, document)
        self._last = int(document["id"])
        return Event(str(document["type"]), self._last, document)

    def pause_s(self) -> float:
        """Seconds to wait before the next attempt.

        Raises:
            ServiceUnavailable: There has been no connection for too long.
        """
        pause, at = next(self._pauses), self._clock()
        if self._down_since is None:
            self._down_since = at
        if at + pause > self._down_since + self._patience_s:
            raise ServiceUnavailable("no connection for events")
        return pause
