"""The way of purchases, cash withdrawals and composite purchases: the terminal's keys allow them (EW §6.1, SSC §7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from cardio.apdu.status import PURSE
from cardio.engine.context import DECLINES, REFUSED, UNCERTAIN, Work
from cardio.engine.target import check_amount, check_rules
from cardio.errors import AccessDenied, CardDataInvalid, ReaderError, StoreError
from cardio.files.dates import encode_time
from cardio.ledger.model import Armed, Outcome, State, Transaction
from cardio.purse.composite import CompositeContext, RecordBuilder, RecordUpdate, no_records
from cardio.purse.operation import Operation
from cardio.purse.purse import Initialized, parse_proof
from cardio.purse.wallet import WalletPurse
from cardio.security.keys import Authorization, Mac2, PurchaseKeys, PurchaseSession

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
        check_rules(work.card, work.target, test_keys=self.keys.test, today=work.clock().date())
        check_amount(work.target, amounts)
        with self.keys.hold() as session:
            terminal = session.terminal_number()
            key_index = purse.key_index(session.key_index(purse.rules.sam))
            try:
                initialized = purse.initialize(operation, amounts, terminal, key_index)
                initialized = self._compare_with_journal(initialized, terminal, key_index)
            except DECLINES as error:
                return work.declined(error.code)
            now = work.clock()
            order = purse.order(operation, initialized, amounts, encode_time(now))
            authorization = session.authorize(order)
            sam_counter = f"{terminal.hex()}/{purse.rules.sam.selector.hex()}" if self.keys.counted else None
            if sam_counter is not None:
                work.ledger.check_sequence(
                    sam_counter, authorization.sequence, slack=int(purse.rules.sam.counts_attempts)
                )
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
                key_source=self.keys.name,
                key_index=key_index,
                mac1=authorization.mac1,
                sequence=authorization.sequence,
                card_time=order.time,
                records=records,
            )
            transaction = work.ledger.arm(work.transaction, armed, sam_counter)
            self.remember(transaction.id, authorization)
            debiting = replace(work, transaction=transaction)
            try:
                outcome = self._debit(session, authorization, armed)
            except BaseException:
                # A bug must not leave the question open in memory only; if the disk fails too, ARMED stands there.
                with suppress(StoreError):
                    debiting.ledger.record(transaction, UNCERTAIN)
                raise
        return debiting.record(outcome)

    def _compare_with_journal(self, initialized: Initialized, terminal: bytes, key_index: int) -> Initialized:
        """Keys without a counter of their own cannot show that the journal is behind: the card's log can.

        Asked only when the card was used since this journal last saw it, and no further back than that.

        Raises:
            JournalBehind: The card remembers a transaction of this terminal that the journal does not know.
        """
        work, purse = self.work, self.work.target.purse
        operation = work.transaction.operation
        if self.keys.counted or terminal == NO_TERMINAL or not work.ledger.log_checks_wanted:
            return initialized
        known = work.ledger.known_counter(work.card_key, operation) or 0
        if initialized.counter <= known:
            return initialized
        try:
            ours = list(self._remembered(terminal, known))
        except AccessDenied:
            return initialized
        work.ledger.check_log(work.card_key, terminal.hex(), ours)
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
        """Send DEBIT, once; everything that can go wrong from here on is an outcome, not an exception."""
        operation = self.work.transaction.operation
        command = self.work.target.purse.debit_command(operation, authorization, bytes.fromhex(armed.card_time))
        try:
            response = self.work.card.send(command)
            if response.sw in REFUSED:
                return Outcome(State.DECLINED, error=PURSE.error(response.sw, command.name).code)
            if not response.ok:
                return UNCERTAIN
            proof = parse_proof(operation, response.data)
        except (ReaderError, CardDataInvalid):
            return UNCERTAIN
        self.release()
        mac2 = session.check_mac2(proof.mac2 or b"")
        wrong = mac2 is Mac2.WRONG
        return Outcome(
            State.NOT_GENUINE if wrong else State.COMPLETED,
            tac=proof.tac.hex().upper(),
            mac2=mac2,
            balance_after=armed.balance_expected,
            error="mac2.invalid" if wrong else None,
        )
