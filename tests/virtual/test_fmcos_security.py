"""States, keys, line protection and blocking of FMCOS (EW §1.2, §2.2, §3.3, §3.4, §4.7, §4.8; PERS §1.1)."""

from dataclasses import replace

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.errors import CardRemoved
from cardio.files.declaration import FREE, NEVER, PIN, Access, Structure, all_of, any_of
from cardio.files.file_header import FileHeader, allowed, header_of
from cardio.files.wallet.log import EF18_LOG
from cardio.files.wallet.public import EF15_PUBLIC
from cardio.transport.channel import CardProtocol
from cardio.virtual.card import Moment
from cardio.virtual.fmcos_access import FmcosChoices
from cardio.virtual.fmcos_keys import KeyFile, KeyKind
from cardio.virtual.received import Received, Status
from cardio.virtual.tries import CardPin
from tests.virtual.fmcos import ADF, MF, SELECT_MF, FmcosCard
from tests.virtual.ldt import SELECT_DF04, LdtCard
from tests.virtual.wire import SELECT_WALLET, VERIFY_EMPTY, declare, send

WRITE_PUBLIC, WRITE_HOLDER, LOG = "04D69500", "04D69600", "00B201C400"


@pytest.fixture
def card() -> FmcosCard:
    return FmcosCard()


# ---- access bytes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("access", "states"),
    [
        (0xF0, range(16)),
        (0xF1, range(1, 16)),
        (0x53, (3, 4, 5)),
        (0x11, (1,)),
        (0x88, (8,)),
        (0xAA, (10,)),
        (0x21, (1, 2)),
        (0xFF, (15,)),
        (0x10, (0, 1)),
        (0xEF, ()),
        (0x12, ()),
        (0x5F, ()),
    ],
)
def test_access_byte_opens_in_these_states(access: int, states: range | tuple[int, ...]) -> None:
    for master in (0, 15):
        opened = [state for state in range(16) if allowed(access, states=(state,), master_states=(master,))]
        assert opened == list(states)


@pytest.mark.parametrize("low", [0, 1, 4, 14, 15])
def test_access_byte_that_begins_with_0_asks_the_master_file(low: int) -> None:
    for state in (0, 15):
        opened = [master for master in range(16) if allowed(low, states=(state,), master_states=(master,))]
        assert opened == list(range(low, 16))


@pytest.mark.parametrize("access", [0xF0, 0xF1, 0x53, 0x44, 0xAA, 0xEF, 0x04, 0x0A])
def test_files_obey_their_access_bytes_after_each_key(access: int) -> None:
    for number, name, state in ((0, "AMK", 0x0A), (1, "EXT1", 0x04)):
        card = FmcosCard()
        card.free.own_header = FileHeader(0x28, access, access)
        before = allowed(access, states=(0,), master_states=(0,))
        assert card.send("00B0990000").endswith("9000" if before else "6982")
        assert card.send(card.external(number, name)) == "9000"
        after = allowed(access, states=(state,), master_states=(0,))
        assert card.send("00B0990000").endswith("9000" if after else "6982")
        assert card.send("00D6990001AA") == ("9000" if after else "6982")


@pytest.mark.parametrize(
    ("read", "update", "expected"),
    [
        (FREE, FREE, "28 0008 F0 F0 FF FF"),
        (any_of(PIN), NEVER, "28 0008 F1 EF FF FF"),
        (FREE, any_of("DAMK"), "A8 0008 F0 F0 FF FF"),
        (NEVER, any_of(PIN), "28 0008 EF F1 FF FF"),
        (any_of(PIN), all_of(PIN, "DAMK"), "A8 0008 F1 F1 FF FF"),
        (FREE, any_of("CLK"), "A8 0008 F0 F0 FF FF"),
        (FREE, any_of("CCK"), "28 0008 F0 AA FF FF"),
        (any_of("AMK"), all_of("AMK", "DAMK"), "A8 0008 AA AA FF FF"),
    ],
)
def test_declared_rights_become_header_bytes(read: Access, update: Access, expected: str) -> None:
    declaration = replace(declare(0x15, Structure.TRANSPARENT), read=read, update=update, size=8)
    assert header_of(declaration).encode(declaration) == bytes.fromhex(expected)


