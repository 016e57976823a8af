"""Channels that tell when a holder is asked for the PIN, and what came of it: never the PIN, never how many tries."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from cardio.errors import (
    CardioError,
    CardUnexpected,
    PinCancelled,
    PinLength,
    PinMismatch,
    PinTimeout,
    PinWrong,
)
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

VERIFY, CHANGE_PIN, CHANGE = 0x20, 0x5E, 0x01
"""INS of VERIFY and CHANGE PIN, and P1 by which the latter is told from RELOAD PIN (SSC §5.1, EW §3.4)."""
HEADER_SIZE = 5
PAD_WORDS = {
    b"\x64\x00": PinTimeout.code,
    b"\x64\x01": PinCancelled.code,
    b"\x64\x02": PinMismatch.code,
    b"\x64\x03": PinLength.code,
}
"""What a pad answers without having asked the card (OPS §4.6)."""


class PinMoment(StrEnum):
    """What happens to a PIN, by the names of OPS §4.10."""

    PROMPT = "prompt"
    VERIFIED = "verified"
    FAILED = "failed"
    BLOCKED = "blocked"


PinListener = Callable[[str, PinMoment, str], None]
"""Called with the reader's name, the moment, and the code of the error if it failed, else an empty one.

It is called in the thread that owns the reader, and must not wait."""


class PinTellingDriver(DriverAround):
    """A driver whose channels tell of PINs.

    Args:
        inner: The driver underneath.
        listener: Is told.
    """

    def __init__(self, inner: ReaderDriver, listener: PinListener) -> None:
        super().__init__(inner)
        self._listener = listener

    def connect(self, reader: str) -> Channel:
        """Power the card, as the driver underneath does."""
        channel = self._inner.connect(reader)
        kind = _TellingPinPadChannel if has_pin_pad(channel) else _TellingChannel
        return kind(channel, self._listener)


class _TellingChannel(ChannelAround):
    def __init__(self, inner: Channel, listener: PinListener) -> None:
        super().__init__(inner)
        self._listener = listener

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        if not _carries_pin(command):
            return self._inner.transmit(command, disclosure)
        return self._told(lambda: self._inner.transmit(command, disclosure))

    def _told(self, present: Callable[[], bytes]) -> bytes:
        try:
            answer = present()
        except CardioError as error:
            self._listener(self.reader, PinMoment.FAILED, error.code)
            raise
        self._listener(self.reader, *_result(answer[-2:]))
        return answer


class _TellingPinPadChannel(_TellingChannel):
    _inner: PinPadChannel

    def verify_pin(self, prompt: PinPrompt) -> bytes:
        self._listener(self.reader, PinMoment.PROMPT, "")
        return self._told(lambda: self._inner.verify_pin(prompt))

    def modify_pin(self, prompt: PinChangePrompt) -> bytes:
        self._listener(self.reader, PinMoment.PROMPT, "")
        return self._told(lambda: self._inner.modify_pin(prompt))


def _carries_pin(command: bytes) -> bool:
    """Whether a PIN is presented; VERIFY without data only asks for its state."""
    if len(command) <= HEADER_SIZE:
        return False
    return command[1] == VERIFY or (command[1] == CHANGE_PIN and command[2] == CHANGE)


def _result(word: bytes) -> tuple[PinMoment, str]:
    if word == b"\x90\x00":
        return PinMoment.VERIFIED, ""
    if word in {b"\x63\xc0", b"\x69\x83"}:
        return PinMoment.BLOCKED, ""
    wrong = word[0] == 0x63 and word[1] >> 4 == 0xC
    return PinMoment.FAILED, PinWrong.code if wrong else PAD_WORDS.get(word, CardUnexpected.code)
