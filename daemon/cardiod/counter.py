"""The counter: its readers, the cards presented on them, and the operations that cashier software asks for.

Everything here runs in the event loop and only ever awaits: cards are worked on in the threads that own their
readers, the journal in its own.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import structlog

from cardio.apdu.connection import CardConnection
from cardio.engine.context import UNCERTAIN
from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest, OnlineRequest, SettleRequest
from cardio.errors import (
    CardAbsent,
    CardioError,
    CardMultiple,
    CardUnsupported,
    Money,
    OperationUnsupported,
    PinError,
    ReaderBusy,
    ReaderPoisoned,
    ReaderUnavailable,
    SamAbsent,
    ServiceUnavailable,
)
from cardio.ledger.ledger import now
from cardio.ledger.model import Request, Settlement, State, Transaction
from cardio.products.detection import Identification, identify
from cardio.products.group_reading import GroupReading
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.purse.operation import PurseKind
from cardio.readers.key_chain import KeyChain, KeySource
from cardio.readers.monitor import ReaderMonitor
from cardio.readers.owner import OwnerState
from cardio.readers.owners import ReaderOwners
from cardio.readers.sam import SamBench, SamFound, probe_sam
from cardio.readers.watch import CALL_LIMIT
from cardio.transport.channel import Channel, ReaderDriver, SlotState

T = TypeVar("T")
SAM_PATIENCE = 2.0
"""Seconds to wait for a PSAM that was not seen yet."""
FIRST_LOOK = 5.0
"""Seconds that the start waits for the readers; a reader service that hangs must not keep the daemon from running."""
BUSY_RETRY = 0.25
"""Seconds between looks at a card that another program holds (OPS §4.11: no faster)."""
JOURNAL_CALLS = 4
"""Threads that wait for the journal on behalf of the event loop."""

log = structlog.get_logger("cardiod.counter")


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
    """

    handle: str
    reader: str
    inserted_at: datetime
    slot: SlotState
    identification: Identification | None = None
    error: CardioError | None = None
    held: ReaderBusy | None = None

    @property
    def identified(self) -> bool:
        """Whether the first look at the card is over."""
        return self.identification is not None or self.error is not None

    def has(self, purse: PurseKind | None) -> bool:
        """Whether the card has a purse; any card will do for None."""
        return purse is None or (self.identification is not None and purse in self.identification.purses)


