"""A card that lies in a reader, from its insertion to its removal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cardio.errors import CardioError, ReaderBusy
from cardio.products.detection import Identification
from cardio.purse.operation import PurseKind
from cardio.transport.channel import SlotState


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
        released: Set when nobody wants it any more; it must be taken out and put in anew.
    """

    handle: str
    reader: str
    inserted_at: datetime
    slot: SlotState
    identification: Identification | None = None
    error: CardioError | None = None
    held: ReaderBusy | None = None
    released: bool = False

    @property
    def identified(self) -> bool:
        """Whether the first look at the card is over."""
        return self.identification is not None or self.error is not None

    def has(self, purse: PurseKind | None) -> bool:
        """Whether the card has a purse; any card will do for None."""
        return purse is None or (self.identification is not None and purse in self.identification.purses)
