"""Off-line totals and special settlements on the card, torn at every command, and the starting day (SSC §4.5, §7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from cardio.applications.medical import MedicalApplication
from cardio.applications.medical_bookkeeping import MedicalBookkeeping, OfflineTotals, set_starting_day
from cardio.applications.social_security import SocialSecurityApplication
from cardio.errors import (
    AuthenticationFailed,
    CardDataInvalid,
    CardRemoved,
    CardUnexpected,
    FileNotFound,
    OfflineSettlementLimit,
    OfflineSettlementNotAllowed,
    SamAbsent,
)
from cardio.files.social_security.medical import SpecialSettlementRecord
from cardio.products.catalogue import Catalogue
from cardio.security.authentication import AuthenticationKeys
from cardio.security.psam import Psam
from cardio.virtual.building import find_directory, find_file
from cardio.virtual.card import VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.ldt_security import LdtSecurity
from cardio.virtual.medical import MedicalFunction
from cardio.virtual.products import example_card
from cardio.virtual.received import Received
from cardio.virtual.records import Mode
from tests.applications.presenting import MEDICAL_RULES, authority_of, keyring, present
from tests.security.slots import EmbeddedSlot

PRODUCTS = Catalogue.load()
HELD = OfflineTotals(29819, 7)
"""What the example card holds (SSC §4.5)."""
ALLOWED = "900131"
PIN = "123456"
CUTS = (Fault.CUT_BEFORE, Fault.CUT_AFTER)
MATERNITY = SpecialSettlementRecord(number=6, settlement_class="2")


@pytest.fixture(params=["ssc-2.0", "ssc-3.0"], ids=["3des", "sm4"])
def card(request: pytest.FixtureRequest) -> VirtualCard:
    """A card with 3DES and one with SM4 keys."""
    return example_card(PRODUCTS[request.param])


def books_of(virtual: VirtualCard, keys: AuthenticationKeys | None) -> MedicalBookkeeping:
    """A new presentation of the card, its medical application open."""
    card = present(virtual)
    environment = SocialSecurityApplication.select(card)
    MedicalApplication.open(card, environment, MEDICAL_RULES, PIN)
    part = PRODUCTS["ssc-2.0"].social_security
    assert part is not None
    return MedicalBookkeeping.open(card, environment, part.environment, part.naming(), keys)


def records(card: VirtualCard, label: str) -> list[str]:
    return [record.hex() for record in find_file(find_directory(card, "DF04"), label).records]


def put(card: VirtualCard, label: str, *written: str) -> None:
    find_file(find_directory(card, "DF04"), label).records = [bytes.fromhex(one) for one in written]


def sent(card: VirtualCard) -> list[str]:
    """Headers of the UPDATE RECORD commands that the card gets from now on."""
    seen: list[str] = []

    def hook(_: object, command: Received) -> None:
        header = bytes([*command.instruction, *command.parameters]).hex().upper()
        if header.startswith("00DC") and (not seen or seen[-1] != header):
            seen.append(header)

    card.hook = hook
    return seen


def tears() -> Iterator[tuple[Fault, int]]:
    """Every place of a work: the one who asks stops when a plan was not reached."""
    return ((fault, n) for n in count(1) for fault in CUTS)


# ---- off-line totals ---------------------------------------------------------------------------------------------


def test_totals_are_read_with_pin_and_key(card: VirtualCard) -> None:
    assert books_of(card, keyring()).offline_totals() == HELD
    assert books_of(card, Psam(EmbeddedSlot())).check_allowed() == HELD


def test_totals_are_not_read_without_the_key(card: VirtualCard) -> None:
    with pytest.raises(SamAbsent):
        books_of(card, None).offline_totals()
    with pytest.raises(AuthenticationFailed):
        books_of(card, keyring(wrong=True)).offline_totals()


@pytest.mark.parametrize("flag", ["900130", "900100", "9001FF", "900132"])
def test_only_item_90_with_1_allows_a_settlement_off_line(card: VirtualCard, flag: str) -> None:
    put(card, "EF06", flag, "920400000000", "93023030")
    with pytest.raises(OfflineSettlementNotAllowed):
        books_of(card, keyring()).check_allowed()


def test_a_settlement_is_added_to_both_totals(card: VirtualCard) -> None:
    updates = sent(card)
    books_of(card, keyring()).write_offline_totals(HELD.plus(200))
    assert records(card, "EF06") == [ALLOWED, "920400030019", "93023038"]
    assert updates == ["00DC9030", "00DC9230", "00DC9330"], "SSC §7.3 rewrites 90 as well"


def test_totals_begin_anew(card: VirtualCard) -> None:
    books_of(card, keyring()).write_offline_totals(OfflineTotals())
    assert records(card, "EF06") == [ALLOWED, "920400000000", "93023030"]


def test_unwritten_totals_are_nothing(card: VirtualCard) -> None:
    put(card, "EF06", ALLOWED, "9204FFFFFFFF", "93020000")
    books = books_of(card, keyring())
    assert books.check_allowed() == OfflineTotals()
    books.write_offline_totals(OfflineTotals().plus(1))
    assert records(card, "EF06") == [ALLOWED, "920400000001", "93023031"]


@pytest.mark.parametrize("held", [("92040000000A", "93023031"), ("920400000001", "93024131")])
def test_totals_that_are_no_numbers_are_not_overwritten(card: VirtualCard, held: tuple[str, str]) -> None:
    put(card, "EF06", ALLOWED, *held)
    with pytest.raises(CardDataInvalid):
        books_of(card, keyring()).check_allowed()


def test_totals_never_outgrow_their_items() -> None:
    assert OfflineTotals(99_999_998, 98).plus(1) == OfflineTotals(99_999_999, 99)
    for full in (OfflineTotals(0, 99), OfflineTotals(99_999_999, 0)):
        with pytest.raises(OfflineSettlementLimit):
            full.plus(1)


def test_the_same_totals_again_after_any_tear_are_counted_once() -> None:
    target = HELD.plus(200)
    for fault, n in tears():
        card = example_card(PRODUCTS["ssc-2.0"])
        books = books_of(card, keyring())
        plan = card.faults = FaultPlan(fault, n)
        try:
            books.write_offline_totals(target)
        except CardRemoved:
            assert plan.fired
        card.faults = None
        again = books_of(card, keyring())
        assert again.offline_totals() in {HELD, target, OfflineTotals(target.total_fen, HELD.count)}
        again.write_offline_totals(target)
        assert books_of(card, keyring()).offline_totals() == target
        if not plan.fired:
            break


# ---- special settlements -----------------------------------------------------------------------------------------


def test_a_special_settlement_is_appended_once(card: VirtualCard) -> None:
    updates = sent(card)
    for _ in range(2):
        books_of(card, keyring()).record_special(MATERNITY)
    assert records(card, "EF15") == ["000632", "000532"]
    assert updates == ["00DC00AB"], "mode 3 is the standard's form"


def test_a_number_that_is_not_the_newest_any_more_is_not_appended_again(card: VirtualCard) -> None:
    put(card, "EF15", "000731", "000632", "000531")
    books_of(card, keyring()).record_special(MATERNITY)
    assert records(card, "EF15") == ["000731", "000632", "000531"]


@pytest.mark.parametrize("blank", ["000000", "FFFFFF"])
def test_a_blank_record_is_nobodys(card: VirtualCard, blank: str) -> None:
    put(card, "EF15", blank)
    first = SpecialSettlementRecord(number=int(blank[:4], 16), settlement_class="1")
    for _ in range(2):
        books_of(card, keyring()).record_special(first)
    assert records(card, "EF15") == [first.encode().hex(), blank.lower()]


def test_a_card_that_knows_only_the_other_form_gets_it(card: VirtualCard) -> None:
    assert isinstance(card.security, LdtSecurity)
    rules = card.security.record_rules
    card.security.record_rules = replace(rules, cyclic_appends=frozenset({(1, Mode.NUMBER)}))
    updates = sent(card)
    books_of(card, keyring()).record_special(MATERNITY)
    assert records(card, "EF15") == ["000632", "000532"]
    assert updates == ["00DC00AB", "00DC0104"]


def test_only_refusals_of_the_form_lead_to_the_other_one(card: VirtualCard) -> None:
    card.faults = FaultPlan(Fault.REFUSED, only="00DC00", status=0x6981)
    books_of(card, keyring()).record_special(MATERNITY)
    assert records(card, "EF15") == ["000632", "000532"]
    card.faults = FaultPlan(Fault.REFUSED, only="00DC00", status=0x6F00)
    with pytest.raises(CardUnexpected):
        books_of(card, keyring()).record_special(replace(MATERNITY, number=7))
    assert records(card, "EF15") == ["000632", "000532"]


def test_a_card_without_the_file_says_so(card: VirtualCard) -> None:
    directory = find_directory(card, "DF04")
    directory.files.remove(find_file(directory, "EF15"))
    with pytest.raises(FileNotFound):
        books_of(card, keyring()).record_special(MATERNITY)


def test_after_any_tear_there_is_one_record() -> None:
    for fault, n in tears():
        card = example_card(PRODUCTS["ssc-2.0"])
        books = books_of(card, keyring())
        plan = card.faults = FaultPlan(fault, n)
        try:
            books.record_special(MATERNITY)
        except CardRemoved:
            assert plan.fired
        card.faults = None
        books_of(card, keyring()).record_special(MATERNITY)
        assert records(card, "EF15") == ["000632", "000532"], (fault, n)
        if not plan.fired:
            break


# ---- starting day ------------------------------------------------------------------------------------------------


def set_day(card: VirtualCard, keys: AuthenticationKeys | None, day: str) -> None:
    connection = present(card)
    environment = SocialSecurityApplication.select(connection)
    account = MedicalApplication.open(connection, environment, MEDICAL_RULES, PIN)
    set_starting_day(authority_of(connection, environment, keys), account.purse, day)


def start_day(card: VirtualCard) -> int:
    function = find_directory(card, "DF04").function
    assert isinstance(function, MedicalFunction)
    return function.start_day


@pytest.mark.parametrize("source", ["keyring", "psam"])
def test_starting_day_is_set_after_dsk(card: VirtualCard, source: str) -> None:
    set_day(card, keyring() if source == "keyring" else Psam(EmbeddedSlot()), "0701")
    assert start_day(card) == 701


def test_starting_day_stays_without_dsk(card: VirtualCard) -> None:
    for keys, error in ((None, SamAbsent), (keyring(wrong=True), AuthenticationFailed)):
        with pytest.raises(error):
            set_day(card, keys, "0701")
    with pytest.raises(ValueError, match="mmdd"):
        set_day(card, keyring(), "0230")
    assert start_day(card) == 101
