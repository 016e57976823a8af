"""Command and answer bytes of a trace, of which some may be hidden."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.transport.recording import MASKED

HEADER = 4
STATUS = 2


def pairs(text: str) -> tuple[str, ...]:
    """The bytes of a hex text, two characters each."""
    return tuple(text[place : place + 2] for place in range(0, len(text), 2))


def known(part: tuple[str, ...]) -> bytes | None:
    """The bytes themselves; None if one of them is hidden."""
    return None if MASKED in part else bytes.fromhex("".join(part))


@dataclass(frozen=True)
class TracedCommand:
    """A command APDU.

    Attributes:
        octets: All its bytes, two characters each.
        start: Where its data begin.
        size: Bytes of data.
        le: Expected bytes; None without.
        whole: Whether it is a complete APDU; if not, all after the header counts as data.
    """

    octets: tuple[str, ...]
    start: int
    size: int
    le: int | None
    whole: bool

    @property
    def header(self) -> bytes | None:
        """CLA INS P1 P2; None if they are hidden or not there."""
        return known(self.octets[:HEADER]) if len(self.octets) >= HEADER else None

    @property
    def data(self) -> bytes | None:
        """Command data; None if they are hidden."""
        return known(self.octets[self.start : self.start + self.size])

    def text(self, *, hidden: bool) -> str:
        """In hex; with the data hidden if wanted."""
        if not hidden:
            return "".join(self.octets)
        end = self.start + self.size
        return "".join((*self.octets[: self.start], *[MASKED] * self.size, *self.octets[end:]))


def parse_command(text: str) -> TracedCommand:
    """The parts of a command APDU, short or extended (ISO 7816-4 §5.1)."""
    found = pairs(text)
    body = found[HEADER:]
    if len(body) <= 1:
        le = known(body)
        return TracedCommand(found, len(found), 0, _le(le, 256) if le else None, len(found) >= HEADER)
    if body[0] == "00" and len(body) >= 3:
        return _extended(found, body)
    lc = known(body[:1])
    if lc is None or len(body) - 1 - lc[0] not in {0, 1}:
        # The first body byte is the length that does not fit: it tells nothing about a person.
        return TracedCommand(found, HEADER + 1, len(body) - 1, None, whole=False)
    le = known(body[1 + lc[0] :])
    return TracedCommand(found, HEADER + 1, lc[0], _le(le, 256) if le else None, whole=True)


def _extended(found: tuple[str, ...], body: tuple[str, ...]) -> TracedCommand:
    length = known(body[1:3])
    if length is None:
        return TracedCommand(found, HEADER + 1, len(body) - 1, None, whole=True)
    if len(body) == 3:
        return TracedCommand(found, len(found), 0, _le(length, 65536), whole=True)
    size = int.from_bytes(length, "big")
    if len(body) - 3 - size not in {0, 2}:
        return TracedCommand(found, HEADER + 1, len(body) - 1, None, whole=False)
    le = known(body[3 + size :])
    return TracedCommand(found, HEADER + 3, size, _le(le, 65536) if le else None, whole=True)


def _le(raw: bytes, maximum: int) -> int:
    return int.from_bytes(raw, "big") or maximum


@dataclass(frozen=True)
class TracedAnswer:
    """Answer data and status word.

    Attributes:
        octets: Answer data, two characters each.
        status: Status word in hex; hidden, shorter than two bytes, or empty if the answer was lost.
    """

    octets: tuple[str, ...]
    status: str

    @property
    def data(self) -> bytes | None:
        """Answer data; None if they are hidden."""
        return known(self.octets)

    @property
    def sw(self) -> int | None:
        """Status word; None if it is not known."""
        return int(self.status, 16) if len(self.status) == 2 * STATUS and "*" not in self.status else None

    @property
    def successful(self) -> bool:
        """Whether the command was done: 9000, 61xx, and the warning 6283."""
        return self.sw is not None and (self.sw in {0x9000, 0x6283} or self.sw >> 8 == 0x61)

    def text(self, *, hidden: bool) -> str:
        """In hex; with the data hidden if wanted."""
        return ("".join([MASKED] * len(self.octets)) if hidden else "".join(self.octets)) + self.status


def parse_answer(text: str) -> TracedAnswer:
    """Data and status word of an answer."""
    found = pairs(text)
    if len(found) < STATUS:
        return TracedAnswer((), text)
    return TracedAnswer(found[:-STATUS], "".join(found[-STATUS:]))
