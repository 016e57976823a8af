"""The counter: the operations that cashier software asks for, on the cards that are presented.

Everything here runs in the event loop and only ever awaits: cards are worked on in the threads that own their
readers, the journal in its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import structlog

from cardio.apdu.connection import CardConnection
from cardio.engine.context import UNCERTAIN
from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest, OnlineRequest, SettleRequest
from cardio.errors import CardChanged, CardioError, Money, PinError, ReaderPoisoned, TransactionCancelled
from cardio.ledger.document import settlement_money
from cardio.ledger.model import Request, Settlement, State, Transaction
from cardio.products.group_reading import GroupReading
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.purse.operation import PurseKind
from cardio.readers.key_chain import KeySource
from cardio.readers.watch import CALL_LIMIT
from cardio.transport.channel import Channel, ReaderDriver
from cardio.transport.serial_display import CustomerDisplay
from cardiod.customer_screen import CustomerScreen
from cardiod.events import EventLog
from cardiod.presence import Presence, Presentation
from cardiod.work import Work

T = TypeVar("T")
Act = Callable[[Transaction, Channel], Transaction]
TRANSACTION, SETTLEMENT = "transaction", "settlement"
"""What a card can be awaited for, as the events call it."""

log = structlog.get_logger("cardiod.counter")


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
            on_card=self._recover_presented,
        )
        self._waiting: set[str] = set()
        self._screen = CustomerScreen(display, engine.ledger)
        self.events.listen(self._screen.on_event)
        self._cancelled: set[str] = set()
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
        card = await self.presence.present(reader, None, deadline_in(wait_s))
        return card, await self.read_card(card, groups, pin=pin, masked=masked)

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

    # ---- money -----------------------------------------------------------------------------------------------

    async def debit(self, request: DebitRequest, reader: str | None, wait_s: float) -> Transaction:
        """Debit the wallet that is presented, or find out what became of the same request before."""
        return await self.transact(
            request.request, lambda: self.engine.begin_debit(request), self.engine.debit, reader, wait_s
        )

    async def online(self, request: OnlineRequest, reader: str | None, wait_s: float, pin: str | None) -> Transaction:
        """Load, unload or limit the card that is presented through the load host; or what became of the request."""

        def act(transaction: Transaction, channel: Channel) -> Transaction:
            return self.engine.online(transaction, channel, pin)

        return await self.transact(request.request, lambda: self.engine.begin_online(request), act, reader, wait_s)

    async def transact(
        self, request: Request, begin: Callable[[], Transaction], act: Act, reader: str | None, wait_s: float
    ) -> Transaction:
        """Begin a transaction, and act on the card that is presented; one that has ended needs no card.

        Args:
            request: Key and caller.
            begin: Writes the request down, or finds what it began before.
            act: Does it on the powered card.
            reader: Only this reader; None for any.
            wait_s: Seconds to wait for the card.

        Raises:
            IdempotencyInProgress: The same request is being worked on.
            CardioError: Refused before anything could move; the key can be used again.
        """
        deadline = deadline_in(wait_s)
        with self.engine.ledger.exclusive(request):
            transaction = await self.work.journal(begin)
            if transaction.state.final:
                return transaction
            with self._refusals(TRANSACTION, transaction.id):
                return await self._transact(transaction, act, reader, deadline)

    async def _transact(self, transaction: Transaction, act: Act, reader: str | None, deadline: float) -> Transaction:
        fen, purse = transaction.amount_fen, transaction.purse
        try:
            card = await self._present(TRANSACTION, transaction.id, fen, reader, purse, deadline)
            if transaction.state is State.ACCEPTED:
                await self.presence.await_keys(deadline)
            return await self.presence.on_card(card.reader, lambda channel: act(transaction, channel))
        except ReaderPoisoned as error:
            return await self._given_up(transaction, error)
        except CardioError as error:
            known = await self._known(transaction.id)
            _refuse(error, known.state, known.money)
            return known

    async def settle(
        self,
        request: SettleRequest,
        reader: str | None,
        wait_s: float,
        pin: str | None,
        *,
        wallet_reader: str | None = None,
    ) -> Settlement:
        """Settle a bill on the cards that are presented, or find out what became of the same request before.

        Args:
            request: The bill.
            reader: Reader of the social security card; None for any.
            wait_s: Seconds to wait for the cards.
            pin: Of the medical account, if it is not to be typed on a PIN pad.
            wallet_reader: Reader of the wallet, which can be on another card; None for any.

        Raises:
            IdempotencyInProgress: The same request is being worked on.
            CardioError: Refused; its `money` tells what became of the whole bill.
        """
        deadline = deadline_in(wait_s)
        ledger = self.engine.ledger
        with ledger.exclusive(request.request):
            settlement = await self.work.journal(self.engine.begin_settlement, request)
            while (kind := settlement.next_purse) is not None:
                medical = kind is PurseKind.MEDICAL
                where = reader if medical else wallet_reader
                fen = settlement.bill.account_fen if medical else settlement.bill.self_pay_fen
                try:
                    with self._refusals(SETTLEMENT, settlement.id):
                        card = await self._present(SETTLEMENT, settlement.id, fen, where, kind, deadline)
                        if settlement.state is not State.UNCERTAIN:
                            await self.presence.await_keys(deadline)
                        settlement = await self._settle_on(card.reader, settlement, pin)
                except CardioError as error:
                    settlement = await self.work.journal(ledger.settlement, settlement.id)
                    _refuse(error, settlement.state, Money(settlement_money(settlement)))
                    break
                if settlement.state is State.UNCERTAIN:
                    break
            return settlement

    async def _settle_on(self, reader: str, settlement: Settlement, pin: str | None) -> Settlement:
        ledger = self.engine.ledger
        try:
            return await self.presence.on_card(reader, lambda channel: self.engine.settle(settlement, channel, pin))
        except ReaderPoisoned as error:
            known = await self.work.journal(ledger.settlement, settlement.id)
            if not known.legs:
                raise ReaderPoisoned(error.detail, money=Money.NONE) from error
            # Legs are done one after the other: only the last can hang.
            await self._given_up(known.legs[-1], error)
            return await self.work.journal(ledger.settlement, settlement.id)

    async def _known(self, identifier: str) -> Transaction:
        return await self.work.journal(self.engine.ledger.transaction, identifier)

    async def _given_up(self, transaction: Transaction, error: ReaderPoisoned) -> Transaction:
        """What the journal says of a transaction whose reader hangs: armed means that the card may be debited.

        Raises:
            ReaderPoisoned: Nothing was sent to the card that could debit it; the key can be used again.
        """

        def look() -> Transaction:
            known = self.engine.ledger.transaction(transaction.id)
            return self.engine.ledger.record(known, UNCERTAIN) if known.state is State.ARMED else known

        known = await self.work.journal(look)
        if known.state is State.ACCEPTED:
            raise ReaderPoisoned(error.detail, money=Money.NONE) from error
        log.error("reader hangs", reader=error.detail, transaction=known.id, state=known.state)
        return known

    # ---- cancelling ------------------------------------------------------------------------------------------

    async def cancel(self, identifier: str) -> Transaction:
        """Cancel a transaction that waits for its card; see `Ledger.cancel`."""
        return await self._cancel(identifier, self.engine.ledger.cancel)

    async def cancel_settlement(self, identifier: str) -> Settlement:
        """Cancel what is not paid yet of a settlement; see `Ledger.cancel_settlement`."""
        return await self._cancel(identifier, self.engine.ledger.cancel_settlement)

    async def _cancel(self, identifier: str, cancel: Callable[[str], T]) -> T:
        cancelled = await self.work.journal(cancel, identifier)
        if identifier in self._waiting:
            self._cancelled.add(identifier)
            await self.presence.notify()
        return cancelled

    @contextmanager
    def _refusals(self, kind: str, identifier: str) -> Iterator[None]:
        """Tell whoever watches the counter why nothing was begun: the journal knows nothing of it."""
        try:
            yield
        except CardioError as error:
            self.events.publish(f"{kind}.refused", transaction=identifier, error=error.code)
            raise

    async def _present(
        self, kind: str, identifier: str, fen: int, reader: str | None, purse: PurseKind, deadline: float
    ) -> Presentation:
        """Wait for a card on behalf of a transaction or settlement, which may be cancelled meanwhile.

        The customer is shown the `fen` that it is about.

        Raises:
            TransactionCancelled: It was.
            CardioError: As `Presence.present`.
        """

        def check() -> None:
            if identifier in self._cancelled:
                raise TransactionCancelled

        def on_wait() -> None:
            self.events.publish(f"{kind}.waiting", transaction=identifier, purse=purse.value)

        self._waiting.add(identifier)
        self._screen.ask(fen)
        try:
            return await self.presence.present(reader, purse, deadline, check, on_wait)
        except CardioError:
            self._screen.welcome()
            raise
        finally:
            self._waiting.discard(identifier)
            self._cancelled.discard(identifier)

    # ---- recovery --------------------------------------------------------------------------------------------

    async def recover(self, identifier: str, reader: str | None, wait_s: float, pin: str | None) -> Transaction:
        """Ask the presented card about a transaction whose outcome is open.

        Raises:
            CardChanged: The presented card is not the one of the transaction.
            CardioError: There is no card, or it cannot be asked.
        """
        transaction = await self._known(identifier)
        if transaction.state is not State.UNCERTAIN:
            return transaction
        try:
            card = await self.presence.present(reader, transaction.purse, deadline_in(wait_s))
            asked = await self.presence.on_card(card.reader, lambda channel: self.engine.recover(channel, pin))
        except CardioError as error:
            # Nobody has answered, so that the question is as open as before.
            error.money = transaction.money
            raise
        known = await self._known(identifier)
        if not known.state.final and identifier not in {one.id for one in asked}:
            raise CardChanged(f"transaction {identifier} is about another card", money=Money.UNKNOWN)
        return known

    async def _recover_presented(self, card: Presentation) -> None:
        """Open questions about a card are resolved at its next presentation, before anybody asks."""
        awaited = await self.work.journal(lambda: self.engine.awaited_purses)
        if not any(card.has(purse) for purse in awaited):
            return
        try:
            resolved = await self.presence.on_card(card.reader, self.engine.recover)
        except PinError as error:
            # The medical account wants its PIN, which comes with the caller's next request.
            log.info("recovery waits for the PIN", reader=card.reader, code=error.code)
        except CardioError as error:
            log.warning("recovery failed", reader=card.reader, code=error.code)
        else:
            for transaction in resolved:
                log.info("recovered", transaction=transaction.id, state=transaction.state)


def _refuse(error: CardioError, state: State, money: Money) -> None:
    """Raise an error if it is the whole truth about a request: it has not begun yet, or the holder's PIN is wrong.

    Whatever else keeps an open outcome from being found out, or a bill from being paid to its end, the caller is told
    how far it is: an error would look as if nothing had happened.

    Raises:
        CardioError: The error.
    """
    if state is not State.ACCEPTED:
        if not isinstance(error, PinError):
            return
        error.money = money
    raise error


def deadline_in(seconds: float) -> float:
    """Time of the event loop in so many seconds."""
    return asyncio.get_running_loop().time() + seconds
