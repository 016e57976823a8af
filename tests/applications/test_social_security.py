"""The social security environment: how it is found, its cipher, its factors (SSC §1, §2, §6.3, §10.2)."""

import pytest

from cardio.apdu.connection import CardConnection
from cardio.applications.social_security import CardIdentity, SocialSecurityApplication
from cardio.crypto.ciphers import Algorithm
from cardio.errors import CardDataInvalid, CardUnsupported, FileNotFound
from cardio.virtual.cards import PERSON_B, social_security_card
from tests.applications.presenting import present
from tests.purse.scripted import ScriptedChannel, scripted
from tests.virtual.vectors import Exchange

SELECT = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF00"
SELECT_MF = "00A40000023F0000"
READ_ISSUER = "00B2012D00"
READ_HOLDER = "00B2013500"
NAME = "840F7378312E73682EC9E7BBE1B1A3D5CF"
PLAIN_FCI = f"6F16{NAME}A50388011E9000"
ISSUER_2_0 = (
    "0110430299D156000005000000133A05F2E3" + "020133" + "0304322E3030"
    "040C9156000002430200430100D5" + "050432303132" + "060432303232" + "0709423030303030313331"
)


def fci(algorithm: str) -> str:
    return f"6F1C{NAME}A50988011E9F0C038601{algorithm}9000"


def selected(*script: Exchange, atr: str = "3B6D000000814A444686605199000001AC") -> SocialSecurityApplication:
    channel = ScriptedChannel(script)
    channel.atr = bytes.fromhex(atr)
    return SocialSecurityApplication.select(CardConnection(channel))


def test_card_that_knows_the_name_only_from_the_master_file_is_found() -> None:
    card, script = scripted(Exchange(SELECT, "6A82"), Exchange(SELECT_MF, "9000"), Exchange(SELECT, PLAIN_FCI))
    SocialSecurityApplication.select(card)
    script.assert_finished()


def test_other_cards_have_no_such_environment() -> None:
    card, script = scripted(Exchange(SELECT, "6A82"), Exchange(SELECT_MF, "9000"), Exchange(SELECT, "6A82"))
    with pytest.raises(FileNotFound):
        SocialSecurityApplication.select(card)
    script.assert_finished()


@pytest.mark.parametrize(("code", "algorithm"), [("01", Algorithm.TRIPLE_DES), ("03", Algorithm.SM4)])
def test_cipher_is_what_the_fci_announces(code: str, algorithm: Algorithm) -> None:
    assert selected(Exchange(SELECT, fci(code))).algorithm() is algorithm


def test_ssf33_is_not_supported() -> None:
    with pytest.raises(CardUnsupported):
        selected(Exchange(SELECT, fci("02")))


def test_silent_card_uses_3des_and_a_silent_card_of_beijing_ssf33() -> None:
    read = Exchange(READ_ISSUER, ISSUER_2_0 + "9000")
    assert selected(Exchange(SELECT, PLAIN_FCI), read).algorithm() is Algorithm.TRIPLE_DES
    beijing = Exchange(READ_ISSUER, ISSUER_2_0.replace("430299", "110100", 1) + "9000")
    with pytest.raises(CardUnsupported):
        selected(Exchange(SELECT, PLAIN_FCI), beijing).algorithm()


def test_issuer_data_are_read_once() -> None:
    application = selected(Exchange(SELECT, PLAIN_FCI), Exchange(READ_ISSUER, ISSUER_2_0 + "9000"))
    assert application.issuer() is application.issuer()
    assert application.issuer().card_number == "B00000131"


def test_identity_is_identification_code_and_number() -> None:
    application = selected(Exchange(SELECT, PLAIN_FCI), Exchange(READ_ISSUER, ISSUER_2_0 + "9000"))
    identity = application.identity()
    assert identity == CardIdentity(bytes.fromhex("430299D156000005000000133A05F2E3"), "B00000131")
    assert identity.region == "430299"
    assert identity.key == identity.card_id + b"B00000131"


def test_cards_of_two_persons_differ() -> None:
    cards = social_security_card(), social_security_card(PERSON_B)
    first, second = (SocialSecurityApplication.select(present(card)).identity().key for card in cards)
    assert first != second


@pytest.mark.parametrize(
    "issuer",
    [
        ISSUER_2_0.replace("0110430299D156000005000000133A05F2E3", "0110" + "FF" * 16),
        ISSUER_2_0.replace("0709423030303030313331", "0709" + "00" * 9),
        ISSUER_2_0[:36],
        "",
    ],
)
def test_card_without_code_or_number_has_no_identity(issuer: str) -> None:
    application = selected(Exchange(SELECT, PLAIN_FCI), Exchange(READ_ISSUER, issuer + "9000"))
    with pytest.raises(CardDataInvalid):
        application.identity()


def test_factors_are_province_city_and_card() -> None:
    """SSC §9.3: region 519900, the last eight historical bytes."""
    issuer = Exchange(READ_ISSUER, ISSUER_2_0.replace("430299", "519900", 1) + "9000")
    factors = [bytes.fromhex(factor) for factor in ("3531303030307368", "3531393930307378", "86605199000001AC")]
    assert list(selected(Exchange(SELECT, PLAIN_FCI), issuer).factors()) == factors
    contactless = "3B8D800100814A444686605199000001AC00"
    assert selected(Exchange(SELECT, PLAIN_FCI), issuer, atr=contactless).factors()[-1] == factors[-1]


def test_an_unknown_algorithm_is_not_taken_for_3des() -> None:
    virtual = social_security_card()
    environment = virtual.master_file.directories[0]
    environment.proprietary = lambda: bytes.fromhex("88011E9F0C03860107")
    with pytest.raises(CardUnsupported, match="07"):
        SocialSecurityApplication.select(present(virtual))
