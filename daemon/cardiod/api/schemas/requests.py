"""Bodies of the requests; unknown fields are errors, amounts are integers in fen."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StrictInt

from cardio.errors import Money
from cardio.ledger.chain import canonical
from cardio.ledger.model import Tender
from cardio.ledger.receipts.forms import Form, Paper
from cardio.products.groups import Group
from cardio.purse.operation import PurseKind

Reference = Annotated[str, Field(min_length=1, max_length=64, description="Your sale, bill or order")]
Operator = Annotated[str | None, Field(max_length=64, description="Who sits at the counter")]
Person = Annotated[str, Field(min_length=1, max_length=64)]
Reason = Annotated[str, Field(min_length=1, max_length=255)]
Reader = Annotated[
    str | None, Field(min_length=1, max_length=255, description="Id or name of the reader; any if missing")
]
Fen = Annotated[StrictInt, Field(description="Fen; a wallet takes 1 to 0x7FFFFFFF, a medical account up to 0xFFFFFFFE")]
WaitSeconds = Annotated[
    float, Field(strict=True, ge=0, le=300, description="Seconds to wait for the card before answering")
]
Pin = Annotated[
    SecretStr | None,
    Field(description="Only where the card product lets the caller hand it over; else the PIN pad asks"),
]
PinDigits = Annotated[
    Literal[4, 5, 6, 7, 8, 9, 10, 11, 12],
    Field(description="Length of the old and the new PIN on a PIN pad, which takes them at fixed places only"),
]
DEFAULT_WAIT = 30.0
NOT_IN_FINGERPRINT = frozenset({"reader", "wallet_reader", "wait_s", "pin"})
"""How and where a request is carried out; a PIN's hash could be guessed, so it is not kept either (design §3)."""


def _example(**content: Any) -> ConfigDict:
    """A body as it is sent to a counter with a card in each reader."""
    return ConfigDict(json_schema_extra={"examples": [content]})


class Body(BaseModel):
    """Base of all bodies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def secret_pin(self) -> str | None:
        """The PIN, if this body holds one."""
        return revealed(getattr(self, "pin", None))

    def fingerprint(self) -> bytes:
        """SHA-256 of the canonical body, by which a repeated key is compared."""
        # Without defaults, so that a field of a later version does not change those of requests that were made before.
        content = self.model_dump(mode="json", exclude=set(NOT_IN_FINGERPRINT), exclude_defaults=True)
        return hashlib.sha256(canonical(content).encode("utf-8")).digest()


def revealed(secret: SecretStr | None) -> str | None:
    """A secret on its way to the card."""
    return None if secret is None else secret.get_secret_value()


class Nothing(Body):
    """An empty object."""

    model_config = _example()


class ReadBody(Body):
    """Read a card."""

    model_config = _example(purpose="settlement", fields=["card", "holder", "medical"], wait_s=0)

    purpose: Annotated[str, Field(min_length=1, max_length=64, description="Why; kept in the access log")]
    fields: Annotated[list[Group], Field(min_length=1)]
    reader: Reader = None
    wait_s: WaitSeconds = DEFAULT_WAIT
    pin: Pin = None


class DebitBody(Body):
    """Debit a wallet."""

    model_config = _example(purse="wallet", amount_fen=1234, reference="SALE-0001", operator="01", wait_s=30)

    purse: Literal["wallet"]
    amount_fen: Fen
    reference: Reference
    operator: Operator = None
    reader: Reader = None
    wait_s: WaitSeconds = DEFAULT_WAIT


class LoadBody(Body):
    """Load a wallet, or a medical account, through the configured load host."""

    model_config = _example(amount_fen=5000, reference="TOP-UP-0001", operator="01")

    purse: PurseKind = PurseKind.WALLET
    amount_fen: Fen
    reference: Reference
    operator: Operator = None
    reader: Reader = None
    wait_s: WaitSeconds = DEFAULT_WAIT
    pin: Pin = None


class BillBody(BaseModel):
    """A bill as the centre split it; the parts must add up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    total_fen: Fen
    fund_fen: Fen
    account_fen: Fen
    self_pay_fen: Fen
    hospital_fen: Annotated[StrictInt, Field(description="Borne by the hospital, fen")] = 0
    mutual_aid_fen: Annotated[
        StrictInt,
        Field(description="From a family member's account, fen; inside `account_fen` or beside it, whichever adds up"),
    ] = 0


