"""Tells whoever watches the counter that a holder is asked for the PIN, and what came of it (OPS §4.9, §4.10)."""

from __future__ import annotations

from collections.abc import Mapping

from cardio.transport.pin_telling import PinMoment
from cardiod.events import EventLog
from cardiod.presentation import Presentation
from cardiod.work import Work


class PinEvents:
    """The events `pin.prompt`, `pin.verified`, `pin.failed` and `pin.blocked`; never the PIN, never its tries.

    Args:
        work: Of the counter.
        events: Are told.
        cards: Cards that are there, by the names of their readers.
    """

    def __init__(self, work: Work, events: EventLog, cards: Mapping[str, Presentation]) -> None:
        self._work = work
        self._events = events
        self._cards = cards

    def tell(self, reader: str, moment: PinMoment, error: str) -> None:
        """Called in the thread that owns a reader."""
        self._work.from_elsewhere(lambda: self._publish(reader, moment, error))

    def _publish(self, reader: str, moment: PinMoment, error: str) -> None:
        card = self._cards.get(reader)
        handle = None if card is None else card.handle
        why = {"error": error} if error else {}
        self._events.publish(f"pin.{moment}", reader=reader, card=handle, **why)
