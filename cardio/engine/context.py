"""What every operation on a card works with, and what the journal keeps of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from cardio.apdu.connection import CardConnection
from cardio.engine.target import Target
from cardio.errors import ApplicationBlocked, CounterExhausted, FundsInsufficient, KeyIndexUnsupported, StoreError
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import Armed, CardReference, Outcome, State, Transaction
from cardio.purse.purse import Initialized

DECLINES = (FundsInsufficient, CounterExhausted, KeyIndexUnsupported, ApplicationBlocked)
"""Refusals of INITIALIZE that are final for their key: the same sale can't succeed on this card."""

REFUSED = frozenset({0x6700, 0x6901, 0x6985, 0x6A86, 0x6D00, 0x6E00, 0x9302, 0x9401})
"""Answers to the command that changes the card by which it says that it did not; any other leaves the outcome open
(EW §3.3)."""

UNCERTAIN = Outcome(State.UNCERTAIN, error="transaction.uncertain")


@dataclass(frozen=True)
class Work:
    """One transaction on one presented card.

    Attributes:
        card: The card.
        target: Its purse, selected.
        transaction: The transaction.
        ledger: The journal.
        clock: Source of the time.
    """

    card: CardConnection
    target: Target
    transaction: Transaction
    ledger: Ledger
    clock: Callable[[], datetime]

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
            card=CardReference(self.card_key, self.target.masked, self.target.number),
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
        )

    def record(self, outcome: Outcome) -> Transaction:
        """Write the outcome down; if the disk fails, the journal still says ARMED, and the card will be asked."""
        try:
            return self.ledger.record(self.transaction, outcome)
        except StoreError as error:
            unwritten = replace(outcome, state=State.UNCERTAIN, error=error.code)
            return replace(self.transaction, state=State.UNCERTAIN, outcome=unwritten)
