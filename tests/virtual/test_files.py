"""Selection, access rights and record addressing of virtual cards (SSC §2, §3, §5.3, EW §1.2, §3.1)."""

from dataclasses import replace

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.files.declaration import PIN, Structure, any_of
from cardio.transport.channel import CardProtocol
from cardio.virtual.card import CardPin, VirtualCard
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.filesystem import ElementaryFile
from tests.virtual.wire import (
    SELECT_DF04,
    SELECT_SSSE,
    SELECT_WALLET,
    VERIFY_RIGHT,
    card_of,
    complete,
    declare,
    send,
)

UNKNOWN_NAME = "00A4040005D156000001"
ITEM_06 = "060420360614"
ITEM_07 = "0709413030303030313236"


@pytest.fixture
def social() -> VirtualCard:
    """A card in its social security environment; T=1, so that answers come at once."""
    card = social_security_card()
    card.protocol = CardProtocol.T1
    assert send(card, SELECT_SSSE + "00").endswith("9000")
    return card


@pytest.fixture
def wallet() -> VirtualCard:
    """A citizen card with its wallet selected."""
    card = citizen_card()
    assert send(card, SELECT_WALLET + "00").endswith("9000")
    return card


# ---- selection ---------------------------------------------------------------------------------------------------


def test_unknown_names_and_identifiers_are_6a82_and_change_nothing(social: VirtualCard) -> None:
    assert send(social, UNKNOWN_NAME + "00") == "6A82"
    assert send(social, "00A40000021234") == "6A82"
    assert send(social, "00A4040000") == "6A82"
    assert send(social, "00B2072C0B") == f"{ITEM_07}9000"


def test_names_must_be_whole(social: VirtualCard) -> None:
    assert send(social, f"00A404000E{SELECT_SSSE[10:-2]}00") == "6A82"


@pytest.mark.parametrize("p1", ["01", "03", "08", "FF"])
def test_other_ways_of_selecting_are_6a86(social: VirtualCard, p1: str) -> None:
    assert send(social, f"00A4{p1}0002DF04") == "6A86"


def test_identifiers_have_two_bytes(social: VirtualCard) -> None:
    assert send(social, "00A4000003DF0400") == "6700"
    assert send(social, "00A4000001DF") == "6700"


def test_directories_answer_their_fci(social: VirtualCard) -> None:
    assert send(social, SELECT_DF04 + "00") == "6F088406D156000005039000"
    assert send(social, "00A4040006D1560000050300") == "6F088406D156000005039000"
    assert send(social, "00A40000023F00") == "6F009000"
    assert send(social, "00A4000000") == "6F009000"


def test_sm4_card_announces_its_cipher() -> None:
    assert "9F0C03860103" in complete(social_security_card(algorithm=Algorithm.SM4), SELECT_SSSE + "00")


def test_master_file_of_a_citizen_card_names_the_payment_environment(wallet: VirtualCard) -> None:
    assert send(wallet, "00A40000023F0000") == "6F15840E315041592E5359532E4444463031A5038801019000"


def test_files_are_selected_without_data_and_then_read_as_the_current_one(social: VirtualCard) -> None:
    for select in ("00A4020002EF05", "00A4000002EF05"):
        send(social, SELECT_SSSE)
        assert send(social, select) == "9000"
        assert send(social, "00B207040B") == f"{ITEM_07}9000"


def test_directories_cannot_be_selected_as_files(social: VirtualCard) -> None:
    assert send(social, "00A4020002DF04") == "6A82"


def test_psam_directories_are_reached_from_each_other() -> None:
    card = psam()
    for identifier in ("DF01", "1001", "DF01", "3F00", "1001"):
        assert complete(card, f"00A4000002{identifier}00").endswith("9000"), identifier


def test_without_a_current_file_reading_is_6986(social: VirtualCard) -> None:
    assert send(social, "00B2010412") == "6986"
    assert send(social, "00B0000004") == "6986"


def test_selecting_a_directory_ends_the_current_file(social: VirtualCard) -> None:
    assert send(social, "00A4020002EF05") == "9000"
    send(social, SELECT_SSSE)
    assert send(social, "00B207040B") == "6986"


def test_reading_by_short_identifier_makes_the_file_current(social: VirtualCard) -> None:
    send(social, "00B2072C0B")
    assert send(social, "00B207040B") == f"{ITEM_07}9000"


def test_unknown_short_identifiers_are_6a82(social: VirtualCard) -> None:
    assert send(social, "00B2014C00") == "6A82"
    assert send(social, "00B0890000") == "6A82"


# ---- structure and access ----------------------------------------------------------------------------------------


