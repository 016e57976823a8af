"""Which readers, cards and PSAMs are there, and work on the card in a reader.

Everything here runs in the event loop and only ever awaits: cards are worked on in the threads that own their readers.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog

from cardio.apdu.connection import CardConnection
from cardio.errors import (
    CardAbsent,
    CardChanged,
    CardioError,
    CardMultiple,
    CardUnsupported,
    InternalError,
    Money,
    OperationUnsupported,
    ReaderBusy,
    ReaderPoisoned,
    ReaderUnavailable,
    SamAbsent,
    ServiceUnavailable,
)
from cardio.ledger.ledger import now
from cardio.products.catalogue import Catalogue
from cardio.products.detection import Identification, identify
from cardio.purse.operation import PurseKind
from cardio.readers.key_chain import KeyChain, KeySource
from cardio.readers.monitor import ReaderMonitor
from cardio.readers.names import reader_ids
from cardio.readers.owner import OwnerState
from cardio.readers.owners import ReaderOwners
from cardio.readers.sam import SamBench, SamFound, probe_sam
from cardio.readers.watch import CALL_LIMIT
from cardio.transport.channel import Channel, ReaderDriver, SlotState, has_pin_pad
from cardio.transport.measuring import Measured, MeasuringDriver
from cardiod import crashes
from cardiod.events import EventLog
from cardiod.work import Work

T = TypeVar("T")
SAM_PATIENCE = 2.0
"""Seconds to wait for a PSAM that was not seen yet."""
FIRST_LOOK = 5.0
"""Seconds that the start waits for the readers; a reader service that hangs must not keep the daemon from running."""
BUSY_RETRY = 0.25
"""Seconds between looks at a card that another program holds (OPS §4.11: no faster)."""

log = structlog.get_logger("cardiod.presence")


def _unwatched(exchange: Measured) -> None:
    """For counters whose exchanges nobody counts."""


@dataclass(eq=False)
class Presentation:
    """One insertion of one card.

    Attributes:
        handle: 128 random bits; dies with the removal of the card.
        reader: Where it lies.
        inserted_at: Since when.
        slot: State of the slot at the insertion.
        identification: What it is; None until that is known, or when it could not be found out.
        error: Why it could not be found out.
        held: Set while another program holds the card, so that it cannot be looked at yet.
        released: Set when nobody wants it any more; it must be taken out and put in anew.
    """

    handle: str
    reader: str
    inserted_at: datetime
    slot: SlotState
    identification: Identification | None = None
    error: CardioError | None = None
    held: ReaderBusy | None = None
    released: bool = False

    @property
    def identified(self) -> bool:
        """Whether the first look at the card is over."""
        return self.identification is not None or self.error is not None

    def has(self, purse: PurseKind | None) -> bool:
        """Whether the card has a purse; any card will do for None."""
        return purse is None or (self.identification is not None and purse in self.identification.purses)


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
        pin_pads: Whether a reader has a PIN pad, by its name, as far as a card in it has shown.
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
        self.on_exchange: Callable[[Measured], None] = _unwatched
        self.keys = KeyChain(*keys)
        self.sams = SamBench(driver, self.keys, limit=limit)
        self.cards: dict[str, Presentation] = {}
        self.readers: dict[str, SlotState] = {}
        self.pin_pads: dict[str, bool] = {}
        self._catalogue = catalogue
        self._work = work
        self._events = events
        self._sam_name = sam_name
        self._on_keys = on_keys
        self._on_card = on_card
        self._owners = ReaderOwners(driver, limit=limit)
        self._monitor = ReaderMonitor(driver, self._watch)
        self._plugged: set[str] = set()
        self._changed = asyncio.Condition()
        self._looked = asyncio.Event()
        self._stopping = False

    # ---- life ------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the readers until the block ends."""
        self._monitor.start()
        # A caller that comes at once must not be told that there are no readers.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._looked.wait(), FIRST_LOOK)
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
        self._stopping = True
        self._work.from_elsewhere(lambda: self._work.start(self.notify()))

    async def notify(self) -> None:
        """Have everybody who waits look again."""
        async with self._changed:
            self._changed.notify_all()

    # ---- what is there ---------------------------------------------------------------------------------------

    @property
    def states(self) -> dict[str, OwnerState]:
        """What each reader is doing, those with a PSAM included; `poisoned` ones must be plugged in anew."""
        return {**self._owners.states, **self.sams.states}

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
            raise self._no_such_reader()
        return name

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
            self.pin_pads.pop(name, None)
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
        """Look at a card that was just put in; a PSAM is taken into service."""

        def look(channel: Channel) -> Identification | SamFound:
            self.pin_pads[channel.reader] = has_pin_pad(channel)
            try:
                return identify(CardConnection(channel), self._catalogue)
            except CardUnsupported:
                sam = probe_sam(channel) if self._sam_name in channel.reader else None
                if sam is None:
                    raise
                return sam

        try:
            found = await self._look(card, look)
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

    def _reject(self, card: Presentation, error: CardioError) -> None:
        card.error = error
        log.warning("card not identified", reader=card.reader, code=error.code)
        self._events.publish("card.rejected", reader=card.reader, card=card.handle, error=error.code)

    async def _look(self, card: Presentation, job: Callable[[Channel], T]) -> T:
        """Look at a card as soon as no other program holds it.

        Raises:
            ReaderBusy: It left, or the daemon stops, before it was free.
            CardioError: What the job raises.
        """
        while True:
            try:
                return await self.on_card(card.reader, job, Money.NONE)
            except ReaderBusy as error:
                if card.held is None:
                    log.info("card held by another program", reader=card.reader)
                card.held = error
                await asyncio.sleep(BUSY_RETRY)
                if self._stopping or self.cards.get(card.reader) is not card:
                    raise

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

    async def present(
        self,
        reader: str | None,
        purse: PurseKind | None,
        deadline: float,
        check: Callable[[], None] = lambda: None,
        on_wait: Callable[[], None] = lambda: None,
    ) -> Presentation:
        """Wait for the card to work with.

        Args:
            reader: Only this reader, by name or id; None for any.
            purse: Only a card with this purse; None for any card.
            deadline: Time of the event loop until which to wait.
            check: Called whenever something has changed; what it raises ends the waiting.
            on_wait: Called once, if the card is not there yet.

        Raises:
            CardAbsent: Nobody presented a card in time.
            OperationUnsupported: A card was presented, but it does not have the purse.
            CardMultiple: Several cards could be meant.
            ReaderBusy: The card is still being looked at.
            ServiceUnavailable: The daemon is stopping.
            ReaderUnavailable: No reader of that name.
            CardioError: What `check` raises.
        """
        waiting = False
        async with self._changed:
            while True:
                if self._stopping:
                    raise ServiceUnavailable("the daemon is stopping")
                check()
                name = self._card_reader(reader)
                candidates = [card for card in self.cards.values() if name in {None, card.reader} and not card.released]
                if all(candidate.identified for candidate in candidates):
                    fitting = [candidate for candidate in candidates if candidate.has(purse)]
                    if len(fitting) > 1:
                        raise CardMultiple(", ".join(sorted(card.reader for card in fitting)))
                    if fitting:
                        return _usable(fitting[0])
                if not waiting:
                    on_wait()
                    waiting = True
                left = deadline - asyncio.get_running_loop().time()
                try:
                    await asyncio.wait_for(self._changed.wait(), max(left, 0))
                except TimeoutError:
                    raise _nothing_fits(candidates, purse) from None

    async def await_keys(self, deadline: float) -> None:
        """Right after the start the PSAM may still be on its way; afterwards its absence is an error at once.

        Raises:
            SamAbsent: There are no keys.
        """
        until = min(deadline, asyncio.get_running_loop().time() + SAM_PATIENCE)
        async with self._changed:
            while not self.keys.sources:
                left = until - asyncio.get_running_loop().time()
                try:
                    await asyncio.wait_for(self._changed.wait(), max(left, 0))
                except TimeoutError:
                    raise SamAbsent("no PSAM in any reader") from None

    def _card_reader(self, wanted: str | None) -> str | None:
        """Name of the reader that is meant; None for any.

        Raises:
            ReaderUnavailable: There is none of that name, or none at all.
        """
        if not self.readers:
            raise self._no_such_reader()
        if wanted is None or wanted in self.readers:
            return wanted
        name = self.ids.get(wanted)
        if name not in self.readers:
            raise self._no_such_reader()
        return name

    def _no_such_reader(self) -> ReaderUnavailable:
        """Names those that there are; what was asked for can be anything, a number of a person too."""
        names = ", ".join(sorted({**self.readers, **dict.fromkeys(self.sams.readers)}))
        return ReaderUnavailable(f"there are: {names}" if names else "no reader is connected")


def _usable(card: Presentation) -> Presentation:
    if card.error is not None:
        raise card.error
    return card


def _nothing_fits(candidates: list[Presentation], purse: PurseKind | None) -> CardioError:
    """Why no card could be used, most telling first."""
    for card in candidates:
        if not card.identified:
            return card.held or ReaderBusy(f"{card.reader}: the card is still being looked at")
        if card.error is not None:
            return card.error
    if candidates and purse is not None:
        return OperationUnsupported(f"the presented card has no {purse} purse")
    return CardAbsent()
