"""What a till can ask about the PIN of a presented card.

A message that carries a PIN, or has one typed, is sent once only: a wrong one costs a try each time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from cardiod.client.exchange import Document, Steps
from cardiod.client.results import Card

TYPING_S = 120.0
"""Seconds that a holder may take at the PIN pad, which has a shorter time-out of its own for each PIN."""


class PinCalls(ABC):
    """The operations; each answers `state` and, where the card tells, `tries_left`."""

    @abstractmethod
    def get(self, path: str, params: dict[str, str] | None = None) -> Steps[Document]:
        """GET any resource below `/v1`."""

    @abstractmethod
    def _post(self, path: str, body: Document, wait_s: float, *, repeatable: bool) -> Steps[Document]:
        """POST something that moves no money."""

    def pin_state(self, card: Card) -> Steps[Document]:
        """Whether a card has a PIN, and how many tries are left; spends none.

        Raises:
            ApiProblem: The daemon refused; `card.changed` if the card was taken out.
            ServiceUnavailable: No answer in time.
        """
        return (yield from self.get(f"cards/{card.handle}/pin"))

    def verify_pin(self, card: Card, pin: str | None = None, *, allow_last_try: bool = False) -> Steps[Document]:
        """Let the holder show that the card is theirs.

        Args:
            card: As `wait_for_card` gave it.
            pin: The PIN, only for card products that let the caller hand it over; else the PIN pad asks.
            allow_last_try: The holder agrees to use the last try.

        Raises:
            ApiProblem: The daemon refused, for example because the PIN is wrong.
            ServiceUnavailable: No answer in time.
        """
        return (yield from self._about(card, "verify", {"pin": pin, "allow_last_try": allow_last_try}))

    def change_pin(
        self,
        card: Card,
        old_pin: str | None = None,
        new_pin: str | None = None,
        *,
        digits: int = 6,
        allow_last_try: bool = False,
    ) -> Steps[Document]:
        """Change the PIN; of a card that has none set the first one.

        Args:
            card: As `wait_for_card` gave it.
            old_pin: Only with `new_pin`; None for a card without a PIN.
            new_pin: Only for card products that let the caller hand it over; None has both typed on the PIN pad.
            digits: Length of the old and the new PIN on the pad, 4 to 12.
            allow_last_try: The holder agrees to use the last try of the old PIN.

        Raises:
            ApiProblem: The daemon refused; after `pin.change-unknown` the new PIN is verified once on the same card.
            ServiceUnavailable: No answer in time; the PIN may be changed or not.
        """
        body = {"old_pin": old_pin, "new_pin": new_pin, "digits": digits, "allow_last_try": allow_last_try}
        return (yield from self._about(card, "change", body))

    def unblock_pin(self, card: Card, pin: str | None = None, *, replace: bool = False) -> Steps[Document]:
        """Give the PIN all its tries back, or the card a new PIN, under the issuer's keys of the daemon.

        Args:
            card: As `wait_for_card` gave it.
            pin: The PIN by which a wallet is unblocked; with `replace` the new one.
            replace: Give the card a new PIN.

        Raises:
            ApiProblem: The daemon refused; `keys.maintenance-missing` where it has no such keys.
            ServiceUnavailable: No answer in time; it does no harm to ask again.
        """
        return (yield from self._about(card, "unblock", {"pin": pin, "replace": replace}))

    def _about(self, card: Card, what: str, body: Document) -> Steps[Document]:
        return (yield from self._post(f"cards/{card.handle}/pin/{what}", body, TYPING_S, repeatable=False))
