"""The counter of the demonstration: virtual cards in embedded readers, or in real PC/SC ones through vpcd."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

from cardio.applications.medical import CardMode
from cardio.transport.channel import ReaderDriver
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.transport.pcsc import PcscDriver
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import PERSON_A, PERSON_B, citizen_card, psam, social_security_card
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.pin_pad import VirtualPinPad
from cardio.virtual.vpcd import VpcdLink

PIN = "123456"
WALLET_FEN = 10000
ACCOUNT_FEN = 50000


class DemoCounter(Protocol):
    """Readers with two people's cards and a PSAM."""

    driver: ReaderDriver
    social: str
    citizen: str
    pin_pad: bool

    def second_patient(self) -> None:
        """The first patient takes the social security card; the second puts in one that holds its account itself."""


class EmbeddedCounter:
    """Three embedded readers, one of them with a PIN pad at which the patients type.

    Attributes:
        driver: The readers.
        social: Name of the reader of social security cards.
        citizen: Name of the reader of citizen cards.
        pin_pad: The patients have a pad.
    """

    social = "Virtual reader 1 (social security card)"
    citizen = "Virtual reader 2 (citizen card)"
    pin_pad = True

    def __init__(self) -> None:
        self._social = EmbeddedReader(self.social, social_security_card(PERSON_A), VirtualPinPad(PIN))
        self.driver: ReaderDriver = EmbeddedDriver(
            [
                self._social,
                EmbeddedReader(self.citizen, citizen_card(balance_fen=WALLET_FEN)),
                EmbeddedReader("Virtual reader 3 (PSAM)", psam()),
            ]
        )

    def second_patient(self) -> None:
        """The off-line card goes into the reader."""
        self._social.insert(_offline_card())


@dataclass
class PcscCounter:
    """Three vpcd readers of a pcscd of our own; without a PIN pad.

    Attributes:
        driver: The readers.
        social: Name of the reader of social security cards.
        citizen: Name of the reader of citizen cards.
        pin_pad: vpcd has none.
    """

    driver: ReaderDriver
    social: str
    citizen: str
    link: VpcdLink
    port: int
    pin_pad: bool = False

    def second_patient(self) -> None:
        """The off-line card goes into the reader."""
        self.link.remove()
        self.link = VpcdLink(_offline_card(), port=self.port)
        self.link.insert()


@contextmanager
def pcsc_counter() -> Iterator[PcscCounter]:
    """A pcscd of our own with three cards in its readers; the first PC/SC use of the process.

    Raises:
        ReaderServiceStopped: pcscd or vpcd is not installed, or may not be started.
    """
    with ExitStack() as stack:
        pcscd = stack.enter_context(PrivatePcscd(3))
        os.environ.update(pcscd.environment())
        cards = (social_security_card(PERSON_A), citizen_card(balance_fen=WALLET_FEN), psam())
        links = [_insert(stack, card, pcscd.port(slot)) for slot, card in enumerate(cards)]
        social, citizen = pcscd.readers[:2]
        counter = PcscCounter(PcscDriver(), social, citizen, links[0], pcscd.port(0))
        stack.callback(lambda: counter.link.remove())
        yield counter


def _insert(stack: ExitStack, card: VirtualCard, port: int) -> VpcdLink:
    return stack.enter_context(VpcdLink(card, port=port))


def _offline_card() -> VirtualCard:
    return social_security_card(PERSON_B, mode=CardMode.OFFLINE, balance_fen=ACCOUNT_FEN)
