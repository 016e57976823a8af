"""Bookkeeping of settlements on the card: once, whatever is torn, and never in the way of money (SSC §7.3, §7.4)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest

from cardio.applications.medical import CardMode
from cardio.errors import (
    CardHasPending,
    CardioError,
    InputInvalid,
    OfflineSettlementLimit,
    OfflineSettlementNotAllowed,
    OperationUnsupported,
    SamAbsent,
)
from cardio.ledger.bill import Bill
from cardio.ledger.document import settlement_document, transaction_document
from cardio.ledger.model import Settlement, State, Tender
from cardio.products.catalogue import Catalogue
from cardio.products.model import Product
from cardio.purse.operation import PurseKind
from cardio.security.keyring import Keyring
from cardio.virtual.building import find_directory, find_file
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import social_security_card
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.ldt_security import LdtSecurity
from cardio.virtual.products import example_card
from tests.applications.presenting import keyring
from tests.counter import TestCounter, account_of

BILL = Bill(total_fen=10000, fund_fen=6000, account_fen=2500, self_pay_fen=1500)
INSURED = 8500
"""What the insurance pays of it, account and funds."""
HELD = ["900131", "920400029819", "93023037"]
"""EF06 of the example card: allowed, 298.19 yuan in seven settlements (SSC §4.5)."""
COUNTED = ["900131", "920400038319", "93023038"]
CLEARED = ["900131", "920400000000", "93023030"]
OFFLINE: dict[str, Any] = {"temporary_offline": True}
UPDATE, UPDATE_EF06, UPDATE_COUNT, APPEND = "00DC", ("00DC9030", "00DC9230", "00DC9330"), "00DC9330", "00DC00AB"
SHIPPED = Catalogue.load()


def product(name: str, *, temporary_offline: bool) -> Product:
    found = SHIPPED[name]
    assert found.medical is not None
    medical = found.medical.model_copy(update={"temporary_offline": temporary_offline})
    return found.model_copy(update={"medical": medical})


class Make(Protocol):
    def __call__(
        self, name: str = ..., *, card: VirtualCard | None = ..., temporary_offline: bool = ...
    ) -> TestCounter: ...


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes counters whose journals must still be whole at the end."""
    numbers = count()
    with ExitStack() as stack:

        def counter(
            name: str = "ssc-2.0", *, card: VirtualCard | None = None, temporary_offline: bool = True
        ) -> TestCounter:
            folder = tmp_path / str(next(numbers))
            folder.mkdir()
            made = TestCounter(folder, social_card=card or example_card(SHIPPED[name]))
            made.catalogue = Catalogue([product(name, temporary_offline=temporary_offline)])
            made.restart()
            stack.callback(made.close)
            return made

        yield counter


def settle(counter: TestCounter, key: str = "", **special: Any) -> Settlement:
    begun = counter.begin_settlement(BILL, Tender.CASH, key, **special)
    if begun.state.final:
        return begun
    counter.social.insert(counter.social_card)
    return counter.settle(begun, counter.social)


def present(counter: TestCounter) -> None:
    counter.recover(counter.social_card, counter.social)


def file_of(card: VirtualCard, label: str) -> list[str]:
    return [record.hex() for record in find_file(find_directory(card, "DF04"), label).records]


def totals(counter: TestCounter) -> list[str]:
    return file_of(counter.social_card, "EF06")


def specials(counter: TestCounter) -> list[str]:
    return file_of(counter.social_card, "EF15")


def put(card: VirtualCard, label: str, *records: str) -> None:
    find_file(find_directory(card, "DF04"), label).records = [bytes.fromhex(one) for one in records]


def notes_of(counter: TestCounter, settled: Settlement) -> list[tuple[str, str, str | None]]:
    """Kind, state and error of the notes, as the caller reads them."""
    medical = settlement_document(counter.ledger.settlement(settled.id))["legs"][0]
    assert transaction_document(counter.ledger.transaction(medical["id"])).get("notes") == medical.get("notes")
    return [(note["kind"], note["state"], note["error"]) for note in medical.get("notes", [])]


def tear(counter: TestCounter, fault: Fault, n: int = 1, only: str | tuple[str, ...] = ()) -> FaultPlan:
    plan = counter.social_card.faults = FaultPlan(fault, n, only=only)
    return plan


