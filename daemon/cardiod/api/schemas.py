"""Bodies of the requests; unknown fields are errors, amounts are integers in fen."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StrictInt

from cardio.ledger.chain import canonical
from cardio.ledger.model import Tender
from cardio.products.groups import Group
from cardio.purse.operation import PurseKind

Reference = Annotated[str, Field(min_length=1, max_length=64)]
Reader = Annotated[str | None, Field(max_length=255, description="Name of the reader; any if missing")]
WaitSeconds = Annotated[float, Field(ge=0, le=300, description="Seconds to wait for the card before answering")]
Pin = Annotated[
    SecretStr | None,
    Field(description="Only where the card product lets the caller hand it over; else the PIN pad asks"),
]
DEFAULT_WAIT = 30.0
NOT_IN_FINGERPRINT = frozenset({"reader", "wait_s", "pin"})
"""How and where a request is carried out; a PIN's hash could be guessed, so it is not kept either (design §3)."""


class Body(BaseModel):
    """Base of all bodies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def fingerprint(self) -> bytes:
        """SHA-256 of the canonical body, by which a repeated key is compared."""
        content = self.model_dump(mode="json", exclude=set(NOT_IN_FINGERPRINT))
        return hashlib.sha256(canonical(content).encode("utf-8")).digest()


class ReadBody(Body):
    """Read a card."""

    purpose: Annotated[str, Field(min_length=1, max_length=64, description="Why; kept in the access log")]
    fields: Annotated[list[Group], Field(min_length=1)]
    reader: Reader = None
    wait_s: WaitSeconds = DEFAULT_WAIT
    pin: Pin = None


class DebitBody(Body):
    """Debit a wallet."""

    purse: Literal["wallet"]
    amount_fen: StrictInt
    reference: Reference
    operator: Annotated[str | None, Field(max_length=64)] = None
    reader: Reader = None
    wait_s: WaitSeconds = DEFAULT_WAIT


class LoadBody(Body):
    """Load a wallet, or a medical account, through the configured load host."""

    purse: PurseKind = PurseKind.WALLET
    amount_fen: StrictInt
    reference: Reference
    operator: Annotated[str | None, Field(max_length=64)] = None
    reader: Reader = None
    wait_s: WaitSeconds = DEFAULT_WAIT
    pin: Pin = None


class BillBody(BaseModel):
    """A bill as the centre split it; the parts must add up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    total_fen: StrictInt
    fund_fen: StrictInt
    account_fen: StrictInt
    self_pay_fen: StrictInt


class SettleBody(Body):
    """Settle a bill."""

    bill: BillBody
    tender: Tender
    reference: Reference
    operator: Annotated[str | None, Field(max_length=64)] = None
    settlement_class: Annotated[
        Literal["1", "2", "3", "9"] | None,
        Field(description="Special case to note on the card: 1 work injury, 2 maternity, 3 medical aid, 9 other"),
    ] = None
    temporary_offline: Annotated[
        bool, Field(strict=True, description="An on-line card settles while the line is down; the card counts it")
    ] = False
    reader: Reader = None
    wait_s: WaitSeconds = DEFAULT_WAIT
    pin: Pin = None
