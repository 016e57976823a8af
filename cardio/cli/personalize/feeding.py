"""Embedded readers with a feeder: when a card is finished, the next blank one comes."""

from __future__ import annotations

import itertools
import threading
from contextlib import suppress
from pathlib import Path

from cardio.crypto.globalplatform.scp02 import Scp02Options
from cardio.crypto.globalplatform.scp03 import Scp03Options
from cardio.errors import HsmFailed, SamKeyMissing
from cardio.personalize.attempts import CardState
from cardio.personalize.batch import Result
from cardio.personalize.binding import shared_key
from cardio.personalize.globalplatform.layout import JavaCardLayout, Protocol
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.register import Register
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.blank import ship_with
from cardio.virtual.blank_products import blank_card_for, blank_java_card
from cardio.virtual.chip import Chip
from cardio.virtual.globalplatform_channel import Options

PROTOCOLS: dict[Protocol, Options] = {Protocol.SCP02: Scp02Options(0x55), Protocol.SCP03: Scp03Options(0x70)}
"""Options of blank virtual JavaCards (PERS §2.2, §2.3)."""


def blank_for(maker: Personalizer, number: int = 1) -> Chip:
    """A blank virtual card that can become one of those that are made, as the maker of the lot would ship it.

    A source of keys that lets the transport key not out makes cards with the published one only.

    Args:
        maker: Makes the cards.
        number: Its serial number, 1 to 99 999 999.
    """
    if isinstance(maker.layout, JavaCardLayout):
        return blank_java_card(PROTOCOLS[maker.layout.protocol], number)
    card = blank_card_for(maker.product, number)
    with suppress(SamKeyMissing, HsmFailed):
        ship_with(card, maker.keys.plain_block(b"", shared_key(maker.product, maker.layout.transport)))
    return card


def next_serial(register: Path) -> int:
    """Serial number of the next virtual card, which no attempt of the register had: of unfinished ones nothing remains.

    Raises:
        StoreError: The register cannot be opened.
    """
    if not register.exists():
        return 1
    opened = Register(register)
    try:
        return len(opened.attempts()) + 1
    finally:
        opened.close()


class VirtualFeeder:
    """Blank virtual cards for a run, each with a serial number of its own.

    Args:
        maker: Makes cards of them.
        readers: How many readers there are.
        first: Serial number of the first card.
    """

    def __init__(self, maker: Personalizer, readers: int, first: int = 1) -> None:
        self._maker = maker
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

    def _blank(self) -> Chip:
        with self._lock:
            return blank_for(self._maker, next(self._numbers))
