"""What callers get; the API's description is made from these, and tests hold the real answers to them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cardio.errors import Money, Retry
from cardio.ledger.bill import MutualAid
from cardio.ledger.model import State, Tender
from cardio.purse.operation import Operation, PurseKind
from cardio.security.keys import Mac2
from cardiod.api.schemas.requests import BillDetailsBody

Fen = Annotated[int, Field(description="Fen")]
Hex = Annotated[str, Field(pattern="^[0-9A-Fa-f]*$")]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256, hex")]


class Document(BaseModel):
    """Base of all documents."""

    model_config = ConfigDict(extra="forbid")


class Source(Document):
    """Where an error was born."""

    layer: str
    command: str
    raw: str


class Problem(BaseModel):
    """RFC 9457 problem document. Look at `money` first, then at `retry` and `action`."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: Annotated[str, Field(description="For the operator, in Chinese")]
    title_en: Annotated[str, Field(description="For the operator, in English")]
    status: int
    code: str
    retry: Retry
    money: Money
    action: str
    instance: Annotated[str | None, Field(description="Id of the request, which the log has, too")] = None
    detail: Annotated[str | None, Field(description="For engineers")] = None
    tries_left: int | None = None
    source: Source | None = None


class Evidence(Document):
    """One piece of evidence about an open outcome."""

    kind: str
    debited: bool
    detail: str


class Resolution(Document):
    """What two persons found."""

    money: Money
    persons: tuple[str, str]
    reason: str


class MedicalAmounts(Document):
    """The three amounts that a medical account counts."""

    account_fen: Fen
    self_pay_fen: Fen
    pool_fen: Fen


class CardNote(Document):
    """Bookkeeping that a settlement writes to its card: a special settlement, or the off-line totals."""

    kind: str
    state: str
    error: str | None
    number: Annotated[int | None, Field(description="Of a special settlement, on the card")] = None
    settlement_class: str | None = None
    total_fen: Annotated[int | None, Field(description="Off-line total on the card, fen")] = None
    count: Annotated[int | None, Field(description="Off-line settlements on the card")] = None


class RecordUpdate(Document):
    """A record that changed together with the purse."""

    sfi: int
    record: int
    data: Hex


class VoucherTexts(Document):
    """The voucher as text of 80 columns at most."""

    zh: str
    en: str


class Transaction(Document):
    """One money operation on one purse; members about the card are there from ARMED on."""

    id: str
    state: State
    money: Money
    action: str | None
    purse: PurseKind
    operation: Operation
    amount_fen: Fen
    reference: str
    operator: str | None
    settlement: str | None
    shift: str | None
    created_at: AwareDatetime
    finished_at: AwareDatetime | None
    error: str | None
    tac: Hex | None
    mac2: Mac2 | None
    balance_after_fen: Fen | None
    recovered: bool
    evidence: list[Evidence]
    resolution: Resolution | None = None
    medical: MedicalAmounts | None = None
    grey_lock: str | None = None
    reverses: str | None = None
    reversed_by: list[str] | None = None
    notes: list[CardNote] | None = None
    card: Annotated[str | None, Field(description="Last digits of the card's number")] = None
    product: str | None = None
    reader: str | None = None
    terminal_number: str | None = None
    terminal_sequence: int | None = None
    card_counter: int | None = None
    card_time: Annotated[str | None, Field(description="Time as the card saw it, 14 digits")] = None
    key_source: str | None = None
    balance_before_fen: Fen | None = None
    records: list[RecordUpdate] | None = None
    voucher: VoucherTexts | None


class Bill(Document):
    """A bill as the centre split it."""

    total_fen: Fen
    fund_fen: Fen
    account_fen: Fen
    self_pay_fen: Fen
    hospital_fen: Fen = 0
    mutual_aid_fen: Fen = 0
    mutual_aid: Annotated[
        MutualAid | None, Field(description="Whether a family member's part is inside `account_fen` or beside it")
    ] = None


