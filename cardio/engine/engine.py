"""Money on cards: the way of one debit, of a settlement, and back from a torn one (design §3).

The engine runs in the thread that owns the card's reader. Nothing that can move money leaves before the journal has
it on disk; nothing is charged again unasked; an unknown outcome is a state, never a guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from cardio.apdu.connection import CardConnection
from cardio.apdu.status import PURSE
from cardio.applications.medical import MedicalAmounts
from cardio.engine.recovery import Inquiry
from cardio.engine.requests import DebitRequest, SettleRequest
from cardio.engine.target import Target, check_rules, open_target, require
from cardio.errors import (
    ApplicationBlocked,
    CardDataInvalid,
    CardHasPending,
    CounterExhausted,
    FundsInsufficient,
    KeyIndexUnsupported,
    ReaderError,
    SamAbsent,
    StoreError,
)
from cardio.ledger.ledger import Ledger, now
from cardio.ledger.model import (
    Armed,
    CardReference,
    Outcome,
    Settlement,
    State,
    Transaction,
)
from cardio.products.catalogue import Catalogue
from cardio.purse.purse import Initialized, PurseKind, parse_debit
from cardio.security.keys import Authorization, Mac2, PurchaseKeys, PurchaseSession
from cardio.transport.channel import Channel

DECLINES = (FundsInsufficient, CounterExhausted, KeyIndexUnsupported, ApplicationBlocked)
"""Refusals of INITIALIZE that are final for their key: the same sale can't succeed on this card."""

REFUSED_DEBIT = frozenset({0x6700, 0x6901, 0x6985, 0x6A86, 0x6D00, 0x6E00, 0x9302, 0x9401})
"""Answers to DEBIT by which the card says that it changed nothing; any other leaves the outcome open (EW §3.3)."""


