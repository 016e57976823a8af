"""The way of purchases, cash withdrawals and composite purchases: the terminal's keys allow them (EW §6.1, SSC §7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cardio.engine.context import DECLINES, Work, changed
from cardio.engine.target import check_amount, check_rules
from cardio.errors import AccessDenied
from cardio.files.dates import encode_time
from cardio.ledger.model import Armed, Outcome, Transaction
from cardio.purse.composite import CompositeContext, RecordBuilder, RecordUpdate, no_records
from cardio.purse.operation import Operation
from cardio.purse.purse import Initialized
from cardio.purse.wallet import WalletPurse
from cardio.security.keys import Authorization, PurchaseKeys, PurchaseSession

NO_TERMINAL = bytes(6)
"""Terminal number of keys without a PSAM: it names nobody (SSC §7.4)."""


def nothing_to_release() -> None:
    """For callers that keep the card until the end."""


@dataclass(frozen=True)
class OfflineOperation:
    """One off-line operation, up to its end.

    Args:
        work: Card, transaction, journal.
        keys: Key source.
        remember: Keeps the authorization of an armed transaction for a recovery in this process.
        records: Records of a composite purchase.
        release: Called when the card has answered DEBIT and may be taken away, before the keys check MAC2.
    """

    work: Work
    keys: PurchaseKeys
    remember: Callable[[str, Authorization], None]
    records: RecordBuilder = no_records
    release: Callable[[], None] = nothing_to_release

    def run(self) -> Transaction:
        """Charge the card.

        Returns:
            The transaction: `completed`, `not_genuine`, `declined` or `uncertain`.

        Raises:
            CardioError: Refused before anything could move; the key can be used again.
        """
        work, purse = self.work, self.work.target.purse
        amounts, operation = work.transaction.amounts, work.transaction.operation
        check_amount(work.target, amounts)
        with self.keys.hold(purse.rules.sam) as session:
            check_rules(work.card, work.target, test_keys=session.source.test, today=work.clock().date())
            terminal = session.terminal_number()
            key_index = purse.key_index(session.key_index(purse.rules.sam))
            try:
                initialized = purse.initialize(operation, amounts, terminal, key_index)
                initialized = self._compare_with_journal(session, initialized, terminal, key_index)
            except DECLINES as error:
                return work.declined(error.code)
            now = work.clock()
            order = purse.order(operation, initialized, amounts, encode_time(now))
            authorization = session.authorize(order)
            sam_counter = work.sam_counter(session.source, terminal, authorization.sequence)
            context = CompositeContext(
                terminal=terminal,
                sequence=authorization.sequence,
                time=now,
                amount_fen=work.transaction.amount_fen,
                balance_before_fen=initialized.balance_fen,
                counter=initialized.counter,
            )
            records = self._update_records(self.records(context))
            armed = work.armed(
                initialized,
                terminal=terminal,
                key_source=session.source.name,
                key_index=key_index,
                mac1=authorization.mac1,
                sequence=authorization.sequence,
                card_time=order.time,
                records=records,
            )
            debiting = work.arm(armed, sam_counter)
            self.remember(debiting.transaction.id, authorization)
            return debiting.concluded(lambda: self._debit(session, authorization, armed))

    def _compare_with_journal(
        self, session: PurchaseSession, initialized: Initialized, terminal: bytes, key_index: int
    ) -> Initialized:
        """Keys without a counter of their own cannot show that the journal is behind: the card's log can.

        Asked only when the card was used since this journal last saw it, and no further back than that.

        Raises:
            JournalBehind: The card remembers a transaction of this terminal that the journal does not know.
        """
        work, purse = self.work, self.work.target.purse
        operation = work.transaction.operation
        if session.source.counted or terminal == NO_TERMINAL or not work.ledger.freshness.log_checks_wanted:
            return initialized
        known = work.ledger.freshness.known_counter(work.card_key, operation) or 0
        if initialized.counter <= known:
            return initialized
        try:
            ours = list(self._remembered(terminal, known))
        except AccessDenied:
            return initialized
        work.ledger.freshness.check_log(work.card_key, terminal.hex(), ours)
        # No source says whether a read ends an open purchase, so it begins anew (EW PC-7).
        return purse.initialize(operation, work.transaction.amounts, terminal, key_index)

    def _remembered(self, terminal: bytes, known: int) -> Iterator[int]:
        """Counters, from `known` on, of the card's log records of this terminal."""
        purse = self.work.target.purse
        kinds = purse.same_counter(self.work.transaction.operation)
        for entry in purse.log():
            if entry.kind not in kinds:
                continue
            counter = purse.rules.log_number.counter(entry.number)
            if counter < known:
                return
            if entry.terminal == terminal:
                yield counter

    def _update_records(self, updates: Sequence[RecordUpdate]) -> tuple[tuple[int, int, str], ...]:
        """Hand the records to the card, which keeps them until DEBIT."""
        purse = self.work.target.purse
        if self.work.transaction.operation is not Operation.COMPOSITE or not isinstance(purse, WalletPurse):
            return ()
        for update in updates:
            purse.update_record(update)
        return tuple((update.sfi, update.record, update.data.hex().upper()) for update in updates)

    def _debit(self, session: PurchaseSession, authorization: Authorization, armed: Armed) -> Outcome:
        """Send DEBIT, once, let the card go, and have its MAC2 checked."""
        operation = self.work.transaction.operation
        command = self.work.target.purse.debit_command(operation, authorization, bytes.fromhex(armed.card_time))
        proof = self.work.send(command)
        if isinstance(proof, Outcome):
            return proof
        self.release()
        return changed(proof, session.check_mac2(proof.mac2 or b""), armed)
