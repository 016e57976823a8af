"""A card whose every answer is arbitrary bytes: typed errors or partial data, never a traceback, never without end."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable

import pytest
from rich.console import Console

from cardio.apdu.connection import CardConnection
from cardio.cli import page
from cardio.cli.output import readings_document
from cardio.engine.target import open_target
from cardio.errors import CardioError
from cardio.products.catalogue import Catalogue
from cardio.products.detection import identify
from cardio.products.group_reading import GroupReading
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.purse.operation import PurseKind
from cardio.security.card_keys import CARD_KEYS
from cardio.security.keyring import Keyring, RootKey
from cardio.transport.channel import CardProtocol, Disclosure
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual import cards
from cardio.virtual.products import example_card

SEEDS = range(150)
MAX_APDUS = 20000
"""All groups of all files, each file in four ways of up to 254 records; a hostile card can't make it endless."""
WORDS = ("9000", "9000", "9000", "6110", "6100", "6C10", "6C00", "63C2", "6982", "6A82", "6A83", "6A86", "9303", "6F00")


class Hostile:
    """A channel that answers nonsense."""

    reader = "hostile"
    virtual = True

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self.protocol = self._random.choice(list(CardProtocol))
        self.atr = self._random.choice([bytes.fromhex("3B6D00000081008843866533010100ABCD"), self._bytes(20)])
        self.sent = 0

    def _bytes(self, most: int) -> bytes:
        return self._random.randbytes(self._random.randint(0, most))

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        self.sent += 1
        assert self.sent < MAX_APDUS, "the exchange does not end"
        choice = self._random.random()
        if choice < 0.05:
            return self._bytes(3)
        word = bytes.fromhex(self._random.choice(WORDS)) if choice < 0.9 else self._random.randbytes(2)
        if choice < 0.4:
            # TLV-like answers get further into the decoders than noise does.
            tag, value = self._random.randbytes(1), self._bytes(40)
            return tag + bytes([len(value)]) + value + word
        return self._bytes(256) + word

    def close(self) -> None:
        """Nothing to give up."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=io.StringIO())
    monkeypatch.setattr(page, "stdout", console)
    monkeypatch.setattr(page, "stderr", console)


def keyring() -> Keyring:
    roots = {name: RootKey(cards.test_root(cards.SOCIAL_SECURITY_ROOT, name), 3) for name in CARD_KEYS}
    return Keyring("test", roots, test=True)


def show(readings: dict[Group, GroupReading]) -> None:
    """As JSON and as a page."""
    json.dumps(readings_document(readings))
    page.Page(page.Language.BOTH).print_readings(readings)


@pytest.mark.parametrize("seed", SEEDS)
def test_arbitrary_answers_give_typed_errors_or_partial_data(catalogue: Catalogue, seed: int) -> None:
    pin, keys = ("123456", keyring()) if seed % 2 else (None, None)
    reading = CardReading(
        CardConnection(Hostile(seed)), catalogue, pin=pin, keys=keys, masked=seed % 3 == 0, authenticate=seed % 5 == 0
    )
    try:
        readings = reading.read(Group)
    except CardioError:
        return
    assert readings.keys() == set(Group)
    show(readings)


@pytest.mark.parametrize(
    "ask",
    [
        identify,
        lambda card, catalogue: open_target(card, catalogue, PurseKind.WALLET),
        lambda card, catalogue: open_target(card, catalogue, PurseKind.MEDICAL, "123456"),
    ],
    ids=["identify", "wallet", "account"],
)
def test_arbitrary_answers_to_detection_and_opening_are_typed_errors(
    catalogue: Catalogue, ask: Callable[[CardConnection, Catalogue], object]
) -> None:
    ended = 0
    for seed in SEEDS:
        try:
            ask(CardConnection(Hostile(seed)), catalogue)
        except CardioError:
            ended += 1
    assert ended > len(SEEDS) // 2


class Mutating:
    """A good card one of whose answers is spoiled."""

    reader = "mutating"
    virtual = True

    def __init__(self, product: str, catalogue: Catalogue, number: int, seed: int) -> None:
        self._inner = EmbeddedReader("mutating", example_card(catalogue[product])).connect()
        self.protocol, self.atr = self._inner.protocol, self._inner.atr
        self._left = number
        self._random = random.Random(f"{product} {number} {seed}")  # noqa: S311

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        answer = self._inner.transmit(command, disclosure)
        self._left -= 1
        if self._left:
            return answer
        match self._random.randrange(4):
            case 0:
                place = self._random.randrange(len(answer))
                return answer[:place] + bytes([answer[place] ^ 1 << self._random.randrange(8)]) + answer[place + 1 :]
            case 1:
                return answer[: self._random.randrange(len(answer))]
            case 2:
                return self._random.randbytes(self._random.randint(1, 8)) + answer
        return answer[:-2] + bytes.fromhex(self._random.choice(WORDS))

    def close(self) -> None:
        self._inner.close()


@pytest.mark.parametrize("product", ["ssc-1.0", "ssc-2.0", "ssc-3.0", "ssc-employer", "transit-jtt978", "combined"])
def test_a_spoiled_answer_leaves_what_was_read_before_and_ends_in_a_typed_error(
    catalogue: Catalogue, product: str
) -> None:
    single = Catalogue([catalogue[product]])
    for number in range(1, 41):
        channel = Mutating(product, catalogue, number, seed=0)
        try:
            readings = CardReading(CardConnection(channel), single, pin="123456").read(Group)
        except CardioError:
            continue
        finally:
            channel.close()
        show(readings)
        if number > 12 and product != "transit-jtt978":
            content = readings[Group.CARD].content
            assert isinstance(content, dict)
            assert content["product"] == product