def test_wallet_files_have_the_header_of_the_sample_issue() -> None:
    """EW §2.1: creation bytes of EF15 and EF18."""
    assert header_of(EF15_PUBLIC).encode(EF15_PUBLIC) == bytes.fromhex("A8001EF0F0FFFF")
    assert header_of(EF18_LOG).encode(EF18_LOG) == bytes.fromhex("2E0A17F1EFFFFF")


@pytest.mark.parametrize(
    ("read", "update"),
    [
        (any_of("RK1DF03"), NEVER),
        (any_of(PIN, "UK1DF03"), NEVER),
        (FREE, any_of("UK1DF03")),
        (any_of("DAMK"), NEVER),
        (FREE, all_of(PIN, "AMK")),
    ],
)
def test_rights_that_fmcos_cannot_express_are_an_error(read: Access, update: Access) -> None:
    with pytest.raises(ValueError, match=r"FMCOS|header"):
        header_of(replace(declare(0x15, Structure.TRANSPARENT), read=read, update=update))


def test_flags_name_the_line_keys() -> None:
    names = [(FileHeader(0x28, 0, 0, flags).read_key, FileHeader(0x28, 0, 0, flags).update_key) for flags in range(16)]
    assert names[0b1111] == (0, 0)
    assert names[0b1011] == (1, 0)
    assert names[0b0110] == (2, 1)
    assert names[0b0001] == (3, 2)


# ---- states ------------------------------------------------------------------------------------------------------


def test_pin_opens_what_f1_closes_until_the_next_selection(card: FmcosCard) -> None:
    assert card.send(LOG) == "6982"
    assert card.verify() == "9000"
    assert card.send(LOG) == "6A83"  # an empty log
    card.select()
    assert card.send(LOG) == "6982"


def test_selecting_a_file_keeps_the_state(card: FmcosCard) -> None:
    card.verify()
    assert card.send("00A40200020018") == "9000"
    assert card.send("00B2010400") == "6A83"


def test_authentication_in_the_master_file_counts_for_both_and_lasts(card: FmcosCard) -> None:
    card.select(SELECT_MF)
    assert card.send(card.external(0, "CCK")) == "9000"
    assert (card.security.state, card.security.master_state) == (10, 10)
    card.select()
    assert (card.security.state, card.security.master_state) == (0, 10)
    card.free.own_header = FileHeader(0x28, 0x0A, 0xEF)
    assert card.send("00B0990000").endswith("9000")
    card.card.power_on()
    card.select()
    assert card.send("00B0990000") == "6982"


def test_authentication_below_counts_for_its_directory_only(card: FmcosCard) -> None:
    card.send(card.external(0, "AMK"))
    assert (card.security.state, card.security.master_state) == (10, 0)


def test_every_key_sets_its_own_state(card: FmcosCard) -> None:
    card.verify()
    assert card.security.state == 1
    card.send(card.external(1, "EXT1"))
    assert card.security.state == 4
    card.send(card.external(0, "AMK"))
    assert card.security.state == 10
    card.verify()
    assert card.security.state == 1


def test_keys_belong_to_their_directory(card: FmcosCard) -> None:
    assert card.send(card.external(0, "CCK")) == "63C2"
    card.select(SELECT_MF)
    assert card.verify() == "6A88"
    assert card.send(card.external(1, "EXT1")) == "6A88"


def test_key_may_be_used_only_as_its_use_right_says(card: FmcosCard) -> None:
    card.key(KeyKind.EXTERNAL, 1).use = 0xF1
    command = card.external(1, "EXT1")
    assert card.send(command) == "6982"
    card.verify()
    assert card.send(card.external(1, "EXT1")) == "9000"
    card.key(KeyKind.PIN).use = 0xEF
    assert card.verify() == "6982"


