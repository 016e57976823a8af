"""The counter: its readers, cards, journal and engine put together, and what its cards hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from cardio.apdu.connection import CardConnection
from cardio.engine.engine import Engine
from cardio.products.group_reading import GroupReading
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.readers.key_chain import KeySource
from cardio.readers.watch import CALL_LIMIT
from cardio.transport.channel import Channel, ReaderDriver
from cardio.transport.serial_display import CustomerDisplay
from cardiod.awaited_cards import AwaitedCards
from cardiod.customer_screen import CustomerScreen
from cardiod.events import EventLog
from cardiod.payments import Payments
from cardiod.presence import Presence
from cardiod.presentation import Presentation
from cardiod.recovery import Recovery
from cardiod.waiting import Waiting, deadline_in
from cardiod.work import Work


class Counter:
    """One counter with its readers.

    Args:
        engine: Money on cards.
        driver: The readers.
        sam_name: As of `Presence`.
        keys: As of `Presence`.
        display: What the customer looks at; None if there is none.
        limit: As of `Presence`.

    Attributes:
        engine: Money on cards.
        work: What runs.
        events: What happens.
        presence: Readers and cards that are there.
        waiting: Waits for what is presented.
        awaited: Cards that transactions wait for.
        payments: What moves money.
        recovery: What asks cards about open outcomes.
    """

    def __init__(
        self,
        engine: Engine,
        driver: ReaderDriver,
        sam_name: str = "",
        *,
        keys: Iterable[KeySource] = (),
        display: CustomerDisplay | None = None,
        limit: float = CALL_LIMIT,
    ) -> None:
        self.engine = engine
        self.work = Work()
        self.events = EventLog(engine.ledger, self.work)
        self.presence = Presence(
            driver,
            engine.catalogue,
            self.work,
            self.events,
            sam_name=sam_name,
            keys=keys,
            limit=limit,
            on_keys=self._use_keys,
            on_card=lambda card: self.recovery.presented(card),
        )
        self._screen = CustomerScreen(display, engine.ledger)
        self.events.listen(self._screen.on_event)
        self.waiting = Waiting(self.presence)
        self.awaited = AwaitedCards(engine.ledger, self.work, self.events, self.presence, self.waiting, self._screen)
        self.payments = Payments(engine, self.work, self.presence, self.waiting, self.awaited)
        self.recovery = Recovery(engine, self.work, self.presence, self.waiting)
        self._use_keys()

    # ---- life ------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the readers until the block ends; then finish what runs, and stop."""
        self.work.begin()
        self.events.begin()
        async with self.presence.running():
            try:
                yield
            finally:
                self.release_waiting()
        await self.work.finish()
        await self.presence.stop()
        await asyncio.to_thread(self._screen.close)

    def release_waiting(self) -> None:
        """Tell everybody who waits that the daemon stops; may be called from a signal handler or thread."""
        self.presence.release_waiting()
        self.work.from_elsewhere(self.events.end)

    def _use_keys(self) -> None:
        """Let the engine know whether there are keys at all."""
        keys = self.presence.keys
        self.engine.keys = self.engine.authentication = keys if keys.sources else None

    # ---- reading ---------------------------------------------------------------------------------------------

    async def read(
        self,
        groups: Iterable[Group],
        reader: str | None,
        wait_s: float,
        *,
        pin: str | None,
        masked: bool,
    ) -> tuple[Presentation, dict[Group, GroupReading]]:
        """Read groups of data from the presented card."""
        wanted, deadline = list(groups), deadline_in(wait_s)

        async def work(card: Presentation) -> tuple[Presentation, dict[Group, GroupReading]]:
            return card, await self.read_card(card, wanted, pin=pin, masked=masked)

        return await self.waiting.work_on(lambda: self.waiting.present(reader, None, deadline), work, deadline)

    async def read_card(
        self, card: Presentation, groups: Iterable[Group], *, pin: str | None, masked: bool
    ) -> dict[Group, GroupReading]:
        """Read groups of data from one presented card."""
        wanted = list(groups)

        def job(channel: Channel) -> dict[Group, GroupReading]:
            keys = self.engine.authentication
            reading = CardReading(CardConnection(channel), self.engine.catalogue, pin=pin, keys=keys, masked=masked)
            return reading.read(wanted)

        return await self.presence.on_presented(card, job)

    def card_key(self, card: Presentation) -> str | None:
        """Keyed hash by which the journal knows a presented card; None if it is not known."""
        found = card.identification
        return None if found is None or found.identity is None else self.engine.ledger.card_key(*found.identity)
