"""Cards that transactions and settlements wait for: who waits is told, and the waiting can be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from cardio.errors import CardioError, TransactionCancelled
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import Settlement, Transaction
from cardio.purse.operation import PurseKind
from cardiod.customer_screen import CustomerScreen
from cardiod.events import EventLog
from cardiod.presence import Presence
from cardiod.presentation import Presentation
from cardiod.waiting import Waiting
from cardiod.work import Work

T = TypeVar("T")
TRANSACTION, SETTLEMENT = "transaction", "settlement"
"""What a card can be awaited for, as the events call it."""


class AwaitedCards:
    """The cards that are awaited at one counter.

    Args:
        ledger: The journal.
        work: Of the counter.
        events: Told who waits, and what was refused.
        presence: What is there.
        waiting: Waits for what is presented.
        screen: What the customer sees.
    """

    def __init__(
        self,
        ledger: Ledger,
        work: Work,
        events: EventLog,
        presence: Presence,
        waiting: Waiting,
        screen: CustomerScreen,
    ) -> None:
        self._ledger = ledger
        self._work = work
        self._events = events
        self._presence = presence
        self._waiting = waiting
        self._screen = screen
        self._awaiting: set[str] = set()
        self._cancelled: set[str] = set()

    async def present(
        self, kind: str, identifier: str, fen: int, reader: str | None, purse: PurseKind, deadline: float
    ) -> Presentation:
        """Wait for a card on behalf of a transaction or settlement, which may be cancelled meanwhile.

        The customer is shown the `fen` that it is about.

        Raises:
            TransactionCancelled: It was.
            CardioError: As `Waiting.present`.
        """

        def check() -> None:
            if identifier in self._cancelled:
                raise TransactionCancelled

        def on_wait() -> None:
            self._events.publish(f"{kind}.waiting", transaction=identifier, purse=purse.value)

        self._awaiting.add(identifier)
        self._screen.ask(fen)
        try:
            return await self._waiting.present(reader, purse, deadline, check, on_wait)
        except CardioError:
            self._screen.welcome()
            raise
        finally:
            self._awaiting.discard(identifier)
            self._cancelled.discard(identifier)

    @contextmanager
    def refusals(self, kind: str, identifier: str) -> Iterator[None]:
        """Tell whoever watches the counter why nothing was begun: the journal knows nothing of it."""
        try:
            yield
        except CardioError as error:
            self._events.publish(f"{kind}.refused", transaction=identifier, error=error.code)
            raise

    async def cancel(self, identifier: str) -> Transaction:
        """Cancel a transaction that waits for its card; see `Ledger.cancel`."""
        return await self._cancel(identifier, self._ledger.cancel)

    async def cancel_settlement(self, identifier: str) -> Settlement:
        """Cancel what is not paid yet of a settlement; see `Ledger.cancel_settlement`."""
        return await self._cancel(identifier, self._ledger.cancel_settlement)

    async def _cancel(self, identifier: str, cancel: Callable[[str], T]) -> T:
        cancelled = await self._work.journal(cancel, identifier)
        if identifier in self._awaiting:
            self._cancelled.add(identifier)
            await self._presence.notify()
        return cancelled
