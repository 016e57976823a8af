"""A terminal, and what outlives its crashes: cards, PSAM and host."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cardio.crypto.ciphers import Algorithm
from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest, SettleRequest
from cardio.errors import HostAnswerLost, HostUnreachable
from cardio.files.dates import encode_time
from cardio.ledger.audit import Audit, audit
from cardio.ledger.bill import Bill
from cardio.ledger.ledger import Ledger, now
from cardio.ledger.model import Request, State, Tender
from cardio.ledger.read_only import read_only
from cardio.products.catalogue import Catalogue
from cardio.products.model import Product, WalletPurseName
from cardio.readers.owner import SamOwner
from cardio.security.derived_keys import Terminal
from cardio.security.hsm import Hsm
from cardio.security.keyring import Keyring, RootKey
from cardio.security.keys import PurchaseKeys
from cardio.security.load_host import HostGrant, HostRequest, LoadHost
from cardio.security.psam import Psam
from cardio.security.software_load_host import SoftwareLoadHost
from cardio.transport.channel import Channel
from cardio.transport.embedded import EmbeddedCard, EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card
from cardio.virtual.pin_pad import VirtualPinPad
from cardio.virtual.roots import SOCIAL_SECURITY_ROOT, WALLET_ROOT, test_root
from cardio.virtual.sams import psam
from tests.security.softhsm import MODULE, PIN, TOKEN

CARD_PIN = "123456"
SOFTWARE_TERMINAL = bytes.fromhex("999999000002")
ELSEWHERE = bytes.fromhex("999999000009")
OTHER_SERIAL = "00008600000000000999"
ANY_LEVELS = 3


class Source(StrEnum):
    """Where the purchase keys live."""

    PSAM = "psam"
    HSM = "hsm"
    KEYRING = "keyring"


def roots(product: Product) -> dict[str, RootKey]:
    """Test roots of all purse keys, the wallet's with as many levels as the product's cards have."""
    wallet_levels = len(_factors(product)) or 1
    wallet = {f"WALLET-{name}": RootKey(test_root(WALLET_ROOT, name), wallet_levels) for name in _NAMES}
    medical = {name: RootKey(test_root(SOCIAL_SECURITY_ROOT, name), ANY_LEVELS) for name in ("DPK", "DLK", "DTK")}
    return wallet | medical


_NAMES = ("DPK", "DLK", "DULK", "DUK", "DTK")
SHIPPED = Catalogue.load()


def variant(
    product: str,
    *,
    algorithm: Algorithm = Algorithm.TRIPLE_DES,
    purse: WalletPurseName = WalletPurseName.PURSE,
    grey_lock: bool = False,
) -> Product:
    """A shipped wallet product with another cipher or purse, or with the grey lock."""
    found = SHIPPED[product]
    if found.wallet is None:
        raise ValueError(f"{product} has no wallet")
    wallet = found.wallet.model_copy(update={"algorithm": algorithm, "purse": purse, "grey_lock": grey_lock})
    return found.model_copy(update={"wallet": wallet})


@dataclass
class FaultyHost:
    """A load host whose link fails at the n-th request, before or after the host has got it."""

    host: SoftwareLoadHost
    fail_at: int = 0
    after: bool = False
    requests: int = 0
    fired: bool = False

    @property
    def name(self) -> str:
        """As the host says."""
        return self.host.name

    @property
    def test(self) -> bool:
        """As the host says."""
        return self.host.test

    def cut_next(self, *, after: bool) -> None:
        """Let the link fail at the next request."""
        self.fail_at, self.after, self.fired = self.requests + 1, after, False

    def _cut(self, *, after: bool) -> bool:
        if not after:
            self.requests += 1
        if self.requests != self.fail_at or after is not self.after or self.fired:
            return False
        self.fired = True
        return True

    def authorize(self, request: HostRequest) -> HostGrant:
        """The host's answer, or none."""
        if self._cut(after=False):
            raise HostUnreachable("cut by the test")
        grant = self.host.authorize(request)
        if self._cut(after=True):
            raise HostAnswerLost("cut by the test")
        return grant

    def confirm(self, identifier: str, proof: bytes | None) -> None:
        """Tell the host, or fail."""
        if self._cut(after=False):
            raise HostUnreachable("cut by the test")
        self.host.confirm(identifier, proof)
        if self._cut(after=True):
            raise HostUnreachable("cut by the test")

    def reverse(self, identifier: str) -> None:
        """Tell the host, or fail."""
        if self._cut(after=False):
            raise HostUnreachable("cut by the test")
        self.host.reverse(identifier)
        if self._cut(after=True):
            raise HostUnreachable("cut by the test")