# ---- challenges and external keys --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [4, 8])
@pytest.mark.parametrize("algorithm", Algorithm)
def test_challenges_of_four_and_eight_bytes_authenticate(size: int, algorithm: Algorithm) -> None:
    card = FmcosCard(algorithm)
    assert card.send(card.external(0, "AMK", size)) == "9000"


def test_challenge_has_four_or_eight_bytes(card: FmcosCard) -> None:
    assert card.send("0084000010") == "6700"
    assert card.send("0084000005") == "6700"


@pytest.mark.parametrize("between", ["00B0950000", "805C000204", VERIFY_EMPTY, "00A40200020015", SELECT_WALLET])
def test_challenge_is_for_the_next_command_only(card: FmcosCard, between: str) -> None:
    command = card.external(0, "AMK")
    card.send(between)
    assert card.send(command) == "6984"
    assert card.key(KeyKind.EXTERNAL).tries_left == 3


def test_wrong_cryptograms_count_down_to_the_block(card: FmcosCard) -> None:
    for left in (2, 1, 0):
        card.challenge()
        assert card.send("0082000008" + "00" * 8) == f"63C{left}"
    assert card.send(card.external(0, "AMK")) == "6983"
    assert card.security.state == 0


def test_right_cryptogram_restores_the_counter(card: FmcosCard) -> None:
    card.challenge()
    card.send("0082000008" + "00" * 8)
    assert card.send(card.external(0, "AMK")) == "9000"
    assert card.key(KeyKind.EXTERNAL).tries_left == 3


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("0082010008" + "00" * 8, "6A86"),
        ("0082000007" + "00" * 7, "6700"),
        ("0082000010" + "00" * 16, "6700"),
        ("0082000908" + "00" * 8, "6A88"),
    ],
)
def test_malformed_authentications(card: FmcosCard, command: str, status: str) -> None:
    card.challenge()
    assert card.send(command) == status


def test_internal_authentication_wants_whole_blocks_and_its_own_key(card: FmcosCard) -> None:
    assert card.send("0088000007" + "00" * 7 + "00") == "6700"
    assert card.send("00880000") == "6700"
    assert card.send("0088030008" + "00" * 8 + "00") == "6A86"
    assert card.send("0088000108" + "00" * 8 + "00") == "6A88"
    assert len(card.send("0088020003AABBCC00")) == 12


# ---- PIN ---------------------------------------------------------------------------------------------------------


def test_wrong_pins_count_down_to_the_block(card: FmcosCard) -> None:
    assert card.send(VERIFY_EMPTY) == "63C3"
    for left in (2, 1, 0):
        assert card.verify("999999") == f"63C{left}"
    assert card.verify() == "6983"
    assert card.send(VERIFY_EMPTY) == "6983"


def test_verify_checks_parameters_length_and_identifier(card: FmcosCard) -> None:
    assert card.send("0020010003123456") == "6A86"
    assert card.send("0020000103123456") == "6A88"
    assert card.send("002000000112") == "6700"
    assert card.send("0020000009" + "12" * 9) == "6700"
    assert card.key(KeyKind.PIN).tries_left == 3


def test_trailing_filler_of_the_stored_pin_may_be_left_out(card: FmcosCard) -> None:
    card.key(KeyKind.PIN).value = bytes.fromhex("12345FFFFFFFFFFF")
    assert card.verify("12345F") == "9000"
    assert card.verify("12345FFFFFFFFFFF") == "9000"
    assert card.verify("1234") == "63C2"


def test_pin_that_was_presented_is_not_asked_again(card: FmcosCard) -> None:
    card.verify()
    assert card.send(VERIFY_EMPTY) == "9000"
    card.select()
    assert card.send(VERIFY_EMPTY) == "63C3"


