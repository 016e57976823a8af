"""What the daemon answers, as values; each keeps the document that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cardio.errors import CardAbsent, CardioError, Money, TransactionUncertain
from cardio.ledger.model import State
from cardiod.client.exchange import Document
from cardiod.client.problems import ApiProblem
from cardiod.client.requests import Request

_WAITING: Mapping[State, type[CardioError]] = {
    State.ARMED: TransactionUncertain,
    State.UNCERTAIN: TransactionUncertain,
    State.AWAITING_CARD: CardAbsent,
}
"""States in which somebody has to do something, and what they are told."""


@dataclass(frozen=True)
class Outcome:
    """How a request that moves money stands.

    Attributes:
        document: As the daemon told it.
        request: The request that began it; None if only its id is known.
    """

    document: Document = field(repr=False)
    request: Request | None = None

    @property
    def id(self) -> str:
        """UUIDv7 that the daemon gave it."""
        return str(self.document["id"])

    @property
    def state(self) -> State:
        """Where it stands (design §3)."""
        return State(self.document["state"])

    @property
    def money(self) -> Money:
        """What is known about the money."""
        return Money(self.document["money"])

    @property
    def completed(self) -> bool:
        """Whether it is done and proved: the goods may be handed over."""
        return self.state is State.COMPLETED

    @property
    def uncertain(self) -> bool:
        """Whether nobody knows yet if money moved: never charge again, put the same card back, ask again."""
        return self.state in {State.ARMED, State.UNCERTAIN}

    @property
    def action(self) -> str | None:
        """What to do now; None if nothing is left to do."""
        action: str | None = self.document["action"]
        return action

    def text(self, language: str) -> str:
        """What to tell the operator, in `zh` or `en`; empty where the daemon waits for nobody."""
        waiting = _WAITING.get(self.state)
        if waiting is None:
            return ""
        return CardioError.catalogue.get(self.document.get("error") or "", waiting)().text(language)

    def voucher(self, language: str) -> str | None:
        """The voucher as text in `zh` or `en`; None where no money moved."""
        voucher = self.document["voucher"]
        return None if voucher is None else str(voucher[language])


@dataclass(frozen=True)
class Transaction(Outcome):
    """A debit, a load, or another movement of one purse."""

    @property
    def amount_fen(self) -> int:
        """Amount in fen."""
        return int(self.document["amount_fen"])

    @property
    def tac(self) -> str | None:
        """The card's proof for its issuer, 8 hex digits."""
        tac: str | None = self.document["tac"]
        return tac

    @property
    def balance_before_fen(self) -> int | None:
        """Balance before, in fen; None if the card was not asked."""
        balance: int | None = self.document.get("balance_before_fen")
        return balance

    @property
    def balance_after_fen(self) -> int | None:
        """Balance after, in fen; None if it is not known."""
        balance: int | None = self.document["balance_after_fen"]
        return balance


@dataclass(frozen=True)
class Settlement(Outcome):
    """A settled bill."""

    @property
    def due_fen(self) -> int:
        """What is still to be paid, in fen."""
        return int(self.document["due_fen"])

    @property
    def legs(self) -> tuple[Transaction, ...]:
        """One transaction for each purse, in the order in which they are done: medical, wallet."""
        return tuple(Transaction(leg) for leg in self.document["legs"])


@dataclass(frozen=True)
class Reading:
    """What was read from a card; by group, as `reading["wallet"]["balance_fen"]`.

    Attributes:
        document: As the daemon told it; personal data may be in it.
    """

    document: Document = field(repr=False)

    @property
    def reader(self) -> str:
        """Where the card lies."""
        return str(self.document["reader"])

    @property
    def card(self) -> str:
        """Handle of the card, which dies when the card is taken away."""
        return str(self.document["card"])

    @property
    def masked(self) -> bool:
        """Whether personal data are masked."""
        return bool(self.document["masked"])

    def __getitem__(self, group: str) -> Any:
        """The content of a group that was asked for.

        Raises:
            ApiProblem: It could not be read; parts of it may still be in the document.
        """
        found = self.document["groups"][group]
        if "error" in found:
            raise ApiProblem(found["error"])
        return found["data"]


@dataclass(frozen=True)
class Card:
    """A card in a reader.

    Attributes:
        document: As the daemon told it.
    """

    document: Document

    @property
    def handle(self) -> str:
        """Name of this one insertion; it dies when the card is taken away."""
        return str(self.document["handle"])

    @property
    def reader(self) -> str:
        """Where it lies."""
        return str(self.document["reader"])

    @property
    def purses(self) -> tuple[str, ...]:
        """Purses on it: `wallet`, `medical`; empty where the card is not known."""
        return tuple(self.document.get("purses", ()))


@dataclass(frozen=True)
class Event:
    """Something that happened at the counter (OPS §4.10).

    Attributes:
        type: For example `card.inserted`, `transaction.completed`; `snapshot` is how things are at the start.
        id: Number to go on from; None for a snapshot.
        document: The whole envelope, or what the snapshot shows.
    """

    type: str
    id: int | None
    document: Document
