"""Command and response APDUs as values (ISO 7816-4 §5.1)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cardio.apdu.status import FILE, OK, SELECT, Outcomes
from cardio.errors import LinkCorrupt
from cardio.transport.channel import CardProtocol, Disclosure

MAX_SHORT_DATA = 255
MAX_SHORT_ANSWER = 256
MAX_EXTENDED = 65535
MASTER_FILE = 0x3F00
"""File identifier of the master file (ISO 7816-4 §5.3.1)."""


@dataclass(frozen=True)
class Command:
    """One command APDU with what its answers mean and what of it may be written down.

    Attributes:
        name: Name in the standard, for errors and traces.
        cla: Class byte.
        ins: Instruction byte.
        p1: First parameter.
        p2: Second parameter.
        data: Command data, 0 to 65535 bytes; more than 255 make the APDU extended.
        le: Expected answer bytes, 1 to 65536; 0 means "all there is, up to 256"; None means no answer data.
        outcomes: Meaning of the status words.
        disclosure: Which data a recording may show.
        repeatable: Whether `6Cxx` may be answered by sending the command again; never for money.
    """

    name: str
    cla: int
    ins: int
    p1: int = 0
    p2: int = 0
    data: bytes = field(default=b"", repr=False)
    le: int | None = None
    outcomes: Outcomes = FILE
    disclosure: Disclosure = Disclosure.HEADER
    repeatable: bool = True

    def encode(self, protocol: CardProtocol = CardProtocol.T1) -> bytes:
        """The bytes for the reader.

        Under T=0 a command with both data and answer is sent without Le, the card announces its answer by 61xx; one
        with neither carries P3 = 00, which T=1 would read as Le (ISO 7816-3 §12.2).
        """
        header = bytes([self.cla, self.ins, self.p1, self.p2])
        if len(self.data) > MAX_SHORT_DATA or (self.le or 0) > MAX_SHORT_ANSWER:
            return header + self._extended_body()
        body = bytes([len(self.data)]) + self.data if self.data else b""
        if self.le is None:
            return header + (body or (b"\x00" if protocol is CardProtocol.T0 else b""))
        if self.data and protocol is CardProtocol.T0:
            return header + body
        return header + body + bytes([self.le & 0xFF])

    def _extended_body(self) -> bytes:
        if len(self.data) > MAX_EXTENDED:
            raise ValueError(f"{self.name}: {len(self.data)} bytes do not fit an APDU")
        body = b"\x00"
        if self.data:
            body += len(self.data).to_bytes(2, "big") + self.data
        if self.le is not None:
            body += (self.le & 0xFFFF).to_bytes(2, "big")
        return body

    def with_le(self, le: int) -> Command:
        """The same command asking for `le` bytes."""
        return replace(self, le=le)


@dataclass(frozen=True)
class Response:
    """Answer of a card: data and status word."""

    data: bytes = field(repr=False)
    sw: int

    @classmethod
    def decode(cls, raw: bytes) -> Response:
        """Split data ‖ SW1 SW2.

        Raises:
            LinkCorrupt: Fewer than 2 bytes.
        """
        if len(raw) < 2:
            raise LinkCorrupt(f"answer of {len(raw)} bytes has no status word")
        return cls(raw[:-2], int.from_bytes(raw[-2:], "big"))

    def encode(self) -> bytes:
        """Data ‖ SW1 SW2."""
        return self.data + self.sw.to_bytes(2, "big")

    @property
    def ok(self) -> bool:
        """Whether the status word is 9000."""
        return self.sw == OK


GET_RESPONSE = Command("GET RESPONSE", 0x00, 0xC0)


def select_name(name: bytes, disclosure: Disclosure = Disclosure.ALL) -> Command:
    """SELECT by DF name or AID of 5 to 16 bytes."""
    return _select(0x04, name, disclosure)


def select_file(identifier: int, disclosure: Disclosure = Disclosure.ALL) -> Command:
    """SELECT by file identifier, 0x0000 to 0xFFFF."""
    return _select(0x00, identifier.to_bytes(2, "big"), disclosure)


def _select(p1: int, data: bytes, disclosure: Disclosure) -> Command:
    return Command("SELECT", 0x00, 0xA4, p1, data=data, le=0, outcomes=SELECT, disclosure=disclosure)
