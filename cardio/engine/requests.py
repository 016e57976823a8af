"""What callers ask of the engine."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.errors import AmountInvalid, BillInconsistent
from cardio.ledger.model import Bill, Request, Tender
from cardio.purse.medical import MAX_AMOUNT as MAX_MEDICAL
from cardio.purse.wallet import MAX_AMOUNT as MAX_WALLET


@dataclass(frozen=True)
class DebitRequest:
    """A debit of the wallet.

    Attributes:
        request: Key and caller.
        amount_fen: 1 to 0x7FFFFFFF.
        reference: The caller's sale.
        operator: Who sits at the counter.
    """

    request: Request
    amount_fen: int
    reference: str
    operator: str | None = None

    def check(self) -> None:
        """Refuse what no card could do.

        Raises:
            AmountInvalid: The amount is not 1 to 0x7FFFFFFF.
        """
        if not 1 <= self.amount_fen <= MAX_WALLET:
            raise AmountInvalid(f"1 to {MAX_WALLET} fen")


@dataclass(frozen=True)
class SettleRequest:
    """The settlement of a bill.

    Attributes:
        request: Key and caller.
        bill: The bill as the centre split it.
        tender: How the self-paid part is paid.
        reference: The caller's bill.
        operator: Who sits at the counter.
    """

    request: Request
    bill: Bill
    tender: Tender
    reference: str
    operator: str | None = None

    def check(self) -> None:
        """Refuse what cannot be a bill; nothing is ever corrected.

        Raises:
            BillInconsistent: The parts do not add up.
            AmountInvalid: A part is negative or too large, or there is nothing to settle.
        """
        bill = self.bill
        if min(bill.fund_fen, bill.account_fen, bill.self_pay_fen) < 0 or bill.total_fen < 1:
            raise AmountInvalid("parts are 0 or more, the total is 1 or more")
        if not bill.consistent:
            raise BillInconsistent(f"total {bill.total_fen} is not the sum of the parts")
        if bill.self_pay_fen > MAX_WALLET and self.tender is Tender.WALLET:
            raise AmountInvalid(f"a wallet pays at most {MAX_WALLET} fen")
        if bill.total_fen > MAX_MEDICAL:
            raise AmountInvalid(f"a medical account takes at most {MAX_MEDICAL} fen")
