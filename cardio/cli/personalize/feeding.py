"""Embedded readers with a feeder: when a card is finished, the next blank one comes."""

from __future__ import annotations

import itertools
import threading

from cardio.personalize.batch import Result
from cardio.personalize.register import CardState
from cardio.products.model import Product
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.blank_products import blank_card_for
from cardio.virtual.card import VirtualCard


class VirtualFeeder:
    """Blank virtual cards for a run, each with a serial number of its own.

    Args:
        product: What they are to become.
        readers: How many readers there are.
        first: Serial number of the first card.
    """

    def __init__(self, product: Product, readers: int, first: int = 1) -> None:
        self._product = product
        self._numbers = itertools.count(first)
        self._lock = threading.Lock()
        self._readers = {name: EmbeddedReader(name) for name in (f"virtual feeder {n + 1}" for n in range(readers))}
        for reader in self._readers.values():
            reader.insert(self._blank())
        self.driver = EmbeddedDriver(list(self._readers.values()))

    def after(self, result: Result) -> None:
        """Take a finished or rejected card out, and put a blank one in."""
        if result.state in {CardState.FINISHED.value, CardState.REJECTED.value}:
            self._readers[result.reader].insert(self._blank())

    def _blank(self) -> VirtualCard:
        with self._lock:
            return blank_card_for(self._product, next(self._numbers))
