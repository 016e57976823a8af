"""The bill of a settlement as the centre split it, and the sums that its figures should make (OPS §1.4).

Figures are checked and reported, never changed: whoever split the bill has to mend it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class MutualAid(StrEnum):
    """Where the part from a family member's account stands: provinces differ (OPS §8, O5)."""

    INSIDE = "inside"
    OUTSIDE = "outside"


@dataclass(frozen=True)
class Bill:
    """What the bill comes to and who pays it, in fen; the parts must add up.

    Attributes:
        total_fen: Whole bill, `medfee_sumamt`.
        fund_fen: Paid by the funds, `fund_pay_sumamt`.
        account_fen: Paid from the personal account, `acct_pay`.
        self_pay_fen: Paid out of pocket, `psn_cash_pay`.
        hospital_fen: Borne by the hospital, `hosp_part_amt`.
        mutual_aid_fen: Paid from a family member's account, `acct_mulaid_pay`; inside `account_fen` or beside it.
    """

    total_fen: int
    fund_fen: int
    account_fen: int
    self_pay_fen: int
    hospital_fen: int = 0
    mutual_aid_fen: int = 0

    @property
    def consistent(self) -> bool:
        """Whether the parts add up."""
        return self._rest in {0, self.mutual_aid_fen}

    @property
    def mutual_aid(self) -> MutualAid | None:
        """Where the family member's part stands in a bill that adds up; None if there is none."""
        if self.mutual_aid_fen == 0:
            return None
        return MutualAid.INSIDE if self._rest == 0 else MutualAid.OUTSIDE

    @property
    def person_fen(self) -> int:
        """The person's part, `psn_part_amt`, of a bill that adds up."""
        return self.account_fen + self.self_pay_fen + self._rest

    @property
    def _rest(self) -> int:
        """Of the total, what no other part pays: the family member's part where it stands beside the account's."""
        return self.total_fen - self.fund_fen - self.account_fen - self.self_pay_fen - self.hospital_fen


@dataclass(frozen=True)
class FundShare:
    """What one fund pays, a line of `setldetail`.

    Attributes:
        fund: Its kind as the centre names it, `fund_pay_type`, as `310100` (basic pooled fund of employees).
        amount_fen: What it pays, `fund_payamt`.
        in_scope_fen: Of the bill what is in its range, `inscp_scp_amt`.
        limit_fen: What it can pay at most this time, `crt_payb_lmt_amt`.
    """

    fund: str
    amount_fen: int
    in_scope_fen: int | None = None
    limit_fen: int | None = None


@dataclass(frozen=True)
class BillDetails:
    """How the centre came to a bill, as far as it told; fen, None for what it did not tell.

    Attributes:
        own_cost_fen: Own cost, not insurable at all, `fulamt_ownpay_amt`.
        over_limit_fen: Above the price ceiling, `overlmt_selfpay`.
        advance_self_pay_fen: Advance self-pay of class B, `preselfpay_amt`.
        in_scope_fen: Part inside the range of the policy, `inscp_scp_amt`.
        deductible_fen: Deductible that was applied, `act_pay_dedc`.
        person_fen: The person's part, `psn_part_amt`.
        balance_fen: What the account at the centre holds afterwards, `balc`; not a purse on any card.
        funds: What each fund pays.
        message: Number of the centre's message, `msgid`, by which it is asked about the bill.
        centre_settlement: The centre's number of the settlement, `setl_id`.
    """

    own_cost_fen: int | None = None
    over_limit_fen: int | None = None
    advance_self_pay_fen: int | None = None
    in_scope_fen: int | None = None
    deductible_fen: int | None = None
    person_fen: int | None = None
    balance_fen: int | None = None
    funds: tuple[FundShare, ...] = ()
    message: str | None = None
    centre_settlement: str | None = None

    def encode(self) -> str:
        """As the journal keeps them."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> BillDetails:
        """From the journal."""
        return cls.of(json.loads(text))

    @classmethod
    def of(cls, content: dict[str, Any]) -> BillDetails:
        """From a mapping with a list of mappings as its funds."""
        return cls(**{**content, "funds": tuple(FundShare(**share) for share in content.get("funds", ()))})

    def amounts(self) -> Iterator[int]:
        """Every amount that is told."""
        for told in (asdict(self), *map(asdict, self.funds)):
            yield from (value for name, value in told.items() if name.endswith("_fen") and value is not None)


@dataclass(frozen=True)
class BillCheck:
    """Whether figures of a bill make the sum that they should.

    Attributes:
        identity: `funds`: the shares of the funds are what all funds pay; `person`: the person's part is what account,
            family member and pocket pay.
        difference_fen: By how much the sum of the parts is more than the figure; 0 if it holds.
    """

    identity: str
    difference_fen: int

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return self.difference_fen == 0


def check_bill(bill: Bill, details: BillDetails | None) -> tuple[BillCheck, ...]:
    """Check what can be checked of a bill that adds up; an identity of which a figure is not told is left out."""
    if details is None:
        return ()
    checks = []
    if details.funds:
        checks.append(BillCheck("funds", sum(share.amount_fen for share in details.funds) - bill.fund_fen))
    if details.person_fen is not None:
        checks.append(BillCheck("person", bill.person_fen - details.person_fen))
    return tuple(checks)