class BillCheck(Document):
    """Whether figures of a bill make the sum that they should; nothing is ever corrected."""

    identity: Annotated[
        Literal["funds", "person"],
        Field(description="`funds`: their shares make `fund_fen`; `person`: account and pocket make `person_fen`"),
    ]
    holds: bool
    difference_fen: Annotated[int, Field(description="By how much the sum of the parts is more, fen")]


class Settlement(Document):
    """The payment of one bill, with a transaction for each purse."""

    id: str
    state: State
    money: Money
    action: str | None
    reference: str
    operator: str | None
    shift: str | None
    bill: Bill
    bill_details: BillDetailsBody | None = None
    bill_checks: list[BillCheck] = []
    tender: Tender
    settlement_class: str | None
    temporary_offline: bool
    due_fen: Annotated[int, Field(description="Still to be paid in cash, fen")]
    created_at: AwareDatetime
    finished_at: AwareDatetime | None
    legs: list[Transaction]
    voucher: VoucherTexts | None


class Total(Document):
    """Transactions of one kind in one state."""

    purse: PurseKind
    operation: Operation
    state: State
    count: int
    amount_fen: Fen


class TransactionList(Document):
    """One page of transactions, newest first."""

    transactions: list[Transaction]
    totals: Annotated[list[Total], Field(description="Of all that were asked for, not of this page")]
    next: Annotated[str | None, Field(description="Ask for the next page with `before`")]


class SettlementList(Document):
    """One page of settlements, newest first."""

    settlements: list[Settlement]
    next: str | None


class Refund(Document):
    """Money on its way back."""

    id: str
    by: Literal["load", "order"]
    reverses: str
    amount_fen: Fen
    transaction: Annotated[Transaction | None, Field(description="The load, if it is one")]


class SettlementRefund(Document):
    """A bill that is given back: an order for each purse that paid, and what the till must pay out."""

    settlement: str
    refunds: list[Refund]
    cash_back_fen: Annotated[int, Field(description="To be paid out in cash, fen")]


class GroupReading(Document):
    """What was read of a group; `error` says what kept it, or the rest of it, from being read."""

    data: Any = None
    error: Problem | None = None


class Reading(Document):
    """What a card holds."""

    reader: str
    card: Annotated[str, Field(description="Handle of the card")]
    masked: bool
    groups: dict[str, GroupReading]


class Card(Document):
    """A presented card."""

    handle: str
    reader: str
    inserted_at: AwareDatetime
    identified: bool
    products: list[str] | None = None
    purses: list[PurseKind] | None = None
    number: Annotated[str | None, Field(description="Last digits")] = None
    error: Problem | None = None


class CardList(Document):
    """The cards that are presented now."""

    cards: list[Card]


class Product(Document):
    """A card product."""

    id: str
    zh: Annotated[str, Field(description="Name for people, in Chinese")]
    en: Annotated[str, Field(description="Name for people, in English")]


class ProductList(Document):
    """The card products that this counter knows."""

    products: list[Product]


class PinStatus(Document):
    """State of a card's PIN."""

    state: Literal["unset", "required", "verified", "blocked"]
    tries_left: int | None


class Reader(Document):
    """A reader of this counter."""

    id: str
    name: str
    kind: Literal["card", "sam"]
    state: Literal["ready", "working", "poisoned", "stopped"]
    card_present: bool
    pin_pad: Annotated[bool | None, Field(description="null until a card has shown it")]
    card: Annotated[str | None, Field(description="Handle of the card that lies in it")]


class ReaderList(Document):
    """The readers of this counter."""

    readers: list[Reader]
    sam: Annotated[str | None, Field(description="Reader of the first PSAM in service")]


class SelfTest(Document):
    """What a reader showed when its card was powered."""

    reader: str
    ok: bool
    protocol: str | None
    error: Problem | None


