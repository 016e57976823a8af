"""Records that a composite purchase writes together with the purse (EW §2.9, §3.2, §6.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cardio.apdu.command import Command
from cardio.apdu.status import PURSE
from cardio.errors import CardDataInvalid, FileNotFound, RecordNotFound

BY_NUMBER = 0x04
"""Low bits of P2: P1 is a record number; 000: P1 is a record identifier."""

_OUTCOMES = PURSE.extended(
    {0x6A82: FileNotFound, 0x6A83: RecordNotFound, 0x6A84: CardDataInvalid, 0x6700: CardDataInvalid}
)


@dataclass(frozen=True)
class RecordUpdate:
    """One UPDATE CAPP DATA CACHE.

    Attributes:
        sfi: Short file identifier, 1 to 30.
        record: Record identifier, or number; 0 with an identifier means "append" in a cyclic file.
        data: The whole new record; exactly as long as the stored one.
        by_number: Whether `record` is a number.
    """

    sfi: int
    record: int
    data: bytes
    by_number: bool = False

    def command(self) -> Command:
        """80 DC."""
        p2 = self.sfi << 3 | (BY_NUMBER if self.by_number else 0)
        return Command(
            "UPDATE CAPP DATA CACHE", 0x80, 0xDC, self.record, p2, data=self.data, outcomes=_OUTCOMES, repeatable=False
        )


@dataclass(frozen=True)
class CompositeContext:
    """What is known of a composite purchase once its keys have answered: what records may hold of it.

    Attributes:
        terminal: Terminal number, 6 bytes.
        sequence: Terminal transaction sequence.
        time: Time of the purchase.
        amount_fen: Amount.
        balance_before_fen: Balance before.
        counter: Off-line counter before.
    """

    terminal: bytes
    sequence: int
    time: datetime
    amount_fen: int
    balance_before_fen: int
    counter: int

    @property
    def balance_after_fen(self) -> int:
        """Balance after."""
        return self.balance_before_fen - self.amount_fen


RecordBuilder = Callable[[CompositeContext], Sequence[RecordUpdate]]
"""Makes the records of a composite purchase."""


def no_records(context: CompositeContext) -> Sequence[RecordUpdate]:  # noqa: ARG001
    """Of a composite purchase that writes no record, which cards allow (EW PC-21)."""
    return ()
