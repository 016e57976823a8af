"""Channels that count and time what goes through them: by instruction and status word, never by content."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from cardio.transport.channel import (
    Channel,
    ChannelAround,
    Disclosure,
    DriverAround,
    PinChangePrompt,
    PinPadChannel,
    PinPrompt,
    ReaderDriver,
    has_pin_pad,
)

LOST = "lost"
"""Stands for the status word of an answer that did not come."""
HEADER_SIZE = 5
"""CLA, INS, P1, P2 and Lc or Le."""
INS = 1
"""Place of the instruction byte in a command."""


@dataclass(frozen=True)
class Measured:
    """One exchange.

    Attributes:
        instruction: INS of the command, two hex digits.
        status: Status word, four hex digits, or `LOST`.
        seconds: From command to answer.
        with_data: Whether the command carried data: VERIFY without any only asks for the state of the PIN.
    """

    instruction: str
    status: str
    seconds: float
    with_data: bool


Observer = Callable[[Measured], None]
"""Called in the thread that owns the reader; must not wait."""


class MeasuringDriver(DriverAround):
    """A driver whose channels are measured.

    Args:
        inner: The driver underneath.
        observer: Told of every exchange.
    """

    def __init__(self, inner: ReaderDriver, observer: Observer) -> None:
        super().__init__(inner)
        self._observer = observer

    def connect(self, reader: str) -> Channel:
        """Power the card, as the driver underneath does."""
        channel = self._inner.connect(reader)
        kind = _MeasuringPinPadChannel if has_pin_pad(channel) else _MeasuringChannel
        return kind(channel, self._observer)


class _MeasuringChannel(ChannelAround):
    def __init__(self, inner: Channel, observer: Observer) -> None:
        super().__init__(inner)
        self._observer = observer

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        with_data = len(command) > HEADER_SIZE
        return self._measured(command[INS], lambda: self._inner.transmit(command, disclosure), with_data=with_data)

    def _measured(self, instruction: int, exchange: Callable[[], bytes], *, with_data: bool) -> bytes:
        begun = time.perf_counter()
        status = LOST
        try:
            answer = exchange()
            status = answer[-2:].hex().upper()
        finally:
            self._observer(Measured(f"{instruction:02X}", status, time.perf_counter() - begun, with_data))
        return answer


class _MeasuringPinPadChannel(_MeasuringChannel):
    _inner: PinPadChannel

    def verify_pin(self, prompt: PinPrompt) -> bytes:
        """Measured, too: the time is the holder's."""
        return self._measured(prompt.header[INS], lambda: self._inner.verify_pin(prompt), with_data=True)

    def modify_pin(self, prompt: PinChangePrompt) -> bytes:
        """Measured, too."""
        return self._measured(prompt.command[INS], lambda: self._inner.modify_pin(prompt), with_data=True)
