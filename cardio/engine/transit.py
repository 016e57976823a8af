"""What a lane or a dock decides about a card that is held to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cardio.apdu.connection import CardConnection
from cardio.engine.requests import DebitRequest
from cardio.engine.target import Target
from cardio.ledger.model import Transaction
from cardio.purse.composite import RecordBuilder, no_records


@dataclass(frozen=True)
class TransitCard:
    """A presented card whose wallet is selected.

    Attributes:
        card: For reading more of it (`cardio.applications.transit`).
        target: Its wallet.
        resolved: Earlier transactions on it that were just found out about: a fare that completed here is paid.
    """

    card: CardConnection
    target: Target
    resolved: tuple[Transaction, ...]


@dataclass(frozen=True)
class Tap:
    """What to charge.

    Attributes:
        request: A composite or plain purchase under its key.
        records: Records to write with it.
    """

    request: DebitRequest
    records: RecordBuilder = no_records


Decide = Callable[[TransitCard], Tap | None]
"""Says what to charge a card; None lets it go."""