def test_structures_are_not_mixed_up(social: VirtualCard, wallet: VirtualCard) -> None:
    assert send(social, "00B0850000") == "6981"
    assert send(wallet, "00B201AC00") == "6981"
    assert send(wallet, "00B0980000") == "6981"


def test_offset_outside_the_file_is_6b00(wallet: VirtualCard) -> None:
    assert send(wallet, "00B0951D01") == "669000"
    assert send(wallet, "00B0951E01") == "6B00"
    assert send(wallet, "00A40200020015") == "9000"
    assert send(wallet, "00B0001C02") == "55669000"
    assert send(wallet, "00B0010001") == "6B00"


def test_holder_and_issuer_are_free(social: VirtualCard) -> None:
    assert send(social, "00B2012D00").endswith("9000")
    assert send(social, "00B2013500").endswith("9000")


@pytest.mark.parametrize("read", ["00B2012C00", "00B2012D00", "00B201441C", "00B28F2800"])
def test_medical_files_are_closed_before_the_pin(social: VirtualCard, read: str) -> None:
    send(social, SELECT_DF04)
    assert send(social, read) == "6982"


def test_medical_files_are_open_after_the_pin(social: VirtualCard) -> None:
    assert send(social, VERIFY_RIGHT) == "9000"
    send(social, SELECT_DF04)
    assert send(social, "00B28F2803") == "8F01319000"
    assert send(social, "00B201441C") == "6A83"  # an empty log


def test_transparent_file_that_is_closed_is_6982_whatever_the_offset() -> None:
    closed = replace(declare(0x0015, Structure.TRANSPARENT), read=any_of(PIN))
    card = card_of(ElementaryFile(closed, [bytes(4)]))
    card.pin = CardPin(bytes.fromhex("123456"))
    assert send(card, "00B0950000") == "6982"
    assert send(card, "00B0950400") == "6982"
    assert send(card, VERIFY_RIGHT) == "9000"
    assert send(card, "00B0950000") == "000000009000"


def test_wallet_log_is_closed_before_the_pin_and_open_after(wallet: VirtualCard) -> None:
    assert send(wallet, "00B201C417") == "6982"
    assert send(wallet, VERIFY_RIGHT) == "9000"
    assert send(wallet, "00B201C417") == "6A83"


def test_card_without_a_pin_leaves_its_files_open() -> None:
    card = social_security_card(pin="")
    complete(card, SELECT_SSSE)
    complete(card, SELECT_DF04)
    assert send(card, "0020000000") == "9000"
    assert send(card, "00B28F2803") == "8F01319000"


# ---- record addressing -------------------------------------------------------------------------------------------

FIRST, SECOND, THIRD = "790101", "430102", "790103"


@pytest.mark.parametrize(
    ("number", "mode", "answer"),
    [
        ("79", 0, FIRST + "9000"),
        ("43", 0, SECOND + "9000"),
        ("79", 1, THIRD + "9000"),
        ("44", 0, "6A83"),
        ("44", 1, "6A83"),
        ("01", 4, FIRST + "9000"),
        ("03", 4, THIRD + "9000"),
        ("00", 4, "6A83"),
        ("04", 4, "6A83"),
        ("01", 5, FIRST + SECOND + THIRD + "9000"),
        ("02", 5, SECOND + THIRD + "9000"),
        ("04", 5, "6A83"),
        ("01", 6, THIRD + SECOND + FIRST + "9000"),
        ("02", 6, THIRD + SECOND + "9000"),
        ("01", 7, "6A86"),
    ],
)
def test_records_of_a_linear_file(number: str, mode: int, answer: str) -> None:
    records = [bytes.fromhex(record) for record in (FIRST, SECOND, THIRD)]
    card = card_of(ElementaryFile(declare(0xEF05, Structure.LINEAR_VARIABLE), records))
    assert send(card, f"00B2{number}{0x28 | mode:02X}00") == answer


def test_records_of_a_cyclic_file_begin_with_the_newest_and_the_oldest_falls_out() -> None:
    file = ElementaryFile(declare(0xEF08, Structure.CYCLIC, records=3))
    for content in range(1, 5):
        file.append(bytes([content]) * 2)
    card = card_of(file)
    assert send(card, "00B2014402") == "04049000"
    assert send(card, "00B2034402") == "02029000"
    assert send(card, "00B2044402") == "6A83"
    assert send(card, "00B2014500") == "0404030302029000"
    assert send(card, "00B2044002") == "6A86"  # cyclic records have no tag


def test_issuer_file_by_tag_and_number(social: VirtualCard) -> None:
    assert send(social, "00B2072800") == f"{ITEM_07}9000"
    assert send(social, "00B2062D00") == f"{ITEM_06}{ITEM_07}9000"
    assert send(social, "00B2082800") == "6A83"
