"""The counter of the demonstration: virtual cards in embedded readers, or in real PC/SC ones through vpcd."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

from cardio.applications.medical import CardMode
from cardio.personalize.card_data import CardData, Holder
from cardio.personalize.example_job import NOBODY, example_job
from cardio.personalize.virtual_cards import VirtualIssuer
from cardio.products.catalogue import Catalogue
from cardio.purse.operation import PurseKind
from cardio.transport.channel import ReaderDriver
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.transport.pcsc import PcscDriver
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import PERSON_A, PERSON_B, Person, psam
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.pin_pad import VirtualPinPad
from cardio.virtual.vpcd import VpcdLink

PIN = "123456"
WALLET_FEN = 10000
ACCOUNT_FEN = 50000
CITIZEN, SOCIAL = "citizen-wallet", "ssc-2.0"
"""Products of the cards."""
CITIZEN_SERIAL = "00008600000000000123"
MAKING = (
    "三张卡由空白虚拟卡制成：测试密钥，圈存由测试主机授权 three cards made from blank ones, loaded through a test host"
)


@dataclass(frozen=True)
class DemoCards:
    """Cards that were made from blank ones by the commands of `cardio personalize`, and loaded (PERS §5.2, §5.3).

    Attributes:
        citizen: A citizen card, with money in its wallet.
        online: A social security card whose account lives at the centre.
        offline: Another person's, which holds the account itself.
    """

    citizen: VirtualCard
    online: VirtualCard
    offline: VirtualCard

    @classmethod
    def made(cls) -> DemoCards:
        """New ones."""
        issuer = VirtualIssuer(Catalogue.load())
        row = _example(issuer, CITIZEN).model_copy(update={"wallet_serial": CITIZEN_SERIAL})
        citizen = issuer.card(CITIZEN, row, PIN)
        issuer.load(citizen, PurseKind.WALLET, WALLET_FEN, PIN)
        online = _patients_card(issuer, PERSON_A, CardMode.ONLINE)
        offline = _patients_card(issuer, PERSON_B, CardMode.OFFLINE)
        issuer.load(offline, PurseKind.MEDICAL, ACCOUNT_FEN, PIN)
        return cls(citizen, online, offline)


def _example(issuer: VirtualIssuer, product: str) -> CardData:
    maker = issuer.maker(product)
    _, (row,) = example_job(maker.product, maker.layout, 1)
    return row


def _patients_card(issuer: VirtualIssuer, person: Person, mode: CardMode) -> VirtualCard:
    example = _example(issuer, SOCIAL)
    row = example.model_copy(
        update={
            "holder": Holder(name=person.name, number=person.number, ethnicity="01", birthplace=NOBODY),
            "card_number": person.card_number,
            "card_serial": person.serial,
            "items": {**example.items, "DF04/EF05": {**example.items["DF04/EF05"], "mode": mode.value}},
        }
    )
    return issuer.card(SOCIAL, row, PIN, number=int(person.serial))


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
        cards = DemoCards.made()
        self._offline = cards.offline
        self._social = EmbeddedReader(self.social, cards.online, VirtualPinPad(PIN))
        self.driver: ReaderDriver = EmbeddedDriver(
            [
                self._social,
                EmbeddedReader(self.citizen, cards.citizen),
                EmbeddedReader("Virtual reader 3 (PSAM)", psam()),
            ]
        )

    def second_patient(self) -> None:
        """The off-line card goes into the reader."""
        self._social.insert(self._offline)


@dataclass
class PcscCounter:
    """Three vpcd readers of a pcscd of our own; without a PIN pad.

    Attributes:
        driver: The readers.
        social: Name of the reader of social security cards.
        citizen: Name of the reader of citizen cards.
        link: What lies in the reader of social security cards.
        offline: What the second patient puts in.
        port: Port of that reader.
        pin_pad: vpcd has none.
    """

    driver: ReaderDriver
    social: str
    citizen: str
    link: VpcdLink
    offline: VirtualCard
    port: int
    pin_pad: bool = False

    def second_patient(self) -> None:
        """The off-line card goes into the reader."""
        self.link.remove()
        self.link = VpcdLink(self.offline, port=self.port)
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
        cards = DemoCards.made()
        slots = (cards.online, cards.citizen, psam())
        links = [_insert(stack, card, pcscd.port(slot)) for slot, card in enumerate(slots)]
        social, citizen = pcscd.readers[:2]
        counter = PcscCounter(PcscDriver(), social, citizen, links[0], cards.offline, pcscd.port(0))
        stack.callback(lambda: counter.link.remove())
        yield counter


def _insert(stack: ExitStack, card: VirtualCard, port: int) -> VpcdLink:
    return stack.enter_context(VpcdLink(card, port=port))
