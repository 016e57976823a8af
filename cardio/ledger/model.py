"""Transactions and settlements as the journal keeps them.

States are those of design §3; a transition that is not in `TRANSITIONS` is a bug and is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cardio.errors import InputInvalid, Money
from cardio.ledger.bill import Bill, BillDetails
from cardio.purse.operation import Operation, PurseKind
from cardio.security.keys import Mac2


class State(StrEnum):
    """State of a transaction or a settlement."""

    ACCEPTED = "accepted"
    ARMED = "armed"
    COMPLETED = "completed"
    NOT_GENUINE = "not_genuine"
    UNCERTAIN = "uncertain"
    NOT_DEBITED = "not_debited"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    RESOLVED = "resolved"
    AWAITING_CARD = "awaiting_card"

    @property
    def final(self) -> bool:
        """Whether it never changes again."""
        return self in FINAL

    @property
    def money(self) -> Money:
        """What is known about the money."""
        if self in {State.COMPLETED, State.NOT_GENUINE}:
            return Money.MOVED
        return Money.UNKNOWN if self in {State.ARMED, State.UNCERTAIN, State.RESOLVED} else Money.NONE


FINAL = frozenset(
    {
        State.COMPLETED,
        State.NOT_GENUINE,
        State.NOT_DEBITED,
        State.DECLINED,
        State.CANCELLED,
        State.RESOLVED,
    }
)

TRANSITIONS: dict[State, frozenset[State]] = {
    State.ACCEPTED: frozenset({State.ARMED, State.DECLINED, State.CANCELLED}),
    State.ARMED: frozenset(
        {
            State.COMPLETED,
            State.NOT_GENUINE,
            State.UNCERTAIN,
            State.DECLINED,
            State.NOT_DEBITED,
        }
    ),
    State.UNCERTAIN: frozenset(
        {
            State.UNCERTAIN,
            State.COMPLETED,
            State.NOT_GENUINE,
            State.NOT_DEBITED,
            State.RESOLVED,
        }
    ),
}


@dataclass(frozen=True)
class Evidence:
    """One piece of evidence about a torn debit (OPS §4.3).

    Attributes:
        kind: `journal`, `proof`, `counter`, `log`, `balance`, or `lock` for whether the purse is grey-locked.
        debited: What it says.
        detail: What was seen, without personal data.
    """

    kind: str
    debited: bool
    detail: str = ""


@dataclass(frozen=True)
class Resolution:
    """The end of a question that no card will answer any more: two persons say what they found (OPS §4.3).

    Attributes:
        money: `moved` or `none`: what they found out about the card's money; `unknown` if they gave up.
        persons: The two who decided, by their names or staff numbers at this counter; two different ones.
        reason: On what grounds.

    Raises:
        InputInvalid: Not two different persons, or no reason.
    """

    money: Money
    persons: tuple[str, str]
    reason: str

    def __post_init__(self) -> None:
        check_persons(self.persons, self.reason)


def check_persons(persons: tuple[str, str], reason: str) -> None:
    """Insist on two different persons who say why.

    Raises:
        InputInvalid: They are not.
    """
    first, second = (person.strip() for person in persons)
    if not first or not second or first.casefold() == second.casefold():
        raise InputInvalid("two different persons are needed")
    if not reason.strip():
        raise InputInvalid("a reason is needed")


@dataclass(frozen=True)
class CardReference:
    """The card of a transaction; its number is personal and known to `Ledger.card_number` alone.

    Attributes:
        key: Keyed hash by which the same card is found again.
        masked: Last four digits, for people.
    """

    key: str
    masked: str


class NoteKind(StrEnum):
    """What a settlement writes to its card beside the purse (SSC §7.3, §7.4)."""

    OFFLINE = "offline-settlement"
    """Its part in the off-line totals of DF04/EF06."""
    CLEARED = "offline-cleared"
    """The off-line totals begin anew."""
    SPECIAL = "special-settlement"
    """Its record in DF04/EF15."""


class NoteState(StrEnum):
    """How far a note is."""

    DUE = "due"
    """The card was not written to."""
    BEGUN = "begun"
    """The card may have been written to."""
    WRITTEN = "written"
    ABANDONED = "abandoned"
    """It will not be written."""

    @property
    def owed(self) -> bool:
        """Whether it is still to be written."""
        return self in {NoteState.DUE, NoteState.BEGUN}


@dataclass(frozen=True)
class CardNote:
    """One piece of bookkeeping that a settlement writes to its card.

    Attributes:
        kind: What.
        before: Total in fen and count on the card from which `target` was computed; of a special settlement zeros.
        target: Total in fen and count to write; of a special settlement transaction number and settlement class.
        state: How far it is.
        error: Code of the error that kept it from being written.
    """

    kind: NoteKind
    before: tuple[int, int]
    target: tuple[int, int]
    state: NoteState = NoteState.DUE
    error: str | None = None


@dataclass(frozen=True)
class Armed:
    """What is on disk before the card may be changed; enough to recognize the change afterwards.

    Attributes:
        reader: Reader that holds the card.
        product: Card product.
        application: AID of the purse, hex.
        card: The card.
        terminal_number: 12 digits.
        terminal_sequence: Sequence that the keys gave; 0 for on-line operations, which have none.
        key_source: Name of the keys, or of the host.
        key_index: Key index named to the card.
        key_version: Version of the card's key.
        algorithm_id: The card's algorithm byte.
        card_counter: The card's counter before: on-line or off-line, as the operation has it.
        card_random: The card's random of this transaction, hex: with it software keys can check a proof later.
        card_time: 14 digits; empty for on-line operations, whose time the host gives.
        mac1_sha256: Fingerprint of MAC1, hex.
        balance_before: Fen.
        balance_expected: Fen after the change.
        records: Records that change together with the purse, as (SFI, record, data in hex).
        notes: Bookkeeping to write once it has completed.
    """

    reader: str
    product: str
    application: str
    card: CardReference
    terminal_number: str
    terminal_sequence: int
    key_source: str
    key_index: int
    key_version: int
    algorithm_id: int
    card_counter: int
    card_random: str
    card_time: str
    mac1_sha256: str
    balance_before: int
    balance_expected: int
    records: tuple[tuple[int, int, str], ...] = ()
    notes: tuple[CardNote, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How a transaction ended, or where it stands after a try to find out.

    Attributes:
        state: New state.
        tac: TAC in hex, if the card gave one.
        mac2: Result of the MAC2 check.
        balance_after: Fen, if known.
        evidence: Evidence found.
        recovered: Whether it was found out afterwards.
        error: Code of the error that ended it.
        resolution: What two persons decided.
    """

    state: State
    tac: str | None = None
    mac2: Mac2 | None = None
    balance_after: int | None = None
    evidence: tuple[Evidence, ...] = ()
    recovered: bool = False
    error: str | None = None
    resolution: Resolution | None = None