# ---- what is written ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ssc-2.0", "ssc-3.0"])
def test_a_settlement_off_line_is_counted_on_the_card(make: Make, name: str) -> None:
    counter = make(name)
    settled = settle(counter, temporary_offline=True, settlement_class="2")
    assert settled.state is State.COMPLETED
    leg = settled.leg(PurseKind.MEDICAL)
    assert leg is not None
    assert leg.amounts == (0, 10000, INSURED), "as any on-line card: SSC §7.3"
    assert totals(counter) == COUNTED
    assert specials(counter) == ["000032", "000532"], "the number that EF08 has"
    assert notes_of(counter, settled) == [
        ("offline-settlement", "written", None),
        ("special-settlement", "written", None),
    ]


def test_the_request_and_its_marks_are_in_the_answer_and_in_the_outbox(make: Make) -> None:
    counter = make()
    settled = settle(counter, temporary_offline=True, settlement_class="3")
    answer = json.loads(settled.answer or "")
    assert (answer["temporary_offline"], answer["settlement_class"]) == (True, "3")
    assert answer["legs"][0]["notes"][0]["total_fen"] == 38319
    assert answer["legs"][0]["notes"][1]["settlement_class"] == "3"
    (record,) = counter.ledger._database.read(lambda db: db.execute("SELECT record FROM outbox").fetchall())
    assert [note["kind"] for note in json.loads(record[0])["notes"]] == ["offline-settlement", "special-settlement"]


@pytest.mark.parametrize("name", ["ssc-2.0", "ssc-3.0"])
def test_the_next_settlement_on_line_clears_the_totals(make: Make, name: str) -> None:
    counter = make(name)
    settled = settle(counter)
    assert totals(counter) == CLEARED
    assert notes_of(counter, settled) == [("offline-cleared", "written", None)]
    assert notes_of(counter, settle(counter)) == [], "nothing is left to clear"


def test_a_card_that_is_the_purse_gets_special_settlements_too(make: Make) -> None:
    counter = make()
    put(counter.social_card, "EF05", "8F0132")
    settled = settle(counter, settlement_class="1")
    assert settled.state is State.DECLINED, "it has no money"
    assert specials(counter) == ["000532"]
    account_of(counter.social_card).balance = 2500
    assert settle(counter, settlement_class="1").state is State.COMPLETED
    assert specials(counter) == ["000031", "000532"]
    assert totals(counter) == HELD


def test_terminals_without_off_line_settlements_send_no_command_more(make: Make) -> None:
    plain, keyed, clearing = make(temporary_offline=False), make(temporary_offline=False), make()
    plain.engine.authentication = None
    counts = []
    for counter in (plain, keyed, clearing):
        plan = tear(counter, Fault.CUT_BEFORE, 1000)
        settle(counter)
        counts.append(plan.seen)
        assert totals(counter) == (CLEARED if counter is clearing else HELD)
    assert counts[0] == counts[1] < counts[2]


# ---- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "error"),
    [
        (("900130", *HELD[1:]), OfflineSettlementNotAllowed),
        (("900131", HELD[1], "93023939"), OfflineSettlementLimit),
        (("900131", "920499999999", HELD[2]), OfflineSettlementLimit),
    ],
)
def test_a_card_that_may_not_settle_off_line_is_not_charged(
    make: Make, held: tuple[str, ...], error: type[CardioError]
) -> None:
    counter = make()
    put(counter.social_card, "EF06", *held)
    with pytest.raises(error):
        settle(counter, "k", **OFFLINE)
    assert account_of(counter.social_card).purchase_counter == 0
    put(counter.social_card, "EF06", *HELD)
    assert settle(counter, "k", **OFFLINE).state is State.COMPLETED, "the key is still good"


def test_only_on_line_cards_of_such_a_product_settle_off_line(make: Make) -> None:
    for counter in (make(temporary_offline=False), make(card=social_security_card(mode=CardMode.OFFLINE))):
        with pytest.raises(OperationUnsupported):
            settle(counter, **OFFLINE)
        assert account_of(counter.social_card).purchase_counter == 0


def test_nothing_is_settled_off_line_without_the_keys_of_the_totals(make: Make) -> None:
    counter = make()
    counter.engine.authentication = None
    with pytest.raises(SamAbsent):
        settle(counter, **OFFLINE)
    assert account_of(counter.social_card).purchase_counter == 0


