"""What callers ask of the engine."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from cardio.errors import AmountInvalid, BillInconsistent, InputInvalid, OperationUnsupported
from cardio.files.tables.insurance import SETTLEMENT_CLASS
from cardio.ledger.bill import Bill, BillDetails, MutualAid
from cardio.ledger.model import Request, Tender
from cardio.purse.medical import MAX_AMOUNT as MAX_MEDICAL
from cardio.purse.operation import Operation, PurseKind
from cardio.purse.wallet import MAX_AMOUNT as MAX_WALLET
from cardio.purse.wallet import MAX_LIMIT


@dataclass(frozen=True)
class DebitRequest:
    """A debit of the wallet.

    Attributes:
        request: Key and caller.
        amount_fen: 1 to 0x7FFFFFFF; a composite purchase may be over nothing, as when a journey begins.
        reference: The caller's sale.
        operator: Who sits at the counter.
        operation: Purchase, cash withdrawal or composite purchase.
    """

    request: Request
    amount_fen: int
    reference: str
    operator: str | None = None
    operation: Operation = Operation.PURCHASE

    def check(self) -> None:
        """Refuse what no card could do.

        Raises:
            AmountInvalid: The amount is out of range.
            OperationUnsupported: A host is needed for the operation.
        """
        if self.operation.online or self.operation in {Operation.GREY_LOCK, Operation.GREY_DEBIT}:
            raise OperationUnsupported(f"{self.operation} is no debit by the terminal's keys alone")
        least = 0 if self.operation is Operation.COMPOSITE else 1
        if not least <= self.amount_fen <= MAX_WALLET:
            raise AmountInvalid(f"{least} to {MAX_WALLET} fen")


def check_refuelled(amount_fen: int) -> None:
    """Refuse an amount that no grey lock could be charged with; nothing may have been refuelled.

    Raises:
        AmountInvalid: The amount is out of range.
    """
    if not 0 <= amount_fen <= MAX_WALLET:
        raise AmountInvalid(f"0 to {MAX_WALLET} fen")


@dataclass(frozen=True)
class OnlineRequest:
    """A load, an unload or a new overdraft limit.

    Attributes:
        request: Key and caller.
        amount_fen: Fen to load or unload, from 1; of an overdraft update the new limit, from 0.
        reference: The caller's order.
        operator: Who sits at the counter.
        purse: Wallet or medical account; the account can only be loaded.
        operation: Load, unload or overdraft.
        reverses: Of a load that gives a purchase back (T-14), the id of that purchase.
    """

    request: Request
    amount_fen: int
    reference: str
    operator: str | None = None
    purse: PurseKind = PurseKind.WALLET
    operation: Operation = Operation.LOAD
    reverses: str | None = None

    def check(self) -> None:
        """Refuse what no card could do.

        Raises:
            AmountInvalid: The amount is out of range.
            OperationUnsupported: The purse has no such on-line operation, or it is none that gives a purchase back.
        """
        medical = self.purse is PurseKind.MEDICAL
        if not self.operation.online or (medical and self.operation is not Operation.LOAD):
            raise OperationUnsupported(f"a {self.purse} purse has no on-line {self.operation}")
        if self.reverses is not None and self.operation is not Operation.LOAD:
            raise OperationUnsupported(f"a purchase is given back by a load, not by {self.operation}")
        least, most = 1, MAX_MEDICAL if medical else MAX_WALLET
        if self.operation is Operation.OVERDRAFT:
            least, most = 0, MAX_LIMIT
        if not least <= self.amount_fen <= most:
            raise AmountInvalid(f"{least} to {most} fen")


@dataclass(frozen=True)
class SettleRequest:
    """The settlement of a bill.

    Attributes:
        request: Key and caller.
        bill: The bill as the centre split it.
        tender: How the self-paid part is paid.
        reference: The caller's bill.
        operator: Who sits at the counter.
        settlement_class: Of a special case the class to note in DF04/EF15, such as 1 for work injury (SSC §4.5).
        temporary_offline: An on-line card settles while the line is down: the card counts it in DF04/EF06 (SSC §7.3).
        details: How the centre came to the bill; kept, shown and checked, but not what is charged.
    """

    request: Request
    bill: Bill
    tender: Tender
    reference: str
    operator: str | None = None
    settlement_class: str | None = None
    temporary_offline: bool = False
    details: BillDetails | None = None

    def check(self) -> None:
        """Refuse what cannot be a bill; nothing is ever corrected.

        Raises:
            BillInconsistent: The parts do not add up.
            AmountInvalid: A part is negative or too large, or there is nothing to settle.
            InputInvalid: There is no such settlement class.
        """
        if self.settlement_class is not None and self.settlement_class not in SETTLEMENT_CLASS.entries:
            raise InputInvalid(f"settlement classes are {', '.join(SETTLEMENT_CLASS.entries)}")
        bill = self.bill
        told = self.details.amounts() if self.details else ()
        if min(*astuple(bill), *told) < 0 or bill.total_fen < 1:
            raise AmountInvalid("parts are 0 or more, the total is 1 or more")
        if not bill.consistent:
            raise BillInconsistent(f"total {bill.total_fen} is not the sum of the parts")
        if bill.mutual_aid is MutualAid.INSIDE and bill.mutual_aid_fen > bill.account_fen:
            raise BillInconsistent("a family member's part cannot be more than the account's, in which it is")
        if bill.self_pay_fen > MAX_WALLET and self.tender is Tender.WALLET:
            raise AmountInvalid(f"a wallet pays at most {MAX_WALLET} fen")
        if bill.total_fen > MAX_MEDICAL:
            raise AmountInvalid(f"a medical account takes at most {MAX_MEDICAL} fen")
