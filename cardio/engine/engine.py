"""Money on cards: what can be asked for, and how it is carried out, found out about, and ended (design §3).

The engine runs in the thread that owns the card's reader. Nothing that can move money leaves before the journal has
it on disk; nothing is charged again unasked; an unknown outcome is a state, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from cardio.apdu.connection import CardConnection
from cardio.applications.medical import CardMode, MedicalAmounts
from cardio.applications.pin import verify_pin
from cardio.engine.card_notes import CardNotes, promising
from cardio.engine.context import Work
from cardio.engine.grey import GreyDebit, GreyLock
from cardio.engine.offline import OfflineOperation, nothing_to_release
from cardio.engine.online import OnlineOperation, tell_host
from cardio.engine.recovery import Inquiry
from cardio.engine.requests import DebitRequest, OnlineRequest, SettleRequest, check_refuelled
from cardio.engine.target import Target, open_target, require
from cardio.engine.transit import Decide, TransitCard
from cardio.errors import (
    CardChanged,
    CardHasPending,
    HostMissing,
    JournalBehind,
    OperationUnsupported,
    PinError,
    SamAbsent,
    TransactionCancelled,
)
from cardio.ledger.bill import MutualAid
from cardio.ledger.ledger import Ledger, now
from cardio.ledger.model import Request, Resolution, Settlement, State, Transaction
from cardio.products.catalogue import Catalogue
from cardio.products.detection import find_social_security
from cardio.purse.composite import RecordBuilder, no_records
from cardio.purse.operation import Operation, PurseKind
from cardio.security.authentication import AuthenticationKeys
from cardio.security.keys import Authorization, PurchaseKeys
from cardio.security.load_host import LoadHost
from cardio.transport.channel import Channel


class Engine:
    """Money operations of one terminal.

    Args:
        ledger: The journal; there is no way round it.
        catalogue: Card products.
        keys: Purchase keys; without them cards can be read and recovered, not charged.
        host: Host for loads, unloads and overdraft limits; None if there is none.
        clock: Source of the time.
        authentication: Authentication keys for the bookkeeping on social security cards; None if there are none.
    """

    def __init__(
        self,
        ledger: Ledger,
        catalogue: Catalogue,
        keys: PurchaseKeys | None,
        host: LoadHost | None = None,
        clock: Callable[[], datetime] = now,
        *,
        authentication: AuthenticationKeys | None = None,
    ) -> None:
        self.ledger = ledger
        self.catalogue = catalogue
        self.keys = keys
        self.host = host
        self.authentication = authentication
        self._clock = clock
        self._authorizations: dict[str, Authorization] = {}

    # ---- debit -----------------------------------------------------------------------------------------------

    def begin_debit(self, request: DebitRequest) -> Transaction:
        """Write the request down, or find what became of it; touches no card.

        Raises:
            AmountInvalid: The amount is not 1 to 0x7FFFFFFF; zero is for composite purchases.
            IdempotencyMismatch: The key belongs to another request.
        """
        request.check()
        return self.ledger.begin_transaction(
            request.request,
            PurseKind.WALLET,
            request.operation,
            (request.amount_fen,),
            request.reference,
            request.operator,
        )

    def debit(
        self,
        transaction: Transaction,
        channel: Channel,
        pin: str | None = None,
        records: RecordBuilder = no_records,
        release: Callable[[], None] = nothing_to_release,
    ) -> Transaction:
        """Do what a transaction asks, on the card of `channel`: charge it, or find out whether it was charged.

        Args:
            transaction: From `begin_debit`.
            channel: The presented card.
            pin: For a passbook, if it is not to be typed on a PIN pad.
            records: Records that a composite purchase writes together with the purse.
            release: Called when the card may be taken away; the check of its MAC2 follows.

        Returns:
            The transaction as it stands: `completed`, `not_genuine`, `declined`, `uncertain`, `not_debited`, or
            `cancelled` meanwhile.

        Raises:
            CardioError: Refused before anything could move; the key can be used again.
        """
        card = CardConnection(channel)
        found = open_target(card, self.catalogue, transaction.purse, pin, transaction.operation)
        target = require(found, transaction.purse)
        return self._work(card, target, transaction, lambda work: self._charge(work, records, release))

    def tap(
        self, channel: Channel, decide: Decide, release: Callable[[], None] = nothing_to_release
    ) -> Transaction | None:
        """A card held to a gate, a bus validator or a rental dock: look at it, decide, charge it.

        What is open about the card is found out first. The card is selected once; `decide` may read more of it.

        Args:
            channel: The presented card.
            decide: Sees the card, and what was found out about it just now; says what to charge and which records to
                write, or None to let the card go uncharged.
            release: Called when the card may be taken away.

        Returns:
            The new transaction, or None.

        Raises:
            CardioError: Refused before anything could move.
        """
        card = CardConnection(channel)
        target = require(open_target(card, self.catalogue, PurseKind.WALLET), PurseKind.WALLET)
        resolved = self._resolve_pending(target)
        asked = decide(TransitCard(card, target, tuple(resolved)))
        if asked is None:
            return None
        transaction = self.begin_debit(asked.request)
        if transaction.state is not State.ACCEPTED:
            return transaction
        _refuse_pending(resolved)
        work = self._on(card, target, transaction, self.ledger.freshness.behind)
        return self._unless_cancelled(work, lambda work: self._charge(work, asked.records, release))

    # ---- grey lock ---------------------------------------------------------------------------------------------

    def begin_grey_lock(self, request: Request, reference: str, operator: str | None = None) -> Transaction:
        """Write a grey lock down, or find what became of it; touches no card.

        Args:
            request: Key and caller.
            reference: The caller's sale.
            operator: Who sits at the counter.

        Raises:
            IdempotencyMismatch: The key belongs to another request.
        """
        return self.ledger.begin_transaction(request, PurseKind.WALLET, Operation.GREY_LOCK, (0,), reference, operator)

    def grey_lock(self, transaction: Transaction, channel: Channel, pin: str | None = None) -> Transaction:
        """Lock the wallet of the presented card before refuelling, or find out whether it was locked (EW §3.5).

        Args:
            transaction: From `begin_grey_lock`.
            channel: The presented card.
            pin: For a passbook, if it is not to be typed on a PIN pad.

        Returns:
            The transaction as it stands: `completed` with the GTAC, `not_genuine`, `declined`, `uncertain`, or
            `not_debited` for a purse that was found not to be locked. Fuel may flow when it is `completed` and MAC2 is
            `ok`.

        Raises:
            PurseGreyLocked: An earlier lock is on the purse.
            CardioError: Refused before anything could change; the key can be used again.
        """
        return self._grey(transaction, channel, pin, lambda work: GreyLock(work, self._purchase_keys()).run())

    def begin_grey_debit(
        self, request: Request, lock: str, amount_fen: int, reference: str, operator: str | None = None
    ) -> Transaction:
        """Write the debit of a grey lock down, or find what became of it; touches no card.

        Args:
            request: Key and caller.
            lock: Id of the lock, one of `Ledger.open_locks`.
            amount_fen: What was refuelled, 0 to 0x7FFFFFFF; 0 frees the purse without a charge.
            reference: The caller's sale.
            operator: Who sits at the counter.

        Raises:
            AmountInvalid: The amount is out of range.
            LockClosed: There is no such lock, or it was charged.
            IdempotencyMismatch: The key belongs to another request.
        """
        check_refuelled(amount_fen)
        return self.ledger.begin_transaction(
            request, PurseKind.WALLET, Operation.GREY_DEBIT, (amount_fen,), reference, operator, grey_lock=lock
        )

    def grey_debit(self, transaction: Transaction, channel: Channel, pin: str | None = None) -> Transaction:
        """Charge what was refuelled to the locked card and free it, or find out whether it was charged (EW §3.5).

        Args:
            transaction: From `begin_grey_debit`.
            channel: The presented card.
            pin: For a passbook, if it is not to be typed on a PIN pad.

        Returns:
            The transaction as it stands. After `not_debited` and `declined` the lock stands, and a new key may charge
            it.

        Raises:
            CardChanged: It is not the card that was locked.
            CardioError: Refused before anything could move; the key can be used again.
        """
        return self._grey(transaction, channel, pin, lambda work: GreyDebit(work, self._purchase_keys()).run())

    def _grey(
        self, transaction: Transaction, channel: Channel, pin: str | None, act: Callable[[Work], Transaction]
    ) -> Transaction:
        card = CardConnection(channel)
        found = open_target(card, self.catalogue, transaction.purse, pin, transaction.operation)
        return self._work(card, require(found, transaction.purse), transaction, act)

    # ---- load, unload, overdraft limit -------------------------------------------------------------------------

    def begin_online(self, request: OnlineRequest) -> Transaction:
        """Write a load, an unload or a new overdraft limit down, or find what became of it; touches no card.

        Raises:
            AmountInvalid: The amount is outside the purse's range.
            OperationUnsupported: No such operation on that purse, or none that gives a purchase back.
            TransactionUnknown: There is no such purchase as it gives back.
            NotReversible: That purchase has not so much left, or was paid by another purse.
            IdempotencyMismatch: The key belongs to another request.
        """
        request.check()
        return self.ledger.begin_transaction(
            request.request,
            request.purse,
            request.operation,
            (request.amount_fen,),
            request.reference,
            request.operator,
            reverses=request.reverses,
        )

    def online(self, transaction: Transaction, channel: Channel, pin: str | None = None) -> Transaction:
        """Do what an on-line transaction asks, on the card of `channel`, or find out whether it was done.

        Returns:
            The transaction as it stands; `not_debited` says that the card is as it was.

        Raises:
            CardChanged: It gives a purchase back, and this is not the card that paid.
            CardioError: Refused before anything could move; the key can be used again.
        """
        card = CardConnection(channel)
        found = open_target(card, self.catalogue, transaction.purse, pin, transaction.operation)
        done = self._work(card, require(found, transaction.purse), transaction, self._ask_host)
        self.tell_host()
        return done

    def tell_host(self) -> int:
        """Tell the host how on-line operations ended; returns how many it does not know yet."""
        return tell_host(self.ledger, self.host)

    # ---- settlement ------------------------------------------------------------------------------------------

    def begin_settlement(self, request: SettleRequest) -> Settlement:
        """Write the bill down, or find what became of it; touches no card.

        Raises:
            BillInconsistent: Its parts do not add up.
            AmountInvalid: A part is negative or too large, or there is nothing to settle.
            InputInvalid: There is no such settlement class.
            IdempotencyMismatch: The key belongs to another request.
        """
        request.check()
        return self.ledger.begin_settlement(
            request.request,
            request.bill,
            request.tender,
            request.reference,
            request.operator,
            details=request.details,
            settlement_class=request.settlement_class,
            temporary_offline=request.temporary_offline,
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
            # The PIN is the social security card's; the wallet of a combined card asks for none.
            target = open_target(card, self.catalogue, kind, pin if kind is PurseKind.MEDICAL else None)
            if target is None:
                if not settlement.legs:
                    require(target, kind)
                break
            known = settlement.leg(kind)
            if known is None or known.state is State.ACCEPTED:
                try:
                    known = self.ledger.begin_leg(settlement, kind, leg_amounts(settlement, target))
                except TransactionCancelled:
                    return self.ledger.settlement(settlement.id)
            leg = self._work(card, target, known, self._charge, settlement)
            settlement = self.ledger.settlement(settlement.id)
            if not leg.state.final:
                break
        return settlement

    # ---- recovery --------------------------------------------------------------------------------------------

    def recover(self, channel: Channel, pin: str | None = None) -> list[Transaction]:
        """Resolve every open question about the presented card; return the transactions looked at.

        Args:
            channel: The presented card.
            pin: With it, a card can be asked more; the medical account and a passbook need it.

        Raises:
            PinError: The purse wants its PIN first.
            ReaderError: The card left.
        """
        card = CardConnection(channel)
        looked_at: list[Transaction] = []
        asked = self.ledger.pending_purses()
        for kind in sorted(asked):
            target = open_target(card, self.catalogue, kind, pin)
            if target is not None:
                self._ask_for_load_pin(card, target)
                resolved = self._resolve_pending(target)
                self._write_notes(self._notes(card, target), resolved)
                looked_at += resolved
        self.tell_host()
        if PurseKind.MEDICAL not in asked and self._owes_notes(card):
            target = require(open_target(card, self.catalogue, PurseKind.MEDICAL, pin), PurseKind.MEDICAL)
            self._write_notes(self._notes(card, target), self._pending(target))
        return looked_at

    @property
    def awaited_purses(self) -> set[PurseKind]:
        """Purses whose next presentation is awaited: about which a question is open, or which are owed bookkeeping."""
        owed = {PurseKind.MEDICAL} if self.authentication is not None and self.ledger.owes_notes else set()
        return self.ledger.pending_purses() | owed

    def _owes_notes(self, card: CardConnection) -> bool:
        """Whether it is worth asking the holder for the PIN to bring the card's bookkeeping up to date."""
        if self.authentication is None or not self.ledger.owes_notes:
            return False
        found = find_social_security(card, self.catalogue)
        if found is None:
            return False
        card_key = self.ledger.card_key(PurseKind.MEDICAL, found.application.identity().key)
        return any(promising(note) for _, note in self.ledger.card_notes(card_key))

    def _ask_for_load_pin(self, card: CardConnection, target: Target) -> None:
        """The on-line counter is told after the PIN only; without it the question stays open, others are answered."""
        if target.load_pin and any(one.operation.online for one in self._pending(target)):
            with suppress(PinError):
                verify_pin(card, None)

    def resolve(self, identifier: str, resolution: Resolution) -> Transaction:
        """End a question that no card will answer any more, by the word of two persons.

        Raises:
            TransactionUnknown: There is no such transaction.
            TransactionClosed: It is not open.
        """
        resolved = self.ledger.resolve(identifier, resolution)
        self._authorizations.pop(identifier, None)
        self.tell_host()
        return resolved

    def _pending(self, target: Target) -> list[Transaction]:
        return self.ledger.pending(self._card_key(target))

    def _card_key(self, target: Target) -> str:
        return self.ledger.card_key(target.purse.kind, target.identity)

    def _resolve_pending(self, target: Target) -> list[Transaction]:
        return [self._resolve(target, pending) for pending in self._pending(target)]

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
        return self._forget(self.ledger.record(transaction, inquiry.decide()))

    # ---- one operation on one card -----------------------------------------------------------------------------

    def _work(
        self,
        card: CardConnection,
        target: Target,
        transaction: Transaction,
        act: Callable[[Work], Transaction],
        settlement: Settlement | None = None,
    ) -> Transaction:
        """Resolve what is open about the card, then act if the transaction has not been acted on yet.

        Bookkeeping that is owed to the card comes before anything new, that of `settlement` after it.
        """
        card_key = self._card_key(target)
        known = self.ledger.standing(transaction.id, card_key)
        resolved = [self._resolve(target, pending) for pending in known.pending]
        notes = self._notes(card, target)
        self._write_notes(notes, resolved)
        if resolved or notes is not None:
            # The transaction can be one of those, and everything can have changed while the card was at work.
            known = self.ledger.standing(transaction.id, card_key)
        if known.transaction.state is not State.ACCEPTED:
            return known.transaction
        _refuse_pending(resolved)
        work = self._on(card, target, known.transaction, known.behind)
        if notes is None or settlement is None:
            return self._unless_cancelled(work, act)
        done = self._unless_cancelled(replace(work, notes=notes.plan(settlement)), act)
        self._write_notes(notes, [done])
        return done

    def _unless_cancelled(self, work: Work, act: Callable[[Work], Transaction]) -> Transaction:
        """Act; a cancellation may come until ARMED is on disk, and then nothing was sent that changes the card."""
        try:
            return act(work)
        except TransactionCancelled:
            return self.ledger.transaction(work.transaction.id)

    def _notes(self, card: CardConnection, target: Target) -> CardNotes | None:
        return CardNotes.of(card, target, self.ledger, self.authentication)

    @staticmethod
    def _write_notes(notes: CardNotes | None, transactions: list[Transaction]) -> None:
        """Nothing is written to a card about which a question is open: its proof could be lost (OPS §4.3)."""
        if notes is not None and all(transaction.state.final for transaction in transactions):
            notes.write()

    def _on(
        self, card: CardConnection, target: Target, transaction: Transaction, behind: dict[str, object] | None
    ) -> Work:
        """The work on a purse, which must have the operation.

        Raises:
            JournalBehind: The journal was found to miss what `behind` says.
            OperationUnsupported: The purse does not have the operation.
        """
        if behind is not None:
            raise JournalBehind(", ".join(f"{name} {value}" for name, value in behind.items()))
        target.purse.step(transaction.operation)
        return Work(card, target, transaction, self.ledger, self._clock)

    def _charge(
        self,
        work: Work,
        records: RecordBuilder = no_records,
        release: Callable[[], None] = nothing_to_release,
    ) -> Transaction:
        keys = self._purchase_keys()
        operation = OfflineOperation(work, keys, self._authorizations.__setitem__, records, release)
        return self._forget(operation.run())

    def _purchase_keys(self) -> PurchaseKeys:
        if self.keys is None:
            raise SamAbsent("no purchase keys are configured")
        return self.keys

    def _require_payer(self, work: Work) -> None:
        """Money that is given back goes to the card that it came from.

        Raises:
            CardChanged: It is another card.
        """
        if work.transaction.reverses is None:
            return
        paid = self.ledger.transaction(work.transaction.reverses).armed
        if paid is None or paid.card.key != work.card_key:
            raise CardChanged("the purchase was paid with another card")

    def _ask_host(self, work: Work) -> Transaction:
        self._require_payer(work)
        if self.host is None:
            raise HostMissing
        if self.keys is None:
            raise SamAbsent("no PSAM gives the terminal number")
        with self.keys.hold() as session:
            terminal = session.terminal_number()
        return OnlineOperation(work, self.host, terminal).run()

    def _forget(self, transaction: Transaction) -> Transaction:
        """A final transaction's authorization is of no more use."""
        if transaction.state.final:
            self._authorizations.pop(transaction.id, None)
        return transaction


def leg_amounts(settlement: Settlement, target: Target) -> tuple[int, ...]:
    """Amounts of one leg, by the card's mode for the medical one (SSC §7.3, §7.4).

    Raises:
        OperationUnsupported: Part of what the off-line card would be charged is another person's to pay.
    """
    bill = settlement.bill
    if target.mode is None:
        return (bill.self_pay_fen,)
    if target.mode is CardMode.OFFLINE and bill.mutual_aid is MutualAid.INSIDE:
        raise OperationUnsupported("the card is its holder's account, and cannot pay from a family member's")
    amounts = MedicalAmounts(bill.total_fen, bill.fund_fen, bill.account_fen, bill.self_pay_fen)
    return amounts.on_card(target.mode)


def _refuse_pending(resolved: list[Transaction]) -> None:
    """Nothing new while a question about the card is open (OPS §2.6: a new debit would discard the proof).

    Raises:
        CardHasPending: One is.
    """
    for transaction in resolved:
        if not transaction.state.final:
            raise CardHasPending(f"transaction {transaction.id} is open")
