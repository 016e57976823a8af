"""Secrets that stop answering after too many wrong tries (SSC PC-4, EW §4.8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cardio.virtual.received import Status
from cardio.virtual.stored import AtMost, Misfit, Tries

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

    value: Annotated[bytes, AtMost(16)]
    max_tries: Tries
    tries_left: Tries


@dataclass
class CardPin(Secret):
    """The PIN of a social security card: six tries (SSC PC-4)."""

    max_tries: int = 6
    tries_left: int = 6


def tries_spent(counters: Mapping[str, Counted]) -> dict[str, int]:
    """Tries left by name, of counters that are not full."""
    return {name: one.tries_left for name, one in counters.items() if one.tries_left != one.max_tries}


def restore_tries(counters: Mapping[str, Counted], left: Mapping[str, int]) -> None:
    """Set counters as `tries_spent` told them.

    Raises:
        Misfit: There is no counter of some name.
    """
    for name in left:
        if name not in counters:
            raise Misfit(("tries_left", name), "the card has no such key")
    for name, one in counters.items():
        one.tries_left = left.get(name, one.max_tries)
