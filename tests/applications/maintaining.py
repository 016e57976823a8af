"""Cards under maintenance: what was sent to them, with the challenges that a test wants, and keys that fit them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat

from cardio.apdu.connection import CardConnection
from cardio.products.catalogue import Catalogue
from cardio.products.maintenance import MaintenanceSources
from cardio.security.card_keys import CARD_KEYS
from cardio.security.keyring import Keyring, RootKey
from cardio.security.maintenance import MaintenanceKey
from cardio.transport.channel import ChannelAround, Disclosure
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.roots import WALLET_ROOT, social_security_root, test_root

PIN, NEW = "123456", "654321"
SHIPPED = Catalogue.load()


def issuer_keys(*, test: bool = True, wrong: tuple[str, ...] = ()) -> Keyring:
    """All keys that maintain virtual cards; those of `wrong` are others than the cards'."""
    roots = {name: RootKey(social_security_root(name), 3) for name in CARD_KEYS}
    roots |= {
        key.value: RootKey(test_root(WALLET_ROOT, key.value.removeprefix("WALLET-")), 1) for key in MaintenanceKey
    }
    return Keyring("issuer", roots | {name: RootKey(bytes(range(16)), roots[name].levels) for name in wrong}, test=test)


def sources(keys: Keyring | None = None) -> MaintenanceSources:
    """One keyring for everything."""
    found = keys or issuer_keys()
    return MaintenanceSources(found, found)


class Listening(ChannelAround):
    """A channel that keeps the commands which went through it, in hex."""

    sent: list[str]

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        """Pass a command on."""
        self.sent.append(command.hex().upper())
        return super().transmit(command, disclosure)


def listened(card: VirtualCard) -> tuple[CardConnection, list[str]]:
    """A powered card, and the list of what is sent to it."""
    channel = Listening(EmbeddedReader("counter", card).connect())
    channel.sent = []
    return CardConnection(channel), channel.sent


def give(card: VirtualCard, *challenges: str) -> None:
    """Have GET CHALLENGE answer these, one after the other, and fresh ones afterwards."""
    fresh = card.random
    wanted: Iterator[bytes | None] = chain(map(bytes.fromhex, challenges), repeat(None))

    def random(size: int) -> bytes:
        found = next(wanted)
        return fresh(size) if found is None else found

    card.random = random
