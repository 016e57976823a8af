"""Cards under maintenance: what was sent to them, with the challenges that a test wants, and keys that fit them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat

from cardio.apdu.connection import CardConnection
from cardio.applications.pin import verify_pin
from cardio.crypto.suites import CipherSuite
from cardio.errors import PinWrong
from cardio.products.catalogue import Catalogue
from cardio.products.maintenance import MaintenanceSources, select_pin
from cardio.security.keyring import Keyring
from cardio.transport.channel import ChannelAround, Disclosure
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.issuing_keys import issuer_test_keyring
from tests.applications.presenting import present

PIN, NEW = "123456", "654321"
SHIPPED = Catalogue.load()


def issuer_keys(*, wrong: tuple[str, ...] = ()) -> Keyring:
    """All keys that maintain virtual cards; those of `wrong` are others than the cards'."""
    found = issuer_test_keyring()
    return found if not wrong else WrongKeys(found, wrong)


class WrongKeys(Keyring):
    """Keys of which some are not the cards'.

    Args:
        right: The cards' keys.
        wrong: Names of those that are others.
    """

    def __init__(self, right: Keyring, wrong: tuple[str, ...]) -> None:
        super().__init__("wrong", {}, test=True)
        self._right = right
        self._wrong = wrong

    def card_key(self, name: str, suite: CipherSuite, factors: tuple[bytes, ...]) -> bytes:
        """The card's key, or another."""
        return bytes(range(16)) if name in self._wrong else self._right.card_key(name, suite, factors)


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


def use_up_tries(card: VirtualCard) -> None:
    """Block the PIN."""
    assert card.pin is not None
    card.pin.tries_left = 0


def has_pin(card: VirtualCard, pin: str) -> bool:
    """Whether a card that is powered anew takes a PIN."""
    connection = present(card)
    select_pin(connection, SHIPPED)
    try:
        verify_pin(connection, pin)
    except PinWrong:
        return False
    return True