@dataclass
class Outside:
    """What outlives the terminal's crashes.

    Attributes:
        card: The card that pays.
        other: Another holder's card.
        sam: The terminal's PSAM.
        host: The load host.
    """

    card: VirtualCard
    other: VirtualCard
    sam: VirtualCard
    host: FaultyHost

    @property
    def targets(self) -> dict[str, object]:
        """All of it, by name, for another process."""
        return {"card": self.card, "other": self.other, "sam": self.sam, "host": self.host}

    @classmethod
    def around(cls, card: VirtualCard, product: Product) -> Outside:
        """New ones, for a card of a product."""
        keyring = Keyring("host", roots(product), test=True)
        host = FaultyHost(SoftwareLoadHost(keyring, lambda: encode_time(now())))
        made = cls(card, citizen_card(serial=OTHER_SERIAL, balance_fen=5000), psam(grey_lock=True), host)
        for one in (made.card, made.other, made.sam):
            # Seeded, so that a case that failed fails again.
            one.random = random.Random(7).randbytes  # noqa: S311
        return made


@dataclass
class TerminalSide:
    """A terminal with one reader.

    Attributes:
        folder: Where the journal is.
        product: Product of the card that pays.
        source: Where the purchase keys live.
        sam: The PSAM in its slot.
        host: The load host.
    """

    folder: Path
    product: Product
    source: Source
    sam: EmbeddedCard
    host: LoadHost

    def __post_init__(self) -> None:
        self.reader = EmbeddedReader("card", None, VirtualPinPad(CARD_PIN))
        self.sam_reader = EmbeddedReader("sam", self.sam)
        self.driver = EmbeddedDriver([self.reader, self.sam_reader])
        others = [one for one in SHIPPED if one.id in {"citizen-wallet", "ssc-2.0"} and one.id != self.product.id]
        self.catalogue = Catalogue([self.product, *others])
        self._owner: SamOwner | None = None
        self._hsm: Hsm | None = None
        self._terminal = Terminal(SOFTWARE_TERMINAL)
        self.running = False

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.folder / "journal.db"

    def start(self) -> None:
        """Open the journal and the keys, as a process does when it starts.

        Raises:
            StoreError: The journal cannot be opened.
        """
        self.ledger = Ledger(self.journal)
        self.engine = Engine(self.ledger, self.catalogue, self.keys(), self.host)
        self.running = True

    def stop(self) -> None:
        """End it; what only memory knew is gone."""
        if self.running:
            self.ledger.close()
            self.running = False
        if self._owner is not None:
            self._owner.stop()
            self._owner = None
        if self._hsm is not None:
            self._hsm.close()
            self._hsm = None

    def restart(self) -> None:
        """As if the process had ended and begun again."""
        self.stop()
        self.start()

    def audit(self) -> Audit:
        """Check all of the journal: chain, vouchers, and whether the tables are what the chain tells."""
        with read_only(self.journal) as db:
            return audit(db)

    def keys(self) -> PurchaseKeys:
        """The key source, opened."""
        match self.source:
            case Source.PSAM:
                self._owner = SamOwner("sam", self.driver, virtual=True)
                return Psam(self._owner)
            case Source.HSM:
                self._hsm = Hsm(MODULE, TOKEN, PIN, terminal=self._terminal)
                return self._hsm
            case Source.KEYRING:
                return Keyring("terminal", roots(self.product), test=True, terminal=self._terminal)

    @contextmanager
    def presented(self, card: EmbeddedCard) -> Iterator[Channel]:
        """A card held to the reader, put in anew; taken out afterwards."""
        self.reader.insert(card)
        try:
            channel = self.reader.connect()
            try:
                yield channel
            finally:
                channel.close()
        finally:
            self.reader.remove()


def _factors(product: Product) -> tuple[bytes, ...]:
    """As many factors as the product's cards have."""
    wallet = product.wallet
    if wallet is None:
        return ()
    public = wallet.selection().decode_public(bytes.fromhex(wallet.public_file.content.VECTORS[0]))
    return wallet.factors.factors(public)


class World(TerminalSide):
    """A terminal and its surroundings in one process.

    Attributes:
        outside: What outlives its restarts.
    """

    def __init__(self, folder: Path, outside: Outside, product: Product, source: Source) -> None:
        super().__init__(folder, product, source, outside.sam, outside.host)
        self.outside = outside

    def pay_elsewhere(self, amount: int, key: str = "k") -> None:
        """The same card pays at another terminal, with a journal and a PSAM of its own."""
        folder = self.folder / "elsewhere"
        folder.mkdir(exist_ok=True)
        elsewhere = TerminalSide(folder, self.product, Source.PSAM, psam(terminal=ELSEWHERE), self.host)
        elsewhere.start()
        try:
            request = Request("other", key, "debit", b"elsewhere")
            with elsewhere.presented(self.outside.card) as channel:
                if self.product.wallet is None:
                    bill = Bill(amount, 0, amount, 0)
                    settlement = elsewhere.engine.begin_settlement(SettleRequest(request, bill, Tender.CASH, "bill"))
                    state = elsewhere.engine.settle(settlement, channel).state
                else:
                    begun = elsewhere.engine.begin_debit(DebitRequest(request, amount, "elsewhere"))
                    state = elsewhere.engine.debit(begun, channel).state
            if state is not State.COMPLETED:
                raise AssertionError(f"the other terminal's sale is {state}")
        finally:
            elsewhere.stop()
