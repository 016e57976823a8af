"""Bookkeeping of settlements on the presented card: planned before money moves, written after it (SSC §7.3, §7.4).

Money is right without it, so a note that cannot be written changes nothing about its settlement: it stays owed to the
card. Off-line totals are never counted twice: the journal has the totals before and after on disk before the card is
written to, and a repeat writes only over what it knows.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from cardio.apdu.connection import CardConnection
from cardio.applications.medical import CardMode
from cardio.applications.medical_bookkeeping import MedicalBookkeeping, OfflineTotals
from cardio.engine.context import NotePlan
from cardio.engine.target import Target
from cardio.errors import (
    AuthenticationFailed,
    CardError,
    CardHasPending,
    CardioError,
    CardNoteOvertaken,
    FileNotFound,
    OperationUnsupported,
    Retry,
    SamError,
    StoreError,
)
from cardio.files.social_security.medical import SpecialSettlementRecord
from cardio.ledger.bill import Bill
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import CardNote, NoteKind, NoteState, Settlement
from cardio.purse.purse import Initialized
from cardio.security.authentication import AuthenticationKeys

SPECIAL_FILE = "DF04/EF15"


@dataclass(frozen=True)
class CardNotes:
    """The bookkeeping of one presented card.

    Args:
        target: Its medical account, selected.
        books: Its files.
        ledger: The journal.
        with_keys: Whether the terminal has authentication keys.
    """

    target: Target
    books: MedicalBookkeeping
    ledger: Ledger
    with_keys: bool

    @classmethod
    def of(
        cls, card: CardConnection, target: Target, ledger: Ledger, keys: AuthenticationKeys | None
    ) -> CardNotes | None:
        """The bookkeeping of a medical account; a wallet has none."""
        part = target.product.social_security
        if target.environment is None or part is None:
            return None
        books = MedicalBookkeeping.open(card, target.environment, part.environment, part.naming(), keys)
        return cls(target, books, ledger, keys is not None)

    # ---- before money moves ------------------------------------------------------------------------------------

    def plan(self, settlement: Settlement) -> NotePlan:
        """What a settlement will have to write.

        Raises:
            OfflineSettlementNotAllowed: It is off line, and the card does not allow that.
            OfflineSettlementLimit: It is off line, and the card's totals are full.
            OperationUnsupported: It is off line, and the product or the card's mode does not provide for that.
            CardHasPending: It is off line, and an earlier one is not in the totals yet.
            SamError: It is off line, and the terminal does not have the keys.
            AuthenticationFailed: The card refuses the terminal's key.
        """
        totals = self._plan_offline(settlement.bill) if settlement.temporary_offline else self._plan_clearing()
        special, log_number = settlement.settlement_class, self.target.purse.rules.log_number
        if special is None or SPECIAL_FILE not in self.target.product.files:
            return lambda _: totals
        settlement_class = int(special)

        def notes(initialized: Initialized) -> tuple[CardNote, ...]:
            number = log_number.number(initialized.counter)
            return *totals, CardNote(NoteKind.SPECIAL, (0, 0), (number, settlement_class))

        return notes

    def _plan_offline(self, bill: Bill) -> tuple[CardNote, ...]:
        if not self._has_totals:
            raise OperationUnsupported("only on-line cards of a product with temporary_offline settle off line")
        if any(note.kind is not NoteKind.SPECIAL for _, note in self._owed()):
            raise CardHasPending("the off-line totals lack an earlier settlement")
        before = self.books.check_allowed()
        after = before.plus(offline_amount(bill))
        return (CardNote(NoteKind.OFFLINE, _pair(before), _pair(after)),)

    def _plan_clearing(self) -> tuple[CardNote, ...]:
        """The totals to clear; what keeps the terminal from reading them is no reason not to settle."""
        if not self._has_totals or not self.with_keys:
            return ()
        try:
            before = self.books.offline_totals()
        except AuthenticationFailed:
            # Every settlement would spend another try of the card's key.
            raise
        except CardError:
            return ()
        cleared = OfflineTotals()
        return () if before == cleared else (CardNote(NoteKind.CLEARED, _pair(before), _pair(cleared)),)

    @property
    def _has_totals(self) -> bool:
        medical = self.target.product.medical
        return medical is not None and medical.temporary_offline and self.target.mode is CardMode.ONLINE

    # ---- after it ----------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Write what is owed to the card, oldest first; what cannot be written stays owed, or is given up."""
        if not self.with_keys:
            return
        for identifier, owed in self._owed():
            note = owed
            with suppress(StoreError):
                for step in self._steps(note):
                    note = self._advance(identifier, note, step)
                    if note.error is not None or not note.state.owed:
                        break

    def _owed(self) -> list[tuple[str, CardNote]]:
        return self.ledger.card_notes(self.ledger.card_key(self.target.purse.kind, self.target.identity))

    def _steps(self, note: CardNote) -> tuple[Callable[[CardNote], CardNote], ...]:
        return (self._append,) if note.kind is NoteKind.SPECIAL else (self._begin, self._finish)

    def _advance(self, identifier: str, note: CardNote, step: Callable[[CardNote], CardNote]) -> CardNote:
        """One step, and its result on disk before the next one."""
        try:
            moved = step(replace(note, error=None))
        except CardioError as error:
            moved = replace(note, state=NoteState.ABANDONED if _hopeless(error) else note.state, error=error.code)
        if moved != note:
            self.ledger.update_note(identifier, moved)
        return moved

    def _append(self, note: CardNote) -> CardNote:
        number, settlement_class = note.target
        self.books.record_special(SpecialSettlementRecord(number=number, settlement_class=str(settlement_class)))
        return replace(note, state=NoteState.WRITTEN)

    def _begin(self, note: CardNote) -> CardNote:
        """Compare the card with the note, which is brought up to date as long as nothing was written of it.

        Raises:
            CardNoteOvertaken: Another terminal wrote after us, so that nobody can tell whether we did; or it counted
                settlements that are later than the one that cleared.
        """
        found, target = self.books.offline_totals(), OfflineTotals(*note.target)
        known = {note.before}
        if note.state is NoteState.BEGUN:
            known.add((target.total_fen, note.before[1]))  # torn between items 92 and 93
        elif note.kind is NoteKind.OFFLINE and _pair(found) != note.before:
            target = found.plus(target.total_fen - note.before[0])
            return replace(note, before=_pair(found), target=_pair(target), state=NoteState.BEGUN)
        if found == target:
            return replace(note, state=NoteState.WRITTEN)
        if _pair(found) not in known:
            raise CardNoteOvertaken
        return replace(note, state=NoteState.BEGUN)

    def _finish(self, note: CardNote) -> CardNote:
        self.books.write_offline_totals(OfflineTotals(*note.target))
        return replace(note, state=NoteState.WRITTEN)


def offline_amount(bill: Bill) -> int:
    """What an off-line settlement adds to item 92: what the insurance pays, account and funds.

    No source says whether the self-paid part counts too; the item limits what is paid out without the centre.
    """
    return bill.account_fen + bill.fund_fen


def promising(note: CardNote) -> bool:
    """Whether another presentation can help; a key that the terminal lacks comes with no card."""
    return note.error is None or not issubclass(CardioError.catalogue[note.error], SamError)


def _hopeless(error: CardioError) -> bool:
    """Whether trying again would be no use, or spend the tries of a key."""
    if isinstance(error, SamError):
        return False
    return isinstance(error, FileNotFound) or error.retry in {Retry.NEVER, Retry.NEW_KEY}


def _pair(totals: OfflineTotals) -> tuple[int, int]:
    return totals.total_fen, totals.count
