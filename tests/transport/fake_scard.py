"""A PC/SC layer in memory in the place of `smartcard.scard`: readers that no virtual driver has.

vpcd has no control channel and cannot be unplugged; this has a PIN pad, and leaves when a test says so. Results and
byte layouts are those of pcsc-lite and its reader.h, written down here a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import smartcard.scard as real

from cardio.transport.embedded import EmbeddedCard
from cardio.virtual.pin_pad import CANCELLED, TIMED_OUT, WRONG_LENGTH

GET_FEATURE_REQUEST = 0x42000000 + 3400
VERIFY_CODE = 0x42330006
MODIFY_CODE = 0x42330007
PROPERTIES_CODE = 0x42330012
FEATURES = bytes.fromhex("0604 42330006 0A04 4233000A 1204 42330012")
WITH_CHANGE = FEATURES + bytes.fromhex("0704 42330007")
UNSUPPORTED = 0x8010001F
NO_SERVICE = 0x8010001D
UNKNOWN_READER = 0x80100009
NOT_TRANSACTED = 0x80100016
SHARING_VIOLATION = 0x8010000B
TIMEOUT = 0x8010000A
NO_CARD = 0x8010000C
PLUG_AND_PLAY = "\\\\?PnP?\\Notification"
READER = "Pad Reader 00 00"


class FakeScard:
    """One reader with one card.

    Args:
        card: The card.
        features: Answer to the question for features; None for a reader that knows no control codes.

    Attributes:
        typed: Digits that the holder types; empty for one who cancels, None for one who does nothing.
        new: Digits of a new PIN that the holder types twice.
        asked: PIN_VERIFY and PIN_MODIFY structures that came.
        properties: Answer to the question for properties; None for a reader without.
        plugged: Whether the reader is there.
        generation: Number of the service's start; 0 if it does not run.
        held: Whether another program holds the card.
        override: Result and data of the next exchange instead of the card's.
        watched: Names that status changes were asked for.
    """

    def __init__(self, card: EmbeddedCard, features: bytes | None = FEATURES) -> None:
        self.card = card
        self.features = features
        self.typed: str | None = "123456"
        self.new = "654321"
        self.asked: list[bytes] = []
        self.properties: bytes | None = None
        self.plugged = True
        self.generation = 1
        self.held = False
        self.override: Callable[[], tuple[int, bytes]] | None = None
        self.watched: set[str] = set()
        self.commands: list[bytes] = []
        self.released: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(real, name)

    def SCardEstablishContext(self, scope: int) -> tuple[int, int]:  # noqa: N802
        return (0, self.generation) if self.generation else (NO_SERVICE, 0)

    def SCardReleaseContext(self, context: int) -> int:  # noqa: N802
        self.released.append(context)
        return 0

    def SCardListReaders(self, context: int, groups: list[str]) -> tuple[int, list[str]]:  # noqa: N802
        if context != self.generation:
            return NO_SERVICE, []
        return 0, [READER] if self.plugged else []

    def SCardGetStatusChange(  # noqa: N802
        self, context: int, milliseconds: int, known: list[tuple[str, int]]
    ) -> tuple[int, list[tuple[str, int, bytes]]]:
        if context != self.generation:
            return NO_SERVICE, []
        self.watched |= {name for name, _ in known}
        if any(name == READER and not self.plugged for name, _ in known):
            return UNKNOWN_READER, []
        state = real.SCARD_STATE_PRESENT | 0x10000
        return (TIMEOUT if milliseconds else 0), [(name, state, b"") for name, _ in known]

    def SCardConnect(self, context: int, reader: str, share: int, protocols: int) -> tuple[int, int, int]:  # noqa: N802
        if context != self.generation:
            return NO_SERVICE, 0, 0
        if not self.plugged:
            return UNKNOWN_READER, 0, 0
        if self.held:
            return SHARING_VIOLATION, 0, 0
        self.card.power_on()
        return 0, 7, real.SCARD_PROTOCOL_T1

    def SCardDisconnect(self, handle: int, disposition: int) -> int:  # noqa: N802
        self.card.power_off()
        return 0

    def SCardStatus(self, handle: int) -> tuple[int, str, int, int, list[int]]:  # noqa: N802
        return 0, READER, 0, real.SCARD_PROTOCOL_T1, list(self.card.atr)

    def SCardGetAttrib(self, handle: int, attribute: int) -> tuple[int, list[int]]:  # noqa: N802
        return UNSUPPORTED, []

    def SCardTransmit(self, handle: int, header: object, command: list[int]) -> tuple[int, list[int]]:  # noqa: N802
        return self._exchange(lambda: self.card.transmit(bytes(command)))

    def SCardControl(self, handle: int, code: int, data: list[int]) -> tuple[int, list[int]]:  # noqa: N802
        if code == GET_FEATURE_REQUEST and self.features is not None:
            return 0, list(self.features)
        if code == PROPERTIES_CODE and self.properties is not None:
            return 0, list(self.properties)
        if code == VERIFY_CODE:
            self.asked.append(bytes(data))
            return self._exchange(lambda: self._pad(bytes(data)))
        if code == MODIFY_CODE:
            self.asked.append(bytes(data))
            return self._exchange(lambda: self._changing_pad(bytes(data)))
        return UNSUPPORTED - (1 << 32), []

    def _exchange(self, answer: Callable[[], bytes]) -> tuple[int, list[int]]:
        if self.override is not None:
            result, data = self.override()
            return result, list(data)
        if not self.plugged:
            return UNKNOWN_READER, []
        return 0, list(answer())

    def _pad(self, asked: bytes) -> bytes:
        """What a pad does that follows part 10: BCD digits from the left, Lc its own, odd ones filled with F."""
        assert asked[2] == 0x80 | 0x01
        assert asked[3:5] == b"\x00\x00"
        longest, shortest = asked[5], asked[6]
        assert int.from_bytes(asked[15:19], "little") == len(asked) - 19 == 4
        if self.typed is None:
            return TIMED_OUT
        if not self.typed:
            return CANCELLED
        if not shortest <= len(self.typed) <= longest:
            return WRONG_LENGTH
        digits = bytes.fromhex(self.typed + "F" * (len(self.typed) % 2))
        self.commands.append(asked[19:23] + bytes([len(digits)]) + digits)
        return self.card.transmit(self.commands[-1])

    def _changing_pad(self, asked: bytes) -> bytes:
        """What a pad does that follows part 10: it lays the digits over the template, where the offsets say."""
        assert asked[2] == 0x80 | 0x01
        size, old_at, new_at, longest, shortest, confirm = asked[3], *asked[5:10]
        assert int.from_bytes(asked[20:24], "little") == len(asked) - 24
        command = bytearray(asked[24:])
        assert command[4] == len(command) - 5 == new_at + size
        typed = [(self.new, new_at)] if confirm == 0x01 else [(self.typed or "", old_at), (self.new, new_at)]
        for digits, place in typed:
            if not shortest <= len(digits) <= longest:
                return WRONG_LENGTH
            packed = bytes.fromhex(digits + "F" * (len(digits) % 2))
            command[5 + place : 5 + place + size] = packed
        self.commands.append(bytes(command))
        return self.card.transmit(self.commands[-1])