class Sam(Document):
    """A source of keys in service."""

    id: str
    kind: Literal["psam", "hsm", "keyring"]
    reader: str | None
    terminal_number: str | None
    virtual: Annotated[bool, Field(description="Its keys are test keys, which real cards never meet")]
    state: Annotated[str | None, Field(description="What its reader is doing")]


class SamList(Document):
    """The sources of keys in service."""

    sams: list[Sam]


class Head(Document):
    """The newest row of the journal's chain."""

    seq: int
    hash: Hash


class Shift(Document):
    """A shift."""

    id: str
    operator: str
    lane: str
    terminals: list[str]
    software: str
    opened_at: AwareDatetime
    opened_head: Head
    closed_at: AwareDatetime | None
    closed_by: str | None
    closed_head: Head | None
    totals: list[Total]


class ShiftList(Document):
    """Shifts, newest first."""

    shifts: list[Shift]


class BatchSum(Document):
    """Finished records of one kind."""

    purse: PurseKind
    operation: str
    count: int
    amount_fen: Fen


class Batch(Document):
    """A closed batch."""

    number: int
    state: Literal["closed"]
    shift: str | None
    closed_at: AwareDatetime
    first_row: int
    last_row: int
    records: int
    uncertain: int
    sums: list[BatchSum]
    previous_hash: Hash
    hash: Hash


class Waiting(Document):
    """Records that are in no batch yet."""

    records: int
    uncertain: int
    sums: list[BatchSum]


class BatchList(Document):
    """Batches, newest first, and what waits for the next."""

    batches: list[Batch]
    waiting: Waiting


class Event(Document):
    """One event (OPS §4.10)."""

    id: int
    type: str
    time: AwareDatetime
    reader: str | None = None
    card: str | None = None
    transaction: str | None = None
    data: dict[str, Any]


class EventList(Document):
    """Events in order."""

    events: list[Event]
    next: Annotated[int, Field(description="Ask on with `after`")]


class JournalRow(Document):
    """One row of the chain."""

    seq: int
    time: AwareDatetime
    kind: str
    subject: str
    payload: dict[str, Any]
    hash: Hash


class JournalPage(Document):
    """Rows of the chain, oldest first."""

    rows: list[JournalRow]
    head: Head


class Verified(Document):
    """The chain holds."""

    rows: int
    head: Head


class CatalogueEntry(Document):
    """One error of the catalogue."""

    code: str
    status: int
    zh: str
    en: str
    retry: Retry
    money: Money
    action: str
    about: Annotated[str, Field(description="When it is met")]


class Catalogue(Document):
    """All errors."""

    errors: list[CatalogueEntry]


class Check(Document):
    """One thing that must be well."""

    ok: bool
    code: str | None = None
    title: str | None = None
    title_en: str | None = None


class Readiness(Document):
    """Whether money can be taken: `degraded` still answers and recovers."""

    status: Literal["ready", "degraded", "down"]
    checks: dict[str, Check]


class Status(Document):
    """The counter at a glance."""

    version: str
    time: AwareDatetime
    status: Literal["ready", "degraded", "down"]
    checks: dict[str, Check]
    journal: Head
    uncertain: int
    shifts: list[Shift]
    load_host: bool


class Health(Document):
    """The process lives."""

    status: Literal["ok"]


class Session(Document):
    """A login of the console."""

    token: str
    expires: AwareDatetime


class LoginCode(Document):
    """A code for one login."""

    code: str


class SignedVoucher(Document):
    """A voucher that was signed when its money moved."""

    content: Annotated[dict[str, Any], Field(description="The voucher, for reading")]
    signed: Annotated[str, Field(description="The very bytes that were signed: UTF-8 JSON in base64")]
    signature: Hex
    algorithm: Literal["Ed25519"]
    public_key: Annotated[Hex, Field(description="Compare it with the one that you know of this terminal")]