class Engine:
    """Debits and settlements of one terminal.

    Args:
        ledger: The journal; there is no way round it.
        catalogue: Card products.
        keys: Purchase keys; without them cards can be read and recovered, not charged.
        clock: Source of the time.
    """

    def __init__(
        self,
        ledger: Ledger,
        catalogue: Catalogue,
        keys: PurchaseKeys | None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.ledger = ledger
        self.catalogue = catalogue
        self.keys = keys
        self._clock = clock
        self._authorizations: dict[str, Authorization] = {}

    # ---- debit -----------------------------------------------------------------------------------------------

    def begin_debit(self, request: DebitRequest) -> Transaction:
        """Write the request down, or find what became of it; touches no card.

        Raises:
            AmountInvalid: The amount is not 1 to 0x7FFFFFFF.
            IdempotencyMismatch: The key belongs to another request.
        """
        request.check()
        return self.ledger.begin_transaction(
            request.request,
            PurseKind.WALLET,
            (request.amount_fen,),
            request.reference,
            request.operator,
        )

    def debit(self, transaction: Transaction, channel: Channel) -> Transaction:
        """Do what a transaction asks, on the card of `channel`: charge it, or find out whether it was charged.

        Returns:
            The transaction as it stands: `completed`, `not_genuine`, `declined`, `uncertain` or `not_debited`.

        Raises:
            CardioError: Refused before anything could move; the key can be used again.
        """
        card = CardConnection(channel)
        target = open_target(card, self.catalogue, transaction.purse)
        return self._work(card, require(target, transaction.purse), transaction)

    # ---- settlement ------------------------------------------------------------------------------------------

    def begin_settlement(self, request: SettleRequest) -> Settlement:
        """Write the bill down, or find what became of it; touches no card.

        Raises:
            BillInconsistent: Its parts do not add up.
            AmountInvalid: A part is negative or too large, or there is nothing to settle.
            IdempotencyMismatch: The key belongs to another request.
        """
        request.check()
        return self.ledger.begin_settlement(
            request.request, request.bill, request.tender, request.reference, request.operator
        )

    def settle(self, settlement: Settlement, channel: Channel, pin: str | None = None) -> Settlement:
        """Do the legs of a settlement that the presented card can pay, in the order medical, wallet.

        Returns:
            The settlement as it stands; `awaiting_card` if a leg wants another card.

        Raises:
            CardioError: Refused before anything could move on the next leg.
        """
        card = CardConnection(channel)
        while (kind := settlement.next_purse) is not None:
            target = open_target(card, self.catalogue, kind, pin)
            if target is None:
                if not settlement.legs:
                    require(target, kind)
                break
            known = settlement.leg(kind)
            if known is None or known.state is State.ACCEPTED:
                known = self.ledger.begin_leg(settlement, kind, leg_amounts(settlement, target))
            leg = self._work(card, target, known)
            settlement = self.ledger.settlement(settlement.id)
            if not leg.state.final:
                break
        return settlement

    # ---- recovery --------------------------------------------------------------------------------------------

    def recover(self, channel: Channel, pin: str | None = None) -> list[Transaction]:
        """Resolve every open question about the presented card; return the transactions looked at.

        Raises:
            PinError: The medical account wants its PIN first.
            ReaderError: The card left.
        """
        card = CardConnection(channel)
        looked_at: list[Transaction] = []
        for kind in sorted(self.ledger.pending_purses()):
            target = open_target(card, self.catalogue, kind, pin)
            if target is not None:
                looked_at += self._resolve_pending(target)
        return looked_at

    def _resolve_pending(self, target: Target) -> list[Transaction]:
        key = self.ledger.card_key(target.purse.kind, target.identity)
        return [self._resolve(target, pending) for pending in self.ledger.pending(key)]

    def _resolve(self, target: Target, transaction: Transaction) -> Transaction:
        if transaction.armed is None:
            raise RuntimeError(f"transaction {transaction.id} is pending but was never armed")
        inquiry = Inquiry(
            target,
            transaction,
            transaction.armed,
            self.keys,
            self._authorizations.get(transaction.id),
        )
        resolved = self.ledger.record(transaction, inquiry.decide())
        if resolved.state.final:
            self._authorizations.pop(transaction.id, None)
        return resolved

    # ---- the way of one purchase -----------------------------------------------------------------------------

    def _work(self, card: CardConnection, target: Target, transaction: Transaction) -> Transaction:
        open_questions = [t for t in self._resolve_pending(target) if not t.state.final]
        transaction = self.ledger.transaction(transaction.id)
        if transaction.state is not State.ACCEPTED:
            return transaction
        if open_questions:
            raise CardHasPending(f"transaction {open_questions[0].id} is open")
        return self._purchase(card, target, transaction)

    def _purchase(self, card: CardConnection, target: Target, transaction: Transaction) -> Transaction:
        if self.keys is None:
            raise SamAbsent("no purchase keys are configured")
        check_rules(card, target, self.keys, transaction.amounts, self._clock().date())
        with self.keys.hold() as session:
            terminal = session.terminal_number()
            key_index = session.key_index(target.purse.rules.sam)
            try:
                initialized = target.purse.initialize(transaction.amounts, terminal, key_index)
            except DECLINES as error:
                return self.ledger.record(transaction, Outcome(State.DECLINED, error=error.code))
            order = target.purse.order(initialized, transaction.amounts, self._clock())
            authorization = session.authorize(order)
            armed = self._armed(card, target, initialized, authorization, order.time, terminal, key_index)
            transaction = self.ledger.arm(transaction, armed)
            self._authorizations[transaction.id] = authorization
            try:
                outcome = self._debit(card, target, session, authorization, armed, transaction)
            except BaseException:
                # A bug must not leave the question open in the journal's eyes only.
                self.ledger.record(transaction, _UNCERTAIN)
                raise
        return self._record(transaction, outcome)

    def _armed(
        self,
        card: CardConnection,
        target: Target,
        initialized: Initialized,
        authorization: Authorization,
        time: bytes,
        terminal: bytes,
        key_index: int,
    ) -> Armed:
        key = self.ledger.card_key(target.purse.kind, target.identity)
        return Armed(
            reader=card.channel.reader,
            product=target.product.id,
            application=target.application,
            card=CardReference(key, target.masked, target.number),
            terminal_number=terminal.hex(),
            terminal_sequence=authorization.sequence,
            key_source=self.keys.name if self.keys else "",
            key_index=key_index,
            key_version=initialized.key_version,
            algorithm_id=initialized.algorithm_id,
            card_counter=initialized.counter,
            card_time=time.hex(),
            mac1_sha256=hashlib.sha256(authorization.mac1).hexdigest(),
            balance_before=initialized.balance_fen,
        )

    def _debit(
        self,
        card: CardConnection,
        target: Target,
        session: PurchaseSession,
        authorization: Authorization,
        armed: Armed,
        transaction: Transaction,
    ) -> Outcome:
        """Send DEBIT, once; everything that can go wrong from here on is an outcome, not an exception."""
        command = target.purse.debit_command(authorization, bytes.fromhex(armed.card_time))
        try:
            response = card.send(command)
            if response.sw in REFUSED_DEBIT:
                error = PURSE.error(response.sw, command.name)
                return Outcome(State.DECLINED, error=error.code)
            if not response.ok:
                return _UNCERTAIN
            debited = parse_debit(response.data)
        except (ReaderError, CardDataInvalid):
            return _UNCERTAIN
        mac2 = session.check_mac2(debited.mac2)
        wrong = mac2 is Mac2.WRONG
        return Outcome(
            State.NOT_GENUINE if wrong else State.COMPLETED,
            tac=debited.tac.hex().upper(),
            mac2=mac2,
            balance_after=armed.balance_before - transaction.amount_fen,
            error="mac2.invalid" if wrong else None,
        )

    def _record(self, transaction: Transaction, outcome: Outcome) -> Transaction:
        try:
            recorded = self.ledger.record(transaction, outcome)
        except StoreError as error:
            # The journal still says ARMED; the card knows the truth and will be asked.
            unwritten = replace(outcome, state=State.UNCERTAIN, error=error.code)
            return replace(transaction, state=State.UNCERTAIN, outcome=unwritten)
        if recorded.state.final:
            self._authorizations.pop(transaction.id, None)
        return recorded


def leg_amounts(settlement: Settlement, target: Target) -> tuple[int, ...]:
    """Amounts of one leg, by the card's mode for the medical one (SSC §7.3, §7.4)."""
    bill = settlement.bill
    if target.mode is None:
        return (bill.self_pay_fen,)
    amounts = MedicalAmounts(bill.total_fen, bill.fund_fen, bill.account_fen, bill.self_pay_fen)
    return amounts.on_card(target.mode)


_UNCERTAIN = Outcome(State.UNCERTAIN, error="transaction.uncertain")
