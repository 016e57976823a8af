"""What happens at the counter, as a stream (OPS §4.10).

Ids grow in the order of the journal, and over restarts: the number of the newest row of the chain, and behind it a
number among the events of readers and cards, which no journal keeps. What the journal keeps can be had again from
there; of the others the newest are in memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cardio.ledger.chain import ChainRow
from cardio.ledger.ledger import Ledger, now
from cardiod.work import Work

ROW_SHIFT = 20
"""Bits of an id behind the row's number; for 2^33 rows it stays below 2^53, up to which JavaScript counts exactly."""
RING = 10_000
"""Events in memory."""
BACKLOG = 1_000
"""Events that may wait for one subscriber; a slower one is cut off, and comes back with its last id."""
PAGE = 500
"""Rows of the journal that are fetched at a time."""
HEARTBEAT = 15.0
"""Seconds without an event after which a stream shows that it lives."""
TOLD = ("transaction.", "settlement.", "shift.", "batch.", "refund.", "journal.", "service.")
"""Kinds of rows that are events; the others are notes about persons and cards."""
OPEN_FIELDS = frozenset(
    {
        "amount_fen",
        "amounts",
        "due_fen",
        "error",
        "hash",
        "lane",
        "mac2",
        "operation",
        "order",
        "purse",
        "reader",
        "records",
        "recovered",
        "software",
    }
)
"""What of a row's payload is told; nothing about a person or a card's number is among it."""


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes:
        id: Grows.
        type: Such as `card.inserted` or `transaction.completed`.
        time: When.
        reader: Reader that it is about.
        card: Handle of the card that it is about.
        transaction: Id of the transaction, settlement, shift or batch that it is about.
        data: What else there is to say, without personal data.
    """

    id: int
    type: str
    time: datetime
    reader: str | None = None
    card: str | None = None
    transaction: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


class EventLog:
    """The events of one counter; all methods are for its event loop.

    Args:
        ledger: The journal, whose rows are events.
        work: Of the counter.
    """

    def __init__(self, ledger: Ledger, work: Work) -> None:
        self._ledger = ledger
        self._work = work
        self._ring: deque[Event] = deque(maxlen=RING)
        self._last = self._complete_after = 0
        self._subscribers: set[asyncio.Queue[Event | None]] = set()
        self._listeners: list[Callable[[Event], None]] = []
        self._ended = False

    def begin(self) -> None:
        """Follow the journal from its newest row on."""
        newest = self._ledger.watch(lambda rows: self._work.from_elsewhere(lambda: self._on_rows(rows)))
        self._last = self._complete_after = newest << ROW_SHIFT

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Have a function called with every event."""
        self._listeners.append(listener)

    def publish(
        self,
        kind: str,
        *,
        reader: str | None = None,
        card: str | None = None,
        transaction: str | None = None,
        **data: Any,
    ) -> None:
        """Tell of something that the journal does not keep; no personal data."""
        self._tell(Event(self._last + 1, kind, now(), reader, card, transaction, data))

    @property
    def last(self) -> int:
        """Id of the newest event."""
        return self._last

    async def after(self, last: int, limit: int | None = None) -> list[Event]:
        """What came after an event: all that the journal keeps, the rest as far as it is in memory.

        Args:
            last: Id of that event.
            limit: Most to give; None for all up to now.
        """
        found: list[Event] = []
        if last < self._complete_after:
            row, end = last >> ROW_SHIFT, self._complete_after >> ROW_SHIFT
            while row < end and (limit is None or len(found) < limit):
                rows = await self._work.journal(self._ledger.rows, row, PAGE)
                found += [_event(one) for one in rows if one.seq <= end and _told(one)]
                row = rows[-1].seq if rows else end
        newest = found[-1].id if found else last
        found += [event for event in self._ring if event.id > newest]
        return found if limit is None else found[:limit]

    async def stream(self, last: int | None) -> AsyncGenerator[Event | None, None]:
        """Events as they come, after those that a subscriber has missed since `last`; None when there is none for long.

        Ends when the daemon stops, or when the subscriber is too slow.

        Args:
            last: Id of the last event that the subscriber knows; None for new ones only.
        """
        with self._subscribed() as queue:
            # Who has seen more than there is has seen another journal: this one was put back from a backup.
            newest = self._last if last is None else min(last, self._last)
            while missed := await self.after(newest, PAGE):
                for event in missed:
                    newest = event.id
                    yield event
            while not self._ended:
                try:
                    next_one = await asyncio.wait_for(queue.get(), HEARTBEAT)
                except TimeoutError:
                    yield None
                    continue
                if next_one is None:
                    return
                if next_one.id > newest:
                    yield next_one

    @property
    def subscribers(self) -> int:
        """How many listen to streams now."""
        return len(self._subscribers)

    def end(self) -> None:
        """End all streams, and those that come from now on at once."""
        self._ended = True
        for queue in self._subscribers:
            _cut_off(queue)

    @contextmanager
    def _subscribed(self) -> Iterator[asyncio.Queue[Event | None]]:
        queue: asyncio.Queue[Event | None] = asyncio.Queue(BACKLOG)
        self._subscribers.add(queue)
        try:
            yield queue
        finally:
            self._subscribers.discard(queue)

    def _on_rows(self, rows: list[ChainRow]) -> None:
        for row in rows:
            if _told(row):
                self._tell(_event(row))
            else:
                self._last = max(self._last, row.seq << ROW_SHIFT)

    def _tell(self, event: Event) -> None:
        self._last = event.id
        if len(self._ring) == RING:
            self._complete_after = self._ring[0].id
        self._ring.append(event)
        for queue in self._subscribers:
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                _cut_off(queue)
        for listener in self._listeners:
            listener(event)


def _cut_off(queue: asyncio.Queue[Event | None]) -> None:
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None)


def _told(row: ChainRow) -> bool:
    return row.kind.startswith(TOLD)


def _event(row: ChainRow) -> Event:
    data = {name: value for name, value in row.payload.items() if name in OPEN_FIELDS and value is not None}
    subject = None if row.subject == "journal" else row.subject
    reader = data.pop("reader", None)
    return Event(row.seq << ROW_SHIFT, row.kind, row.time, reader, None, subject, data)