@dataclass(frozen=True)
class Transaction:
    """One money operation on one purse.

    Attributes:
        id: UUIDv7.
        state: Where it stands.
        purse: Which purse.
        operation: What is done with it.
        amounts: Fen: one amount (of an overdraft update the new limit), or account, self-paid and pool amount of a
            settlement.
        client: Caller.
        reference: The caller's sale.
        operator: Who sat at the counter.
        settlement: Settlement it is a leg of.
        created_at: When it was asked for.
        finished_at: When it reached a final state.
        armed: What was on disk before DEBIT; None if it never came so far.
        outcome: TAC, MAC2, balance after, evidence.
        answer: Answer to the caller, frozen in the final state; canonical JSON.
        notes: Bookkeeping on the card, once it has completed.
        grey_lock: Grey lock that a debit for unlock charges: the id of its transaction.
        reverses: Purchase whose money a load gives back: the id of its transaction (T-14).
        shift: Shift in which it was asked for.
    """

    id: str
    state: State
    purse: PurseKind
    operation: Operation
    amounts: tuple[int, ...]
    client: str
    reference: str
    operator: str | None
    settlement: str | None
    created_at: datetime
    finished_at: datetime | None = None
    armed: Armed | None = None
    outcome: Outcome = field(default_factory=lambda: Outcome(State.ACCEPTED))
    answer: str | None = None
    notes: tuple[CardNote, ...] = ()
    grey_lock: str | None = None
    reverses: str | None = None
    shift: str | None = None

    @property
    def amount_fen(self) -> int:
        """What leaves the purse on the card, or comes in."""
        return self.amounts[0]

    @property
    def money(self) -> Money:
        """What is known about the money; of a resolved one what two persons found. A grey lock never moves any."""
        if not self.operation.moves_money:
            return Money.NONE
        resolution = self.outcome.resolution
        return self.state.money if resolution is None else resolution.money


