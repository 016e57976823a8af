"""How many requests each client may send: a bucket of tokens for each, filled steadily (OPS §4.7)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from cardio.errors import RateLimited


class Rates:
    """The buckets; for the one thread of the event loop.

    Clients are those that were let in, so there are never more buckets than the configuration has clients.

    Args:
        per_s: Requests a second that fill a bucket.
        burst: Requests that a full one holds.
        clock: Seconds that never go back.
    """

    def __init__(self, per_s: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def admit(self, client: str) -> None:
        """Take one request out of a client's bucket.

        Raises:
            RateLimited: It is empty; the error has the whole seconds until it is not.
        """
        at = self._clock()
        left, since = self._buckets.get(client, (self._burst, at))
        left = min(left + (at - since) * self._per_s, self._burst)
        if left < 1:
            raise RateLimited(retry_after_s=math.ceil((1 - left) / self._per_s))
        self._buckets[client] = (left - 1, at)
