"""APDUs of each use: the figures that are the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cardio.apdu.connection import CardConnection
from cardio.applications.social_security import SocialSecurityApplication
from cardio.files.reading import FileReader
from cardio.files.social_security.environment import EF06_HOLDER, HolderData
from cardio.products.catalogue import Catalogue
from cardio.products.detection import find_wallet
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.products import example_card
from tests.applications.lane import FARE, TUNION, Lane, Passage, enter, leave, single_ride
from tests.bench import program
from tests.bench.machine import journal_folder
from tests.bench.rows import Row, Subject

APDUS = "APDUs"
DEBIT = "8054"

SUBJECT = Subject(
    "Commands",
    "Counted where they go over the seam to the card and to the PSAM, without T=0's repeats (61xx, 6Cxx). The peer "
    "is a straightforward program that reads one item at a time, and asks for the balance before it charges; for "
    "the gate, the ride as it was measured on a bus (EW §6.1). A real card takes 10 ms and more for a command, and "
    "67 ms for DEBIT, so these numbers decide how long somebody stands at the counter or the gate.",
    lambda _: _rows(),
)


def _rows() -> Iterator[Row]:
    holder, balance = program_card(social_security_card()), program_card(citizen_card())
    program.read_holder(holder)
    program.balance(balance)
    yield Row("holder's data", _holder(), APDUS, holder.commands, 3)
    yield Row("wallet balance", _balance(), APDUS, balance.commands, 2)
    yield from _purchase()
    yield from _gate()


def program_card(card: VirtualCard) -> program.Card:
    """A card in an embedded reader, as the program sees it."""
    return program.Card(EmbeddedReader("bench", card).connect().transmit)


def _holder() -> int:
    card = _present(social_security_card())
    SocialSecurityApplication.select(card).issuer()
    FileReader(card).read_items(EF06_HOLDER, HolderData)
    return card.counts.total()


def _balance() -> int:
    card = _present(citizen_card())
    found = find_wallet(card, Catalogue.load())
    if found is None:
        raise RuntimeError("no wallet")
    found.application.purse.balance()
    return card.counts.total()


def _present(card: VirtualCard) -> CardConnection:
    return CardConnection(EmbeddedReader("bench", card).connect())


def _purchase() -> Iterator[Row]:
    card, sam = program_card(citizen_card()), program_card(psam())
    keys = program.PsamKeys(sam, program.CITIZEN_SAM)
    before = sam.commands
    program.debit(card, keys, FARE)
    with journal_folder() as folder:
        till = Lane(folder, "citizen-wallet", whole_catalogue=True)
        paid = till.debit(FARE)
        till.close()
    _check(paid)
    yield Row("wallet purchase, card", len(paid.card), APDUS, card.commands, 3)
    yield Row("wallet purchase, PSAM", len(paid.sam) + len(paid.sam_after), APDUS, sam.commands - before, 2)


def _gate() -> Iterator[Row]:
    card, sam = program_card(example_card(Catalogue.load()[TUNION])), program_card(psam())
    keys = program.PsamKeys(sam, program.TUNION_SAM)
    before = sam.commands
    program.ride(card, keys, FARE)
    with journal_folder() as folder:
        tap, end, recovery = _passages(folder)
    yield Row("gate tap, card", len(tap.card), APDUS, card.commands, 5)
    yield Row("gate tap, PSAM before the card is let go", len(tap.sam), APDUS, sam.commands - before, 1)
    yield Row("gate tap, PSAM after", len(tap.sam_after), APDUS, None, 1)
    yield Row("gate exit with a journey record, card", len(end.card), APDUS, None, 7)
    yield Row("gate exit, PSAM before the card is let go", len(end.sam), APDUS, None, 1)
    yield Row("gate exit, PSAM after", len(end.sam_after), APDUS, None, 1)
    yield Row("recovery at the next tap, card, more than a tap", len(recovery.card) - len(tap.card), APDUS, None, 1)


def _passages(folder: Path) -> tuple[Passage, Passage, Passage]:
    """A ride, an exit with a journey record, and a ride after one that was torn with its DEBIT executed."""
    lane = Lane(folder)
    tap = lane.tap(single_ride)
    lane.tap(enter)
    end = lane.tap(leave)
    lane.card.faults = FaultPlan(Fault.CUT_AFTER, only=DEBIT)
    lane.tap(single_ride)
    lane.card.faults = None
    recovery = lane.tap(single_ride)
    lane.close()
    for passage in (tap, end, recovery):
        _check(passage)
    return tap, end, recovery


def _check(passage: Passage) -> None:
    if passage.transaction is None or not passage.transaction.state.final or passage.card_after:
        raise RuntimeError(f"not as it should be: {passage}")