class Tender(StrEnum):
    """How the self-paid part of a bill is paid."""

    WALLET = "wallet"
    CASH = "cash"


@dataclass(frozen=True)
class Settlement:
    """The payment of one bill, with a transaction for each purse.

    Attributes:
        id: UUIDv7.
        state: Where it stands.
        client: Caller.
        reference: The caller's bill.
        operator: Who sat at the counter.
        bill: Amounts.
        details: How the centre came to them; None if it was not told.
        tender: How the self-paid part is paid.
        created_at: When it was asked for.
        finished_at: When it reached a final state.
        legs: Transactions so far, in the order medical, wallet.
        answer: Answer to the caller, frozen in the final state; canonical JSON.
        settlement_class: Class of a special case for DF04/EF15 (SSC §4.5); None for an ordinary one.
        temporary_offline: Whether an on-line card settles while the line is down (SSC §7.3).
        shift: Shift in which it was asked for.
    """

    id: str
    state: State
    client: str
    reference: str
    operator: str | None
    bill: Bill
    tender: Tender
    created_at: datetime
    finished_at: datetime | None = None
    legs: tuple[Transaction, ...] = ()
    answer: str | None = None
    settlement_class: str | None = None
    temporary_offline: bool = False
    shift: str | None = None
    details: BillDetails | None = None

    def leg(self, purse: PurseKind) -> Transaction | None:
        """The transaction on one purse, if it was begun."""
        return next((leg for leg in self.legs if leg.purse is purse), None)

    @property
    def next_purse(self) -> PurseKind | None:
        """The purse that is worked on next: medical, then wallet; None if nothing is left for a card."""
        if self.state is State.CANCELLED:
            return None
        medical, wallet = self.leg(PurseKind.MEDICAL), self.leg(PurseKind.WALLET)
        if medical is None or not medical.state.final:
            return PurseKind.MEDICAL
        by_wallet = self.tender is Tender.WALLET and self.bill.self_pay_fen > 0
        if medical.state is State.COMPLETED and by_wallet and (wallet is None or not wallet.state.final):
            return PurseKind.WALLET
        return None

    @property
    def standing(self) -> State:
        """The state that follows from the legs.

        When no leg is open the medical one decides: a wallet that declined leaves its part due in cash, only one whose
        proof was wrong is told.
        """
        states = [leg.state for leg in self.legs]
        if State.ARMED in states or State.UNCERTAIN in states:
            return State.UNCERTAIN
        if self.next_purse is not None:
            return State.AWAITING_CARD if any(state.final for state in states) else State.ACCEPTED
        medical, *others = states
        return State.NOT_GENUINE if medical is State.COMPLETED and State.NOT_GENUINE in others else medical

    @property
    def due_fen(self) -> int:
        """What is still to be paid in cash: the self-paid part that no wallet paid or may have paid.

        Nothing is due on a bill whose settlement was cancelled: no part of it was paid.
        """
        if self.state is State.CANCELLED:
            return 0
        wallet = self.leg(PurseKind.WALLET)
        paid = wallet is not None and wallet.money is not Money.NONE
        return 0 if paid else self.bill.self_pay_fen


@dataclass(frozen=True)
class Request:
    """A money request under its idempotency key.

    Attributes:
        client: Caller.
        key: Its Idempotency-Key.
        operation: `debit`, `settle`, `load` …: what the key was used for.
        fingerprint: SHA-256 of the canonical body without `reader`, `wait_s` and `pin`.
    """

    client: str
    key: str
    operation: str
    fingerprint: bytes


class NoticeKind(StrEnum):
    """What a load host must be told."""

    CONFIRM = "confirm"
    REVERSE = "reverse"


@dataclass(frozen=True)
class HostNotice:
    """How an on-line operation ended, for its host (EW §6.3).

    Attributes:
        transaction: Its id.
        kind: Whether the card has changed.
        proof: The card's TAC or MAC3, 4 bytes in hex, if it could be had.
    """

    transaction: str
    kind: NoticeKind
    proof: str | None


Document = dict[str, Any]
