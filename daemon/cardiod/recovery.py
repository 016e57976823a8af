"""Asks cards what became of transactions whose outcome is open."""

from __future__ import annotations

import structlog

from cardio.engine.engine import Engine
from cardio.errors import CardChanged, CardioError, Money, PinError
from cardio.ledger.model import State, Transaction
from cardiod.presence import Presence
from cardiod.presentation import Presentation
from cardiod.waiting import Waiting, deadline_in
from cardiod.work import Work

log = structlog.get_logger("cardiod.recovery")


class Recovery:
    """The open questions of one counter.

    Args:
        engine: Money on cards.
        work: Of the counter.
        presence: What is there.
        waiting: Waits for what is presented.
    """

    def __init__(self, engine: Engine, work: Work, presence: Presence, waiting: Waiting) -> None:
        self._engine = engine
        self._work = work
        self._presence = presence
        self._waiting = waiting

    async def recover(self, identifier: str, reader: str | None, wait_s: float, pin: str | None) -> Transaction:
        """Ask the presented card about a transaction whose outcome is open.

        Raises:
            CardChanged: The presented card is not the one of the transaction.
            CardioError: There is no card, or it cannot be asked.
        """
        transaction = await self._work.journal(self._engine.ledger.transaction, identifier)
        if transaction.state is not State.UNCERTAIN:
            return transaction
        deadline = deadline_in(wait_s)
        try:
            asked = await self._waiting.work_on(
                lambda: self._waiting.present(reader, transaction.purse, deadline),
                lambda card: self._presence.on_card(card.reader, lambda channel: self._engine.recover(channel, pin)),
                deadline,
            )
        except CardioError as error:
            # Nobody has answered, so that the question is as open as before.
            error.money = transaction.money
            raise
        known = await self._work.journal(self._engine.ledger.transaction, identifier)
        if not known.state.final and identifier not in {one.id for one in asked}:
            raise CardChanged(f"transaction {identifier} is about another card", money=Money.UNKNOWN)
        return known

    async def presented(self, card: Presentation) -> None:
        """Open questions about a card are resolved at its next presentation, before anybody asks."""
        awaited = await self._work.journal(lambda: self._engine.awaited_purses)
        if not any(card.has(purse) for purse in awaited):
            return
        try:
            resolved = await self._presence.on_card(card.reader, self._engine.recover)
        except PinError as error:
            # The medical account wants its PIN, which comes with the caller's next request.
            log.info("recovery waits for the PIN", reader=card.reader, code=error.code)
        except CardioError as error:
            log.warning("recovery failed", reader=card.reader, code=error.code)
        else:
            for transaction in resolved:
                log.info("recovered", transaction=transaction.id, state=transaction.state)
