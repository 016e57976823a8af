"""How virtual cards announce and cut their answers under T=0 and T=1 (SSC §5, ISO 7816-3 §12.2)."""

import pytest

from cardio.transport.channel import CardProtocol
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, social_security_card
from tests.virtual.wire import SELECT_SSSE, SELECT_WALLET, send

SSSE_FCI = "6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C03860101"
CARD_ID = "0110999900D15600000500000123FFFFFFFF"
EF15 = "999900000000000103010000860000000000012320260601203512315566"


@pytest.fixture
def contact() -> VirtualCard:
    """A T=0 card with its social security environment selected."""
    card = social_security_card()
    assert send(card, SELECT_SSSE) == "611E"
    assert send(card, "00C000001E") == f"{SSSE_FCI}9000"
    return card


@pytest.fixture
def contactless() -> VirtualCard:
    """A T=1 card with its wallet selected."""
    card = citizen_card()
    assert send(card, SELECT_WALLET + "00").endswith("9000")
    return card


def test_ready_made_cards_speak_the_protocol_of_their_kind() -> None:
    assert social_security_card().protocol is CardProtocol.T0
    assert citizen_card().protocol is CardProtocol.T1


def test_t0_names_the_right_length_when_le_is_00(contact: VirtualCard) -> None:
    assert send(contact, "00B2012C00") == "6C12"


@pytest.mark.parametrize("wrong", ["01", "11", "13", "FF"])
def test_t0_names_the_right_length_when_le_is_wrong(contact: VirtualCard, wrong: str) -> None:
    assert send(contact, f"00B2012C{wrong}") == "6C12"


def test_t0_answers_at_once_when_le_is_right(contact: VirtualCard) -> None:
    assert send(contact, "00B2012C12") == f"{CARD_ID}9000"


def test_t0_get_response_of_the_wrong_length_keeps_the_answer(contact: VirtualCard) -> None:
    assert send(contact, SELECT_SSSE) == "611E"
    assert send(contact, "00C0000000") == "6C1E"
    assert send(contact, "00C0000005") == "6C1E"
    assert send(contact, "00C000001F") == "6C1E"
    assert send(contact, "00C000001E") == f"{SSSE_FCI}9000"


def test_t0_gives_an_answer_only_once(contact: VirtualCard) -> None:
    send(contact, SELECT_SSSE)
    send(contact, "00C000001E")
    assert send(contact, "00C000001E") == "6985"


def test_t0_forgets_the_answer_at_the_next_command(contact: VirtualCard) -> None:
    send(contact, SELECT_SSSE)
    send(contact, "00B2012C12")
    assert send(contact, "00C000001E") == "6985"


def test_t0_forgets_the_answer_at_power_off(contact: VirtualCard) -> None:
    send(contact, SELECT_SSSE)
    contact.power_off()
    contact.power_on()
    assert send(contact, "00C000001E") == "6985"


@pytest.mark.parametrize("protocol", list(CardProtocol))
def test_get_response_without_an_answer_is_refused(protocol: CardProtocol) -> None:
    card = VirtualCard(b"\x3b\x00", social_security_card().master_file, protocol)
    assert send(card, "00C0000000") == "6985"


def test_t0_reads_a_shorter_part_of_a_transparent_file_without_6cxx() -> None:
    card = VirtualCard(b"\x3b\x00", citizen_card().master_file, CardProtocol.T0)
    send(card, SELECT_WALLET)
    assert send(card, "00B0950008") == f"{EF15[:16]}9000"
    assert send(card, "00B095001E") == f"{EF15}9000"
    assert send(card, "00B0950000") == "6C1E"
    assert send(card, "00B095001F") == "6C1E"
    assert send(card, "00B0951000") == "6C0E"


def test_t1_answers_directly(contactless: VirtualCard) -> None:
    fci = f"6F2E8409A00000000386980701A5219F0C1E{EF15}"
    assert send(contactless, SELECT_WALLET + "00") == f"{fci}9000"
    assert send(contactless, "00B0950000") == f"{EF15}9000"
    assert send(contactless, "805C000204") == "000027109000"


def test_t1_answers_directly_without_le(contactless: VirtualCard) -> None:
    """Several terminals send no Le and accept what comes (EW §3.2)."""
    assert send(contactless, SELECT_WALLET).endswith("9000")
    assert send(contactless, "805C0002") == "000027109000"


def test_t1_names_the_right_length_when_le_is_too_short(contactless: VirtualCard) -> None:
    assert send(contactless, "805C000203") == "6C04"


def test_t1_names_the_right_length_of_commands_with_data_too(contactless: VirtualCard) -> None:
    assert send(contactless, SELECT_WALLET + "05") == "6C30"
    assert send(contactless, "00A40400 00 0009 A00000000386980701 0005") == "6C30"


def test_extended_lengths_mean_the_same(contactless: VirtualCard) -> None:
    assert send(contactless, "00A404000000 09A00000000386980701 0000").endswith("9000")
    assert send(contactless, "00A40400 00 0009 A00000000386980701").endswith("9000")
    assert send(contactless, "00B09500000000") == f"{EF15}9000"
    assert send(contactless, "00B09500000004") == f"{EF15[:8]}9000"


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "00",
        "00A404",
        "00A4040009A0",  # Lc promises more
        "00A4000002DF010000",  # more than one Le byte
        "00A40400000003DF",  # extended, Lc promises more
        "00A40400000002DF0100",  # extended, one byte of Le
    ],
)
def test_lengths_that_do_not_fit_are_6700(contactless: VirtualCard, malformed: str) -> None:
    assert send(contactless, malformed) == "6700"


@pytest.mark.parametrize("card", [social_security_card(), citizen_card()], ids=["social security", "citizen"])
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00EE000000", "6D00"),
        ("80EE000000", "6D00"),
        ("8050010200", "6D00"),  # no purse is selected
        ("B026000104", "6D00"),
        ("0482000000", "6D00"),
        ("841F000100", "6D00"),
        ("90B0950000", "6E00"),
        ("FFCA000000", "6E00"),
        ("20B0950000", "6E00"),
    ],
)
def test_unknown_classes_and_instructions(card: VirtualCard, command: str, status: str) -> None:
    assert send(card, command) == status


def test_challenge_has_4_8_or_16_fresh_bytes(contact: VirtualCard) -> None:
    for size in (4, 8, 16):
        answer = send(contact, f"00840000{size:02X}")
        assert len(answer) == 2 * size + 4
        assert answer.endswith("9000")
        assert answer != send(contact, f"00840000{size:02X}")
    assert send(contact, "0084000005") == "6700"
    assert send(contact, "0084000000") == "6700"
