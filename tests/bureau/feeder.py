"""A feeder of blank virtual cards at vpcd readers: it takes a card out when the result file names it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, Self

from cardio.products.model import Product
from cardio.virtual.blank_products import blank_card_for
from cardio.virtual.card import Moment
from cardio.virtual.received import Received
from cardio.virtual.timing import Contactless, TimingModel
from cardio.virtual.vpcd import VpcdLink

WRITE_KEY = 0xD4
LEAVING = frozenset({"finished", "refused", "rejected"})
"""Results after which a card does not stay: `refused` says of a finished card that it is not blank."""


class FedCard:
    """A card out of the feeder, with the time that commands spent in it.

    Args:
        product: What it is to become.
        number: Its serial number.
        at_key: Called when a key comes to it.
        timed: Whether it takes the time of a real card.

    Attributes:
        card: The card.
        atr: Its answer to reset.
        seconds: Time inside it.
    """

    def __init__(self, product: Product, number: int, at_key: Callable[[], None], *, timed: bool) -> None:
        self.card = blank_card_for(product, number)
        self.atr = self.card.atr
        self.seconds = 0.0
        self._at_key = at_key
        self.card.hook = self._reached
        if timed:
            self.card.timing = TimingModel(Contactless(), sleep=True)

    def power_on(self) -> None:
        """The reader gives power."""
        self.card.power_on()

    def power_off(self) -> None:
        """The reader takes it."""
        self.card.power_off()

    def transmit(self, command: bytes) -> bytes:
        """A command."""
        begun = time.monotonic()
        try:
            return self.card.transmit(command)
        finally:
            self.seconds += time.monotonic() - begun

    def taken_out(self) -> None:
        """From now on it is only looked at."""
        self.card.hook = None
        self.card.timing = None

    def _reached(self, moment: Moment, command: Received) -> None:
        if moment is Moment.COMMAND and command.ins == WRITE_KEY:
            self._at_key()


class Feeder:
    """Blank cards for all slots of a pcscd; a context manager that puts the first ones in.

    Args:
        product: What they are to become.
        slots: Names and ports of the readers.
        at_key: Called when a key comes to a card.
        timed: Whether the cards take the time of real ones.

    Attributes:
        out: Cards that were taken out, in that order.
    """

    def __init__(
        self, product: Product, slots: Sequence[tuple[str, int]], at_key: Callable[[], None], *, timed: bool
    ) -> None:
        self.out: list[FedCard] = []
        self._ports = dict(slots)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._hands = ThreadPoolExecutor(len(slots))
        self._blank = partial(FedCard, product, at_key=at_key, timed=timed)
        self._in: dict[str, tuple[FedCard, VpcdLink]] = {}

    def __enter__(self) -> Self:
        list(self._hands.map(self._put_in, self._ports))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hands.shutdown()
        for _, link in self._in.values():
            link.remove()

    def after(self, result: dict[str, Any]) -> None:
        """Have the card of a result taken out, unless it stays or is out already, and the next one put in."""
        reader = result["reader"]
        with self._lock:
            card, link = self._in.get(reader, (None, None))
            if card is None or link is None or card.atr.hex().upper() != result["atr"]:
                return
            if result["state"] not in LEAVING:
                return
            del self._in[reader]
        self._hands.submit(self._swap, reader, card, link)

    @property
    def lying(self) -> list[FedCard]:
        """Cards that lie in the readers now."""
        with self._lock:
            return [card for card, _ in self._in.values()]

    def _swap(self, reader: str, card: FedCard, link: VpcdLink) -> None:
        link.remove()
        card.taken_out()
        with self._lock:
            self.out.append(card)
        self._put_in(reader)

    def _put_in(self, reader: str) -> None:
        with self._lock:
            card = self._blank(number=next(self._numbers))
            link = VpcdLink(card, port=self._ports[reader])
            self._in[reader] = card, link
        link.insert()
