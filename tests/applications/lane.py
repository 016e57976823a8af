"""A lane with a card in its field, keys and a journal: the whole library from SELECT to the journal's last row.

Commands are counted where they go over the seam to the card and to the PSAM.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cardio.apdu.connection import CardConnection
from cardio.applications import journeys
from cardio.applications.journeys import Stop
from cardio.applications.transit import TransitFiles
from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest
from cardio.engine.transit import Decide, Tap, TransitCard
from cardio.files.dates import CARD_TIMEZONE
from cardio.files.wallet.tunion import MetroRecord
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import Transaction
from cardio.products.catalogue import Catalogue
from cardio.purse.operation import Operation
from cardio.security.derived_keys import Terminal
from cardio.security.keyring import Keyring, RootKey
from cardio.security.keys import Family, PurchaseKeys
from cardio.security.psam import Psam
from cardio.transport.channel import Channel, ChannelAround, Disclosure
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.cards import WALLET_ROOT, psam, test_root
from cardio.virtual.products import example_card
from cardio.virtual.sams import TERMINAL_NUMBER
from tests.counter import request

T = TypeVar("T")
NOON = datetime(2026, 7, 1, 12, tzinfo=CARD_TIMEZONE)
TUNION = "transit-jtt978"
STATION = Stop("9999", "02319999", bytes.fromhex("0001"), bytes.fromhex("0012"), bytes.fromhex("0003"))
OTHER_STATION = replace(STATION, station=bytes.fromhex("0009"))
FARE = 200
GET_RESPONSE = "00C0"


class CountingChannel(ChannelAround):
    """A channel that writes down which commands went through it, and how long the other side took.

    Attributes:
        sent: Headers of the commands, in hex.
        seconds: Wall time on the other side.
    """

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._asked_again = False
        self.sent: list[str] = []
        self.seconds = 0.0

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        """Pass it on; what only repeats a command for its length is not counted."""
        header = command[:4].hex().upper()
        if not header.startswith(GET_RESPONSE) and not self._asked_again:
            self.sent.append(header)
        begin = time.perf_counter()
        try:
            answer = self._inner.transmit(command, disclosure)
        finally:
            self.seconds += time.perf_counter() - begin
        self._asked_again = answer[-2] == 0x6C
        return answer


class LaneSlot:
    """The slot of a virtual PSAM that never leaves it.

    Attributes:
        sam: The PSAM.
        channel: The way to it.
    """

    name = "sam slot"
    virtual = True

    def __init__(self) -> None:
        self.sam = psam()
        self.channel = CountingChannel(EmbeddedReader("sam", self.sam).connect())

    def run(self, job: Callable[[CardConnection], T]) -> T:
        """Run a job at once."""
        return job(CardConnection(self.channel))


@dataclass(frozen=True)
class Passage:
    """What one use of a card cost until it was let go, and after.

    Attributes:
        transaction: What became of it.
        card: Headers of the commands to the card.
        sam: Headers of the commands to the PSAM.
        card_after: Commands to the card that followed.
        sam_after: Commands to the PSAM that followed.
        card_seconds: Modelled time of the card; 0 without a model.
        sam_seconds: Modelled time of the PSAM.
        software_seconds: Wall time without what the virtual cards computed: engine, journal, disk.
    """

    transaction: Transaction | None
    card: list[str]
    sam: list[str]
    card_after: list[str]
    sam_after: list[str]
    card_seconds: float
    sam_seconds: float
    software_seconds: float


@dataclass
class Lane:
    """A terminal that knows the product of its cards.

    Attributes:
        folder: Where the journal lies.
        product: Product of the card.
        keyring: Keys without a PSAM; None for the virtual PSAM.
        whole_catalogue: Whether the terminal knows all products, as a counter does.
        card: The card in the field.
        slot: The PSAM's.
        engine: The engine.
    """

    folder: Path
    product: str = TUNION
    keyring: Keyring | None = None
    whole_catalogue: bool = False

    def __post_init__(self) -> None:
        known = Catalogue.load()
        self._catalogue = known if self.whole_catalogue else Catalogue([known[self.product]])
        self._wallet = known[self.product].wallet
        self.card = example_card(known[self.product])
        self.reader = EmbeddedReader("lane", self.card)
        self.slot = LaneSlot()
        self.ledger = Ledger(self.folder / "journal.db")
        self.restart()

    def restart(self) -> None:
        """Begin again: what only memory knew is gone, and the PSAM is read once, before the first card comes."""
        self.keys: PurchaseKeys = self.keyring or Psam(self.slot)
        self.engine = Engine(self.ledger, self._catalogue, self.keys, clock=lambda: NOON)
        if isinstance(self.keys, Psam) and self._wallet is not None:
            self.keys.terminal_number()
            self.keys.key_index(self._wallet.rules(Family.PBOC).sam)

    def close(self) -> None:
        """End it, the chain still whole."""
        self.ledger.verify_chain()
        self.ledger.close()

    def tap(self, decide: Decide) -> Passage:
        """A card held to the lane."""
        return self._use(lambda channel, release: self.engine.tap(channel, decide, release))

    def debit(self, amount: int) -> Passage:
        """A plain purchase, as a counter makes it."""
        begun = self.engine.begin_debit(DebitRequest(request(), amount, "sale"))
        return self._use(lambda channel, release: self.engine.debit(begun, channel, release=release))

    def _use(self, act: Callable[[Channel, Callable[[], None]], Transaction | None]) -> Passage:
        """Hold the card to the lane, and note what happened when it was let go, or refused, or lost."""
        if self.reader.card is None:
            self.reader.insert(self.card)
        channel, sam = CountingChannel(self.reader.connect()), self.slot.channel
        sam.sent.clear()
        for timing in (self.card.timing, self.slot.sam.timing):
            if timing is not None:
                timing.reset()
        sam_begin, begin = sam.seconds, time.perf_counter()
        noted: list[tuple[int, int, list[float]]] = []

        def note() -> None:
            software = time.perf_counter() - begin - channel.seconds - (sam.seconds - sam_begin)
            modelled = [0.0 if one.timing is None else one.timing.elapsed for one in (self.card, self.slot.sam)]
            noted.append((len(channel.sent), len(sam.sent), [*modelled, software]))

        try:
            transaction = act(channel, note)
        finally:
            channel.close()
        if not noted:
            note()
        cards, sams, seconds = noted[0]
        return Passage(
            transaction, channel.sent[:cards], sam.sent[:sams], channel.sent[cards:], sam.sent[sams:], *seconds
        )


def software_keys() -> Keyring:
    """The test root of wallets for cards of two levels, with the virtual PSAM's terminal number."""
    root = RootKey(test_root(WALLET_ROOT, "DPK"), 2)
    return Keyring("lane", {"WALLET-DPK": root}, test=True, terminal=Terminal(TERMINAL_NUMBER))


# ---- what lanes decide -------------------------------------------------------------------------------------------


def single_ride(seen: TransitCard) -> Tap:
    """Management data, then a flat fare."""
    TransitFiles(seen.card).management()
    return Tap(_composite(FARE), journeys.single_ride(STATION))


def enter(seen: TransitCard) -> Tap:
    """Into the metro."""
    TransitFiles(seen.card).management()
    return Tap(_composite(0), journeys.enter_metro(STATION))


def leave(seen: TransitCard) -> Tap:
    """Out of the metro, with what the card says of the way in."""
    files = TransitFiles(seen.card)
    files.management()
    entered = files.journey(MetroRecord, 0x01)
    if entered.state != journeys.ENTERED:
        raise AssertionError("the card is not inside")
    return Tap(_composite(FARE), journeys.exit_metro(entered, OTHER_STATION))


def paid_already(seen: TransitCard) -> None:
    """A passenger whose fare was found to be paid is let through."""
    assert seen.resolved


def _composite(fen: int) -> DebitRequest:
    return DebitRequest(request(), fen, "ride", operation=Operation.COMPOSITE)
