"""A terminal and the world around it: cards, PSAM and host outlive the terminal's crashes, as they do outside."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cardio.crypto.ciphers import Algorithm
from cardio.engine.engine import Engine
from cardio.errors import HostAnswerLost, HostUnreachable
from cardio.files.dates import encode_time
from cardio.ledger.ledger import Ledger, now
from cardio.products.catalogue import Catalogue
from cardio.products.model import Product, WalletPurseName
from cardio.readers.owner import SamOwner
from cardio.security.derived_keys import Terminal
from cardio.security.hsm import Hsm
from cardio.security.keyring import Keyring, RootKey
from cardio.security.keys import PurchaseKeys
from cardio.security.load_host import HostGrant, HostRequest
from cardio.security.psam import Psam
from cardio.security.software_load_host import SoftwareLoadHost
from cardio.transport.channel import Channel
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card
from cardio.virtual.pin_pad import VirtualPinPad
from cardio.virtual.roots import SOCIAL_SECURITY_ROOT, WALLET_ROOT, test_root
from cardio.virtual.sams import TERMINAL_NUMBER, psam
from tests.security.softhsm import MODULE, PIN, TOKEN

CARD_PIN = "123456"
SOFTWARE_TERMINAL = bytes.fromhex("999999000002")
OTHER_SERIAL = "00008600000000000999"
ANY_LEVELS = 3


class Source(StrEnum):
    """Where the purchase keys live."""

    PSAM = "psam"
    HSM = "hsm"
    KEYRING = "keyring"


def roots(wallet_levels: int) -> dict[str, RootKey]:
    """Test roots of all purse keys.

    Args:
        wallet_levels: Diversification levels of the wallet's product.
    """
    wallet = {f"WALLET-{name}": RootKey(test_root(WALLET_ROOT, name), wallet_levels) for name in _NAMES}
    medical = {name: RootKey(test_root(SOCIAL_SECURITY_ROOT, name), ANY_LEVELS) for name in ("DPK", "DLK", "DTK")}
    return wallet | medical


_NAMES = ("DPK", "DLK", "DULK", "DUK", "DTK")
SHIPPED = Catalogue.load()


def variant(
    product: str, *, algorithm: Algorithm = Algorithm.TRIPLE_DES, purse: WalletPurseName = WalletPurseName.PURSE
) -> Product:
    """A shipped wallet product with another cipher or purse."""
    found = SHIPPED[product]
    if found.wallet is None:
        raise ValueError(f"{product} has no wallet")
    wallet = found.wallet.model_copy(update={"algorithm": algorithm, "purse": purse})
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
class World:
    """A terminal with one reader, and everything that it meets.

    Attributes:
        folder: Where the journal is.
        card: The card that pays.
        product: Its product.
        source: Where the purchase keys live.
        other: Another holder's card.
    """

    folder: Path
    card: VirtualCard
    product: Product
    source: Source
    other: VirtualCard = field(default_factory=lambda: citizen_card(serial=OTHER_SERIAL, balance_fen=5000))

    def __post_init__(self) -> None:
        self.reader = EmbeddedReader("card", None, VirtualPinPad(CARD_PIN))
        self.sam = psam()
        self.sam_reader = EmbeddedReader("sam", self.sam)
        self.driver = EmbeddedDriver([self.reader, self.sam_reader])
        levels = 1 if self.product.wallet is None else len(_factors(self.product))
        self._roots = roots(levels)
        keyring = Keyring("host", self._roots, test=True)
        self.host = FaultyHost(SoftwareLoadHost(keyring, lambda: encode_time(now())))
        others = [one for one in SHIPPED if one.id in {"citizen-wallet", "ssc-2.0"} and one.id != self.product.id]
        self.catalogue = Catalogue([self.product, *others])
        self._owner: SamOwner | None = None
        self._hsm: Hsm | None = None
        self._terminal = Terminal(SOFTWARE_TERMINAL)
        self.running = False
        for card in (self.card, self.other, self.sam):
            # Seeded, so that a case that failed fails again.
            card.random = random.Random(7).randbytes  # noqa: S311

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
        self.engine = Engine(self.ledger, self.catalogue, self._keys(), self.host)
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

    def _keys(self) -> PurchaseKeys:
        match self.source:
            case Source.PSAM:
                self._owner = SamOwner("sam", self.driver, virtual=True)
                return Psam(self._owner)
            case Source.HSM:
                self._hsm = Hsm(MODULE, TOKEN, PIN, terminal=self._terminal)
                return self._hsm
            case Source.KEYRING:
                return Keyring("terminal", self._roots, test=True, terminal=self._terminal)

    @property
    def terminal_number(self) -> str:
        """What the keys give."""
        return (TERMINAL_NUMBER if self.source is Source.PSAM else SOFTWARE_TERMINAL).hex()

    @contextmanager
    def presented(self, card: VirtualCard | None = None) -> Iterator[Channel]:
        """A card held to the reader, put in anew; taken out afterwards."""
        self.reader.insert(card or self.card)
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
