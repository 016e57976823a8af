"""The end of the day: what the cashiers were told, the journal, the cards and the host must agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardio.errors import Money
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import State, Transaction
from cardio.security.software_load_host import BookingState
from tests.soak.lanes import Day, Ended
from tests.soak.office import Office, Screen
from tests.soak.outside import BALANCE, Holder, Outside, Standing


@dataclass
class Books:
    """What does not agree.

    Attributes:
        lost: Cards whose balance is not what the journal says, or requests that nobody knows the end of.
        doubled: Cards that were charged or loaded more often than the journal says, or keys with two transactions.
        unequal: What else disagrees, in words.
        rows: Rows of the chain, which is whole.
        charged_fen: What the cards were charged with.
        loaded_fen: What was loaded.
    """

    lost: int = 0
    doubled: int = 0
    unequal: list[str] = field(default_factory=list)
    rows: int = 0
    charged_fen: int = 0
    loaded_fen: int = 0

    @property
    def failures(self) -> list[str]:
        """What disagrees, in words; empty if the books balance."""
        counts = ((self.lost, "lost"), (self.doubled, "doubled"))
        return [*self.unequal, *(f"{count} {what}" for count, what in counts if count)]


def close_books(journal: Path, outside: Outside, day: Day, office: Office, screen: Screen) -> Books:
    """Compare everything.

    Raises:
        JournalBroken: The chain does not hold.
    """
    books = Books()
    ledger = Ledger(journal)
    try:
        books.rows = ledger.verify_chain()
        by_reference: dict[str, list[Transaction]] = defaultdict(list)
        for transaction in ledger.transactions():
            by_reference[transaction.reference].append(transaction)
        if ledger.host_notices():
            books.unequal.append("the host was not told how everything ended")
    finally:
        ledger.close()
    by_key: dict[str, list[Transaction]] = {}
    moved: dict[str, list[Transaction]] = defaultdict(list)
    for key, ended in day.requests.items():
        found = by_key[key] = by_reference.pop(key, [])
        books.doubled += len(found) > 1
        _compare_told(books, key, ended, found)
        moved[ended.holder.name] += [one for one in found if one.money is Money.MOVED]
    books.unequal += [f"nobody asked for {reference}" for reference in by_reference]
    for holders in outside.holders.values():
        for holder in holders:
            _compare_card(books, holder, moved[holder.name])
    every = [one for of_card in moved.values() for one in of_card]
    books.charged_fen, books.loaded_fen = _fen(every, online=False), _fen(every, online=True)
    _compare_host(books, outside, every)
    _compare_sums(books, "shifts", every, [total for shift in day.shifts for total in shift["totals"]])
    _compare_sums(books, "batches", every, [total for batch in office.batches for total in batch["sums"]])
    final = {one.id for found in by_key.values() for one in found if one.state.final}
    if screen.ended != Counter(final):
        books.unequal.append("the screen showed other ends than the journal has, or not each of them once")
    return books


def _compare_told(books: Books, key: str, ended: Ended, found: list[Transaction]) -> None:
    document = ended.told.document
    told = [leg["id"] for leg in document["legs"]] if "legs" in document else [document["id"]]
    states = [one.state.value for one in found]
    if [one.id for one in found] != told or any(state != document["state"] for state in states):
        books.unequal.append(f"{key}: told {document['state']} of {told}, the journal has {states}")
    if not found or any(one.money is Money.UNKNOWN for one in found):
        books.lost += 1


def _compare_card(books: Books, holder: Holder, moved: list[Transaction]) -> None:
    loads = sum(one.operation.online for one in moved)
    expected = Standing(BALANCE - _fen(moved, online=False) + _fen(moved, online=True), len(moved) - loads, loads)
    found = holder.standing
    books.lost += found.balance_fen != expected.balance_fen
    books.doubled += found.purchases > expected.purchases or found.loads > expected.loads
    if found != expected:
        books.unequal.append(f"{holder.name}: {found} on the card, {expected} in the journal")


def _compare_sums(books: Books, what: str, moved: list[Transaction], totals: list[dict[str, Any]]) -> None:
    """By purse and operation: how many transactions moved money, and how much."""
    found: Counter[tuple[str, str, str]] = Counter()
    for total in totals:
        if State(total.get("state", State.COMPLETED)).money is Money.MOVED:
            found[total["purse"], total["operation"], "count"] += total["count"]
            found[total["purse"], total["operation"], "fen"] += total["amount_fen"]
    expected: Counter[tuple[str, str, str]] = Counter()
    for one in moved:
        expected[one.purse.value, one.operation.value, "count"] += 1
        expected[one.purse.value, one.operation.value, "fen"] += one.amount_fen
    if found != expected:
        books.unequal.append(f"the {what} sum up to {dict(found)}, the journal to {dict(expected)}")


def _compare_host(books: Books, outside: Outside, moved: list[Transaction]) -> None:
    confirmed = {one for one, booking in outside.host.host.bookings.items() if booking.state is BookingState.CONFIRMED}
    open_ones = [one for one in outside.host.host.bookings.values() if one.state in _OPEN]
    if confirmed != {one.id for one in moved if one.operation.online}:
        books.unequal.append("the host has other loads than the cards")
    if open_ones:
        books.unequal.append(f"the host does not know the end of {len(open_ones)} bookings")


_OPEN = {BookingState.BOOKED, BookingState.DISPUTED}


def _fen(moved: list[Transaction], *, online: bool) -> int:
    return sum(one.amount_fen for one in moved if one.operation.online is online)