class Counter:
    """One counter with its readers.

    Args:
        engine: Money on cards.
        driver: The readers.
        sam_name: Part of the name of the PSAMs' readers; any if empty. A reader with a PSAM in service is not offered
            to card holders.
        keys: Sources of keys behind the PSAMs, in order: HSM, keyring.
        limit: Seconds after which a driver call that does not return poisons its reader.

    Attributes:
        keys: All sources of keys.
        sams: The PSAMs in service.
        presentations: Cards that are there now, by reader.
        readers: Readers for card holders.
    """

    def __init__(
        self,
        engine: Engine,
        driver: ReaderDriver,
        sam_name: str = "",
        *,
        keys: Iterable[KeySource] = (),
        limit: float = CALL_LIMIT,
    ) -> None:
        self.engine = engine
        self.keys = KeyChain(*keys)
        self.sams = SamBench(driver, self.keys, limit=limit)
        self._sam_name = sam_name
        self._use_keys()
        self.presentations: dict[str, Presentation] = {}
        self.readers: dict[str, SlotState] = {}
        self._driver = driver
        self._owners = ReaderOwners(driver, limit=limit)
        self._monitor: ReaderMonitor | None = None
        self._changed = asyncio.Condition()
        self._journal = ThreadPoolExecutor(JOURNAL_CALLS, thread_name_prefix="journal-call")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._looked = asyncio.Event()

    # ---- life ------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the readers until the block ends; then finish what runs, and stop."""
        loop = self._loop = asyncio.get_running_loop()

        def watch(states: dict[str, SlotState]) -> None:
            loop.call_soon_threadsafe(self._spawn, self._on_change(states))

        self._monitor = ReaderMonitor(self._driver, watch)
        self._monitor.start()
        # A caller that comes at once must not be told that there are no readers.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._looked.wait(), FIRST_LOOK)
        try:
            yield
        finally:
            self.release_waiting()
            await asyncio.to_thread(self._monitor.stop)
            # Nothing is cut between ARMED and its end: operations that have their card end by themselves.
            while self._tasks:
                await asyncio.wait(self._tasks)
            await asyncio.to_thread(self._owners.stop)
            await asyncio.to_thread(self.sams.stop)
            self._journal.shutdown()

    def release_waiting(self) -> None:
        """Tell everybody who waits for a card that the daemon stops; may be called from a signal handler or thread."""
        self._stopping = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._spawn, self._notify())

    def _spawn(self, operation: Coroutine[Any, Any, None]) -> None:
        self.spawn(operation)

    def spawn(self, operation: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run an operation that goes on even when nobody waits for it any more."""
        task = asyncio.get_running_loop().create_task(operation)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def journal(self, call: Callable[[], T]) -> T:
        """Await a call that writes or reads the journal."""
        return await asyncio.get_running_loop().run_in_executor(self._journal, call)

    # ---- readers and cards -----------------------------------------------------------------------------------

    @property
    def sam_reader(self) -> str | None:
        """Reader of the first PSAM in service."""
        return next(iter(self.sams.readers), None)

    @property
    def reader_states(self) -> dict[str, OwnerState]:
        """What each reader is doing, those with a PSAM included; `poisoned` ones must be plugged in anew."""
        return {**self._owners.states, **self.sams.states}

    async def _on_change(self, states: dict[str, SlotState]) -> None:
        """Readers or cards came or went."""
        for gone in self.sams.update(states):
            log.warning("PSAM out of service", reader=gone.reader, terminal=gone.terminal_number)
        self._looked.set()
        self._use_keys()
        self._owners.update(states)
        self.readers = {name: state for name, state in states.items() if name not in self.sams.readers}
        for name, presentation in list(self.presentations.items()):
            if self.readers.get(name) != presentation.slot:
                del self.presentations[name]
                log.info("card removed", reader=name, handle=presentation.handle)
        for name, state in self.readers.items():
            if state.present and name not in self.presentations:
                presentation = Presentation(secrets.token_hex(16), name, now(), state)
                self.presentations[name] = presentation
                log.info("card inserted", reader=name, handle=presentation.handle)
                self.spawn(self._identify(presentation))
        await self._notify()

    async def _identify(self, presentation: Presentation) -> None:
        """Look at a card that was just put in, and resolve what is open about it; a PSAM is taken into service."""

        def look(channel: Channel) -> Identification | SamFound:
            try:
                return identify(CardConnection(channel), self.engine.catalogue)
            except CardUnsupported:
                sam = probe_sam(channel) if self._sam_name in channel.reader else None
                if sam is None:
                    raise
                return sam

        try:
            found = await self._look(presentation, look)
            if isinstance(found, SamFound):
                self._adopt_sam(found, presentation)
            else:
                presentation.identification = found
        except CardioError as error:
            presentation.error = error
            log.warning("card not identified", reader=presentation.reader, code=error.code)
        await self._notify()
        if presentation.identification is not None:
            await self._recover(presentation)

    async def _look(self, presentation: Presentation, job: Callable[[Channel], T]) -> T:
        """Look at a card as soon as no other program holds it.

        Raises:
            ReaderBusy: It left, or the daemon stops, before it was free.
            CardioError: What the job raises.
        """
        while True:
            try:
                return await self.on_card(presentation.reader, job, Money.NONE)
            except ReaderBusy as error:
                if presentation.held is None:
                    log.info("card held by another program", reader=presentation.reader)
                presentation.held = error
                await asyncio.sleep(BUSY_RETRY)
                if self._stopping or self.presentations.get(presentation.reader) is not presentation:
                    raise

    def _adopt_sam(self, found: SamFound, presentation: Presentation) -> None:
        """From now on, until the PSAM is taken out, this reader serves purchases, not card holders."""
        if self.presentations.get(found.reader) is not presentation:
            return
        self.sams.adopt(found, presentation.slot)
        log.info("PSAM found", reader=found.reader, terminal=found.terminal_number, virtual=found.virtual)
        self._use_keys()
        self.readers.pop(found.reader, None)
        self.presentations.pop(found.reader, None)

    def _use_keys(self) -> None:
        """Let the engine know whether there are keys at all."""
        chain = self.keys if self.keys.sources else None
        self.engine.keys = chain
        self.engine.authentication = chain

    async def _await_sam(self, deadline: float) -> None:
        """Right after the start the PSAM may still be on its way; afterwards its absence is an error at once."""
        until = min(deadline, asyncio.get_running_loop().time() + SAM_PATIENCE)
        async with self._changed:
            while self.engine.keys is None:
                left = until - asyncio.get_running_loop().time()
                try:
                    await asyncio.wait_for(self._changed.wait(), max(left, 0))
                except TimeoutError:
                    raise SamAbsent("no PSAM in any reader") from None

    async def _recover(self, presentation: Presentation) -> None:
        """Open questions about a card are resolved at its next presentation, before anybody asks."""
        awaited = await self.journal(lambda: self.engine.awaited_purses)
        if not any(presentation.has(purse) for purse in awaited):
            return
        try:
            resolved = await self.on_card(presentation.reader, self.engine.recover)
        except PinError as error:
            # The medical account wants its PIN, which comes with the caller's next request.
            log.info("recovery waits for the PIN", reader=presentation.reader, code=error.code)
        except CardioError as error:
            log.warning("recovery failed", reader=presentation.reader, code=error.code)
        else:
            for transaction in resolved:
                log.info("recovered", transaction=transaction.id, state=transaction.state)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

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
        return await asyncio.wrap_future(self._owners.submit(reader, job, money))

    async def _given_up(self, transaction: Transaction, error: ReaderPoisoned) -> Transaction:
        """What the journal says of a transaction whose reader hangs: armed means that the card may be debited.

        Raises:
            ReaderPoisoned: Nothing was sent to the card that could debit it; the key can be used again.
        """

        def look() -> Transaction:
            known = self.engine.ledger.transaction(transaction.id)
            return self.engine.ledger.record(known, UNCERTAIN) if known.state is State.ARMED else known

        known = await self.journal(look)
        if known.state is State.ACCEPTED:
            raise ReaderPoisoned(error.detail, money=Money.NONE) from error
        log.error("reader hangs", reader=error.detail, transaction=known.id, state=known.state)
        return known

    async def present(self, reader: str | None, purse: PurseKind | None, deadline: float) -> Presentation:
        """Wait for the card to work with.

        Args:
            reader: Only this reader; None for any.
            purse: Only a card with this purse; None for any card.
            deadline: Time of the event loop until which to wait.

        Raises:
            CardAbsent: Nobody presented a card in time.
            OperationUnsupported: A card was presented, but it does not have the purse.
            CardMultiple: Several cards could be meant.
            ReaderBusy: The card is still being looked at.
            ServiceUnavailable: The daemon is stopping.
            ReaderUnavailable: No reader of that name.
        """
        async with self._changed:
            while True:
                if self._stopping:
                    raise ServiceUnavailable("the daemon is stopping")
                self._check_reader(reader)
                candidates = self._candidates(reader)
                if all(candidate.identified for candidate in candidates):
                    fitting = [candidate for candidate in candidates if candidate.has(purse)]
                    if len(fitting) > 1:
                        raise CardMultiple(", ".join(sorted(card.reader for card in fitting)))
                    if fitting:
                        return _usable(fitting[0])
                left = deadline - asyncio.get_running_loop().time()
                try:
                    await asyncio.wait_for(self._changed.wait(), max(left, 0))
                except TimeoutError:
                    raise _nothing_fits(candidates, purse) from None

    def _candidates(self, reader: str | None) -> list[Presentation]:
        return [card for name, card in self.presentations.items() if reader in {None, name}]

    def _check_reader(self, reader: str | None) -> None:
        if reader is not None and reader not in self.readers:
            raise ReaderUnavailable(reader)
        if not self.readers:
            raise ReaderUnavailable("no reader is connected")

    # ---- operations ------------------------------------------------------------------------------------------

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
        wanted = list(groups)
        presentation = await self.present(reader, None, self._deadline(wait_s))

        def job(channel: Channel) -> dict[Group, GroupReading]:
            card = CardConnection(channel)
            keys = self.engine.authentication
            return CardReading(card, self.engine.catalogue, pin=pin, keys=keys, masked=masked).read(wanted)

        return presentation, await self.on_card(presentation.reader, job, Money.NONE)

    async def debit(self, request: DebitRequest, reader: str | None, wait_s: float) -> Transaction:
        """Debit the wallet that is presented, or find out what became of the same request before."""
        return await self._transact(
            request.request, lambda: self.engine.begin_debit(request), self.engine.debit, reader, wait_s
        )

    async def load(self, request: OnlineRequest, reader: str | None, wait_s: float, pin: str | None) -> Transaction:
        """Load the card that is presented through the load host, or find out what became of the same request before."""

        def act(transaction: Transaction, channel: Channel) -> Transaction:
            return self.engine.online(transaction, channel, pin)

        return await self._transact(request.request, lambda: self.engine.begin_online(request), act, reader, wait_s)

    async def _transact(
        self,
        request: Request,
        begin: Callable[[], Transaction],
        act: Callable[[Transaction, Channel], Transaction],
        reader: str | None,
        wait_s: float,
    ) -> Transaction:
        """Begin a transaction, and act on the card that is presented; one that has ended needs no card."""
        deadline = self._deadline(wait_s)
        with self.engine.ledger.exclusive(request):
            transaction = await self.journal(begin)
            if transaction.state.final:
                return transaction
            try:
                card = await self.present(reader, transaction.purse, deadline)
                if transaction.state is State.ACCEPTED:
                    await self._await_sam(deadline)
            except CardioError:
                if transaction.state is not State.ACCEPTED:
                    return transaction
                raise
            try:
                return await self.on_card(card.reader, lambda channel: act(transaction, channel))
            except ReaderPoisoned as error:
                return await self._given_up(transaction, error)

    async def settle(self, request: SettleRequest, reader: str | None, wait_s: float, pin: str | None) -> Settlement:
        """Settle a bill on the cards that are presented, or find out what became of the same request before.

        `reader` is the one for the social security card; the wallet may lie in any.
        """
        deadline = self._deadline(wait_s)
        with self.engine.ledger.exclusive(request.request):
            settlement = await self.journal(lambda: self.engine.begin_settlement(request))
            while (kind := settlement.next_purse) is not None:
                where = reader if kind is PurseKind.MEDICAL else None
                try:
                    card = await self.present(where, kind, deadline)
                    if settlement.state is not State.UNCERTAIN:
                        await self._await_sam(deadline)
                except CardioError:
                    if settlement.state is not State.ACCEPTED:
                        break
                    raise
                settlement = await self._settle_on(card.reader, settlement, pin)
                if settlement.state is State.UNCERTAIN:
                    break
            return settlement

    async def _settle_on(self, reader: str, settlement: Settlement, pin: str | None) -> Settlement:
        try:
            return await self.on_card(reader, lambda channel: self.engine.settle(settlement, channel, pin))
        except ReaderPoisoned as error:
            known = await self.journal(lambda: self.engine.ledger.settlement(settlement.id))
            if not known.legs:
                raise ReaderPoisoned(error.detail, money=Money.NONE) from error
            # Legs are done one after the other: only the last can hang.
            await self._given_up(known.legs[-1], error)
            return await self.journal(lambda: self.engine.ledger.settlement(settlement.id))

    @staticmethod
    def _deadline(wait_s: float) -> float:
        return asyncio.get_running_loop().time() + wait_s


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
