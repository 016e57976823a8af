"""What both purses have in common: the steps of a transaction and the evidence a card keeps of it.

Source: EW §3.2 and §6.2, SSC §5.4 and §7, OPS §4.3.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import PURSE, Outcomes
from cardio.crypto.ciphers import Algorithm
from cardio.errors import CardDataInvalid, OperationUnsupported, RecordNotFound
from cardio.purse.operation import Operation, PurseKind
from cardio.security.keys import Authorization, Family, PurchaseOrder, SamApplication
from cardio.security.load_host import HostGrant, HostOperation, HostRequest
from cardio.transport.channel import Disclosure

MAC_SIZE = 4
TERMINAL_SIZE = 6
MAX_COUNTER = 0xFFFF


class CounterRule(StrEnum):
    """Which number names a transaction on the card: the counter INITIALIZE answered, or that plus one."""

    BEFORE = "before"
    AFTER = "after"

    def number(self, counter: int) -> int:
        """The number for the counter that INITIALIZE answered; counters have 2 bytes."""
        return counter if self is CounterRule.BEFORE else (counter + 1) & MAX_COUNTER

    def counter(self, number: int) -> int:
        """The counter that INITIALIZE answered for the transaction of that number."""
        return number if self is CounterRule.BEFORE else (number - 1) & MAX_COUNTER


@dataclass(frozen=True)
class PurseRules:
    """What differs from city to city in one purse; the product file says it.

    Attributes:
        algorithm: Cipher of the purse's keys.
        proof_number: Number that GET TRANSACTION PROOF wants (EW PC-17); the other number is never tried.
        log_number: Number that the card's log stores (EW PC-2).
        sam: The PSAM's application.
        max_amount_fen: Largest single purchase.
        confirmed: Whether every rule rests on a source; otherwise no real card is charged.
        load_key_index: Index of the load key (and of those for unload and overdraft).
        load_pin: Whether INITIALIZE FOR LOAD needs the PIN (EW §3.2).
        grey_lock: Whether the purse has the grey lock of fuel cards (EW §3.5).
    """

    algorithm: Algorithm
    proof_number: CounterRule
    log_number: CounterRule
    sam: SamApplication
    max_amount_fen: int
    confirmed: bool
    load_key_index: int = 1
    load_pin: bool = False
    grey_lock: bool = False


@dataclass(frozen=True)
class Initialized:
    """Answer to an INITIALIZE command.

    Attributes:
        balance_fen: Balance before.
        counter: Counter before: off-line, or on-line for what a host authorizes.
        key_version: Version of the card's key.
        algorithm_id: The card's algorithm byte, opaque.
        random: 4 bytes.
        overdraft_fen: Overdraft limit, where the answer has one.
        mac1: The card's MAC1 for the host; empty for off-line operations.
        balance_sent: The balance as the card sent it and covered by MAC1: a few cards set bit 31 (EW §2.7).
    """

    balance_fen: int
    counter: int
    key_version: int
    algorithm_id: int
    random: bytes
    overdraft_fen: int = 0
    mac1: bytes = b""
    balance_sent: int = 0


@dataclass(frozen=True)
class CardProof:
    """What a card answers when it has changed.

    Attributes:
        tac: Proof for the issuer, 4 bytes: TAC, MAC3 of an unload, or GTAC of a grey lock.
        mac2: Proof for the terminal's keys, 4 bytes; None for operations that have none.
    """

    tac: bytes
    mac2: bytes | None = None


@dataclass(frozen=True)
class LogEntry:
    """A purse log record in the terms of the recovery.

    Attributes:
        number: Transaction number as stored.
        amounts: Fen: one amount (wallet), or account, self-paid and pool amount (medical).
        kind: Transaction type byte.
        terminal: Terminal number, 6 bytes.
        time: 7 bytes YYYYMMDDhhmmss.
    """

    number: int
    amounts: tuple[int, ...]
    kind: int
    terminal: bytes
    time: bytes


@dataclass(frozen=True)
class Step:
    """How one purse carries out one operation.

    Attributes:
        name: Name after INITIALIZE FOR.
        kind: Transaction type byte in MACs, TAC and log.
        proof_type: P2 of GET TRANSACTION PROOF.
        p1: P1 of INITIALIZE.
        commit_name: Name of the command that changes the card.
        commit: Its INS, P1 and P2.
        cla: Class byte of both commands, where it is not the purse's.
        initialize_ins: INS of INITIALIZE, where it is not the purse's.
    """

    name: str
    kind: int
    proof_type: int
    p1: int
    commit_name: str
    commit: tuple[int, int, int]
    cla: int | None = None
    initialize_ins: int | None = None


class Purse(ABC):
    """One selected purse on one presented card.

    Args:
        card: Connection on which the purse's application is selected.
        rules: What the product says.
        factors: Diversification factors, highest authority first, card last.
    """

    kind: ClassVar[PurseKind]
    """Which of the two purses."""
    family: ClassVar[Family]
    """Whose cryptography and host."""
    cla: ClassVar[int]
    """Class byte of its commands."""
    initialize_ins: ClassVar[int]
    """INS of the INITIALIZE commands."""
    proof_ins: ClassVar[int]
    """INS of GET TRANSACTION PROOF."""
    proof_name: ClassVar[str]
    """Its name in the purse's standard."""

    def __init__(self, card: CardConnection, rules: PurseRules, factors: tuple[bytes, ...]) -> None:
        self._card = card
        self.rules = rules
        self._factors = factors

    @property
    @abstractmethod
    def steps(self) -> dict[Operation, Step]:
        """The operations that this purse has."""

    @abstractmethod
    def balance(self) -> int:
        """Balance in fen, for display; accounting uses the one of INITIALIZE (EW §9)."""

    @abstractmethod
    def initialize(
        self, operation: Operation, amounts: tuple[int, ...], terminal: bytes, key_index: int
    ) -> Initialized:
        """INITIALIZE FOR the operation; changes nothing on the card.

        Raises:
            OperationUnsupported: The purse does not have it.
            CardError: The card refuses, for example for want of money.
        """

    @abstractmethod
    def log(self) -> Iterator[LogEntry]:
        """Log records, newest first, read one by one.

        Raises:
            AccessDenied: The log needs the PIN.
        """

    def step(self, operation: Operation) -> Step:
        """How the operation is done.

        Raises:
            OperationUnsupported: The purse does not have it.
        """
        try:
            return self.steps[operation]
        except KeyError:
            raise OperationUnsupported(f"this {self.kind} has no {operation}") from None

    def key_index(self, index: int) -> int:
        """The key index to name to the card, from the one that the terminal's keys have."""
        return index

    @property
    def load_key_index(self) -> int:
        """Index of the key of on-line operations to name to the card."""
        return self.key_index(self.rules.load_key_index)

    def same_counter(self, operation: Operation) -> frozenset[int]:
        """Type bytes of log records that count on the same counter as the operation.

        Not that of a grey lock: it takes no number, and its debit has the one that the lock found.
        """
        counted = (other for other in self.steps if other.moves_money and other.online is operation.online)
        return frozenset(self.step(other).kind for other in counted)

    def counter_now(self, operation: Operation, terminal: bytes, key_index: int) -> int:
        """The card's counter, from an INITIALIZE over nothing, which changes nothing on the card.

        Raises:
            CardError: The card refuses.
        """
        if operation.online:
            # One fen, as reader programs do (EW §3.2): no source says what a card makes of a load of nothing.
            return self.initialize(Operation.LOAD, (1,), terminal, key_index).counter
        return self.initialize(Operation.PURCHASE, self._nothing, terminal, key_index).counter

    @property
    @abstractmethod
    def _nothing(self) -> tuple[int, ...]:
        """Amounts of a purchase of nothing."""

    # ---- orders ------------------------------------------------------------------------------------------------

    @property
    def card_factor(self) -> bytes:
        """Diversification factor of the card itself, 8 bytes."""
        return self._factors[-1]

    def order(
        self, operation: Operation, initialized: Initialized, amounts: tuple[int, ...], time: bytes
    ) -> PurchaseOrder:
        """What the terminal's keys need to make MAC1 of an off-line operation; the time as 7 bytes."""
        return PurchaseOrder(
            application=self.rules.sam,
            algorithm=self.rules.algorithm,
            random=initialized.random,
            counter=initialized.counter,
            amounts=amounts,
            kind=self.step(operation).kind,
            time=time,
            key_version=initialized.key_version,
            algorithm_id=initialized.algorithm_id,
            factors=self._factors,
        )

    def host_request(
        self,
        operation: Operation,
        identifier: str,
        initialized: Initialized,
        amount: int,
        terminal: bytes,
        card_number: str,
    ) -> HostRequest:
        """What the host needs to authorize an on-line operation."""
        return HostRequest(
            id=identifier,
            operation=HostOperation(operation.value),
            family=self.family,
            algorithm=self.rules.algorithm,
            factors=self._factors,
            key_index=self.load_key_index,
            key_version=initialized.key_version,
            algorithm_id=initialized.algorithm_id,
            kind=self.step(operation).kind,
            balance=initialized.balance_sent,
            amount=amount,
            old_limit=initialized.overdraft_fen if operation is Operation.OVERDRAFT else 0,
            counter=initialized.counter,
            random=initialized.random,
            terminal=terminal,
            mac1=initialized.mac1,
            card_number=card_number,
        )

    # ---- commands that change the card --------------------------------------------------------------------------

    def debit_command(self, operation: Operation, authorization: Authorization, time: bytes) -> Command:
        """DEBIT of an off-line operation, ready to be sent once the journal is armed."""
        data = authorization.sequence.to_bytes(4, "big") + time + authorization.mac1
        return self._commit(operation, data, 2 * MAC_SIZE)

    def grant_command(self, operation: Operation, grant: HostGrant, amount: int) -> Command:
        """CREDIT FOR LOAD, DEBIT FOR UNLOAD or UPDATE OVERDRAW LIMIT, ready to be sent once the journal is armed.

        Args:
            operation: Which of the three.
            grant: What the host answered.
            amount: The new limit of an overdraft update; of the others the card remembers the amount.
        """
        limit = amount.to_bytes(3, "big") if operation is Operation.OVERDRAFT else b""
        return self._commit(operation, limit + grant.time + grant.mac2, MAC_SIZE)

    def _commit(self, operation: Operation, data: bytes, le: int) -> Command:
        step = self.step(operation)
        ins, p1, p2 = step.commit
        cla = self.cla if step.cla is None else step.cla
        return Command(step.commit_name, cla, ins, p1, p2, data=data, le=le, outcomes=PURSE, repeatable=False)

    # ---- evidence ------------------------------------------------------------------------------------------------

    def proof(self, operation: Operation, counter: int) -> CardProof | None:
        """GET TRANSACTION PROOF for the transaction initialized with `counter`; None when the card says 9406.

        The proof comes as MAC2 ‖ TAC, the reverse of DEBIT (EW §3.2); that of a load has no MAC2 (EW PC-18), nor has
        that of a debit for unlock, whose answer has none either.

        Raises:
            CardError: The card answered neither a proof nor 9406, which is no evidence (OPS §4.3).
        """
        command = Command(
            self.proof_name,
            self.cla,
            self.proof_ins,
            0x00,
            self.step(operation).proof_type,
            data=self.rules.proof_number.number(counter).to_bytes(2, "big"),
            le=2 * MAC_SIZE,
            outcomes=PURSE,
        )
        try:
            data = self._card.call(command)
        except RecordNotFound:
            return None
        if not operation.has_mac2:
            # Some cards answer the TAC alone (EW §6.2).
            return CardProof(data if len(data) == MAC_SIZE else exact(data, 2 * MAC_SIZE, command.name)[MAC_SIZE:])
        exact(data, 2 * MAC_SIZE, command.name)
        return CardProof(tac=data[MAC_SIZE:], mac2=data[:MAC_SIZE])

    # ---- for the purses ------------------------------------------------------------------------------------------

    def _initialize(self, operation: Operation, p2: int, data: bytes, le: int, outcomes: Outcomes) -> bytes:
        step = self.step(operation)
        command = Command(
            f"INITIALIZE FOR {step.name}",
            self.cla if step.cla is None else step.cla,
            self.initialize_ins if step.initialize_ins is None else step.initialize_ins,
            step.p1,
            p2,
            data=data,
            le=le,
            outcomes=outcomes,
            disclosure=Disclosure.ALL,
        )
        return exact(self._card.call(command), le, command.name)


def parse_proof(operation: Operation, data: bytes) -> CardProof:
    """What the card answered to the command that changed it: TAC ‖ MAC2, or where there is no MAC2 TAC or MAC3.

    Raises:
        CardDataInvalid: Not 8, or not 4 bytes.
    """
    if not operation.has_mac2:
        return CardProof(exact(data, MAC_SIZE, "the card"))
    exact(data, 2 * MAC_SIZE, "the card")
    return CardProof(tac=data[:MAC_SIZE], mac2=data[MAC_SIZE:])


def exact(data: bytes, size: int, command: str) -> bytes:
    """`data` if it has `size` bytes.

    Raises:
        CardDataInvalid: It has not.
    """
    if len(data) != size:
        raise CardDataInvalid(f"{command} answered {len(data)} bytes instead of {size}")
    return data
