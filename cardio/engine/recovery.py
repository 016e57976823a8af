"""What became of a debit whose answer was lost: asked of the card, never guessed (OPS §4.3).

The order is fixed. The proof comes first, because other commands can spoil it. A proof whose MAC2 the PSAM accepts
decides alone. Otherwise the card's counter and log decide, since only the log names our terminal: a holder may have
paid elsewhere meanwhile, and then proof and counter tell of that other purchase. Two pieces that agree are needed;
pieces that disagree leave the question to a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from cardio.engine.target import Target
from cardio.errors import CardError
from cardio.ledger.model import Armed, Evidence, Outcome, State, Transaction
from cardio.purse.purse import Debited
from cardio.security.keys import Authorization, Mac2, PurchaseKeys

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
        armed: What was written down before DEBIT.
        keys: Key source, if there is one.
        authorization: Its authorization, if this process still remembers it.
    """

    target: Target
    transaction: Transaction
    armed: Armed
    keys: PurchaseKeys | None = None
    authorization: Authorization | None = None
    _evidence: list[Evidence] = field(default_factory=list)
    _proof: Debited | None = None
    _mac2: Mac2 = Mac2.UNCHECKED

    def decide(self) -> Outcome:
        """Ask the card, in order, only as much as is needed.

        Raises:
            ReaderError: The card left; nothing is decided.
        """
        refused = self._ask_proof()
        if self._mac2 is not Mac2.UNCHECKED:
            return self._debited()
        counter = self._ask_counter()
        if counter == self.armed.card_counter:
            return self._counter_stands(refused=refused)
        return self._counter_moved(counter, refused=refused)

    # ---- conclusions -----------------------------------------------------------------------------------------

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
        """Some purchase was made, or INITIALIZE was refused: the log knows whose."""
        detail = f"{self.armed.card_counter} -> {counter}"
        match self._ask_log():
            case _Log.OURS:
                self._found("log", True, "our record")
                return self._debited()
            case _Log.ANOTHERS:
                # A number is used once: if another purchase has ours, ours was not made.
                self._found("log", False, "our number belongs to another purchase")
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
                if self._proof is not None:
                    self._found("proof", True, "9000")
                if counter == self.armed.card_counter + 1:
                    self._found("counter", True, detail)
        return self._by_count() or self._by_balance()

    def _by_balance(self) -> Outcome:
        amount, before = self.transaction.amount_fen, self.armed.balance_before
        if amount:
            try:
                balance = self.target.purse.balance()
            except CardError:
                balance = -1
            if balance in {before, before - amount}:
                self._found("balance", balance != before, f"{before} -> {balance}")
        return self._by_count() or Outcome(
            State.UNCERTAIN, evidence=tuple(self._evidence), error="transaction.uncertain"
        )

    def _by_count(self) -> Outcome | None:
        says = [piece.debited for piece in self._evidence]
        if True in says and False in says:
            return self._conflict()
        if len(says) < ENOUGH:
            return None
        return self._debited() if says[0] else self._not_debited()

    def _debited(self) -> Outcome:
        wrong = self._mac2 is Mac2.WRONG
        return Outcome(
            State.NOT_GENUINE if wrong else State.COMPLETED,
            tac=self._proof.tac.hex().upper() if self._proof else None,
            mac2=self._mac2,
            balance_after=self.armed.balance_before - self.transaction.amount_fen,
            evidence=tuple(self._evidence),
            recovered=True,
            error="mac2.invalid" if wrong else None,
        )

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
            self._proof = self.target.purse.proof(self.armed.card_counter)
        except CardError:
            # Neither a proof nor 9406 says something; 6985, for one, is met in practice (OPS §4.3).
            return False
        if self._proof is None:
            return True
        if self.keys is not None and self.authorization is not None:
            self._mac2 = self.keys.recheck_mac2(self.authorization, self._proof.mac2)
        if self._mac2 is not Mac2.UNCHECKED:
            self._found("proof", True, f"9000, MAC2 {self._mac2}")
        return False

    def _ask_counter(self) -> int | None:
        """The counter of an INITIALIZE over nothing, which changes nothing on the card."""
        nothing = (0,) * len(self.transaction.amounts)
        terminal = bytes.fromhex(self.armed.terminal_number)
        try:
            return self.target.purse.initialize(nothing, terminal, self.armed.key_index).counter
        except CardError:
            return None

    def _ask_log(self) -> _Log:
        number = self.target.purse.rules.log_number.number(self.armed.card_counter)
        try:
            for entry in self.target.purse.log():
                if not entry.purchase:
                    continue
                if entry.number == number:
                    ours = (
                        entry.amounts == self.transaction.amounts
                        and entry.terminal.hex() == self.armed.terminal_number
                        and entry.time.hex() == self.armed.card_time
                    )
                    return _Log.OURS if ours else _Log.ANOTHERS
                if entry.number == (number - 1) & 0xFFFF:
                    return _Log.OLDER
        except CardError:
            return _Log.SILENT
        # A log without any purchase is older than ours only on a card that never made one.
        return _Log.OLDER if self.armed.card_counter == 0 else _Log.SILENT
