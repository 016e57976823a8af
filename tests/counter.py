"""A whole counter in this process for tests: embedded readers, virtual cards, a real journal, a real engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from cardio.applications.medical import CardMode
from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest, SettleRequest
from cardio.errors import CardRemoved
from cardio.ledger.admission import DEFAULT_LIMITS, AdmissionLimits
from cardio.ledger.audit import Audit, audit
from cardio.ledger.bill import Bill
from cardio.ledger.ledger import Ledger, now
from cardio.ledger.model import Request, Settlement, Tender, Transaction
from cardio.ledger.read_only import read_only
from cardio.products.catalogue import Catalogue
from cardio.readers.owner import SamOwner
from cardio.security.psam import Psam
from cardio.transport.channel import Channel
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.medical import MedicalFunction
from cardio.virtual.pin_pad import VirtualPinPad
from cardio.virtual.received import Received
from cardio.virtual.wallet import WalletFunction

PIN = "123456"
DEBIT_INSTRUCTIONS = {(0x80, 0x54), (0xB0, 0x2C)}
_numbers = count(1)


def wallet_of(card: VirtualCard) -> WalletFunction:
    """The purse of a virtual citizen card."""
    return next(d.function for d in card.master_file.walk() if isinstance(d.function, WalletFunction))


def account_of(card: VirtualCard) -> MedicalFunction:
    """The medical account of a virtual social security card."""
    return next(d.function for d in card.master_file.walk() if isinstance(d.function, MedicalFunction))


def tear(card: VirtualCard, moment: Moment, instructions: set[tuple[int, int]] = DEBIT_INSTRUCTIONS) -> None:
    """Tear the card out, once, at a moment of the next command with one of `instructions`."""

    def hook(reached: Moment, command: Received) -> None:
        if reached is moment and command.instruction in instructions:
            card.hook = None
            raise CardRemoved("torn by the test")

    card.hook = hook


def request(operation: str = "debit", key: str = "", body: bytes = b"body") -> Request:
    """A request under a key of its own."""
    return Request("test", key or f"key-{next(_numbers)}", operation, body)


def eventually(check: Callable[[], bool], timeout: float = 10.0) -> None:
    """Wait until something holds that happens in another thread or process."""
    deadline = time.monotonic() + timeout
    while not check():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@dataclass
class TestCounter:
    """A counter with a citizen card, an off-line social security card and a PSAM."""

    __test__ = False

    folder: Path
    wallet_card: VirtualCard = field(default_factory=lambda: citizen_card(balance_fen=10000))
    social_card: VirtualCard = field(
        default_factory=lambda: social_security_card(mode=CardMode.OFFLINE, balance_fen=50000)
    )
    psam: VirtualCard = field(default_factory=psam)
    pad: VirtualPinPad = field(default_factory=lambda: VirtualPinPad(PIN))
    clock: Callable[[], datetime] = now
    limits: AdmissionLimits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        self.citizen = EmbeddedReader("citizen", self.wallet_card)
        self.social = EmbeddedReader("social", self.social_card, self.pad)
        self.sam = EmbeddedReader("sam", self.psam)
        self.driver = EmbeddedDriver([self.citizen, self.social, self.sam])
        self.owner = SamOwner("sam", self.driver, virtual=True)
        self.keys = Psam(self.owner)
        self.catalogue = Catalogue.load()
        self.start()

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.folder / "journal.db"

    def start(self) -> None:
        """Open the journal, as a process does when it starts."""
        self.ledger = Ledger(self.journal, self.clock, self.limits)
        self.engine = Engine(self.ledger, self.catalogue, self.keys, clock=self.clock, authentication=self.keys)

    def restart(self) -> None:
        """As if the process had ended and begun again: what only memory knew is gone."""
        self.ledger.close()
        self.owner.stop()
        self.owner = SamOwner("sam", self.driver, virtual=True)
        self.keys = Psam(self.owner)
        self.start()

    def close(self) -> None:
        """End it, the journal still whole."""
        self.audit()
        self.ledger.close()
        self.owner.stop()

    def audit(self) -> Audit:
        """Check all of the journal, as `cardiod journal verify` does beside a daemon."""
        with read_only(self.journal) as db:
            return audit(db)

    @contextmanager
    def channel(self, reader: EmbeddedReader, card: VirtualCard | None = None) -> Iterator[Channel]:
        """The powered card of a reader; `card` is put back in if it is not there."""
        if card is not None and reader.card is not card:
            reader.insert(card)
        opened = reader.connect()
        try:
            yield opened
        finally:
            opened.close()

    def debit(self, amount: int, key: str = "", card: VirtualCard | None = None) -> Transaction:
        """One debit request on the citizen card's reader."""
        begun = self.engine.begin_debit(DebitRequest(request(key=key, body=str(amount).encode()), amount, "sale"))
        if begun.state.final:
            return begun
        with self.channel(self.citizen, card or self.wallet_card) as channel:
            return self.engine.debit(begun, channel)

    def recover(self, card: VirtualCard | None = None, reader: EmbeddedReader | None = None) -> list[Transaction]:
        """The next presentation of a card."""
        with self.channel(reader or self.citizen, card or self.wallet_card) as channel:
            return self.engine.recover(channel)

    def begin_settlement(self, bill: Bill, tender: Tender = Tender.WALLET, key: str = "", **special: Any) -> Settlement:
        """Write a bill down; `special` is what else the request says."""
        body = repr((bill, special)).encode()
        return self.engine.begin_settlement(
            SettleRequest(request("settle", key, body), bill, tender, "bill", **special)
        )

    def settle(self, settlement: Settlement, reader: EmbeddedReader, pin: str | None = None) -> Settlement:
        """Present the card in a reader for a settlement."""
        with self.channel(reader) as channel:
            return self.engine.settle(settlement, channel, pin)