def test_change_pin(card: FmcosCard) -> None:
    assert card.send("805E010007 999999 FF 112233") == "63C2"
    assert card.send("805E010007 123456 FF 112233") == "9000"
    assert card.verify("123456") == "63C2"
    assert card.verify("112233") == "9000"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("805E010004123456FF", "6700"),
        ("805E01000E" + "12" * 7 + "FF" + "34" * 6, "6700"),
        ("805E010007123456AA112233", "6A80"),
        ("805E01000512FF112233", "6A80"),
        ("805E010107123456FF112233", "6A88"),
        ("805E020007123456FF112233", "6A86"),
        ("805E0000051200000000", "6700"),
        ("805E00000B" + "12" * 7 + "00000000", "6700"),
        ("805E000107123456AABBCCDD", "6A88"),
    ],
)
def test_malformed_pin_changes(card: FmcosCard, command: str, status: str) -> None:
    assert card.send(command) == status
    assert card.key(KeyKind.PIN).tries_left == 3


def test_blocked_pin_cannot_be_changed(card: FmcosCard) -> None:
    card.key(KeyKind.PIN).tries_left = 0
    assert card.send("805E010007 123456 FF 112233") == "6983"


def test_reload_key_is_blocked_after_three_wrong_macs(card: FmcosCard) -> None:
    for _ in range(3):
        assert card.send("805E000007 112233 00000000") == "6988"
    mac = card.suite.tac(card.key(KeyKind.PIN_RELOAD).value, bytes.fromhex("112233")).hex()
    assert card.send(f"805E000007 112233 {mac}") == "6983"


def test_unblocked_pin_is_the_stored_one_and_may_be_a_new_one_if_the_card_says_so() -> None:
    keeping, replacing = FmcosCard(), FmcosCard(choices=FmcosChoices(unblock_replaces=True))
    for card, status, pin in ((keeping, "6A80", "123456"), (replacing, "9000", "112233")):
        assert card.send(card.protected("84240000", "DPUK", "112233", encrypt=True)) == status
        assert card.verify(pin) == "9000"


def test_unblock_key_is_blocked_after_three_wrong_macs(card: FmcosCard) -> None:
    for _ in range(3):
        assert card.send(card.protected("84240000", "AMK", "123456", encrypt=True)) == "6988"
    assert card.send(card.protected("84240000", "DPUK", "123456", encrypt=True)) == "6983"
    assert card.send("00B0950000").endswith("9000")


def test_unblock_refuses_what_is_not_encrypted_and_what_it_does_not_know(card: FmcosCard) -> None:
    assert card.send(card.protected("84240000", "DPUK", "1122334455667788")) == "6A80"
    assert card.send(card.protected("84240001", "DPUK", "123456", encrypt=True)) == "6A88"
    assert card.send(card.protected("84240100", "DPUK", "123456", encrypt=True)) == "6A86"


# ---- line protection ---------------------------------------------------------------------------------------------


def test_protected_write_without_protection_is_6987(card: FmcosCard) -> None:
    assert card.send("00D6950001AA") == "6987"
    assert card.send("00D6960001AA") == "6987"
    assert card.public.data == bytes(30)


def test_line_protection_checks_challenge_then_presence_then_value(card: FmcosCard) -> None:
    assert card.send(WRITE_PUBLIC + "03AABBCC") == "6984"
    card.challenge()
    assert card.send(WRITE_PUBLIC + "03AABBCC") == "6987"
    card.challenge()
    assert card.send(WRITE_PUBLIC + "05AA00000000") == "6988"
    assert card.send(card.protected(WRITE_PUBLIC, "DAMK", "AA")) == "9000"
    assert card.public.data[:1] == b"\xaa"


def test_line_challenge_has_four_bytes(card: FmcosCard) -> None:
    card.challenge(8)
    assert card.send(WRITE_PUBLIC + "05AA00000000") == "6984"


