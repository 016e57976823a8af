"""What moves money at the counter: a request is written down, its card awaited, and worked on.

Everything here runs in the event loop and only ever awaits: cards are worked on in the threads that own their readers,
the journal in its own.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from cardio.engine.context import UNCERTAIN
from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest, OnlineRequest, SettleRequest
from cardio.errors import CardioError, Money, PinError, ReaderPoisoned
from cardio.ledger.document import settlement_money
from cardio.ledger.model import Request, Settlement, State, Transaction
from cardio.purse.operation import PurseKind
from cardio.transport.channel import Channel
from cardiod.awaited_cards import SETTLEMENT, TRANSACTION, AwaitedCards
from cardiod.presence import Presence
from cardiod.presentation import Presentation
from cardiod.waiting import Waiting, deadline_in
from cardiod.work import Work

Act = Callable[[Transaction, Channel], Transaction]

log = structlog.get_logger("cardiod.payments")


class Payments:
    """The operations of one counter that move money.

    Args:
        engine: Money on cards.
        work: Of the counter.
        presence: What is there.
        waiting: Waits for the keys.
        awaited: Waits for the cards.
    """

    def __init__(self, engine: Engine, work: Work, presence: Presence, waiting: Waiting, awaited: AwaitedCards) -> None:
        self._engine = engine
        self._work = work
        self._presence = presence
        self._waiting = waiting
        self._awaited = awaited

    async def debit(self, request: DebitRequest, reader: str | None, wait_s: float) -> Transaction:
        """Debit the wallet that is presented, or find out what became of the same request before."""
        return await self.transact(
            request.request, lambda: self._engine.begin_debit(request), self._engine.debit, reader, wait_s
        )

    async def online(self, request: OnlineRequest, reader: str | None, wait_s: float, pin: str | None) -> Transaction:
        """Load, unload or limit the card that is presented through the load host; or what became of the request."""

        def act(transaction: Transaction, channel: Channel) -> Transaction:
            return self._engine.online(transaction, channel, pin)

        return await self.transact(request.request, lambda: self._engine.begin_online(request), act, reader, wait_s)

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
        with self._engine.ledger.exclusive(request):
            transaction = await self._work.journal(begin)
            if transaction.state.final:
                return transaction
            with self._awaited.refusals(TRANSACTION, transaction.id):
                return await self._transact(transaction, act, reader, deadline)

    async def _transact(self, transaction: Transaction, act: Act, reader: str | None, deadline: float) -> Transaction:
        fen, purse = transaction.amount_fen, transaction.purse

        async def work(card: Presentation) -> Transaction:
            if transaction.state is State.ACCEPTED:
                await self._waiting.await_keys(deadline)
            return await self._presence.on_card(card.reader, lambda channel: act(transaction, channel))

        try:
            return await self._waiting.work_on(
                lambda: self._awaited.present(TRANSACTION, transaction.id, fen, reader, purse, deadline), work, deadline
            )
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
        ledger = self._engine.ledger
        with ledger.exclusive(request.request):
            settlement = await self._work.journal(self._engine.begin_settlement, request)
            while (purse := settlement.next_purse) is not None:
                where = reader if purse is PurseKind.MEDICAL else wallet_reader
                try:
                    with self._awaited.refusals(SETTLEMENT, settlement.id):
                        settlement = await self._settle_on(where, purse, settlement, pin, deadline)
                except CardioError as error:
                    settlement = await self._work.journal(ledger.settlement, settlement.id)
                    _refuse(error, settlement.state, Money(settlement_money(settlement)))
                    break
                if settlement.state is State.UNCERTAIN:
                    break
            return settlement

    async def _settle_on(
        self, reader: str | None, purse: PurseKind, settlement: Settlement, pin: str | None, deadline: float
    ) -> Settlement:
        bill, ledger = settlement.bill, self._engine.ledger
        fen = bill.account_fen if purse is PurseKind.MEDICAL else bill.self_pay_fen

        async def work(card: Presentation) -> Settlement:
            if settlement.state is not State.UNCERTAIN:
                await self._waiting.await_keys(deadline)
            return await self._presence.on_card(
                card.reader, lambda channel: self._engine.settle(settlement, channel, pin)
            )

        try:
            return await self._waiting.work_on(
                lambda: self._awaited.present(SETTLEMENT, settlement.id, fen, reader, purse, deadline), work, deadline
            )
        except ReaderPoisoned as error:
            known = await self._work.journal(ledger.settlement, settlement.id)
            if not known.legs:
                raise ReaderPoisoned(error.detail, money=Money.NONE) from error
            # Legs are done one after the other: only the last can hang.
            await self._given_up(known.legs[-1], error)
            return await self._work.journal(ledger.settlement, settlement.id)

    async def _known(self, identifier: str) -> Transaction:
        return await self._work.journal(self._engine.ledger.transaction, identifier)

    async def _given_up(self, transaction: Transaction, error: ReaderPoisoned) -> Transaction:
        """What the journal says of a transaction whose reader hangs: armed means that the card may be debited.

        Raises:
            ReaderPoisoned: Nothing was sent to the card that could debit it; the key can be used again.
        """

        def look() -> Transaction:
            known = self._engine.ledger.transaction(transaction.id)
            return self._engine.ledger.record(known, UNCERTAIN) if known.state is State.ARMED else known

        known = await self._work.journal(look)
        if known.state is State.ACCEPTED:
            raise ReaderPoisoned(error.detail, money=Money.NONE) from error
        log.error("reader hangs", reader=error.detail, transaction=known.id, state=known.state)
        return known


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
