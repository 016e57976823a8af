"""Frames of serial readers and SAM boxes: CCID messages between a start and an end byte (PERS §4.7).

Source: ACS, ACR122S Communication Protocol 2.01 p. 8-13, ACR122L Communication Protocol 1.03 p. 9-14, ACR1281S User's
Manual p. 14-22; slot status and errors from the CCID specification 1.1 §6.2.6. Both ways, all numbers little-endian:

* message: STX ‖ header ‖ data ‖ checksum ‖ ETX. The header has 10 bytes: type 1, length of the data 4, slot 1,
  sequence 1, parameters 3; the checksum is the XOR of header and data.
* receipt, from the reader, before it works on a message: STX ‖ code ‖ code ‖ ETX. Code 00 means that the message
  arrived whole, any other that it did not, so that nothing was done.
* NAK, to the reader: STX ‖ 11 zeros ‖ ETX. It sends its last answer once more; the card hears nothing.

STX and ETX are 02 and 03. An ACR122L has further SAM interfaces, which have 12 and 13, and 22 and 23.

An XOR finds every single damaged byte, not every pair of them; what has to be right for money is under the cards' MACs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import xor

HEADER_SIZE = 10
MAX_DATA = 0x105
"""Data of a message: a short command APDU of 261 bytes; readers refuse more (ACR122L p. 10)."""
INTERFACES = 3
_STARTS = bytes(0x02 + 0x10 * index for index in range(INTERFACES))
_ENVELOPE = 3
"""STX, checksum and ETX."""
_RECEIPT_SIZE = 4


class Kind(IntEnum):
    """Types of messages: to the reader below 80, from the reader above."""

    POWER_ON = 0x62
    POWER_OFF = 0x63
    SLOT_STATUS = 0x65
    EXCHANGE = 0x6F
    DATA = 0x80
    STATUS = 0x81


ANSWERS = frozenset({Kind.DATA, Kind.STATUS})


@dataclass(frozen=True)
class Message:
    """A CCID message.

    Attributes:
        kind: Its type.
        slot: Slot of the reader.
        sequence: Number by which an answer names its command, 0 to 255.
        data: APDU, ATR, or nothing.
        parameters: Last 3 bytes of the header; in answers slot status, error, and one that depends on the type.
        interface: 1, or 2 and 3 for the further SAM interfaces of one box.
    """

    kind: Kind
    slot: int
    sequence: int
    data: bytes = b""
    parameters: bytes = bytes(3)
    interface: int = 1

    def encode(self) -> bytes:
        """The frame."""
        body = (
            bytes([self.kind])
            + len(self.data).to_bytes(4, "little")
            + bytes([self.slot, self.sequence])
            + self.parameters
            + self.data
        )
        start = _STARTS[self.interface - 1]
        return bytes([start]) + body + bytes([_checksum(body), start + 1])


@dataclass(frozen=True)
class Receipt:
    """What a reader says about a message that it was sent.

    Attributes:
        code: 00 it arrived whole; FF wrong checksum, FE too long, FD no ETX, FC cut short.
        interface: As in `Message`.
    """

    code: int
    interface: int = 1

    @property
    def accepted(self) -> bool:
        """Whether the message arrived whole, and is being worked on."""
        return self.code == 0

    def encode(self) -> bytes:
        """The frame."""
        start = _STARTS[self.interface - 1]
        return bytes([start, self.code, self.code, start + 1])


def encode_nak(interface: int = 1) -> bytes:
    """The frame that asks for the last answer once more."""
    start = _STARTS[interface - 1]
    return bytes([start]) + bytes(HEADER_SIZE + 1) + bytes([start + 1])


class Incomplete(Exception):
    """The bytes so far may be the beginning of a frame."""


class Parser:
    """Finds the answers of a reader in what comes over the line.

    Bytes that cannot belong to a frame are dropped one by one, so that the next whole frame is found wherever it is.

    Attributes:
        dropped: Bytes dropped since `clear`.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self.dropped = 0

    @property
    def waiting(self) -> bool:
        """Whether the beginning of a frame is there."""
        return bool(self._bytes)

    def clear(self) -> None:
        """Forget everything."""
        self._bytes.clear()
        self.dropped = 0

    def feed(self, received: bytes) -> Iterator[Message | Receipt]:
        """Take what arrived; yield the frames that are complete now."""
        self._bytes += received
        while self._bytes:
            try:
                frame, size = _first_frame(self._bytes)
            except Incomplete:
                return
            except ValueError:
                self._drop()
                continue
            del self._bytes[:size]
            yield frame

    def expire(self) -> Iterator[Message | Receipt]:
        """Nothing more will come: what looked like a beginning was none; yield what lies behind it."""
        if self._bytes:
            self._drop()
        yield from self.feed(b"")

    def _drop(self) -> None:
        del self._bytes[0]
        self.dropped += 1


def _first_frame(received: bytearray) -> tuple[Message | Receipt, int]:
    """The frame with which the bytes begin, and its size.

    Raises:
        Incomplete: More bytes are needed.
        ValueError: No frame begins here.
    """
    start = received[0]
    interface = _STARTS.index(start) + 1
    if len(received) < 2:
        raise Incomplete
    if received[1] not in ANSWERS:
        return _receipt(received, interface), _RECEIPT_SIZE
    if len(received) < HEADER_SIZE + 1:
        raise Incomplete
    length = int.from_bytes(received[2:6], "little")
    if length > MAX_DATA:
        raise ValueError("too long")
    size = HEADER_SIZE + length + _ENVELOPE
    if len(received) < size:
        raise Incomplete
    body = bytes(received[1 : size - 2])
    if received[size - 1] != start + 1 or received[size - 2] != _checksum(body):
        raise ValueError("damaged")
    message = Message(
        Kind(body[0]), body[5], body[6], data=body[HEADER_SIZE:], parameters=body[7:HEADER_SIZE], interface=interface
    )
    return message, size


def _receipt(received: bytearray, interface: int) -> Receipt:
    if len(received) >= 3 and received[2] != received[1]:
        raise ValueError("no receipt")
    if len(received) < _RECEIPT_SIZE:
        raise Incomplete
    if received[3] != received[0] + 1:
        raise ValueError("no receipt")
    return Receipt(received[1], interface)


def _checksum(body: bytes) -> int:
    return reduce(xor, body, 0)
