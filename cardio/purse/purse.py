"""What both purses have in common: the steps of a purchase and the evidence a card keeps of it.

Source: EW §3.2 and §6.2, SSC §5.4 and §7.2, OPS §4.3.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import PURSE
from cardio.crypto.ciphers import Algorithm
from cardio.errors import CardDataInvalid, RecordNotFound
from cardio.files.dates import encode_time
from cardio.security.keys import Authorization, PurchaseOrder, SamApplication

MAC_SIZE = 4


class PurseKind(StrEnum):
    """The two purses a card can hold."""

    WALLET = "wallet"
    MEDICAL = "medical"


class CounterRule(StrEnum):
    """Which number names a purchase on the card: the counter INITIALIZE answered, or that plus one."""

    BEFORE = "before"
    AFTER = "after"

    def number(self, counter: int) -> int:
        """The number for the counter that INITIALIZE answered; counters have 2 bytes."""
        return counter if self is CounterRule.BEFORE else (counter + 1) & 0xFFFF


@dataclass(frozen=True)
class PurseRules:
    """What differs from city to city in one purse; the product file says it.

    Attributes:
        algorithm: Cipher of the purchase keys.
        proof_number: Number that GET TRANSACTION PROOF wants (EW PC-17); the other number is never tried.
        log_number: Number that the card's log stores (EW PC-2).
        sam: The PSAM's application.
        max_amount_fen: Largest single purchase.
        confirmed: Whether every rule rests on a source; otherwise no real card is debited.
    """

    algorithm: Algorithm
    proof_number: CounterRule
    log_number: CounterRule
    sam: SamApplication
    max_amount_fen: int
    confirmed: bool


@dataclass(frozen=True)
class Initialized:
    """Answer to INITIALIZE FOR PURCHASE.

    Attributes:
        balance_fen: Balance before the purchase.
        counter: Off-line counter before the purchase.
        key_version: Version of the card's purchase key.
        algorithm_id: The card's algorithm byte, opaque.
        random: 4 bytes.
    """

    balance_fen: int
    counter: int
    key_version: int
    algorithm_id: int
    random: bytes


@dataclass(frozen=True)
class Debited:
    """Answer to DEBIT FOR PURCHASE: proof for the issuer and proof for the terminal, 4 bytes each."""

    tac: bytes
    mac2: bytes


@dataclass(frozen=True)
class LogEntry:
    """A purse log record in the terms of the recovery.

    Attributes:
        number: Transaction number as stored.
        amounts: Fen: one amount (wallet), or account, self-paid and pool amount (medical).
        purchase: Whether it is a purchase, not a load.
        terminal: Terminal number, 6 bytes.
        time: 7 bytes YYYYMMDDhhmmss.
    """

    number: int
    amounts: tuple[int, ...]
    purchase: bool
    terminal: bytes
    time: bytes


@dataclass(frozen=True)
class PurseInstructions:
    """Class and instruction bytes in which the two purses differ.

    Attributes:
        cla: Class byte.
        debit: INS of DEBIT FOR PURCHASE.
        proof: INS of GET TRANSACTION PROOF.
        proof_name: Its name in the purse's standard.
        proof_type: Its P2 for a purchase.
    """

    cla: int
    debit: int
    proof: int
    proof_name: str
    proof_type: int


class Purse(ABC):
    """One selected purse on one presented card.

    Args:
        card: Connection on which the purse's application is selected.
        rules: What the product says.
        factors: Diversification factors, highest authority first, card last.
    """

    kind: ClassVar[PurseKind]
    """Which of the two purses."""
    transaction_type: ClassVar[int]
    """Type byte of a purchase in MAC1, TAC and log."""
    instructions: ClassVar[PurseInstructions]

    def __init__(self, card: CardConnection, rules: PurseRules, factors: tuple[bytes, ...]) -> None:
        self._card = card
        self.rules = rules
        self._factors = factors

    @abstractmethod
    def balance(self) -> int:
        """Balance in fen, for display; accounting uses the one of INITIALIZE (EW §9)."""

    @abstractmethod
    def initialize(self, amounts: tuple[int, ...], terminal: bytes, key_index: int) -> Initialized:
        """INITIALIZE FOR PURCHASE; changes nothing on the card.

        Raises:
            CardError: The card refuses, for example for want of money.
        """

    @abstractmethod
    def log(self) -> Iterator[LogEntry]:
        """Log records, newest first, read one by one.

        Raises:
            AccessDenied: The log needs the PIN.
        """

    def order(self, initialized: Initialized, amounts: tuple[int, ...], time: datetime) -> PurchaseOrder:
        """What the keys need to make MAC1."""
        return PurchaseOrder(
            application=self.rules.sam,
            algorithm=self.rules.algorithm,
            random=initialized.random,
            counter=initialized.counter,
            amounts=amounts,
            kind=self.transaction_type,
            time=encode_time(time),
            key_version=initialized.key_version,
            algorithm_id=initialized.algorithm_id,
            factors=self._factors,
        )

    def debit_command(self, authorization: Authorization, time: bytes) -> Command:
        """DEBIT FOR PURCHASE, ready to be sent once the journal is armed."""
        return Command(
            "DEBIT FOR PURCHASE",
            self.instructions.cla,
            self.instructions.debit,
            0x01,
            0x00,
            data=authorization.sequence.to_bytes(4, "big") + time + authorization.mac1,
            le=2 * MAC_SIZE,
            outcomes=PURSE,
            repeatable=False,
        )

    def proof(self, counter: int) -> Debited | None:
        """GET TRANSACTION PROOF for the purchase initialized with `counter`; None when the card says 9406.

        The proof comes as MAC2 ‖ TAC, the reverse of DEBIT (EW §3.2).

        Raises:
            CardError: The card answered neither a proof nor 9406, which is no evidence (OPS §4.3).
        """
        command = Command(
            self.instructions.proof_name,
            self.instructions.cla,
            self.instructions.proof,
            0x00,
            self.instructions.proof_type,
            data=self.rules.proof_number.number(counter).to_bytes(2, "big"),
            le=2 * MAC_SIZE,
            outcomes=PURSE,
        )
        try:
            data = exact(self._card.call(command), 2 * MAC_SIZE, command.name)
        except RecordNotFound:
            return None
        return Debited(tac=data[MAC_SIZE:], mac2=data[:MAC_SIZE])


def parse_debit(data: bytes) -> Debited:
    """TAC ‖ MAC2 of a DEBIT answer.

    Raises:
        CardDataInvalid: Not 8 bytes.
    """
    exact(data, 2 * MAC_SIZE, "DEBIT FOR PURCHASE")
    return Debited(tac=data[:MAC_SIZE], mac2=data[MAC_SIZE:])


def exact(data: bytes, size: int, command: str) -> bytes:
    """`data` if it has `size` bytes.

    Raises:
        CardDataInvalid: It has not.
    """
    if len(data) != size:
        raise CardDataInvalid(f"{command} answered {len(data)} bytes instead of {size}")
    return data
