"""Both ends of secure channels, and blank JavaCards in embedded readers."""

from __future__ import annotations

from collections.abc import Callable

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.crypto.globalplatform.keys import CardKeySource, KeyType, StaticKeys, default_test_keys
from cardio.crypto.globalplatform.scp02 import USUAL_OPTIONS, Scp02Options, Scp02Session
from cardio.crypto.globalplatform.scp03 import Scp03Options, Scp03Session
from cardio.crypto.globalplatform.session import SecurityLevel, Session
from cardio.personalize.globalplatform.cap import CapFile
from cardio.personalize.globalplatform.channel import SecureConnection
from cardio.personalize.globalplatform.commands import Installation
from cardio.personalize.globalplatform.manager import CardManager
from cardio.personalize.globalplatform.opening import ChannelChoices, open_channel
from cardio.transport.channel import Channel, Disclosure
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.globalplatform import JavaCard
from cardio.virtual.globalplatform_channel import Options
from cardio.virtual.received import Received
from tests.globalplatform.caps import APPLET, PACKAGE, components

HOST_CHALLENGE = bytes.fromhex("0102030405060708")
FULL = SecurityLevel.C_MAC | SecurityLevel.C_DEC | SecurityLevel.R_MAC | SecurityLevel.R_ENC
C_MAC, C_DEC, R_MAC = SecurityLevel.C_MAC, SecurityLevel.C_MAC | SecurityLevel.C_DEC, SecurityLevel.R_MAC
SCP02, SCP03 = USUAL_OPTIONS, Scp03Options(0x70)
WITH_ANSWERS = Scp02Options(0x75)
"""SCP02 with R-MAC and a pseudo-random challenge."""

MAKERS: tuple[tuple[str, Callable[[], Session]], ...] = (
    ("scp02", lambda: Scp02Session(default_test_keys(KeyType.TRIPLE_DES), bytes(8), 1, bytes(6), WITH_ANSWERS)),
    (
        "scp02 unmodified",
        lambda: Scp02Session(default_test_keys(KeyType.TRIPLE_DES), bytes(8), 1, bytes(6), Scp02Options(0x26)),
    ),
    ("scp03 aes-128", lambda: Scp03Session(default_test_keys(KeyType.AES), bytes(8), bytes(8), SCP03)),
    ("scp03 aes-192 s16", lambda: Scp03Session(aes_keys(24), bytes(16), bytes(16), SCP03)),
    ("scp03 aes-256", lambda: Scp03Session(aes_keys(32), bytes(8), bytes(8), SCP03)),
)
"""Fresh sessions in all modes."""


def aes_keys(size: int, version: int = 0x30) -> StaticKeys:
    """An AES key set of 16, 24 or 32 bytes a key."""
    enc, mac, dek = (bytes(range(first, first + size)) for first in (0x10, 0x50, 0x90))
    return StaticKeys(enc, mac, dek, type=KeyType.AES, version=version)


def des_keys(version: int = 0x20) -> StaticKeys:
    """A 3DES key set."""
    enc, mac, dek = (bytes(range(first, first + 16)) for first in (0x11, 0x51, 0x91))
    return StaticKeys(enc, mac, dek, type=KeyType.TRIPLE_DES, version=version)


def header_of(command: bytes) -> bytes:
    return command[:4]


def data_of(command: bytes) -> bytes:
    return Received.parse(command).data


class Watched:
    """A channel that keeps what went through it, and can change it on the way."""

    virtual = True

    def __init__(self, inner: Channel) -> None:
        self._inner = inner
        self.reader, self.atr, self.protocol = inner.reader, inner.atr, inner.protocol
        self.commands: list[bytes] = []
        self.disclosures: list[Disclosure] = []
        self.answers: list[bytes] = []
        self.change: Callable[[bytes], bytes] = lambda command: command
        self.alter: Callable[[bytes], bytes] = lambda answer: answer

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        self.commands.append(command)
        self.disclosures.append(disclosure)
        answer = self.alter(self._inner.transmit(self.change(command), disclosure))
        self.answers.append(answer)
        return answer

    def close(self) -> None:
        self._inner.close()

    def sent(self, ins: int) -> list[bytes]:
        """Commands with an instruction."""
        return [command for command in self.commands if command[1] == ins]


class Bench:
    """A JavaCard in an embedded reader, and a terminal in front of it.

    Attributes:
        card: The card.
        wire: The channel, which keeps what went through it.
        connection: The connection over it.
    """

    def __init__(self, card: JavaCard) -> None:
        self.card = card
        self._slot = EmbeddedReader("perso", card)
        self._power()

    def _power(self) -> None:
        self.wire = Watched(self._slot.connect())
        self.connection = CardConnection(self.wire)

    def reconnect(self) -> None:
        """Reset the card, put back into the reader if it was torn out."""
        self.wire.close()
        if self._slot.card is None:
            self._slot.insert(self.card)
        self._power()

    def open(
        self, level: SecurityLevel = C_MAC, keys: CardKeySource | None = None, choices: ChannelChoices | None = None
    ) -> SecureConnection:
        """Open a channel; default keys are the card's first set, default options its own."""
        channel = self.card.channel
        first = next(iter(channel.key_sets.values()))
        own = channel.options if isinstance(channel.options, Scp02Options) else USUAL_OPTIONS
        return open_channel(self.connection, keys or first.keys, level, choices or ChannelChoices(scp02=own))

    def manager(self, level: SecurityLevel = C_MAC) -> CardManager:
        return CardManager(self.open(level))


def bench(options: Options = SCP03) -> Bench:
    """A blank card in a reader."""
    return Bench(JavaCard(options))


INSTANCE = bytes.fromhex("D0D1D2D3D4D50102")
"""AID of the application that the tests install."""


def get_data(identifier: int) -> Command:
    """GET DATA, as an application understands it too."""
    return Command("GET DATA", 0x80, 0xCA, identifier >> 8, identifier & 0xFF, le=0)


def installed(options: Options = SCP03, level: SecurityLevel = C_MAC) -> tuple[Bench, CardManager]:
    """A card with an application, and who manages it."""
    counter = bench(options)
    manager = counter.manager(level)
    manager.load(CapFile.of(components()))
    manager.install(Installation(PACKAGE, APPLET, INSTANCE))
    return counter, manager
