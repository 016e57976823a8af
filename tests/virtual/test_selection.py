"""Who can be selected from where, and by what (SSC §2, §5.1; EW §1.2)."""

import pytest

from cardio.transport.channel import CardProtocol
from cardio.virtual.card import VirtualCard
from cardio.virtual.filesystem import Directory
from cardio.virtual.security import OK
from tests.virtual.ldt import LdtCard
from tests.virtual.wire import SELECT_SSSE, send

SSSE, DF03, DF04, PKI, ADF = "DDF1", "DF03", "DF04", "DDF2", "DF01"


def card_of(*, names_from_master_file: bool = False) -> VirtualCard:
    """An SSSE with two areas, and a second environment with one of its own."""
    master = Directory(0x3F00)
    ssse = master.add(Directory(0xDDF1, bytes.fromhex(SELECT_SSSE[10:])))
    ssse.add(Directory(0xDF03, bytes.fromhex("D15600000502")))
    ssse.add(Directory(0xDF04, bytes.fromhex("D15600000503")))
    pki = master.add(Directory(0xDDF2, b"PKI.SYS"))
    pki.add(Directory(0xDF01, b"SHARED"))
    pki.add(Directory(0xDF09, b"SHARED"))
    return VirtualCard(b"\x3b\x00", master, CardProtocol.T1, names_from_master_file=names_from_master_file)


def choose(card: VirtualCard, *identifiers: str) -> str:
    answers = [send(card, f"00A4000002{identifier}") for identifier in identifiers]
    return answers[-1][-4:]


def test_area_is_found_by_identifier_from_its_environment_and_from_its_siblings() -> None:
    card = card_of()
    assert choose(card, SSSE, DF03) == "9000"
    assert choose(card, DF04) == "9000"
    assert choose(card, SSSE) == "9000"


def test_area_is_not_found_by_identifier_from_outside() -> None:
    card = card_of()
    assert choose(card, DF03) == "6A82"
    assert choose(card, PKI, DF03) == "6A82"
    assert choose(card, ADF, DF04) == "6A82"


def test_environments_are_found_from_each_other_and_everything_leads_to_the_master_file() -> None:
    card = card_of()
    assert choose(card, SSSE, PKI) == "9000"
    assert choose(card, ADF, "3F00") == "9000"
    assert card.current is card.master_file


@pytest.mark.parametrize("p2", ["01", "04", "0C", "80", "FF"])
@pytest.mark.parametrize("rest", ["02DF03", "023F00"])
def test_p2_is_first_or_next(p2: str, rest: str) -> None:
    assert send(card_of(), f"00A400{p2}{rest}") == "6A86"


def test_next_occurrence_of_a_name() -> None:
    card = card_of()
    name = b"SHARED".hex()
    assert send(card, f"00A4040006{name}").endswith("9000")
    assert card.current.identifier == 0xDF01
    assert send(card, f"00A4040206{name}").endswith("9000")
    assert card.current.identifier == 0xDF09
    assert send(card, f"00A4040206{name}") == "6A82"
    assert card.current.identifier == 0xDF09


def test_next_occurrence_without_a_first_is_the_first() -> None:
    card = card_of()
    assert send(card, f"00A4040206{b'SHARED'.hex()}").endswith("9000")
    assert card.current.identifier == 0xDF01


def test_names_are_found_from_anywhere() -> None:
    card = card_of()
    assert choose(card, PKI, ADF) == "9000"
    assert send(card, SELECT_SSSE).endswith("9000")


def test_card_that_knows_environments_by_name_only_from_the_master_file() -> None:
    card = card_of(names_from_master_file=True)
    assert send(card, SELECT_SSSE).endswith("9000")
    assert send(card, SELECT_SSSE) == "6A82"
    assert send(card, "00A4040006D15600000502").endswith("9000")
    assert send(card, SELECT_SSSE) == "6A82"
    assert choose(card, "3F00") == "9000"
    assert send(card, SELECT_SSSE).endswith("9000")


def test_security_of_a_directory_holds_below_it() -> None:
    card = card_of()
    own = LdtCard().security
    ssse = card.master_file.directories[0]
    ssse.security = own
    assert card.security_of(ssse) is card.security_of(ssse.directories[0]) is own
    assert card.security_of(card.master_file) is card.security_of(card.master_file.directories[1]) is card.security
    assert own.select_status(ssse) == OK


def test_security_that_has_a_pin_is_not_given_another() -> None:
    security = LdtCard().security
    with pytest.raises(ValueError, match="PIN"):
        VirtualCard(b"\x3b\x00", Directory(0x3F00), CardProtocol.T1, security.pin, security=security)
