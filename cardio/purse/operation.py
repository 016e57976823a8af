"""What can be done with a purse, and what each operation does to it (EW §3.2, §4.5; SSC §7)."""

from __future__ import annotations

from enum import StrEnum

from cardio.security.load_host import HostOperation


class PurseKind(StrEnum):
    """The two purses a card can hold."""

    WALLET = "wallet"
    MEDICAL = "medical"


class Operation(StrEnum):
    """One money operation.

    `PURCHASE`, `CASH` and `COMPOSITE` are off-line: the terminal's keys authorize them, and they count on the card's
    off-line counter. `LOAD`, `UNLOAD` and `OVERDRAFT` are on-line: a host authorizes them, on the on-line counter.
    `GREY_LOCK` and `GREY_DEBIT` are off-line, and two halves of one sale: the first freezes the purse before
    refuelling, the second takes what was refuelled and frees it, under the number that the lock found (EW §3.5).
    """

    PURCHASE = "purchase"
    CASH = "cash"
    COMPOSITE = "composite"
    LOAD = "load"
    UNLOAD = "unload"
    OVERDRAFT = "overdraft"
    GREY_LOCK = "grey_lock"
    GREY_DEBIT = "grey_debit"

    @property
    def online(self) -> bool:
        """Whether a host authorizes it."""
        return self in _ONLINE

    @property
    def moves_money(self) -> bool:
        """Whether it can change the balance, and takes a number of the card's counter; a grey lock does neither."""
        return self is not Operation.GREY_LOCK

    @property
    def has_mac2(self) -> bool:
        """Whether the card's answer has a MAC2, which the terminal's keys check, beside what the issuer checks."""
        return not self.online and self is not Operation.GREY_DEBIT

    def balance_after(self, before: int, amount: int, old_limit: int = 0) -> int:
        """Balance that the card will have, in fen.

        Args:
            before: Balance before.
            amount: Amount, or the new limit of an overdraft update.
            old_limit: Overdraft limit before.
        """
        if self.online:
            return HostOperation(self.value).balance_after(before, amount, old_limit)
        return before - amount


_ONLINE = frozenset({Operation.LOAD, Operation.UNLOAD, Operation.OVERDRAFT})
