"""Which readers, cards and PSAMs are there, and the way to the thread that owns a reader.

Everything here runs in the event loop and only ever awaits: cards are worked on in the threads that own their readers.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import structlog

from cardio.errors import (
    CardAbsent,
    CardChanged,
    CardioError,
    InternalError,
    Money,
    ReaderPoisoned,
    ReaderUnavailable,
)
from cardio.ledger.ledger import now
from cardio.products.catalogue import Catalogue
from cardio.readers.key_chain import KeyChain, KeySource
from cardio.readers.monitor import ReaderMonitor
from cardio.readers.names import reader_ids
from cardio.readers.owner import OwnerState
from cardio.readers.owners import ReaderOwners
from cardio.readers.sam import SamBench, SamFound
from cardio.readers.watch import CALL_LIMIT
from cardio.transport.channel import Channel, ReaderDriver, SlotState
from cardio.transport.measuring import Measured, MeasuringDriver
from cardio.transport.pin_telling import PinTellingDriver
from cardiod import crashes
from cardiod.events import EventLog
from cardiod.first_look import FirstLook, Found
from cardiod.pin_events import PinEvents
from cardiod.presentation import Presentation
from cardiod.work import Work

T = TypeVar("T")
START_PATIENCE = 5.0
"""Seconds that the start waits for the readers; a reader service that hangs must not keep the daemon from running."""

log = structlog.get_logger("cardiod.presence")


def _unwatched(exchange: Measured) -> None:
    """For counters whose exchanges nobody counts."""


class Presence:
    """Readers and what lies in them.

    Args:
        driver: The readers.
        catalogue: Card products.
        work: Of the counter.
        events: Told of everything that comes and goes.
        sam_name: Part of the name of the PSAMs' readers; any if empty. A reader with a PSAM in service is not offered
            to card holders.
        keys: Sources of keys behind the PSAMs, in order: HSM, keyring.
        limit: Seconds after which a driver call that does not return poisons its reader.
        on_keys: Called when a source of keys came or went.
        on_card: Awaited for every card that was identified.

    Attributes:
        keys: All sources of keys.
        sams: The PSAMs in service.
        cards: Cards that are there now, by the names of their readers.
        readers: Readers for card holders.
        on_exchange: Told of every exchange with a card or PSAM, in the thread that owns its reader.
        changed: Notified whenever something comes, goes, or is known.
        stopping: Set when the daemon ends, so that nobody may wait any more.
    """

    def __init__(
        self,
        driver: ReaderDriver,
        catalogue: Catalogue,
        work: Work,
        events: EventLog,
        *,
        sam_name: str = "",
        keys: Iterable[KeySource] = (),
        limit: float = CALL_LIMIT,
        on_keys: Callable[[], None],
        on_card: Callable[[Presentation], Awaitable[None]],
    ) -> None:
        driver = MeasuringDriver(driver, lambda exchange: self.on_exchange(exchange))
        driver = PinTellingDriver(driver, lambda *told: self._pins.tell(*told))
        self.on_exchange: Callable[[Measured], None] = _unwatched
        self.keys = KeyChain(*keys)
        self.sams = SamBench(driver, self.keys, limit=limit)
        self.cards: dict[str, Presentation] = {}
        self.readers: dict[str, SlotState] = {}
        self.changed = asyncio.Condition()
        self.stopping = False
        self._work = work
        self._events = events
        self._pins = PinEvents(work, events, self.cards)
        self._on_keys = on_keys
        self._on_card = on_card
        self._owners = ReaderOwners(driver, limit=limit)
        self._monitor = ReaderMonitor(driver, self._watch)
        self._first_look = FirstLook(catalogue, sam_name, self._look, self._matters)
        self._plugged: set[str] = set()
        self._looked = asyncio.Event()

    # ---- life ------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the readers until the block ends."""
        self._monitor.start()
        # A caller that comes at once must not be told that there are no readers.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._looked.wait(), START_PATIENCE)
        try:
            yield
        finally:
            await asyncio.to_thread(self._monitor.stop)

    async def stop(self) -> None:
        """Let the readers and PSAMs go, when all work on them is done."""
        await asyncio.to_thread(self._owners.stop)
        await asyncio.to_thread(self.sams.stop)

    def release_waiting(self) -> None:
        """Tell everybody who waits for a card that the daemon stops; may be called from a signal handler or thread."""
        self.stopping = True
        self._work.from_elsewhere(lambda: self._work.start(self.notify()))

    async def notify(self) -> None:
        """Have everybody who waits look again."""
        async with self.changed:
            self.changed.notify_all()

    # ---- what is there ---------------------------------------------------------------------------------------

    @property
    def states(self) -> dict[str, OwnerState]:
        """What each reader is doing, those with a PSAM included; `poisoned` ones must be plugged in anew."""
        return {**self._owners.states, **self.sams.states}

    @property
    def pin_pads(self) -> Mapping[str, bool]:
        """Whether a reader has a PIN pad, by its name, as far as a card in it has shown."""
        return self._first_look.pin_pads

    @property
    def ids(self) -> dict[str, str]:
        """Names of all readers by their ids."""
        return reader_ids([*self.readers, *self.sams.readers])

    def reader(self, wanted: str) -> str:
        """Name of a reader, given by name or id.

        Raises:
            ReaderUnavailable: No such reader.
        """
        name = self.ids.get(wanted, wanted)
        if name not in self.readers and name not in self.sams.readers:
            raise self.no_such_reader()
        return name

    def no_such_reader(self) -> ReaderUnavailable:
        """Names those that there are; what was asked for can be anything, a number of a person too."""
        names = ", ".join(sorted({**self.readers, **dict.fromkeys(self.sams.readers)}))
        return ReaderUnavailable(f"there are: {names}" if names else "no reader is connected")

    def card(self, handle: str) -> Presentation:
        """The card of a handle.

        Raises:
            CardChanged: It is not there any more, or was released.
        """
        for card in self.cards.values():
            if card.handle == handle and not card.released:
                return card
        raise CardChanged("no card of that handle is presented")

    async def release(self, handle: str) -> None:
        """Let a card go: it must be put in anew before it is used again.

        Raises:
            CardChanged: It is not there any more.
        """
        card = self.card(handle)
        card.released = True
        self._events.publish("card.released", reader=card.reader, card=card.handle)
        await self.notify()

    async def look_again(self, reader: str) -> None:
        """Reset the card in a reader, and look at it as if it had just been put in.

        Raises:
            CardAbsent: There is none.
        """
        if reader not in self.cards:
            raise CardAbsent(reader)
        self._forget(self.cards[reader])
        self._insert(reader, self.readers[reader])
        await self.notify()

    def _watch(self, states: dict[str, SlotState]) -> None:
        """Called in the monitor's thread."""
        self._work.from_elsewhere(lambda: self._work.start(self._on_change(states)))

    async def _on_change(self, states: dict[str, SlotState]) -> None:
        """Readers or cards came or went."""
        for gone in self.sams.update(states):
            log.warning("PSAM out of service", reader=gone.reader, terminal=gone.terminal_number)
            self._events.publish("sam.missing", reader=gone.reader, terminal_number=gone.terminal_number)
        self._looked.set()
        self._on_keys()
        self._owners.update(states)
        self.readers = {name: state for name, state in states.items() if name not in self.sams.readers}
        for name, card in list(self.cards.items()):
            if self.readers.get(name) != card.slot:
                self._forget(card)
        plugged, self._plugged = self._plugged, set(states)
        for name in sorted(plugged - self._plugged):
            self._first_look.pin_pads.pop(name, None)
            self._events.publish("reader.detached", reader=name)
        for name in sorted(self._plugged - plugged):
            self._events.publish("reader.attached", reader=name)
        for name, state in self.readers.items():
            if state.present and name not in self.cards:
                self._insert(name, state)
        await self.notify()

    def _insert(self, reader: str, slot: SlotState) -> None:
        card = self.cards[reader] = Presentation(secrets.token_hex(16), reader, now(), slot)
        log.info("card inserted", reader=reader, handle=card.handle)
        self._events.publish("card.inserted", reader=reader, card=card.handle)
        self._work.start(self._identify(card))

    def _forget(self, card: Presentation) -> None:
        del self.cards[card.reader]
        log.info("card removed", reader=card.reader, handle=card.handle)
        self._events.publish("card.removed", reader=card.reader, card=card.handle)

    async def _identify(self, card: Presentation) -> None:
        """Find out what was just put in; a PSAM is taken into service."""
        try:
            found = await self._first_look.at(card)
            if isinstance(found, SamFound):
                self._adopt_sam(found, card)
            else:
                card.identification = found
                self._events.publish("card.identified", reader=card.reader, card=card.handle)
        except CardioError as error:
            self._reject(card, error)
        except Exception as error:  # noqa: BLE001 (one card that we cannot look at must not block all others)
            crashes.tell(error)
            self._reject(card, InternalError(type(error).__name__, money=Money.NONE))
        await self.notify()
        if card.identification is not None:
            await self._on_card(card)

    async def _look(self, reader: str, job: Callable[[Channel], Found]) -> Found:
        return await self.on_card(reader, job, Money.NONE)

    def _matters(self, card: Presentation) -> bool:
        return not self.stopping and self.cards.get(card.reader) is card

    def _reject(self, card: Presentation, error: CardioError) -> None:
        card.error = error
        log.warning("card not identified", reader=card.reader, code=error.code)
        self._events.publish("card.rejected", reader=card.reader, card=card.handle, error=error.code)

    def _adopt_sam(self, found: SamFound, card: Presentation) -> None:
        """From now on, until the PSAM is taken out, this reader serves purchases, not card holders."""
        if self.cards.get(found.reader) is not card:
            return
        self.sams.adopt(found, card.slot)
        log.info("PSAM found", reader=found.reader, terminal=found.terminal_number, virtual=found.virtual)
        self._events.publish("sam.ok", reader=found.reader, terminal_number=found.terminal_number)
        self._on_keys()
        self.readers.pop(found.reader, None)
        self.cards.pop(found.reader, None)

    # ---- work on cards ---------------------------------------------------------------------------------------

    async def on_card(self, reader: str, job: Callable[[Channel], T], money: Money = Money.UNKNOWN) -> T:
        """Run a job on the card in a reader, in the reader's own thread.

        Args:
            reader: Name of the reader.
            job: What to do.
            money: What is known about the money if the reader hangs: NONE for a job that moves none.

        Raises:
            ReaderUnavailable: No such reader.
            ReaderBusy: Too many wait for it, or another program holds the card.
            ReaderPoisoned: It hangs; of a debit only the journal knows how far it got.
            CardioError: What the job raises.
        """
        try:
            return await asyncio.wrap_future(self._owners.submit(reader, job, money))
        except ReaderPoisoned as error:
            self._events.publish("reader.error", reader=reader, error=error.code)
            raise

    async def on_presented(self, card: Presentation, job: Callable[[Channel], T]) -> T:
        """Run a job that moves no money on one presented card.

        Raises:
            CardChanged: Another one lay in its place.
            CardioError: As of `on_card`.
        """
        done = await self.on_card(card.reader, job, Money.NONE)
        # It may have been swapped for another before that was noticed: what was read then is that one's.
        if self.cards.get(card.reader) not in {None, card}:
            raise CardChanged("another card was put in meanwhile")
        return done
