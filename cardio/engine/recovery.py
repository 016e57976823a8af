"""What became of a transaction whose answer was lost: asked of the card, never guessed (OPS §4.3).

The order is fixed. The proof comes first, because other commands can spoil it. A proof whose MAC2 the PSAM accepts
decides alone. Otherwise the card's counter and log decide, since only the log names our terminal: a holder may have
paid elsewhere meanwhile, and then proof and counter tell of that other purchase. Two pieces that agree are needed;
pieces that disagree leave the question to a person.

Loads, unloads and overdraft updates are asked about in the same way, on the card's on-line counter; no keys of the
terminal can check their proof. So is the debit of a grey lock, whose purse tells no counter while it is locked: that it
is locked then speaks for it. Nothing is sent again that could change the card.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto

from cardio.engine.context import UNCERTAIN, changed, initialized_again
from cardio.engine.target import Target
from cardio.errors import CardError, PurseGreyLocked
from cardio.ledger.model import Armed, Evidence, Outcome, State, Transaction
from cardio.ledger.transitions import NEVER_SENT
from cardio.purse.operation import Operation
from cardio.purse.purse import MAX_COUNTER, CardProof, LogEntry
from cardio.security.keys import Authorization, Mac2, PurchaseKeys, PurchaseOrder, source_named

ENOUGH = 2
"""Independent pieces of evidence that decide (OPS T-13)."""


class _Log(Enum):
    """What the card's log says about our purchase."""

    OURS = auto()
    ANOTHERS = auto()
    OLDER = auto()
    SILENT = auto()


