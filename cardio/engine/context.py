"""What every operation on a card works with, and what the journal keeps of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import PURSE
from cardio.engine.target import Target
from cardio.errors import (
    ApplicationBlocked,
    CardDataInvalid,
    CounterExhausted,
    FundsInsufficient,
    KeyIndexUnsupported,
    Mac2Invalid,
    ReaderError,
    StoreError,
)
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import Armed, CardNote, CardReference, Outcome, State, Transaction
from cardio.purse.purse import CardProof, Initialized, parse_proof
from cardio.security.keys import Mac2, PurchaseKeys

DECLINES = (FundsInsufficient, CounterExhausted, KeyIndexUnsupported, ApplicationBlocked)
"""Refusals of INITIALIZE that are final for their key: the same sale can't succeed on this card."""

REFUSED = frozenset({0x6700, 0x6901, 0x6985, 0x6A86, 0x6D00, 0x6E00, 0x9302, 0x9401})
"""Answers to the command that changes the card by which it says that it did not; any other leaves the outcome open
(EW §3.3)."""

UNCERTAIN = Outcome(State.UNCERTAIN, error="transaction.uncertain")

NotePlan = Callable[[Initialized], tuple[CardNote, ...]]
"""Bookkeeping of a transaction; it may name the card's counter, which INITIALIZE tells."""


def no_notes(initialized: Initialized) -> tuple[CardNote, ...]:  # noqa: ARG001 - one of the plans
    """For transactions that write nothing beside the purse."""
    return ()


@dataclass(frozen=True)
class Work:
    """One transaction on one presented card.

    Attributes:
        card: The card.
        target: Its purse, selected.
        transaction: The transaction.
        ledger: The journal.
        clock: Source of the time.
        notes: Plans what is written to the card beside the purse once the transaction has completed.
    """

    card: CardConnection
    target: Target
    transaction: Transaction
    ledger: Ledger
    clock: Callable[[], datetime]
    notes: NotePlan = no_notes

    @property
    def card_key(self) -> str:
        """The card's key in the journal."""
        return self.ledger.card_key(self.target.purse.kind, self.target.identity)

    def declined(self, code: str) -> Transaction:
        """The card or the host refused for good."""
        return self.ledger.record(self.transaction, Outcome(State.DECLINED, error=code))

    def armed(
        self,
        initialized: Initialized,
        *,
        terminal: bytes,
        key_source: str,
        key_index: int,
        mac1: bytes,
        sequence: int = 0,
        card_time: bytes = b"",
        records: tuple[tuple[int, int, str], ...] = (),
    ) -> Armed:
        """What goes to disk before the card may change."""
        operation, amount = self.transaction.operation, self.transaction.amount_fen
        return Armed(
            reader=self.card.channel.reader,
            product=self.target.product.id,
            application=self.target.application,
            card=CardReference(self.card_key, self.target.masked),
            terminal_number=terminal.hex(),
            terminal_sequence=sequence,
            key_source=key_source,
            key_index=key_index,
            key_version=initialized.key_version,
            algorithm_id=initialized.algorithm_id,
            card_counter=initialized.counter,
            card_random=initialized.random.hex(),
            card_time=card_time.hex(),
            mac1_sha256=hashlib.sha256(mac1).hexdigest(),
            balance_before=initialized.balance_fen,
            balance_expected=operation.balance_after(initialized.balance_fen, amount, initialized.overdraft_fen),
            records=records,
            notes=self.notes(initialized),
        )

    def arm(self, armed: Armed, sam_counter: str | None = None) -> Work:
        """Put it on disk: the card may change from here on.

        Raises:
            StorageUnavailable: It is not on disk; nothing may be sent to the card.
            ClockUntrusted: The clock has gone back; nothing may be sent to the card.
        """
        number = self.target.number
        return replace(self, transaction=self.ledger.arm(self.transaction, armed, number, sam_counter))

    def sam_counter(self, keys: PurchaseKeys, terminal: bytes, sequence: int) -> str | None:
        """Name of the PSAM's counter that gave a sequence; None for keys without one.

        Raises:
            JournalBehind: The PSAM has made transactions that the journal does not know.
        """
        if not keys.counted:
            return None
        sam = self.target.purse.rules.sam
        name = f"{terminal.hex()}/{sam.selector.hex()}"
        self.ledger.freshness.check_sequence(name, sequence, slack=int(sam.counts_attempts))
        return name

    def send(self, command: Command, refused: frozenset[int] = REFUSED) -> CardProof | Outcome:
        """Send the command that changes the card, once.

        Args:
            command: The command.
            refused: Answers by which the card says that it did not change.

        Returns:
            What the card answers when it has changed, or what any other answer, or none, means: an outcome, never an
            exception.
        """
        try:
            response = self.card.send(command)
            if response.sw in refused:
                return Outcome(State.DECLINED, error=PURSE.error(response.sw, command.name).code)
            if not response.ok:
                return UNCERTAIN
            return parse_proof(self.transaction.operation, response.data)
        except (ReaderError, CardDataInvalid):
            return UNCERTAIN

    def concluded(self, change: Callable[[], Outcome]) -> Transaction:
        """Change the card, and write down what became of it.

        A bug must not leave the question open in memory only; if the disk fails too, ARMED stands there.
        """
        try:
            outcome = change()
        except BaseException:
            with suppress(StoreError):
                self.ledger.record(self.transaction, UNCERTAIN)
            raise
        return self.record(outcome)

    def record(self, outcome: Outcome) -> Transaction:
        """Write the outcome down; if the disk fails, the journal still says ARMED, and the card will be asked."""
        try:
            return self.ledger.record(self.transaction, outcome)
        except StoreError as error:
            unwritten = replace(outcome, state=State.UNCERTAIN, error=error.code)
            return replace(self.transaction, state=State.UNCERTAIN, outcome=unwritten)


def changed(proof: CardProof | None, mac2: Mac2 | None, armed: Armed) -> Outcome:
    """The card has changed.

    Args:
        proof: What it answered, or told later; None if nothing.
        mac2: What the keys say of its MAC2; None for operations that have none.
        armed: What was on disk before.
    """
    wrong = mac2 is Mac2.WRONG
    return Outcome(
        State.NOT_GENUINE if wrong else State.COMPLETED,
        tac=proof.tac.hex().upper() if proof else None,
        mac2=mac2,
        balance_after=armed.balance_expected,
        error=Mac2Invalid.code if wrong else None,
    )


def initialized_again(armed: Armed) -> Initialized:
    """What INITIALIZE answered, as far as the journal remembers it."""
    return Initialized(
        balance_fen=armed.balance_before,
        counter=armed.card_counter,
        key_version=armed.key_version,
        algorithm_id=armed.algorithm_id,
        random=bytes.fromhex(armed.card_random),
    )