def test_nothing_more_is_settled_off_line_while_the_totals_lack_a_settlement(make: Make) -> None:
    counter = make()
    tear(counter, Fault.CUT_BEFORE, only=UPDATE_EF06)
    settle(counter, **OFFLINE)
    tear(counter, Fault.REFUSED, only=UPDATE_EF06)
    with pytest.raises(CardHasPending):
        settle(counter, **OFFLINE)
    assert account_of(counter.social_card).purchase_counter == 1
    assert settle(counter, **OFFLINE).state is State.COMPLETED
    assert totals(counter) == ["900131", "920400046819", "93023039"]


@pytest.mark.parametrize("settlement_class", ["0", "4", "", "12"])
def test_an_unknown_class_is_refused(make: Make, settlement_class: str) -> None:
    with pytest.raises(InputInvalid):
        settle(make(), settlement_class=settlement_class)


# ---- torn cards --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.MUTE, Fault.LATE])
def test_whatever_is_torn_a_settlement_is_counted_and_noted_once(make: Make, fault: Fault, *, restart: bool) -> None:
    for n in count(1):
        counter = make()
        plan = tear(counter, fault, n)
        special: dict[str, Any] = {"temporary_offline": True, "settlement_class": "9"}
        try:
            settle(counter, "k", **special)
        except CardioError:
            assert account_of(counter.social_card).purchase_counter == 0
        counter.social_card.faults = None
        if restart:
            counter.restart()
        present(counter)
        settled = settle(counter, "k", **special)
        if settled.state is State.NOT_DEBITED:
            assert (totals(counter), specials(counter)) == (HELD, ["000532"])
            settled = settle(counter, "new sale", **special)
        assert settled.state is State.COMPLETED, n
        assert account_of(counter.social_card).purchase_counter == 1
        assert totals(counter) == COUNTED, n
        assert specials(counter) == ["000039", "000532"], n
        assert {state for _, state, _ in notes_of(counter, settled)} == {"written"}
        if not plan.fired:
            break


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
def test_whatever_is_torn_the_totals_are_cleared(make: Make, fault: Fault) -> None:
    for n in count(1):
        counter = make()
        plan = tear(counter, fault, n, only=UPDATE)
        settled = settle(counter)
        assert settled.state is State.COMPLETED
        present(counter)
        assert totals(counter) == CLEARED
        if not plan.fired:
            break


def test_a_torn_note_changes_nothing_about_the_settlement_and_is_told(make: Make) -> None:
    counter = make()
    tear(counter, Fault.CUT_BEFORE, only=APPEND)
    settled = settle(counter, "k", settlement_class="1", **OFFLINE)
    assert settled.state is State.COMPLETED
    assert notes_of(counter, settled) == [
        ("offline-settlement", "written", None),
        ("special-settlement", "outstanding", "card.removed"),
    ]
    assert settle(counter, "k", settlement_class="1", **OFFLINE).state is State.COMPLETED
    assert specials(counter) == ["000532"], "a settlement that has ended asks for no card"
    settle(counter)
    assert specials(counter) == ["000031", "000532"], "written before anything new"


def test_nothing_is_written_while_a_debit_is_uncertain(make: Make) -> None:
    """A write could take the proof away (OPS §4.3)."""
    counter = make(temporary_offline=False)
    tear(counter, Fault.CUT_BEFORE, only=APPEND)
    settle(counter, settlement_class="1")
    counter.social_card.faults = (FaultPlan(Fault.REFUSED, only=APPEND), FaultPlan(Fault.CUT_AFTER, only="B02C"))
    torn = settle(counter, settlement_class="2")
    assert torn.state is State.UNCERTAIN
    written = FaultPlan(Fault.CUT_BEFORE, 1000, only=UPDATE)
    counter.social_card.faults = (
        FaultPlan(Fault.PROOF_REFUSED),
        FaultPlan(Fault.REFUSED, only="B028"),
        FaultPlan(Fault.REFUSED, only="00B20144", status=0x6982),
        written,
    )
    present(counter)
    assert (counter.ledger.settlement(torn.id).state, written.seen) == (State.UNCERTAIN, 0)
    counter.social_card.faults = None
    present(counter)
    assert counter.ledger.settlement(torn.id).state is State.COMPLETED
    assert specials(counter) == ["000132", "000031", "000532"]


