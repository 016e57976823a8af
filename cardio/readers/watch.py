"""Watches the calls that a reader's thread makes into its driver: one that never returns must not hang the others.

No call can be broken off from outside. So the thread that made it is given up, and whatever it would still do with the
card is refused to it: by then somebody else may have found out what became of the card.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from cardio.errors import ReaderPoisoned
from cardio.transport.channel import (
    Channel,
    ChannelAround,
    Disclosure,
    PinChangePrompt,
    PinPadChannel,
    PinPrompt,
    has_pin_pad,
)

T = TypeVar("T")

CALL_LIMIT = 30.0
"""Seconds after which a driver call counts as stuck. The slowest card commands take a few seconds, and the time-outs of
the drivers themselves are shorter."""
PIN_ENTRY = 60.0
"""Seconds more for a call that waits for a holder at the PIN pad; the pad's own time-out ends it before."""


class CallWatch:
    """What one thread is doing at its driver, and until when it must be done.

    Args:
        reader: Name of the reader.
        limit: Seconds that a call may take.
    """

    def __init__(self, reader: str, limit: float) -> None:
        self._reader = reader
        self._limit = limit
        self._lock = threading.Lock()
        self._deadline = math.inf
        self._abandoned = False

    @property
    def abandoned(self) -> bool:
        """Whether the thread was given up."""
        return self._abandoned

    @property
    def patience(self) -> float:
        """Seconds until a call can be overdue at the earliest, 0 or more."""
        if self._abandoned:
            return self._limit
        return max(0.0, min(self._limit, self._deadline - time.monotonic()))

    def call(self, work: Callable[[], T], more: float = 0.0) -> T:
        """Make a driver call that may take `more` seconds beyond the limit.

        Raises:
            ReaderPoisoned: The thread was given up, before the call or during it: its answer is not to be used.
        """
        self._begin(more)
        try:
            return work()
        finally:
            self._end()

    def abandon(self) -> bool:
        """Give the thread up if its call is overdue; tells whether it is given up now."""
        with self._lock:
            self._abandoned |= time.monotonic() >= self._deadline
            return self._abandoned

    def _begin(self, more: float) -> None:
        with self._lock:
            self._check()
            self._deadline = time.monotonic() + self._limit + more

    def _end(self) -> None:
        with self._lock:
            self._deadline = math.inf
            self._check()

    def _check(self) -> None:
        if self._abandoned:
            raise ReaderPoisoned(f"{self._reader}: the answer came too late")


class OwnerThread(threading.Thread):
    """A thread that owns a reader.

    Args:
        name: Name of the thread.
        watch: Its watch.
        work: What it does.
    """

    def __init__(self, name: str, watch: CallWatch, work: Callable[[], None]) -> None:
        super().__init__(target=work, name=name, daemon=True)
        self.watch = watch
        self.last_words: list[Callable[[], None]] = []

    def abandon(self) -> bool:
        """Give the thread up if its call is overdue, and take from it what it holds; tells whether it is given up now.

        What it holds would stay taken until its call returns, which may be never.
        """
        if not self.watch.abandon():
            return False
        while self.last_words:
            self.last_words.pop()()
        return True


@contextmanager
def if_abandoned(take: Callable[[], None]) -> Iterator[None]:
    """Have `take` called, in another thread, if the calling thread is given up inside the block."""
    thread = threading.current_thread()
    if not isinstance(thread, OwnerThread):
        yield
        return
    thread.last_words.append(take)
    try:
        yield
    finally:
        with suppress(ValueError):
            thread.last_words.remove(take)


def watched(inner: Channel, watch: CallWatch) -> WatchedChannel:
    """A channel whose calls are watched; it has a PIN pad if `inner` has one."""
    return WatchedPinPadChannel(inner, watch) if has_pin_pad(inner) else WatchedChannel(inner, watch)


class WatchedChannel(ChannelAround):
    """A channel whose calls are watched.

    Args:
        inner: The channel.
        watch: Watch of the thread that uses it.
    """

    def __init__(self, inner: Channel, watch: CallWatch) -> None:
        super().__init__(inner)
        self._watch = watch

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        """Send one command APDU.

        Raises:
            ReaderPoisoned: The answer came too late, or the thread was given up before.
            ReaderError: As the channel underneath.
        """
        return self._watch.call(lambda: self._inner.transmit(command, disclosure))

    def close(self) -> None:
        """Reset the card and give up the reader.

        Also after the thread was given up: until then no other can have the card.

        Raises:
            ReaderPoisoned: It came too late.
        """
        if self._watch.abandoned:
            self._inner.close()
        else:
            self._watch.call(self._inner.close)


class WatchedPinPadChannel(WatchedChannel):
    """A channel with a PIN pad whose calls are watched."""

    _inner: PinPadChannel

    def verify_pin(self, prompt: PinPrompt) -> bytes:
        """Let the holder type.

        Raises:
            ReaderPoisoned: As in `transmit`.
            ReaderError: As the channel underneath.
        """
        return self._watch.call(lambda: self._inner.verify_pin(prompt), PIN_ENTRY)

    def modify_pin(self, prompt: PinChangePrompt) -> bytes:
        """Let the holder type three PINs; raises as `verify_pin` does."""
        return self._watch.call(lambda: self._inner.modify_pin(prompt), 3 * PIN_ENTRY)
