"""Limits of callers: how much money each may move in one request and in one day (OPS §4.7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import TypeVar

from cardio.errors import ClientLimit
from cardio.ledger import spending
from cardio.ledger.bill import Bill
from cardio.ledger.ledger import now
from cardio.ledger.model import Request, State, Tender
from cardiod.api.callers import Caller
from cardiod.counter import Counter
from cardiod.settings import Limits

T = TypeVar("T")


class Spending:
    """Watches the limits; for the one thread of the event loop.

    The journal knows what was moved. What runs now is counted here, so that many requests at a time cannot each have
    the rest of a day's limit.

    Args:
        counter: The counter with the journal.
    """

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._running: defaultdict[str, dict[str, int]] = defaultdict(dict)

    async def within(
        self, caller: Caller, request: Request, amount_fen: int, operation: Callable[[], Awaitable[T]]
    ) -> T:
        """Do an operation if its amount is within the limits of the caller.

        A request that moved money before, or may have, is never refused: its key must always get its answer.

        Args:
            caller: Who asks.
            request: The request with its key.
            amount_fen: Fen that may leave cards, or come to them.
            operation: What to do.

        Raises:
            ClientLimit: It is not within; nothing was done.
            CardioError: What the operation raises.
        """
        running = self._running[caller.name]
        if caller.limits.none or request.key in running:
            return await operation()
        running[request.key] = amount_fen
        try:
            await self._check(caller.limits, request, running)
            return await operation()
        finally:
            del running[request.key]

    async def _check(self, limits: Limits, request: Request, running: dict[str, int]) -> None:
        today = day_begun()
        known = await self._journal(request, today, running)
        if known.state not in {None, State.ACCEPTED}:
            return
        amount = running[request.key]
        if limits.max_amount_fen is not None and amount > limits.max_amount_fen:
            raise ClientLimit(f"{amount} fen; the limit of one request is {limits.max_amount_fen}")
        if limits.max_day_fen is None:
            return
        if known.begun_at is not None and known.begun_at < today:
            # It would count for the day on which it was begun, whose limit nobody watches any more.
            raise ClientLimit("begun on an earlier day, and nothing was moved; use a new key")
        if known.moved_fen + sum(running.values()) > limits.max_day_fen:
            raise ClientLimit(f"{amount} fen; the limit of a day is {limits.max_day_fen}, {known.moved_fen} were moved")

    async def _journal(self, request: Request, since: datetime, running: Collection[str]) -> spending.Spending:
        ledger, keys = self._counter.engine.ledger, tuple(running)
        return await self._counter.work.journal(lambda: ledger.spending(request, since, keys))


def day_begun() -> datetime:
    """Midnight before now, in the time of the cards."""
    return now().replace(hour=0, minute=0, second=0, microsecond=0)


def settled_fen(bill: Bill, tender: Tender) -> int:
    """What a settlement may take from cards."""
    return bill.account_fen + (bill.self_pay_fen if tender is Tender.WALLET else 0)
