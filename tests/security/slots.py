"""SAM slots for tests: one that holds a virtual PSAM in an embedded reader, without a thread of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from cardio.apdu.connection import CardConnection
from cardio.errors import ReaderError
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import psam
from cardio.virtual.filesystem import Directory
from cardio.virtual.psam import PsamFunction

T = TypeVar("T")


class EmbeddedSlot:
    """Powers the reader's card when it must and keeps it powered; a lost one is powered anew by the next job.

    Attributes:
        reader: Reader with the PSAM.
        counts: Commands sent so far, over all times it was powered.
    """

    name = "sam slot"
    virtual = True

    def __init__(self, card: VirtualCard | None = None) -> None:
        self.reader = EmbeddedReader("sam", card or psam())
        self.counts: Counter[str] = Counter()
        self._connection: CardConnection | None = None

    def run(self, job: Callable[[CardConnection], T]) -> T:
        """Run a job on the powered SAM."""
        if self._connection is None:
            self._connection = CardConnection(self.reader.connect())
            self._connection.counts = self.counts
        try:
            return job(self._connection)
        except ReaderError:
            self._connection.channel.close()
            self._connection = None
            raise

    @property
    def sam(self) -> VirtualCard:
        """The PSAM in the reader."""
        card = self.reader.card
        assert isinstance(card, VirtualCard)
        return card


def application(card: VirtualCard, identifier: int) -> tuple[Directory, PsamFunction]:
    """A PSAM's application and its function."""
    for directory in card.master_file.walk():
        if directory.identifier == identifier and isinstance(directory.function, PsamFunction):
            return directory, directory.function
    raise AssertionError(f"{identifier:04X} is not on the PSAM")