@dataclass
class Inquiry:
    """One try to find out about one transaction.

    Args:
        target: The purse that it was made on, selected again.
        transaction: The transaction, armed.
        armed: What was written down before the card could change.
        keys: Key source, if there is one.
        authorization: Its authorization, if this process still remembers it.
    """

    target: Target
    transaction: Transaction
    armed: Armed
    keys: PurchaseKeys | None = None
    authorization: Authorization | None = None
    _evidence: list[Evidence] = field(default_factory=list)
    _proof: CardProof | None = None
    _mac2: Mac2 = Mac2.UNCHECKED

    def decide(self) -> Outcome:
        """Ask the card, in order, only as much as is needed.

        Raises:
            ReaderError: The card left; nothing is decided.
        """
        if self.transaction.operation.online and not self.armed.card_time:
            return NEVER_SENT
        if self.transaction.operation is Operation.GREY_LOCK:
            return self._ask_whether_locked()
        refused = self._ask_proof()
        if self._mac2 is Mac2.OK:
            return self._debited()
        try:
            counter = self._ask_counter()
        except PurseGreyLocked:
            return self._lock_stands(refused=refused)
        if counter == self.armed.card_counter:
            return self._counter_stands(refused=refused)
        return self._counter_moved(counter, refused=refused)

    # ---- conclusions -----------------------------------------------------------------------------------------

    def _ask_whether_locked(self) -> Outcome:
        """A grey lock: INITIALIZE FOR GREY LOCK, which changes nothing.

        The lock leaves no proof, no record and no number. One piece is enough, because it moves no money, and what the
        purse says of itself is all that matters to the sale: one that is not locked cannot be charged under this lock
        whatever became of it, so that no fuel may flow; one that is locked needs its debit or a host.
        """
        try:
            self.target.purse.initialize(Operation.GREY_LOCK, self.transaction.amounts, *self._asker)
        except PurseGreyLocked:
            self._found("lock", True, "9408")
            return self._debited()
        except CardError:
            return UNCERTAIN
        self._found("lock", False, "not locked")
        return self._not_debited()

    def _lock_stands(self, *, refused: bool) -> Outcome:
        """The purse is grey-locked: the debit of that lock was not made, if one more piece agrees.

        A lock that another terminal made since looks the same, and may drive our proof out; log and balance tell.
        """
        if self.transaction.operation is not Operation.GREY_DEBIT or self._proof is not None:
            # Not our lock: a debit with a proof has freed the purse.
            return self._counter_moved(None, refused=refused)
        log = self._ask_log()
        if log is _Log.OURS:
            self._found("log", True, "our record")
            return self._debited()
        self._found("lock", False, "9408")
        if refused:
            self._found("proof", False, "9406")
        if log is not _Log.SILENT:
            self._found("log", False, "our record is not there")
        return self._by_balance()

    def _counter_stands(self, *, refused: bool) -> Outcome:
        """The counter is where it was before DEBIT: not debited, if one more piece agrees."""
        self._found("counter", False, f"still {self.armed.card_counter}")
        if self._proof is not None:
            return self._conflict()
        if refused:
            self._found("proof", False, "9406")
            return self._not_debited()
        if self._ask_log() is _Log.OLDER:
            self._found("log", False, "our record is not there")
            return self._not_debited()
        return self._by_balance()

    def _counter_moved(self, counter: int | None, *, refused: bool) -> Outcome:
        """Some transaction was made, or INITIALIZE was refused: the log knows whose."""
        detail = f"{self.armed.card_counter} -> {counter}"
        match self._ask_log():
            case _Log.OURS:
                self._found("log", True, "our record")
                return self._debited()
            case _Log.ANOTHERS:
                # A number is used once: if another transaction has ours, ours was not made.
                self._found("log", False, "our number belongs to another transaction")
                self._found("counter", False, detail)
                return self._not_debited()
            case _Log.OLDER:
                self._found("log", False, "our record is not there")
                if counter is not None:
                    self._found("counter", True, detail)
                    return self._conflict()
                if refused:
                    self._found("proof", False, "9406")
            case _Log.SILENT:
                # A refused proof says nothing here: it lives only until the next transaction on the purse.
                if self._mac2 is Mac2.WRONG:
                    # Our number, but not our session: the holder paid elsewhere, which explains the counter too.
                    self._found("proof", False, "MAC2 of another purchase")
                else:
                    if self._proof is not None:
                        self._found("proof", True, "9000")
                        self._ask_balance(proven=True)
                    if counter == self.armed.card_counter + 1:
                        self._found("counter", True, detail)
        return self._by_count() or self._by_balance()

    def _by_balance(self) -> Outcome:
        self._ask_balance(proven=False)
        return self._by_count() or replace(UNCERTAIN, evidence=tuple(self._evidence))

    def _by_count(self) -> Outcome | None:
        says = [piece.debited for piece in self._evidence]
        if True in says and False in says:
            return self._conflict()
        if len(says) < self._enough:
            return None
        return self._debited() if says[0] else self._not_debited()

    @property
    def _enough(self) -> int:
        """A debit for unlock over nothing moves as little money as its lock: one piece is enough."""
        nothing = self.transaction.operation is Operation.GREY_DEBIT and self.transaction.amount_fen == 0
        return 1 if nothing else ENOUGH

    def _debited(self) -> Outcome:
        mac2 = self._mac2 if self.transaction.operation.has_mac2 else None
        return replace(changed(self._proof, mac2, self.armed), evidence=tuple(self._evidence), recovered=True)

    def _not_debited(self) -> Outcome:
        return Outcome(
            State.NOT_DEBITED,
            evidence=tuple(self._evidence),
            recovered=True,
            error="transaction.not-debited",
        )

    def _conflict(self) -> Outcome:
        if self._proof is not None:
            self._found("proof", True, "9000")
        return Outcome(
            State.UNCERTAIN,
            evidence=tuple(self._evidence),
            error="transaction.evidence-conflict",
        )

    def _found(self, kind: str, debited: bool, detail: str) -> None:
        if all(piece.kind != kind for piece in self._evidence):
            self._evidence.append(Evidence(kind, debited, detail))

    # ---- questions to the card -------------------------------------------------------------------------------

    def _ask_proof(self) -> bool:
        """Take the proof, and its MAC2 to the keys if they still hold this purchase; True if the card says 9406."""
        try:
            self._proof = self.target.purse.proof(self.transaction.operation, self.armed.card_counter)
        except CardError:
            # Neither a proof nor 9406 says something; 6985, for one, is met in practice (OPS §4.3).
            return False
        if self._proof is None:
            return True
        source = source_named(self.keys, self.armed.key_source)
        if source is not None and self._proof.mac2 is not None:
            self._mac2 = source.recheck_mac2(self._order(), self.authorization, self._proof.mac2)
        if self._mac2 is Mac2.OK:
            self._found("proof", True, "9000, MAC2 ok")
        return False

    def _order(self) -> PurchaseOrder:
        """The purchase as the keys need it again, from what the journal remembers."""
        armed, transaction = self.armed, self.transaction
        time = bytes.fromhex(armed.card_time)
        order = self.target.purse.order(transaction.operation, initialized_again(armed), transaction.amounts, time)
        return replace(order, sequence=armed.terminal_sequence)

    @property
    def _asker(self) -> tuple[bytes, int]:
        """Terminal number and key index for INITIALIZE."""
        return bytes.fromhex(self.armed.terminal_number), self.armed.key_index

    def _ask_counter(self) -> int | None:
        try:
            return self.target.purse.counter_now(self.transaction.operation, *self._asker)
        except PurseGreyLocked:
            raise
        except CardError:
            return None

    def _ask_balance(self, *, proven: bool) -> None:
        """The balance tells if the transaction moves it and nothing else did.

        While a proof of our number lasts, nothing followed it: any other balance than ours then speaks of another's
        transaction under our number.
        """
        before, after = self.armed.balance_before, self.armed.balance_expected
        if before == after:
            return
        try:
            balance = self.target.purse.balance()
        except CardError:
            return
        if proven or balance in {before, after}:
            self._found("balance", balance == after, f"{before} -> {balance}")

    def _ask_log(self) -> _Log:
        purse, operation = self.target.purse, self.transaction.operation
        number = purse.rules.log_number.number(self.armed.card_counter)
        kinds = purse.same_counter(operation)
        try:
            for entry in purse.log():
                if entry.kind not in kinds:
                    continue
                if entry.number == number:
                    return _Log.OURS if self._is_ours(entry) else _Log.ANOTHERS
                if entry.number == (number - 1) & MAX_COUNTER:
                    return _Log.OLDER
        except CardError:
            return _Log.SILENT
        # A log without any such record is older than ours only on a card that never made one.
        return _Log.OLDER if self.armed.card_counter == 0 else _Log.SILENT

    def _is_ours(self, entry: LogEntry) -> bool:
        operation = self.transaction.operation
        return (
            entry.kind == self.target.purse.step(operation).kind
            # No source says which amount a log shows for a new overdraft limit.
            and (operation is Operation.OVERDRAFT or entry.amounts == self.transaction.amounts)
            and entry.terminal.hex() == self.armed.terminal_number
            and entry.time.hex() == self.armed.card_time
        )