# ---- other terminals ---------------------------------------------------------------------------------------------


def test_another_terminals_settlement_before_ours_was_counted_is_not_lost(make: Make) -> None:
    counter = make()
    tear(counter, Fault.CUT_AFTER, only="B02C")
    assert settle(counter, **OFFLINE).state is State.UNCERTAIN
    elsewhere = make(card=counter.social_card)
    settle(elsewhere, **OFFLINE)
    assert totals(counter) == COUNTED
    present(counter)
    assert totals(counter) == ["900131", "920400046819", "93023039"], "ours was not written yet, so both count"


def test_totals_that_another_terminal_changed_after_we_began_are_left_alone(make: Make) -> None:
    counter = make()
    tear(counter, Fault.CUT_AFTER, only=UPDATE_COUNT)
    settled = settle(counter, **OFFLINE)
    assert totals(counter) == COUNTED
    settle(make(card=counter.social_card), **OFFLINE)
    twice = totals(counter)
    present(counter)
    assert totals(counter) == twice, "never counted twice"
    assert notes_of(counter, settled) == [("offline-settlement", "abandoned", "card-note.overtaken")]


def test_what_another_terminal_counted_after_us_is_not_cleared(make: Make) -> None:
    counter = make()
    tear(counter, Fault.CUT_AFTER, only="B02C")
    torn = settle(counter)
    settle(make(card=counter.social_card), **OFFLINE)
    present(counter)
    assert totals(counter) == COUNTED
    assert notes_of(counter, torn) == [("offline-cleared", "abandoned", "card-note.overtaken")]


# ---- keys --------------------------------------------------------------------------------------------------------


def test_without_keys_a_special_settlement_waits_for_them(make: Make) -> None:
    counter = make()
    keys, counter.engine.authentication = counter.engine.authentication, None
    settled = settle(counter, settlement_class="3")
    assert settled.state is State.COMPLETED
    assert notes_of(counter, settled) == [("special-settlement", "outstanding", None)]
    present(counter)
    assert counter.pad.entries == 1, "without keys the holder is not asked for the PIN"
    counter.engine.authentication = keys
    present(counter)
    assert specials(counter) == ["000033", "000532"]
    assert notes_of(counter, settled) == [("special-settlement", "written", None)]
    entries = counter.pad.entries
    present(counter)
    assert counter.pad.entries == entries, "nothing is owed any more"


def test_a_key_that_the_terminal_lacks_is_asked_for_at_the_next_settlement_only(make: Make) -> None:
    counter = make(temporary_offline=False)
    keys, counter.engine.authentication = counter.engine.authentication, Keyring("empty", {}, test=True)
    settled = settle(counter, settlement_class="3")
    assert notes_of(counter, settled) == [("special-settlement", "outstanding", "sam.key-missing")]
    entries = counter.pad.entries
    counter.engine.authentication = keys
    present(counter)
    assert counter.pad.entries == entries, "no PIN for a key that may be missing for ever"
    settle(counter)
    assert specials(counter) == ["000033", "000532"]


def test_a_key_that_the_card_refuses_is_tried_once(make: Make) -> None:
    counter = make(temporary_offline=False)
    counter.engine.authentication = keyring(wrong=True)
    settled = settle(counter, settlement_class="3")
    assert settled.state is State.COMPLETED
    assert notes_of(counter, settled) == [("special-settlement", "abandoned", "authentication.failed")]
    settle(counter)
    present(counter)
    security = counter.social_card.security
    assert isinstance(security, LdtSecurity)
    assert [key.tries_left for key in security.keys["DF04"] if key.name == "UK2DF04"] == [2]


def test_totals_that_cannot_be_read_do_not_keep_a_card_from_settling_on_line(make: Make) -> None:
    counter = make(card=social_security_card())
    settled = settle(counter)
    assert settled.state is State.COMPLETED
    assert notes_of(counter, settled) == []


def test_a_card_without_the_file_of_special_settlements_is_not_asked_again(make: Make) -> None:
    counter = make(card=social_security_card())
    settled = settle(counter, settlement_class="2")
    assert settled.state is State.COMPLETED
    assert notes_of(counter, settled) == [("special-settlement", "abandoned", "file.not-found")]
    assert not counter.ledger.owes_notes
