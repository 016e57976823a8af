"""Secrets that stop answering after too many wrong tries (SSC PC-4, EW §4.8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardio.virtual.received import Status

if TYPE_CHECKING:
    from cardio.virtual.card import VirtualCard


class Counted:
    """A try counter.

    Attributes:
        max_tries: Tries after a success.
        tries_left: Tries left now, 0 to 15.
    """

    max_tries: int
    tries_left: int

    def need_tries(self) -> None:
        """Insist on a try that is left.

        Raises:
            Status: 6983.
        """
        if not self.tries_left:
            raise Status(0x6983)

    def count(self, card: VirtualCard, *, right: bool, last: Callable[[], None] | None = None) -> None:
        """Write down a try: a right one restores the counter, a wrong one lowers it.

        Args:
            card: The card.
            right: Whether the try was right.
            last: Change that goes with a counter that reaches zero.
        """
        left = self.max_tries if right else self.tries_left - 1

        def write() -> None:
            self.tries_left = left
            if not left and last is not None:
                last()

        card.commit(write)

    def judge(self, card: VirtualCard, *, right: bool) -> None:
        """Count a try and refuse a wrong one.

        Raises:
            Status: 63Cx, x tries are left.
        """
        self.count(card, right=right)
        if not right:
            raise Status(0x63C0 | self.tries_left)


@dataclass
class Secret(Counted):
    """A secret with a try counter.

    Attributes:
        value: Its bytes; of a PIN packed digits as VERIFY carries them, empty if none is set.
        max_tries: Tries after a success.
        tries_left: Tries left now.
    """

    value: bytes
    max_tries: int
    tries_left: int


@dataclass
class CardPin(Secret):
    """The PIN of a social security card: six tries (SSC PC-4)."""

    max_tries: int = 6
    tries_left: int = 6