def test_line_challenge_is_for_the_next_command_only(card: FmcosCard) -> None:
    command = card.protected(WRITE_PUBLIC, "DAMK", "AA")
    assert card.send("00B0950001") == "009000"
    assert card.send(command) == "6984"


def test_mac_covers_header_and_length(card: FmcosCard) -> None:
    command = card.protected("04D69501", "DAMK", "AA")
    assert card.send("04D69500" + command[8:]) == "6988"


def test_encrypted_file_takes_encrypted_data_only(card: FmcosCard) -> None:
    assert card.send(card.protected(WRITE_HOLDER, "DAMK", "112233", encrypt=True)) == "9000"
    assert card.holder.data[:3] == bytes.fromhex("112233")
    assert card.send(card.protected(WRITE_HOLDER, "DAMK", "1122334455667788")) == "6A80"
    assert card.send(card.protected(WRITE_HOLDER, "DAMK", "112233")) == "6A80"


def test_encryption_goes_with_a_mac_even_where_the_type_asks_for_encryption_only(card: FmcosCard) -> None:
    card.holder.own_header = FileHeader(0x68, 0xF0, 0xF0)
    assert card.send("00D6960001AA") == "6987"
    assert card.send(card.protected(WRITE_HOLDER, "DAMK", "112233", encrypt=True)) == "9000"
    assert card.holder.data[:3] == bytes.fromhex("112233")


@pytest.mark.parametrize("header", [WRITE_PUBLIC, WRITE_HOLDER])
def test_three_wrong_macs_on_ef15_or_ef16_lock_the_application_for_ever(card: FmcosCard, header: str) -> None:
    for _ in range(3):
        assert card.send(card.protected(header, "AMK", "AA")) == "6988"
    assert card.send("00B0950000") == "9303"
    card.card.power_on()
    assert card.send(SELECT_WALLET) == "9303"
    assert card.send("00A40000023F01") == "9303"
    assert card.send("00B0850000") == "059000"  # the master file is still there


def test_right_mac_restores_the_counter(card: FmcosCard) -> None:
    for _ in range(2):
        card.send(card.protected(WRITE_PUBLIC, "AMK", "AA"))
    assert card.send(card.protected(WRITE_PUBLIC, "DAMK", "AA")) == "9000"
    assert card.key(KeyKind.LINE).tries_left == 3


def test_three_wrong_macs_elsewhere_block_the_key_only(card: FmcosCard) -> None:
    card.free.own_header = FileHeader(0xA8, 0xF0, 0xF0)
    for _ in range(3):
        assert card.send(card.protected("04D69900", "AMK", "AA")) == "6988"
    assert card.send(card.protected("04D69900", "DAMK", "AA")) == "6983"
    assert card.send("00B0990000").endswith("9000")


def test_missing_challenge_spends_no_try(card: FmcosCard) -> None:
    card.send(WRITE_PUBLIC + "05AA00000000")
    assert card.key(KeyKind.LINE).tries_left == 3


def test_protected_write_to_an_open_file_is_checked_all_the_same(card: FmcosCard) -> None:
    assert card.send(card.protected("04D69900", "AMK", "AA")) == "6988"
    assert card.send(card.protected("04D69900", "DAMK", "AA")) == "9000"
    assert card.free.data[:1] == b"\xaa"


def test_right_is_checked_before_the_mac(card: FmcosCard) -> None:
    assert card.send(card.protected("04D69700", "DAMK", "AA")) == "6982"


def test_read_protected_file_is_read_with_its_own_line_key(card: FmcosCard) -> None:
    assert card.send("00B0970000") == "6987"
    assert card.send(card.protected("04B09700", "DAMK") + "08") == "6988"
    card.give("11223344")
    start = bytes.fromhex("04B0970004")
    line = card.key(KeyKind.LINE, 1).value
    mac = card.suite.line_mac(line, bytes.fromhex("11223344"), start)
    answer = bytes(range(8)) + card.suite.line_mac(line, bytes.fromhex("11223344"), bytes(range(8)))
    assert card.send(f"{start.hex()}{mac.hex()}08") == answer.hex().upper() + "9000"


