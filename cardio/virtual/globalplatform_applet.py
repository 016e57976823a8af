"""Applets of a virtual JavaCard: what an application does once it is selected, or gets by STORE DATA (PERS §2.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from cardio.virtual.chip import Chip
from cardio.virtual.received import Received, Status

LONG_LENGTH = 0xFF
GET_DATA = (0x80, 0xCA)
KEY_GROUPINGS = frozenset({0x8113})
"""Data groupings with keys, which an applet never answers."""


class Applet(Protocol):
    """An instance of an applet."""

    def reset(self) -> None:
        """Forget whatever lasts only until the next SELECT or power-off."""

    def process(self, command: Received) -> bytes:
        """Answer data of a command to the selected application.

        Raises:
            Status: The command fails.
        """

    def store(self, block: bytes, *, first: bool, last: bool, decrypt: Callable[[bytes], bytes] | None) -> None:
        """Take the data of one STORE DATA.

        Args:
            block: Data groupings, or a piece of a long one.
            first: Whether a new sequence begins.
            last: Whether it ends here.
            decrypt: Takes the encryption under DEK off a value; None if the block is plain.

        Raises:
            Status: The data are malformed.
        """


Factory = Callable[[Chip, bytes], Applet]
"""Makes an instance, from its card and its install parameters."""


class PersonalizableApplet:
    """An applet that keeps data groupings and answers them by GET DATA.

    Args:
        chip: The card.
        parameters: Install parameters.

    Attributes:
        groupings: Values by identifier.
    """

    def __init__(self, chip: Chip, parameters: bytes) -> None:
        self.parameters = parameters
        self.groupings: dict[int, bytes] = {}
        self._chip = chip
        self._waiting = b""

    def reset(self) -> None:
        """A grouping that was not complete is lost."""
        self._waiting = b""

    def process(self, command: Received) -> bytes:
        """GET DATA of a grouping by its identifier; there are no other commands."""
        if command.instruction != GET_DATA:
            raise Status(0x6D00)
        identifier = command.p1 << 8 | command.p2
        if identifier not in self.groupings:
            raise Status(0x6A88)
        if identifier in KEY_GROUPINGS:
            raise Status(0x6982)
        return self.groupings[identifier]

    def store(self, block: bytes, *, first: bool, last: bool, decrypt: Callable[[bytes], bytes] | None) -> None:
        """Write the groupings that a block completes, all of them at once."""
        found, rest = _groupings((b"" if first else self._waiting) + block)
        if last and rest:
            raise Status(0x6A80)
        values = {identifier: decrypt(value) if decrypt else value for identifier, value in found.items()}
        self._chip.commit(lambda: self.groupings.update(values))
        self._waiting = rest


def _groupings(data: bytes) -> tuple[dict[int, bytes], bytes]:
    """Complete groupings, and the beginning of one that is not."""
    found: dict[int, bytes] = {}
    while len(data) >= 3:
        start, size = 3, data[2]
        if size == LONG_LENGTH:
            start, size = 5, int.from_bytes(data[3:5], "big")
        if len(data) < start + size:
            break
        found[int.from_bytes(data[:2], "big")] = data[start : start + size]
        data = data[start + size :]
    return found, data
