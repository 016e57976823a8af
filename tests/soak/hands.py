"""Hands at the daemon's readers: the readers are in its process, the cards in another, which says what to do."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from enum import StrEnum

from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from tests.faults.remote import Remote, RemoteCard

PATIENCE = 60.0


class Act(StrEnum):
    """What hands can do."""

    INSERT = "insert"
    REMOVE = "remove"
    UNPLUG = "unplug"
    PLUG = "plug"


@dataclass(frozen=True)
class _Order:
    act: Act
    reader: str
    card: str
    done: threading.Event = field(default_factory=threading.Event)


class Orders:
    """What is to be done at the readers, for the process with the cards."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self._running: _Order | None = None

    def give(self, act: Act, reader: str, card: str = "") -> None:
        """Have something done at a reader, and wait until it is."""
        order = _Order(act, reader, card)
        self._waiting.put(order)
        if not order.done.wait(PATIENCE):
            raise TimeoutError(f"nobody does {act} at {reader}")

    def next(self) -> tuple[str, str, str]:
        """For the daemon's process: what to do, now that the last is done."""
        if self._running is not None:
            self._running.done.set()
        self._running = self._waiting.get()
        return self._running.act, self._running.reader, self._running.card


def obey(
    address: str, driver: EmbeddedDriver, readers: dict[str, EmbeddedReader], cards: dict[str, RemoteCard]
) -> None:
    """Do what is ordered, for a thread of its own in the daemon's process; ends with the process.

    Args:
        address: Of the process with the cards.
        driver: The daemon's readers.
        readers: All of them, unplugged ones included.
        cards: The cards.
    """
    orders = Remote(address, "orders")
    while True:
        act, reader, card = orders.call("next")
        match Act(act):
            case Act.INSERT:
                readers[reader].insert(cards[card])
            case Act.REMOVE:
                readers[reader].remove()
            case Act.UNPLUG:
                driver.unplug(reader)
            case Act.PLUG:
                driver.plug(readers[reader])