def test_protected_read_of_a_contact_card_is_fetched(card: FmcosCard) -> None:
    command = card.protected("04B09700", "LINE1")
    card.card.protocol = CardProtocol.T0
    assert card.send(command) == "610C"


def test_files_without_protected_reading_refuse_it(card: FmcosCard) -> None:
    assert card.send(card.protected("04B09500", "DAMK") + "08") == "6882"


# ---- blocking ----------------------------------------------------------------------------------------------------


def test_blocked_application_is_entered_and_refuses_work(card: FmcosCard) -> None:
    assert card.send(card.protected("841E0000", "DAMK")) == "9000"
    card.card.power_on()
    card.select()
    for command in ("00B0950000", LOG, "0020000003123456", "805C000204", "00D6990001AA", "0082000008" + "00" * 8):
        assert card.send(command) == "6A81", command
    assert card.send(card.protected("84180000", "DAMK")) == "9000"
    assert card.send("00B0950000").endswith("9000")


def test_blocked_application_may_answer_its_fci_with_6a81() -> None:
    card = FmcosCard(choices=FmcosChoices(blocked_status=0x6A81))
    card.send(card.protected("841E0000", "DAMK"))
    assert card.send(SELECT_WALLET) == "6F0B8409A000000003869807016A81"
    assert card.send(card.protected("84180000", "DAMK")) == "9000"
    card.card.protocol = CardProtocol.T0
    card.security.blocked.add(ADF)
    assert card.send(SELECT_WALLET) == "6A81"


def test_locked_application_is_9303_for_ever(card: FmcosCard) -> None:
    assert card.send(card.protected("841E0001", "DAMK")) == "9000"
    assert card.send("00B0950000") == "9303"
    assert card.send("0084000004") == "9303"
    card.select(SELECT_MF)
    assert card.send(SELECT_WALLET) == "9303"


def test_three_wrong_unblocks_lock_for_ever(card: FmcosCard) -> None:
    card.send(card.protected("841E0000", "DAMK"))
    for _ in range(3):
        assert card.send(card.protected("84180000", "AMK")) == "6988"
    assert card.send("0084000004") == "9303"
    card.select(SELECT_MF)
    assert card.send(SELECT_WALLET) == "9303"


def test_unblocking_what_is_not_blocked_is_6985(card: FmcosCard) -> None:
    assert card.send(card.protected("84180000", "DAMK")) == "6985"


@pytest.mark.parametrize("header", ["841E0002", "841E0100", "84180001", "84180100", "84160001", "84160100"])
def test_blocking_knows_its_parameters_only(card: FmcosCard, header: str) -> None:
    assert card.send(card.protected(header, "DAMK")) == "6A86"


@pytest.mark.parametrize("header", ["841E0000", "84160000"])
def test_blocking_carries_a_mac_and_nothing_else(card: FmcosCard, header: str) -> None:
    card.challenge()
    assert card.send(header + "0500" * 3) == "6700"
    card.challenge()
    assert card.send(header + "03000000") == "6987"
    assert card.send(header + "0400000000") == "6984"


def test_card_block_is_under_the_line_key_of_the_master_file(card: FmcosCard) -> None:
    assert card.send(card.protected("84160000", "DAMK")) == "6988"
    assert card.send(card.protected("84160000", "CLK")) == "9000"
    card.card.power_on()
    for command in (SELECT_MF, SELECT_WALLET, "0084000004", "00C0000000"):
        assert card.send(command) == "6A81"


def test_other_directories_are_not_blocked(card: FmcosCard) -> None:
    card.send(card.protected("841E0001", "DAMK"))
    card.select(SELECT_MF)
    assert card.send(card.external(0, "CCK")) == "9000"
    assert card.send("00B0850000") == "059000"


