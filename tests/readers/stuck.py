"""Cards that do not answer until a test lets them: a driver that hangs, as its reader's thread meets it."""

from __future__ import annotations

import threading

from cardio.transport.channel import CardProtocol
from cardio.transport.embedded import EmbeddedCard

LIMIT = 0.5
"""Seconds after which the tests' owners take a call for stuck."""


class StuckCard:
    """A card around another one, whose answer to one command can be held back.

    Args:
        inner: The card; it executes the command before it hangs.

    Attributes:
        stuck_at: CLA INS of the command that hangs, once; None for none.
        hangs: Set while a command hangs.
        free: Lets it answer.
    """

    def __init__(self, inner: EmbeddedCard, stuck_at: bytes | None = None) -> None:
        self.inner = inner
        self.stuck_at = stuck_at
        self.hangs = threading.Event()
        self.free = threading.Event()

    @property
    def atr(self) -> bytes:
        return self.inner.atr

    @property
    def protocol(self) -> CardProtocol:
        return self.inner.protocol

    def power_on(self) -> None:
        self.inner.power_on()

    def power_off(self) -> None:
        self.inner.power_off()

    def transmit(self, command: bytes) -> bytes:
        answer = self.inner.transmit(command)
        if command[:2] == self.stuck_at:
            self.stuck_at = None
            self.hangs.set()
            assert self.free.wait(30)
        return answer
