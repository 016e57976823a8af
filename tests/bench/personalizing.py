"""One card from blank to finished, beside a program that sends the same APDUs, computed beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from statistics import median

from cardio.personalize.attempts import JobHead
from cardio.personalize.example_job import example_job
from cardio.personalize.personalizer import Personalizer, Prepared
from cardio.personalize.register import Register
from cardio.products.catalogue import Catalogue
from cardio.transport.channel import Channel, ChannelAround, Disclosure
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.blank_products import blank_card_for
from cardio.virtual.card import VirtualCard
from cardio.virtual.issuing_keys import issuing_test_keys
from cardio.virtual.timing import Contactless, TimingModel
from tests.bench.apdu import InProcess
from tests.bench.clock import in_turn
from tests.bench.machine import journal_folder
from tests.bench.rows import Row, Subject, timed

CARDS = {"citizen-wallet": "a citizen card", "ssc-2.0": "a social security card 2.0"}
PIN = "123456"
JOB = JobHead("bench", "bench", 1, bytes(32), "bench")
WARM_UP = 3

SUBJECT = Subject(
    "Making a card",
    "A blank virtual card in this process becomes a finished one, as `cardio personalize` makes it: cryptograms and "
    "MACs by the issuer's keys, every key in the synced register before it is written, all files read back. The peer "
    "has no keys, register or checks: it sends the same APDUs, which were recorded on an equal card with equal "
    "challenges, through pyscard's `CardConnection`. What cardio takes beyond the peer is software; the time of the "
    "card is that of the timing model at 106 kbit/s. A bureau's output is a matter of its cards and their feeder.",
    lambda effort: _rows(max(1, effort.some // 40)),
)


def _rows(rounds: int) -> Iterator[Row]:
    for product, name in CARDS.items():
        with journal_folder() as folder:
            bureau = _Bureau.of(product, folder)
            try:
                ours, peer = in_turn(rounds, bureau.ours(rounds), bureau.peer(rounds), warm_up=WARM_UP)
                card = bureau.modelled()
            finally:
                bureau.register.close()
        yield timed(f"making {name}, peer: its APDUs computed beforehand", "ms", ours, peer)
        software = median(whole - bare for whole, bare in zip(ours, peer, strict=True))
        yield Row(f"making {name}, the software's share", 100 * software / (software + card), "%")
        yield Row(f"making {name}, cards a second and reader", 1 / (software + card), "1/s", more_is_better=True)


class _Heard(ChannelAround):
    """A channel that keeps what is sent through it."""

    def __init__(self, inner: Channel) -> None:
        super().__init__(inner)
        self.commands: list[list[int]] = []

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        """Keep it, and send it."""
        self.commands.append(list(command))
        return super().transmit(command, disclosure)


@dataclass(frozen=True)
class _Bureau:
    """What makes one card again and again."""

    maker: Personalizer
    prepared: Prepared
    register: Register
    numbers: Iterator[int] = field(default_factory=count)

    @classmethod
    def of(cls, product: str, folder: Path) -> _Bureau:
        known = Catalogue.load()[product]
        maker = Personalizer(known, issuing_test_keys(known))
        _, (row,) = example_job(known, maker.layout, 1)
        register = Register(folder / "cards.db")
        register.open_job(JOB)
        return cls(maker, maker.prepare(row, PIN), register)

    def blank(self) -> VirtualCard:
        """All alike, challenges included, so that recorded commands are good for each."""
        card = blank_card_for(self.maker.product)
        card.random = bytes
        return card

    def make(self, card: VirtualCard) -> list[list[int]]:
        """Make a card; returns the commands that it took."""
        channel = _Heard(EmbeddedReader("bench", card).connect())
        # No row is made twice.
        data = self.prepared.data.model_copy(update={"record": f"{next(self.numbers)}"})
        try:
            self.maker.personalize(channel, replace(self.prepared, data=data), self.register, JOB.id)
        finally:
            channel.close()
        return channel.commands

    def ours(self, rounds: int) -> Callable[[], object]:
        """Makes a card whenever it is called."""
        cards = [self.blank() for _ in range(WARM_UP + rounds)]
        return lambda: self.make(cards.pop())

    def peer(self, rounds: int) -> Callable[[], object]:
        """Sends a card's commands whenever it is called."""
        commands = self.make(self.blank())
        cards = [self.blank() for _ in range(WARM_UP + rounds)]

        def send() -> None:
            card = cards.pop()
            card.power_on()
            connection = InProcess(card)
            for command in commands:
                connection.transmit(command)

        return send

    def modelled(self) -> float:
        """Seconds that a real card takes for its commands."""
        card = self.blank()
        card.timing = TimingModel(Contactless())
        self.make(card)
        return card.timing.elapsed