FenTold = Annotated[StrictInt | None, Field(ge=0, description="Fen; null if the centre did not tell")]
CentreNumber = Annotated[str | None, Field(min_length=1, max_length=64)]


class FundShareBody(BaseModel):
    """What one fund pays, a line of `setldetail`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fund: Annotated[str, Field(min_length=1, max_length=32, description="`fund_pay_type`")]
    amount_fen: Annotated[StrictInt, Field(ge=0, description="`fund_payamt`")]
    in_scope_fen: FenTold = None
    limit_fen: FenTold = None


class BillDetailsBody(BaseModel):
    """How the centre came to the bill; kept, shown and checked, but not what is charged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    own_cost_fen: FenTold = None
    over_limit_fen: FenTold = None
    advance_self_pay_fen: FenTold = None
    in_scope_fen: FenTold = None
    deductible_fen: FenTold = None
    person_fen: FenTold = None
    balance_fen: FenTold = None
    funds: Annotated[list[FundShareBody], Field(max_length=32)] = []
    message: CentreNumber = None
    centre_settlement: CentreNumber = None


class SettleBody(Body):
    """Settle a bill."""

    model_config = _example(
        bill={"total_fen": 10000, "fund_fen": 6000, "account_fen": 2500, "self_pay_fen": 1500},
        tender="wallet",
        reference="BILL-0001",
        operator="01",
    )

    bill: BillBody
    bill_details: BillDetailsBody | None = None
    tender: Tender
    reference: Reference
    operator: Operator = None
    settlement_class: Annotated[
        Literal["1", "2", "3", "9"] | None,
        Field(description="Special case to note on the card: 1 work injury, 2 maternity, 3 medical aid, 9 other"),
    ] = None
    temporary_offline: Annotated[
        bool, Field(strict=True, description="An on-line card settles while the line is down; the card counts it")
    ] = False
    reader: Reader = None
    wallet_reader: Annotated[
        str | None,
        Field(max_length=255, description="Reader of the wallet, which can be on another card; any if missing"),
    ] = None
    wait_s: WaitSeconds = DEFAULT_WAIT
    pin: Pin = None


class TransactionKind(StrEnum):
    """What a transaction does."""

    DEBIT = "debit"
    LOAD = "load"
    UNLOAD = "unload"
    OVERDRAFT = "overdraft"
    GREY_LOCK = "grey-lock"
    GREY_DEBIT = "grey-debit"


class TransactionBody(Body):
    """Any money operation on one purse."""

    model_config = _example(kind="debit", purse="wallet", amount_fen=1234, reference="SALE-0001", operator="01")

    kind: TransactionKind
    purse: PurseKind = PurseKind.WALLET
    amount_fen: Annotated[Fen, Field(description="Of an overdraft the new limit; of a grey lock 0")] = 0
    reference: Reference
    operator: Operator = None
    lock: Annotated[
        str | None, Field(max_length=64, description="Of a grey debit: id of the transaction that locked the purse")
    ] = None
    reader: Reader = None
    wait_s: WaitSeconds = DEFAULT_WAIT
    pin: Pin = None


class RecoverBody(Body):
    """Ask the presented card about a transaction whose outcome is open."""

    model_config = _example(wait_s=30)

    reader: Reader = None
    wait_s: WaitSeconds = DEFAULT_WAIT
    pin: Pin = None


class ResolveBody(Body):
    """Two persons say what became of the money."""

    model_config = _example(money="none", persons=["01", "02"], reason="the holder shows an unchanged balance")

    money: Annotated[Money, Field(description="moved, none, or unknown if it could not be found out")]
    persons: tuple[Person, Person]
    reason: Reason


