"""The two worked personalizations, every byte of both sides (PERS §5.2, §5.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cardio.virtual.card import VirtualCard
from tests.virtual.wire import complete

FOLDER = Path(__file__).parent.parent / "vectors" / "personalization"
LINE = re.compile(r"(?P<step>[AB]\d+) > (?P<command>[0-9A-F]+) < (?P<answer>[0-9A-F]+|6F\.\.9000)")
ANY_FCI = "6F..9000"
RANDOM_AT = {"8050 00": 8, "8050 01": 11, "B028 00": 8}
"""Where the answers to INITIALIZE carry their random of 4 bytes."""


@dataclass(frozen=True)
class Step:
    """One exchange.

    Attributes:
        name: Its number in the table, such as A17.
        command: What is sent, in hex.
        answer: What comes back; `ANY_FCI` where the source prints no FCI.
    """

    name: str
    command: str
    answer: str

    @property
    def random(self) -> bytes:
        """What the card's source of random gives during the command; empty where none is asked for."""
        if self.command.startswith("0084"):
            return bytes.fromhex(self.answer[:-4])
        place = RANDOM_AT.get(f"{self.command[:4]} {self.command[4:6]}")
        return b"" if place is None else bytes.fromhex(self.answer)[place : place + 4]

    def fits(self, answer: str) -> bool:
        """Whether a card's answer is the recorded one."""
        if self.answer == ANY_FCI:
            return answer.startswith("6F") and answer.endswith("9000")
        return answer == self.answer


def steps(card: str) -> list[Step]:
    """All exchanges of card `a` or `b`."""
    lines = (FOLDER / f"card-{card}.txt").read_text(encoding="utf-8").splitlines()
    found = [LINE.fullmatch(line) for line in lines if not line.startswith("#")]
    return [Step(one["step"], one["command"], one["answer"]) for one in found if one is not None]


def play(card: VirtualCard, recorded: Iterable[Step], sent: Callable[[VirtualCard, str], str] = complete) -> None:
    """Send every command and compare every answer."""
    fresh = card.random
    try:
        for step in recorded:
            card.random = _giving(step.random)
            answer = sent(card, step.command)
            assert step.fits(answer), f"{step.name}: {answer} instead of {step.answer}"
    finally:
        card.random = fresh


def _giving(value: bytes) -> Callable[[int], bytes]:
    def give(size: int) -> bytes:
        assert size == len(value)
        return value

    return give
