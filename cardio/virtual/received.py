"""A command as the card receives it, and the status word by which it refuses."""

from __future__ import annotations

from dataclasses import dataclass


class Status(Exception):
    """Ends a command with a status word other than 9000.

    Attributes:
        sw: Status word.
        data: Answer data that come with it all the same, such as the FCI of a blocked application (EW §1.2).
    """

    def __init__(self, sw: int, data: bytes = b"") -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw
        self.data = data


@dataclass(frozen=True)
class Received:
    """A command APDU, taken apart by its length (ISO 7816-3 §12.1).

    Attributes:
        cla: Class byte.
        ins: Instruction byte.
        p1: First parameter.
        p2: Second parameter.
        data: Command data.
        le: Expected length, 1 to 65536; 0 stands for "no answer data asked for".
    """

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    le: int

    @classmethod
    def parse(cls, raw: bytes) -> Received:
        """Take a short or extended APDU apart.

        Raises:
            Status: 6700 when the lengths do not fit.
        """
        if len(raw) < 4:
            raise Status(0x6700)
        body = raw[4:]
        if not body:
            data, le = b"", 0
        elif len(body) == 1:
            data, le = b"", body[0] or 256
        elif body[0] or len(body) == 2:
            data, le = _short(body)
        else:
            data, le = _extended(body)
        return cls(raw[0], raw[1], raw[2], raw[3], data, le)

    @property
    def parameters(self) -> tuple[int, int]:
        """P1 and P2."""
        return self.p1, self.p2

    @property
    def protected(self) -> bool:
        """Whether the class announces secure messaging."""
        return bool(self.cla & 0x04)

    def header(self) -> bytes:
        """CLA INS P1 P2 Lc, as a MAC covers them."""
        return bytes([self.cla, self.ins, self.p1, self.p2, len(self.data) & 0xFF])

    @property
    def instruction(self) -> tuple[int, int]:
        """CLA and INS."""
        return self.cla, self.ins

    def need(self, length: int) -> None:
        """Insist on the length of the command data.

        Raises:
            Status: 6700.
        """
        if len(self.data) != length:
            raise Status(0x6700)


def _short(body: bytes) -> tuple[bytes, int]:
    lc = body[0]
    rest = body[1 + lc :]
    if len(body) < 1 + lc or len(rest) > 1:
        raise Status(0x6700)
    return body[1 : 1 + lc], (rest[0] or 256) if rest else 0


def _extended(body: bytes) -> tuple[bytes, int]:
    value = int.from_bytes(body[1:3], "big")
    if len(body) == 3:
        return b"", value or 65536
    rest = body[3 + value :]
    if len(body) < 3 + value or len(rest) not in {0, 2}:
        raise Status(0x6700)
    return body[3 : 3 + value], (int.from_bytes(rest, "big") or 65536) if rest else 0
