"""What the customer is shown during an operation, on a display that may be slow, broken or not there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from cardio.errors import CardioError
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import State
from cardio.transport.serial_display import CustomerDisplay, Prompt
from cardiod.events import Event

PROMPTS = {
    State.COMPLETED: Prompt.REMOVE_CARD,
    State.UNCERTAIN: Prompt.PRESENT_SAME_CARD,
    State.DECLINED: Prompt.DECLINED,
    State.NOT_DEBITED: Prompt.DECLINED,
    State.CANCELLED: Prompt.DECLINED,
    State.NOT_GENUINE: Prompt.CALL_SUPERVISOR,
}
"""What a state means to the customer; a debit that ended well shows what was paid instead."""
_TOLD = frozenset(f"transaction.{state}" for state in PROMPTS)


class CustomerScreen:
    """A display with a thread of its own: a serial port may block, and the event loop must not.

    Args:
        display: The display; None if there is none.
        ledger: What became of a transaction.
    """

    def __init__(self, display: CustomerDisplay | None, ledger: Ledger) -> None:
        self._display = display
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="customer-display")
        self.welcome()

    def welcome(self) -> None:
        """Nobody pays."""
        self._show(lambda display: display.prompt(Prompt.WELCOME))

    def ask(self, fen: int) -> None:
        """A card is awaited, to pay `fen`; 0 where the card has nothing to pay."""
        self._show(lambda display: display.amount(fen) if fen else display.prompt(Prompt.PRESENT_CARD))

    def on_event(self, event: Event) -> None:
        """Show how a transaction stands now."""
        subject = event.transaction
        if event.type in _TOLD and subject is not None:
            self._show(lambda display: self._tell(display, subject))

    def close(self) -> None:
        """Clear the display and give its port back."""
        self._show(lambda display: display.close())
        self._thread.shutdown()

    def _tell(self, display: CustomerDisplay, transaction: str) -> None:
        try:
            found = self._ledger.transaction(transaction)
        except CardioError:
            # The caller is told why; to the customer there is nothing to say.
            return
        after = found.outcome.balance_after
        if found.state is State.COMPLETED and after is not None and not found.operation.online:
            display.paid(found.amount_fen, after)
        elif found.state in PROMPTS:
            display.prompt(PROMPTS[found.state])

    def _show(self, act: Callable[[CustomerDisplay], None]) -> None:
        display = self._display
        if display is not None:
            self._thread.submit(act, display)
