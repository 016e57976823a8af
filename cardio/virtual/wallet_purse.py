"""The purse files of a wallet: electronic passbook and electronic purse (EW §2.1, §4.6, §8)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from cardio.virtual.stored import Amount, AtMost, Bytes4, Bytes6, Counter, Limit


class PurseNumber(IntEnum):
    """P2 of purse commands (EW §3.2)."""

    PASSBOOK = 0x01
    PURSE = 0x02


class Kind(IntEnum):
    """Transaction types of one purse only (EW §4.6)."""

    UNLOAD = 0x03
    CASH = 0x04
    OVERDRAFT = 0x07
    COMPOSITE = 0x09


@dataclass(frozen=True)
class PurseKinds:
    """Transaction types that each purse has of its own (EW §3.5, §4.6)."""

    load: int
    purchase: int
    lock: int
    debit_for_unlock: int
    online_unlock: int


KINDS = {
    PurseNumber.PASSBOOK: PurseKinds(0x01, 0x05, 0x91, 0x93, 0x95),
    PurseNumber.PURSE: PurseKinds(0x02, 0x06, 0x92, 0x94, 0x96),
}


@dataclass(frozen=True)
class GreyLock:
    """What a grey-locked purse remembers over power-off (EW §3.5).

    Attributes:
        session: Session key of the lock.
        terminal: Terminal that locked it, 6 bytes.
        sequence: Its sequence, 4 bytes.
        counter: Off-line counter at the lock.
    """

    session: Annotated[bytes, AtMost(16)]
    terminal: Bytes6
    sequence: Bytes4
    counter: Counter


@dataclass
class StoredPurse:
    """One purse.

    Attributes:
        number: Passbook or purse.
        balance: Balance in fen; that of a passbook includes its overdraft limit (EW §4.4).
        overdraft_limit: Fen.
        online_counter: Loads, unloads and overdraft changes so far.
        offline_counter: Purchases and cash withdrawals so far.
        grey: Its grey lock; None while it is open.
    """

    number: PurseNumber
    balance: Amount = 0
    overdraft_limit: Limit = 0
    online_counter: Counter = 0
    offline_counter: Counter = 0
    grey: GreyLock | None = None

    @property
    def kinds(self) -> PurseKinds:
        """Its transaction types."""
        return KINDS[self.number]