class ReconcileBody(Body):
    """Two persons have looked at what stopped the money, and say why it may move again."""

    model_config = _example(persons=["01", "02"], reason="compared with the records of the centre")

    persons: tuple[Person, Person]
    reason: Reason


class RefundWay(StrEnum):
    """How money goes back."""

    LOAD = "load"
    ORDER = "order"


class ReverseBody(Body):
    """Give a payment back: by a load of the card that paid, or by an order to the settlement centre."""

    model_config = _example(by="order", reason="goods returned", operator="01")

    by: RefundWay
    reason: Reason
    amount_fen: Annotated[Fen | None, Field(description="All that is left if missing")] = None
    operator: Operator = None
    reader: Reader = None
    wait_s: WaitSeconds = DEFAULT_WAIT
    pin: Pin = None


class ReprintBody(Body):
    """Print a voucher again; it is counted and marked."""

    model_config = _example(format="text", lang="zh", width=80)

    format: Form = Form.TEXT
    lang: Literal["zh", "en"] = "zh"
    width: Annotated[Paper, Field(description="Width of the paper, mm")] = Paper.MM80


class WaitBody(Body):
    """Wait for a card."""

    model_config = _example(purse="wallet", wait_s=30)

    reader: Reader = None
    purse: Annotated[PurseKind | None, Field(description="Only a card with this purse")] = None
    wait_s: WaitSeconds = DEFAULT_WAIT


class CardholderBody(Body):
    """Read the holder of a presented card."""

    model_config = _example(purpose="settlement", fields=["holder"])

    purpose: Annotated[str, Field(min_length=1, max_length=64, description="Why; kept in the access log")]
    fields: Annotated[list[Group], Field(min_length=1)] = [Group.HOLDER]
    pin: Pin = None


class VerifyPinBody(Body):
    """Check the holder's PIN."""

    model_config = _example()

    pin: Pin = None
    allow_last_try: Annotated[bool, Field(strict=True, description="The holder agrees to use the last try")] = False


class ChangePinBody(Body):
    """Change the holder's PIN, or set the first one."""

    model_config = _example()

    old_pin: Annotated[Pin, Field(description="As `new_pin`; missing for a card that has no PIN yet")] = None
    new_pin: Annotated[
        Pin,
        Field(description="Only where the card product lets the caller hand it over; else the PIN pad asks for both"),
    ] = None
    digits: PinDigits = 6
    allow_last_try: Annotated[
        bool, Field(strict=True, description="The holder agrees to use the last try of the old PIN")
    ] = False

    @property
    def secret_old_pin(self) -> str | None:
        """The old PIN, if the caller hands it over."""
        return revealed(self.old_pin)

    @property
    def secret_new_pin(self) -> str | None:
        """The new PIN, if the caller hands it over."""
        return revealed(self.new_pin)


class UnblockPinBody(Body):
    """Restore the PIN under the issuer's keys."""

    model_config = _example()

    pin: Annotated[
        Pin,
        Field(
            description="The PIN that the card has, by which a wallet is unblocked; with `replace` its new PIN. "
            "Only where the card product lets the caller hand it over"
        ),
    ] = None
    replace: Annotated[bool, Field(strict=True, description="Give the card a new PIN")] = False


class ShiftBody(Body):
    """Open a shift."""

    model_config = _example(operator="01", lane="A")

    operator: Person
    lane: Annotated[str, Field(max_length=64, description="Empty where there is only one")] = ""


class CloseShiftBody(Body):
    """Close a shift."""

    model_config = _example(operator="01")

    operator: Annotated[str | None, Field(max_length=64, description="Who closes it; its operator if missing")] = None


class BatchBody(Body):
    """Close a batch."""

    model_config = _example()

    shift: Annotated[str | None, Field(max_length=64, description="Shift that ends with it")] = None


class LoginBody(Body):
    """The code of a one-time address."""

    model_config = _example(code="as in the address after #login=")

    code: Annotated[str, Field(min_length=1, max_length=128)]
