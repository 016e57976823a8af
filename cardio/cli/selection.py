"""Which reader a command works on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from cardio.apdu.connection import CardConnection
from cardio.errors import CardAbsent, CardioError, CardMultiple, OperationUnsupported, ReaderUnavailable
from cardio.products.catalogue import Catalogue
from cardio.products.detection import identify
from cardio.products.model import Product
from cardio.purse.operation import PurseKind
from cardio.readers.sam import SamFound, find_sam
from cardio.transport.channel import Channel, ReaderDriver, SlotState
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.transport.pcsc import PcscDriver
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.pin_pad import VirtualPinPad
from cardio.virtual.products import example_card

T = TypeVar("T")
VIRTUAL = "virtual"
TEST_PIN = "123456"
NEW_TEST_PIN = "654321"
"""What the holder at a virtual PIN pad types, and what for a new PIN."""


def embedded_driver(product: Product | None = None) -> EmbeddedDriver:
    """The embedded readers, new in every process: a card of each kind, or one of a product, and a PSAM."""
    if product is not None:
        card = EmbeddedReader(f"virtual {product.id}", example_card(product), _pad())
        social = product.social_security
        sam = psam() if social is None else psam(card_keys=social.naming().card_keys.values())
        return EmbeddedDriver([card, EmbeddedReader("virtual PSAM", sam)])
    return EmbeddedDriver(
        [
            EmbeddedReader("virtual social security card", social_security_card(), _pad()),
            EmbeddedReader("virtual citizen card", citizen_card(), _pad()),
            EmbeddedReader("virtual PSAM", psam()),
        ]
    )


def _pad() -> VirtualPinPad:
    return VirtualPinPad(TEST_PIN, NEW_TEST_PIN)


@dataclass
class ReaderChoice:
    """The user's `--reader` and `--wait`.

    Attributes:
        name: Part of the reader's name, its number in `cardio readers`, or something with `virtual` in front.
        wait: Seconds to wait for a card.
        product: Product of the embedded card; None for one of each kind.
    """

    name: str | None
    wait: float = 0.0
    product: Product | None = None
    driver: ReaderDriver = field(init=False)

    def __post_init__(self) -> None:
        self.virtual = self.name is not None and self.name.startswith(VIRTUAL)
        self.driver = embedded_driver(self.product) if self.virtual else PcscDriver()

    @contextmanager
    def card(self, catalogue: Catalogue, purse: PurseKind | None = None) -> Iterator[Channel]:
        """The powered card to work with.

        Raises:
            ReaderUnavailable: No such reader.
            CardAbsent: No card in it.
            CardMultiple: Several cards could be meant.
        """
        channel = self.driver.connect(self._wait(lambda: self._choose(catalogue, purse)))
        try:
            yield channel
        finally:
            channel.close()

    def sam(self, name: str | None) -> SamFound:
        """The PSAM.

        Raises:
            SamAbsent: There is none.
        """
        return find_sam(self.driver, name)

    def _choose(self, catalogue: Catalogue, purse: PurseKind | None) -> str:
        states = self._matching()
        present = [name for name, state in states.items() if state.present]
        if len(present) > 1:
            present = [name for name in present if self._fits(name, catalogue, purse)]
            if not present:
                raise OperationUnsupported(f"no card has a {purse} purse" if purse else "no known card")
        if not present:
            raise CardAbsent(", ".join(states))
        if len(present) > 1 and self.name != VIRTUAL:
            raise CardMultiple(", ".join(present))
        return present[0]

    def _matching(self) -> dict[str, SlotState]:
        states = self.driver.readers()
        if not states:
            raise ReaderUnavailable("no reader is connected")
        if self.name is None:
            return states
        if self.name.isdecimal() and int(self.name) < len(states):
            name = list(states)[int(self.name)]
            return {name: states[name]}
        found = {name: state for name, state in states.items() if self.name in name}
        if not found:
            raise ReaderUnavailable(f"no reader is named {self.name}; there are: {', '.join(states)}")
        return found

    def _fits(self, reader: str, catalogue: Catalogue, purse: PurseKind | None) -> bool:
        """Whether the card in a reader is known and has the purse; a PSAM, for one, is not."""
        try:
            channel = self.driver.connect(reader)
        except CardioError:
            return False
        try:
            found = identify(CardConnection(channel), catalogue)
        except CardioError:
            return False
        finally:
            channel.close()
        return purse is None or purse in found.purses

    def _wait(self, choose: Callable[[], T]) -> T:
        deadline = time.monotonic() + self.wait
        while True:
            known = self.driver.readers()
            try:
                return choose()
            except (CardAbsent, ReaderUnavailable):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise
                self.driver.wait(known, left)
