"""Tears virtual cards out at a moment of their life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cardio.errors import CardRemoved
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.received import Received

UNCHANGED = (Moment.COMMAND, Moment.BEFORE_COMMIT)
CHANGED = (Moment.AFTER_COMMIT, Moment.ANSWER)


def tear_at(card: VirtualCard, moment: Moment) -> None:
    """Have the card torn out whenever it reaches `moment`."""

    def hook(reached: Moment, command: Received) -> None:
        if reached is moment:
            raise CardRemoved("torn by the test")

    card.hook = hook


def cut(card: VirtualCard, moment: Moment, work: Callable[[], Any]) -> None:
    """Do `work`, have the card torn out at `moment`, and put it back."""
    tear_at(card, moment)
    with pytest.raises(CardRemoved):
        work()
    card.hook = None
    card.power_off()
    card.power_on()
