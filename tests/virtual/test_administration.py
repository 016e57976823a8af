"""ERASE DF, CREATE FILE and WRITE KEY are taken and refused as PERS §1.1 to §1.5 says, on both kinds of blank cards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.virtual.administration import AdministrationChoices, FirstKey
from cardio.virtual.blank_fmcos import blank_fmcos_card
from cardio.virtual.blank_ldt import blank_ldt_card
from cardio.virtual.card import VirtualCard
from cardio.virtual.fmcos_access import FmcosChoices
from tests.virtual.issuer import (
    ADF,
    ADF_KEY_FILE,
    LINE,
    MASTER,
    MF_KEY_FILE,
    PROTECTED_MASTER,
    SELECT_ADF,
    SELECT_MF,
    Issuer,
    key,
)

FREE_FILE = "80E0000507280008F0F0FFFF"
ONE_BYTE = "80E0000607280001F0F0FFFF"

MAKERS: dict[str, Callable[..., VirtualCard]] = {"fmcos": blank_fmcos_card, "ldt": blank_ldt_card}


@pytest.fixture(params=MAKERS)
def issuer(request: pytest.FixtureRequest) -> Issuer:
    return Issuer(MAKERS[request.param]())


@pytest.fixture
def fmcos() -> Issuer:
    return Issuer(blank_fmcos_card())


# ---- the fresh card ----------------------------------------------------------------------------------------------


def test_fresh_card_has_a_master_file_with_the_default_name(issuer: Issuer) -> None:
    assert issuer.send(SELECT_MF) == "6F15840E315041592E5359532E4444463031A5038801019000"


@pytest.mark.parametrize("command", ["800E000000", ADF, "80E00001072A0213F000FFFF"])
def test_fresh_card_does_nothing_without_the_transport_key(issuer: Issuer, command: str) -> None:
    assert issuer.send(command) == "6982"


def test_transport_key_counts_its_tries(issuer: Issuer) -> None:
    assert issuer.authenticate(key("wrong")) == "63CE"
    assert issuer.authenticate(issuer.transport) == "9000"
    for tries in range(14, -1, -1):
        assert issuer.authenticate(key("wrong")) == f"63C{tries:X}"
    assert issuer.authenticate(issuer.transport) == "6983"


def test_sm4_card_has_a_transport_key_of_16_bytes() -> None:
    for make in MAKERS.values():
        assert Issuer(make(algorithm=Algorithm.SM4), Algorithm.SM4).authenticate(b"\xff" * 16) == "9000"


# ---- erase -------------------------------------------------------------------------------------------------------


def test_erased_master_file_has_nothing_and_needs_no_key(issuer: Issuer) -> None:
    issuer.make_application()
    issuer.ok(SELECT_MF)
    assert issuer.authenticate(key("CCK")) == "9000"
    issuer.ok("800E000000")
    assert issuer.send(SELECT_ADF) == "6A82"
    assert issuer.authenticate(key("CCK")) == "6A88"
    issuer.ok(MF_KEY_FILE)


def test_erase_keeps_the_directory_and_its_rights(issuer: Issuer) -> None:
    issuer.make_application()
    issuer.reenter()
    assert issuer.send("800E000000") == "6982"
    assert issuer.authenticate(key("AMK")) == "9000"
    issuer.ok("800E000000", ADF_KEY_FILE)
    assert issuer.plain(MASTER, key("AMK")) == "9000"
    issuer.ok(SELECT_ADF)
    assert issuer.send("800E000000") == "6982"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("800E010000", "6A86"),
        ("800E0000020000", "6700"),
        ("800E00", "6700"),
    ],
)
def test_erase_has_one_form(issuer: Issuer, command: str, answer: str) -> None:
    issuer.authenticate(issuer.transport)
    assert issuer.send(command) == answer


def test_current_file_is_none_after_an_erase(issuer: Issuer) -> None:
    issuer.take_over()
    issuer.ok(FREE_FILE, "00A4020002 0005", "00B0000008", "800E000000")
    assert issuer.send("00B0000008") == "6986"


# ---- the free directory ------------------------------------------------------------------------------------------


def test_directory_without_key_file_is_free_however_often_it_is_entered(issuer: Issuer) -> None:
    issuer.make_master_file()
    issuer.ok(
        ADF, SELECT_ADF, "80E00005072800088888FFFF", SELECT_MF, SELECT_ADF, "00B0850008", "80E00006072800088888FFFF"
    )


def test_directory_with_key_file_is_free_until_it_is_left(issuer: Issuer) -> None:
    issuer.make_application()
    issuer.ok("80E00005072800088888FFFF", "00D6850001AA", "00B0850008")
    issuer.reenter()
    assert issuer.send("00B0850008") == "6982"
    assert issuer.send("80E00006072800088888FFFF") == "6982"
    assert issuer.send("00D6850001AA") == "6982"


def test_power_off_ends_the_freedom_too(issuer: Issuer) -> None:
    issuer.take_over()
    issuer.ok(MF_KEY_FILE)
    assert issuer.plain(MASTER, key("CCK")) == "9000"
    issuer.card.power_off()
    issuer.card.power_on()
    assert issuer.plain(LINE, key("CLK")) == "6982"


def test_key_file_without_keys_closes_nothing(issuer: Issuer) -> None:
    """Else a card torn between its key file and its first key were lost."""
    issuer.take_over()
    issuer.ok(MF_KEY_FILE)
    issuer.card.power_off()
    issuer.card.power_on()
    assert issuer.authenticate(key("CCK")) == "6A88"
    assert issuer.plain(MASTER, key("CCK")) == "9000"


# ---- create ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "80E0000500",
        "80E0000506 28000EF0F0FF",
        "80E0000508 28000EF0F0FFFFFF",
        "80E03F010C 380100AAAA95FFFF A0000000",
        "80E03F0119 380100AAAA95FFFF A000000000000000000000000000000000",
        "80E0000008 3F010001AAFFFFFF",
    ],
)
def test_create_with_another_length_is_6700(issuer: Issuer, command: str) -> None:
    issuer.take_over()
    assert issuer.send(command) == "6700"


@pytest.mark.parametrize(
    "block",
    [
        "2A0113F0F0FFFF",
        "2E0117F0F0FFFF",
        "2A0000F0F0FFFF",
        "2E0AF9F0F0FFFF",
        "2A0200F0F0FFFF",
        "280000F0F0FFFF",
        "2C0000F0F0FFFF",
        "290008F0F0FFFF",
        "300008F0F0FFFF",
        "AF0208F000FF18",
        "BF010001AAFFFF",
    ],
)
def test_file_that_cannot_be_is_6a80(issuer: Issuer, block: str) -> None:
    issuer.take_over()
    assert issuer.send(f"80E0000507{block}") == "6A80"


@pytest.mark.parametrize(
    ("identifier", "block", "answer"),
    [
        ("0003", "2F0208F000FF18", "6A86"),
        ("0002", "2F0209F000FF18", "6A80"),
        ("0002", "2F0208F000FF00", "6A80"),
        ("0002", "2F0208F000FF1F", "6A80"),
        ("EF01", "2D00142100FF08", "6A80"),
    ],
)
def test_purse_file_of_fmcos_has_one_form(fmcos: Issuer, identifier: str, block: str, answer: str) -> None:
    fmcos.take_over()
    assert fmcos.send(f"80E0{identifier}07{block}") == answer


def test_directory_of_a_social_security_card_is_one_account_or_one_wallet() -> None:
    issuer = Issuer(blank_ldt_card())
    issuer.take_over()
    assert issuer.send("80E0EF01072D00152100FF08") == "6A80"
    issuer.ok("80E0EF01072D00142100FF08")
    assert issuer.send("80E0EF02072D00142100FF08") == "6A86"
    assert issuer.send("80E00002072F0208F000FF18") == "6A86"
    issuer.ok("800E000000", "80E00002072F0208F000FF18", "80E00001072F0208F000FF18")
    assert issuer.send("80E0EF01072D00142100FF08") == "6A86"


def test_directories_have_three_levels(issuer: Issuer) -> None:
    issuer.make_master_file()
    issuer.ok("80E0DF010D381000AAAA00FFFF0000000001", "00A4000002DF01")
    issuer.ok("80E0DF020D380800AAAA00FFFF0000000002", "00A4000002DF02")
    assert issuer.send("80E0DF030D380100AAAA00FFFF0000000003") == "6A80"


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_number_of_levels_is_a_choice(make: Callable[..., VirtualCard]) -> None:
    issuer = Issuer(make(administration=AdministrationChoices(levels=2)))
    issuer.make_master_file()
    issuer.ok("80E0DF010D381000AAAA00FFFF0000000001", "00A4000002DF01")
    assert issuer.send("80E0DF020D380800AAAA00FFFF0000000002") == "6A80"


@pytest.mark.parametrize("identifier", ["0000", "0005", "3F00", "DF01", "DF02"])
def test_taken_identifier_is_6a86(issuer: Issuer, identifier: str) -> None:
    """Its own, those of its files, of the master file and of the directories beside it."""
    issuer.make_master_file()
    issuer.ok("80E0DF010D381000AAAA00FFFF0000000001", "80E0DF020D380800AAAA00FFFF0000000002", "00A4000002DF01")
    issuer.ok("80E00000073F010000AAFFFF", FREE_FILE)
    assert issuer.send(f"80E0{identifier}07280008F0F0FFFF") == "6A86"
    assert issuer.send(f"80E0{identifier}0D380100AAAA00FFFF0000000003") == "6A86"


def test_identifier_of_another_directory_s_file_is_free(issuer: Issuer) -> None:
    issuer.make_application()
    issuer.ok(FREE_FILE, SELECT_MF)
    assert issuer.authenticate(key("CCK")) == "9000"
    issuer.ok(FREE_FILE)


@pytest.mark.parametrize("before", [FREE_FILE, ADF, MF_KEY_FILE])
def test_key_file_is_the_first_file_and_the_only_one(issuer: Issuer, before: str) -> None:
    issuer.take_over()
    issuer.ok(before)
    assert issuer.send("80E00009073F010001AAFFFF") == "6A86"


# ---- room --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "cost"),
    [
        ("28001EF0F0FFFF", 11 + 30),
        ("2C0060F088FFFF", 11 + 96),
        ("2A0213F0F0FFFF", 11 + 2 * 20),
        ("2E0A17F1EFFFFF", 11 + 10 * 24),
    ],
)
def test_file_takes_header_and_body(issuer: Issuer, block: str, cost: int) -> None:
    """PERS §1.1."""
    issuer.make_master_file()
    issuer.ok(f"80E0DF010D38{cost:04X}AAAA00FFFF0000000001", f"80E0DF020D38{cost - 1:04X}AAAA00FFFF0000000002")
    issuer.ok("00A4000002DF02")
    assert issuer.send(f"80E0000507{block}") == "6A84"
    issuer.ok("00A4000002DF01", f"80E0000507{block}")
    assert issuer.send(ONE_BYTE) == "6A84"


def test_purses_of_card_a_take_33_bytes_each(fmcos: Issuer) -> None:
    """PERS §5.2, space check."""
    fmcos.make_master_file()
    fmcos.ok("80E0DF010D380042AAAA00FFFF0000000001", "00A4000002DF01")
    fmcos.ok("80E00001072F0208F100FF18", "80E00002072F0208F000FF18")
    assert fmcos.send(ONE_BYTE) == "6A84"


def test_directory_takes_header_name_and_all_that_may_be_in_it(issuer: Issuer) -> None:
    issuer.make_master_file()
    issuer.ok("80E0DF010D380100AAAA00FFFF0000000001", "00A4000002DF01")
    room = 0x100 - 11 - 5
    assert issuer.send(f"80E0DF020D38{room + 1:04X}AAAA00FFFF0000000002") == "6A84"
    issuer.ok(f"80E0DF020D38{room:04X}AAAA00FFFF0000000002")


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_whole_card_has_a_capacity(make: Callable[..., VirtualCard]) -> None:
    issuer = Issuer(make(administration=AdministrationChoices(capacity=100)))
    issuer.take_over()
    assert issuer.send("80E0000507 28005AF0F0FFFF") == "6A84"
    issuer.ok("80E0000507 280059F0F0FFFF")


# ---- write key ---------------------------------------------------------------------------------------------------

HEADERS = {
    "internal": "30F0AA0100",
    "decrypt": "31F0AA0100",
    "mac": "32F0AA0100",
    "tac": "34F0AA0100",
    "line": "36F0AAFF33",
    "unblock": "37F0AAFF33",
    "reload": "38F0AAFF33",
    "external": "39F0AA0433",
    "overdraft": "3CF0AA0100",
    "unload": "3DF0AA0100",
    "purchase": "3EF0AA0100",
    "load": "3FF0AA0100",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_every_type_of_key_is_added_and_changed_plain_and_protected(issuer: Issuer, header: str) -> None:
    issuer.make_application()
    kind = int(header[:2], 16)
    final = f"{kind | 0xC0:02X}{header[2:]}"
    assert issuer.plain(header, key("plain"), 0x01) == "9000"
    assert issuer.protected(header, key("protected"), key("AMK"), 0x02) == "9000"
    assert issuer.plain(header, key("changed"), 0x01, p1=kind) == "9000"
    assert issuer.protected(final, key("final"), key("AMK"), 0x01, p1=kind) == "9000"
    assert issuer.plain(final, key("plain"), 0x01, p1=kind | 0xC0) == "9302"
    assert issuer.protected(final, key("again"), key("AMK"), 0x01, p1=kind | 0xC0) == "9000"
    assert issuer.protected(final, key("again"), key("AMK"), 0x01, p1=kind) == "6A88"
    assert issuer.plain(header, bytes(8), 0x03) == "9000"
    assert issuer.protected(header, bytes(8), key("AMK"), 0x04) == "9000"


@pytest.mark.parametrize("size", range(2, 9))
def test_pin_has_2_to_8_bytes(issuer: Issuer, size: int) -> None:
    issuer.make_application()
    pin = bytes.fromhex("12345678FFFFFFFF")[:size]
    assert issuer.plain("3AF0EF0133", pin, 0x01) == "9000"
    assert issuer.protected("7AF0EF0133", pin, key("AMK"), 0x02) == "9000"


def test_pin_is_never_changed_by_write_key(issuer: Issuer) -> None:
    issuer.make_application()
    assert issuer.plain("3AF0EF0133", b"\x12\x34\x56") == "9000"
    issuer.reenter()
    assert issuer.authenticate(key("AMK")) == "9000"
    assert issuer.protected("3AF0EF0133", b"\x65\x43\x21", key("AMK"), p1=0x3A) == "6982"


@pytest.mark.parametrize(
    "header",
    [
        "33F0AA0100",
        "35F0AA0100",
        "3BF0AA0100",
        "00F0AA0100",
        "B9F0AAAA33",
        "79F0AAAA33",
        "39F0AAAA03",
        "39F0AAAA34",
        "36F0AA0033",
        "37F0AA0133",
        "38F0AA0033",
    ],
)
def test_key_that_cannot_be_is_6a80(issuer: Issuer, header: str) -> None:
    issuer.make_application()
    assert issuer.plain(header, key("key"), 0x05) == "6A80"
    assert issuer.protected(header, key("key"), key("AMK"), 0x05) == "6A80"


def test_pin_that_could_be_changed_is_6a80(issuer: Issuer) -> None:
    issuer.make_application()
    assert issuer.plain("3AF0AA0133", b"\x12\x34\x56") == "6A80"


@pytest.mark.parametrize("size", [0, 1, 9, 10, 15, 17])
def test_key_of_another_length_is_6700(issuer: Issuer, size: int) -> None:
    issuer.make_application()
    assert issuer.plain("36F0AAFF33", bytes(size)) == "6700"
    assert issuer.protected("36F0AAFF33", bytes(size), key("AMK")) == "6700"


def test_key_of_a_pin_s_length_is_6700(issuer: Issuer) -> None:
    issuer.make_application()
    assert issuer.plain("36F0AAFF33", bytes(3)) == "6700"
    assert issuer.protected("36F0AAFF33", bytes(3), key("AMK")) == "6700"


def test_sm4_keys_have_16_bytes_and_commands_of_24(issuer: Issuer) -> None:
    for make in MAKERS.values():
        sm4 = Issuer(make(algorithm=Algorithm.SM4), Algorithm.SM4)
        sm4.make_application()
        command = sm4.protected_command(LINE, key("DAMK"), key("AMK"))
        assert command[4] == 0x24
        assert sm4.send(command.hex()) == "9000"
        assert sm4.plain("36F0AAFF33", bytes(8), 0x01) == "6700"
        pin = sm4.protected_command("3AF0EF0133", b"\x12\x34\x56", key("AMK"))
        assert pin[4] == 0x14
        assert sm4.send(pin.hex()) == "9000"


def test_write_key_needs_a_key_file_the_right_and_a_number(issuer: Issuer) -> None:
    issuer.make_master_file()
    issuer.ok(ADF, SELECT_ADF)
    assert issuer.plain(MASTER, key("AMK")) == "6A82"
    issuer.ok(ADF_KEY_FILE)
    assert issuer.plain("36F0AAFF33", key("key"), 0xFF) == "6A86"
    assert issuer.protected("36F0AAFF33", key("key"), key("CCK"), p1=0x36) == "6A88"
    assert issuer.plain(MASTER, key("AMK")) == "9000"
    issuer.reenter()
    assert issuer.plain("36F0AAFF33", key("key")) == "6982"
    assert issuer.protected("36F0AAFF33", key("key"), key("AMK")) == "6982"


def test_key_that_is_there_is_not_added_again(issuer: Issuer) -> None:
    issuer.make_application()
    assert issuer.plain("36F0AAFF33", key("key")) == "9000"
    assert issuer.plain("36F0AAFF33", key("other")) == "6A86"
    assert issuer.plain("36F0AAFF33", key("other"), 0x01) == "9000"


def test_change_needs_its_right_and_keeps_type_and_length(issuer: Issuer) -> None:
    issuer.make_application()
    assert issuer.plain("36F0AAFF33", key("key")) == "9000"
    assert issuer.plain("37F0AAFF33", key("key"), p1=0x36) == "6A80"
    assert issuer.plain("36F0AAFF33", bytes(8), p1=0x36) == "6700"
    issuer.reenter()
    assert issuer.plain("36F0AAFF33", key("new"), p1=0x36) == "6982"
    assert issuer.authenticate(key("AMK")) == "9000"
    assert issuer.plain("36F0AAFF33", key("new"), p1=0x36) == "9000"


def test_key_file_is_full_after_as_many_keys_as_fit(issuer: Issuer) -> None:
    """24 bytes for a key of 16, 16 for one of 8 (PERS §1.1)."""
    issuer.make_master_file()
    issuer.ok(ADF, SELECT_ADF, "80E00000073F004095AAFFFF")
    assert issuer.plain(MASTER, key("AMK")) == "9000"
    assert issuer.plain("36F0AAFF33", key("key"), 0) == "9000"
    assert issuer.plain("36F0AAFF33", key("key"), 1) == "6A84"
    assert issuer.plain("36F0AAFF33", bytes(8), 1) == "9000"
    assert issuer.plain("3AF0EF0133", b"\x12\x34") == "6A84"


def test_wrong_protection_is_9302_and_locks_the_master_in_the_end(issuer: Issuer) -> None:
    issuer.make_application()
    command = bytearray(issuer.protected_command(LINE, key("DAMK"), key("AMK")))
    command[-1] ^= 1
    assert issuer.send(command.hex()) == "9302"
    assert issuer.protected(LINE, key("DAMK"), key("wrong")) == "9302"
    assert issuer.protected(LINE, key("DAMK"), key("AMK")) == "9000"
    for _ in range(3):
        assert issuer.protected("F7F0AAFF33", key("DPUK"), key("wrong")) == "9302"
    assert issuer.protected("F7F0AAFF33", key("DPUK"), key("AMK")) == "6983"
    assert issuer.protected(PROTECTED_MASTER, key("AMK2"), key("AMK"), p1=0xF9) == "6983"


def test_protection_is_for_one_challenge_of_4_bytes(issuer: Issuer) -> None:
    issuer.make_application()
    command = issuer.protected_command(LINE, key("DAMK"), key("AMK"))
    assert issuer.send(command.hex()) == "9000"
    assert issuer.send(command.hex()) == "6984"
    issuer.challenge(8)
    assert issuer.send(command.hex()) == "6984"


def test_right_mac_over_a_block_that_is_none_is_9302(issuer: Issuer) -> None:
    issuer.make_application()
    challenge, start = issuer.challenge(), bytes.fromhex("84D401001C") + bytes(24)
    assert issuer.send((start + issuer.suite.line_mac(key("AMK"), challenge, start)).hex()) == "9302"


def test_refused_key_changes_nothing(issuer: Issuer) -> None:
    issuer.make_application()
    before = issuer.keys()
    for header, value in (("33F0AA0100", key("key")), ("36F0AAFF33", bytes(9)), ("39F0AAAA03", key("key"))):
        issuer.plain(header, value)
        issuer.protected(header, value, key("AMK"))
    assert issuer.keys() == before


# ---- the first key of a directory --------------------------------------------------------------------------------


def application(issuer: Issuer) -> Issuer:
    issuer.make_master_file()
    issuer.ok(ADF, SELECT_ADF, ADF_KEY_FILE)
    return issuer


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("first", list(FirstKey))
def test_first_key_gets_in_as_the_card_chooses(make: Callable[..., VirtualCard], first: FirstKey) -> None:
    choices = AdministrationChoices(first_keys=frozenset({first}))

    def fresh() -> Issuer:
        return application(Issuer(make(administration=choices)))

    parent = fresh().protected(PROTECTED_MASTER, key("AMK"), key("CCK"))
    plain = fresh().plain(MASTER, key("AMK"))
    final = fresh().plain(PROTECTED_MASTER, key("AMK"))
    assert (parent, plain, final) == {
        FirstKey.PARENT_MASTER: ("9000", "9302", "9302"),
        FirstKey.PLAIN: ("6A88", "9000", "9302"),
        FirstKey.PLAIN_FINAL: ("6A88", "9302", "9000"),
    }[first]


def test_plain_master_is_changed_to_its_final_type_afterwards(issuer: Issuer) -> None:
    """Variant (b) of PERS §1.4."""
    application(issuer)
    assert issuer.plain(MASTER, key("AMK")) == "9000"
    assert issuer.protected(LINE, key("DAMK"), key("CCK")) == "9302", "its own master protects from now on"
    assert issuer.protected(LINE, key("DAMK"), key("AMK")) == "9000"
    assert issuer.protected(PROTECTED_MASTER, key("AMK2"), key("AMK"), p1=0x39) == "9000"
    assert issuer.authenticate(key("AMK")) == "63C2"
    assert issuer.authenticate(key("AMK2")) == "9000"


def test_nearest_directory_above_protects(issuer: Issuer) -> None:
    """PERS §5.3, B36."""
    issuer.make_master_file()
    issuer.ok("80E0DF010D381000AAAA00FFFF0000000001", "00A4000002DF01", "80E00000073F010000AAFFFF")
    assert issuer.protected(PROTECTED_MASTER, key("SMK"), key("CCK")) == "9000"
    issuer.ok("80E0DF020D380800AAAA00FFFF0000000002", "00A4000002DF02", "80E00000073F010000AAFFFF")
    assert issuer.protected(PROTECTED_MASTER, key("DMK"), key("CCK")) == "9302"
    assert issuer.protected(PROTECTED_MASTER, key("DMK"), key("SMK")) == "9000"


def test_vendor_s_sample_issue_is_taken_by_fmcos(fmcos: Issuer) -> None:
    """PERS §1.6, with keys that are not DES-equivalent; all in plain, and the directories left free."""
    fmcos.take_over()
    fmcos.ok("80E00000073F005001F0FFFF")
    assert fmcos.plain("36F0F0FF33", bytes(8)) == "9000"
    assert fmcos.plain("39F0F0AA33", key("master")) == "9000"
    fmcos.ok("80E00001072A0213F000FFFF", "00E200081361114F09A00000000386980701500450424F43")
    fmcos.ok("80E03F011138036FF0F095FFFFA00000000386980701", SELECT_ADF, "80E00000073F018F95F0FFFF")
    for header in ("34F0020001", "36F002FF33", "37F002FF33", "38F002FF33", "39F0024433"):
        assert fmcos.plain(header, key(header[:2])) == "9000"
    for header in ("3EF0020001", "3FF0020001", "3DF0020100", "3CF0020100"):
        for number in (1, 2):
            assert fmcos.plain(header, key(f"{header[:2]} {number}"), number) == "9000"
    assert fmcos.plain("3AF0EF0133", bytes.fromhex("12345FFFFFFFFFFF")) == "9000"
    fmcos.ok("80E0001507A8001EF0F0FFFF", "80E0001607A80027F0F0FFFF")
    # The sample's photo of 1500 bytes does not fit into its ADF of 036F.
    assert fmcos.send("80E00017072805DCF0F0FFFF") == "6A84"


# ---- rights ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("access", "opens"), [(0x0A, True), (0x0B, False), (0x00, True)])
def test_byte_that_begins_with_0_asks_the_master_file(issuer: Issuer, access: int, opens: bool) -> None:
    issuer.make_application()
    issuer.ok(f"80E0000507280008{access:02X}F0FFFF", SELECT_MF)
    assert issuer.authenticate(key("CCK")) == "9000"
    issuer.ok(SELECT_ADF)
    assert issuer.send("00B0850008").endswith("9000" if opens else "6982")
    issuer.card.power_off()
    issuer.card.power_on()
    issuer.ok(SELECT_ADF)
    assert issuer.send("00B0850008").endswith("9000" if access == 0 else "6982")


def test_byte_that_begins_with_f_may_ask_it_instead() -> None:
    issuer = Issuer(blank_fmcos_card(choices=FmcosChoices(master_prefix=0xF)))
    issuer.make_application()
    issuer.ok("80E0000507280008FAF0FFFF")
    issuer.reenter()
    assert issuer.send("00B0850008").endswith("9000"), "the state of the master file lasts"
    issuer.card.power_off()
    issuer.card.power_on()
    issuer.ok(SELECT_ADF)
    assert issuer.authenticate(key("AMK")) == "9000"
    assert issuer.send("00B0850008") == "6982"


def test_fmcos_takes_239_bytes_of_data(fmcos: Issuer) -> None:
    """PERS §1.1."""
    fmcos.take_over()
    fmcos.ok("80E0000507280100F0F0FFFF", "00D68500EF" + "AA" * 239)
    assert fmcos.send("00D68500F0" + "AA" * 240) == "6700"


def test_authentication_has_one_form(issuer: Issuer) -> None:
    issuer.make_master_file()
    assert issuer.send("0082010008" + "00" * 8) == "6A86"
    assert issuer.send("0082000007" + "00" * 7) == "6700"
    assert issuer.send("0082000008" + "00" * 8) == "6984"