def test_wallet_and_social_security_on_one_card_keep_to_themselves() -> None:
    wallet, social = FmcosCard(), LdtCard()
    directory = wallet.card.current
    directory.security = wallet.security
    social.card.master_file.add(directory)
    card = social.card
    assert social.verify() == "9000"
    assert send(card, SELECT_WALLET).endswith("9000")
    assert send(card, LOG) == "6982"
    assert send(card, "0020000003123456") == "9000"
    assert send(card, LOG) == "6A83"
    assert card.rights() == frozenset({PIN})
    assert card.pin is social.security.pin
    social.select("00A4000002DDF1")
    social.select(SELECT_DF04)
    assert social.send("00B2012C00") == "8F01319000"  # the PIN of the environment still holds
    card.power_on()
    assert (wallet.security.state, card.rights()) == (0, frozenset())


def test_authenticity_code_has_nine_bytes(card: FmcosCard) -> None:
    assert card.send("80CA000009") == b"AUTHENTIC".hex().upper() + "9000"
    assert card.send("80CA010009") == "6A86"
    assert card.send("80CA00000109") == "6700"


# ---- key files and the PIN for users -----------------------------------------------------------------------------


def test_first_key_of_a_kind_is_found_without_an_identifier(card: FmcosCard) -> None:
    file = card.security.key_files[ADF]
    assert file.find(KeyKind.LINE).id == 0
    assert file.find(KeyKind.LINE, 7, 1).id == 1
    with pytest.raises(Status, match="6A88"):
        KeyFile(()).find(KeyKind.LINE)


def test_pin_of_the_card_is_that_of_the_key_file(card: FmcosCard) -> None:
    assert card.card.pin is card.key(KeyKind.PIN)
    card.card.pin = CardPin(bytes.fromhex("112233"), max_tries=5, tries_left=1)
    assert card.verify("112233") == "9000"
    assert card.key(KeyKind.PIN).tries_left == 5
    card.card.pin = None
    assert card.verify("112233") == "6A88"
    with pytest.raises(ValueError, match="PIN"):
        card.card.pin = CardPin(b"\x12")


# ---- tearing -----------------------------------------------------------------------------------------------------


def cut(card: FmcosCard, moment: Moment, command: str) -> None:
    def hook(reached: Moment, running: Received) -> None:
        if reached is moment:
            raise CardRemoved("torn by the test")

    card.card.hook = hook
    with pytest.raises(CardRemoved):
        card.send(command)
    card.card.hook = None
    card.card.power_on()


@pytest.mark.parametrize(("moment", "left"), [(Moment.BEFORE_COMMIT, 3), (Moment.AFTER_COMMIT, 2)])
def test_counters_change_with_their_commit(card: FmcosCard, moment: Moment, left: int) -> None:
    cut(card, moment, "0020000003999999")
    assert card.key(KeyKind.PIN).tries_left == left
    card.select()
    cut(card, moment, card.protected(WRITE_PUBLIC, "AMK", "AA"))
    assert card.key(KeyKind.LINE).tries_left == left


@pytest.mark.parametrize("moment", [Moment.BEFORE_COMMIT, Moment.AFTER_COMMIT])
def test_last_wrong_mac_and_the_lock_come_together(card: FmcosCard, moment: Moment) -> None:
    card.key(KeyKind.LINE).tries_left = 1
    cut(card, moment, card.protected(WRITE_PUBLIC, "AMK", "AA"))
    locked = moment is Moment.AFTER_COMMIT
    assert (ADF in card.security.locked, card.key(KeyKind.LINE).tries_left) == (locked, 0 if locked else 1)


def test_torn_verify_gives_no_state(card: FmcosCard) -> None:
    cut(card, Moment.AFTER_COMMIT, "0020000003123456")
    card.select()
    assert card.security.state == 0


def test_master_file_has_a_key_file_of_its_own(card: FmcosCard) -> None:
    assert card.key(KeyKind.LINE, 0, MF).value != card.key(KeyKind.LINE).value
