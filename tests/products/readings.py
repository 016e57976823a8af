"""Takes the readings of a card apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from cardio.errors import CardioError
from cardio.products.group_reading import GroupReading
from cardio.products.groups import Group
from cardio.virtual.card import VirtualCard
from cardio.virtual.pin_pad import VirtualPinPad


class Read(Protocol):
    """Reads groups of a card that is put into a reader."""

    def __call__(
        self,
        card: VirtualCard,
        groups: Iterable[Group],
        pad: VirtualPinPad | None = None,
        *,
        pin: str | None = None,
        masked: bool = True,
    ) -> dict[Group, GroupReading]:
        """The readings by group."""


def error_of(reading: GroupReading) -> CardioError:
    assert reading.content is None
    assert reading.error is not None
    return reading.error


def content_of(reading: GroupReading) -> dict[str, Any]:
    assert reading.error is None
    assert isinstance(reading.content, dict)
    return reading.content


def log_of(reading: GroupReading) -> list[dict[str, Any]]:
    assert reading.error is None
    assert isinstance(reading.content, list)
    return reading.content


def tries_of(card: VirtualCard) -> int:
    assert card.pin is not None
    return card.pin.tries_left
