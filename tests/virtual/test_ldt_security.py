"""What opens the files of a social security card, and what does not (SSC §5.1, §6, PC-4, §10.3)."""

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.errors import CardRemoved
from cardio.transport.channel import CardProtocol
from cardio.virtual.card import Moment
from cardio.virtual.ldt_keys import LdtKey
from cardio.virtual.received import Received
from tests.virtual.ldt import SELECT_DF03, SELECT_DF04, SELECT_MF, LdtCard, key
from tests.virtual.wire import SELECT_SSSE, VERIFY_EMPTY, complete

EF05, EF06, EF07, EF08, EF16 = ("00B2012C00", "00B2013400", "00B2013C00", "00B2014400", "00B201B400")
WRONG = "00" * 8 + "0102030405060708"


@pytest.fixture
def ssse() -> LdtCard:
    return LdtCard()


@pytest.fixture
def df03() -> LdtCard:
    card = LdtCard()
    card.select(SELECT_DF03)
    return card


@pytest.fixture
def df04() -> LdtCard:
    card = LdtCard()
    card.select(SELECT_DF04)
    return card


# ---- challenges --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [4, 8, 16])
def test_challenge_of_every_length_serves_an_sm4_card(size: int) -> None:
    card = LdtCard(Algorithm.SM4)
    assert card.send(card.authentication(0x0A, key("RKSSSE"), size)) == "9000"


def test_challenge_longer_than_a_block_does_not_serve_a_des_card(ssse: LdtCard) -> None:
    ssse.send("0084000010")
    assert ssse.send(f"0082000A10{WRONG}") == "6984"


def test_challenge_has_no_parameters_and_no_data(ssse: LdtCard) -> None:
    assert ssse.send("0084010008") == "6A86"
    assert ssse.send("008400000100") == "6700"


def test_authentication_without_a_challenge_is_6984_and_spends_no_try(ssse: LdtCard) -> None:
    assert ssse.send(f"0082000A10{WRONG}") == "6984"
    assert ssse.key("RKSSSE").tries_left == 3


def test_challenge_is_good_for_one_use(ssse: LdtCard) -> None:
    command = ssse.authentication(0x0A, key("RKSSSE"))
    assert ssse.send(command) == "9000"
    assert ssse.send(command) == "6984"


def test_failed_use_uses_the_challenge_up(ssse: LdtCard) -> None:
    command = ssse.authentication(0x0A, key("RKSSSE"))
    assert ssse.send(f"0082000A10{WRONG}") == "63C2"
    assert ssse.send(command) == "6984"


def test_latest_challenge_is_the_one_remembered(ssse: LdtCard) -> None:
    older = ssse.authentication(0x0A, key("RKSSSE"))
    newer = ssse.authentication(0x0A, key("RKSSSE"))
    assert ssse.send(older) == "63C2"
    ssse.send("0084000008")
    assert ssse.send(newer) == "63C1"


def test_reading_between_keeps_the_challenge(ssse: LdtCard) -> None:
    command = ssse.authentication(0x0A, key("RKSSSE"))
    assert ssse.send(EF05).endswith("9000")
    assert ssse.send(command) == "9000"


@pytest.mark.parametrize("select", [SELECT_DF04, SELECT_MF, SELECT_SSSE])
def test_challenge_is_for_the_application_it_was_made_in(df03: LdtCard, select: str) -> None:
    command = df03.authentication(0x84, key("RK1DF03"))
    df03.select(select)
    df03.select(SELECT_SSSE)
    df03.select(SELECT_DF03)
    assert df03.send(command) == "6984"


def test_power_off_forgets_the_challenge(ssse: LdtCard) -> None:
    command = ssse.authentication(0x0A, key("RKSSSE"))
    ssse.card.power_on()
    ssse.select(SELECT_SSSE)
    assert ssse.send(command) == "6984"


# ---- external keys -----------------------------------------------------------------------------------------------


def test_wrong_authentications_count_down_to_the_block(ssse: LdtCard) -> None:
    for left in (2, 1, 0):
        ssse.send("0084000008")
        assert ssse.send(f"0082000A10{WRONG}") == f"63C{left}"
    assert ssse.authenticate("RKSSSE") == "6983"
    ssse.card.power_on()
    ssse.select(SELECT_SSSE)
    assert ssse.authenticate("RKSSSE") == "6983"
    assert ssse.authenticate("UKSSSE") == "9000"  # each key counts for itself


def test_right_authentication_restores_all_tries(ssse: LdtCard) -> None:
    for _ in range(2):
        ssse.send("0084000008")
        ssse.send(f"0082000A10{WRONG}")
    assert ssse.key("RKSSSE").tries_left == 1
    assert ssse.authenticate("RKSSSE") == "9000"
    assert ssse.key("RKSSSE").tries_left == 3


def test_wrong_authentication_takes_the_right_away(ssse: LdtCard) -> None:
    ssse.authenticate("RKSSSE")
    ssse.send("0084000008")
    ssse.send(f"0082000A10{WRONG}")
    assert ssse.send(EF06) == "6982"


@pytest.mark.parametrize("kid", ["01", "07", "84", "0B", "FF"])
def test_unknown_key_identifier_is_6a88(ssse: LdtCard, kid: str) -> None:
    ssse.send("0084000008")
    assert ssse.send(f"008200{kid}10{WRONG}") == "6A88"


@pytest.mark.parametrize("kid", ["00", "02"])
def test_internal_and_messaging_keys_are_no_external_keys(ssse: LdtCard, kid: str) -> None:
    ssse.send("0084000008")
    assert ssse.send(f"008200{kid}10{WRONG}") == "6A88"


@pytest.mark.parametrize("length", [0, 8, 15, 18])
def test_authentication_data_have_16_or_17_bytes(ssse: LdtCard, length: int) -> None:
    ssse.send("0084000008")
    assert ssse.send(f"0082000A{length:02X}" + "00" * length) == "6700"
    assert ssse.send(f"0082010A10{WRONG}") == "6A86"
    assert ssse.key("RKSSSE").tries_left == 3


def test_every_version_of_a_key_authenticates(ssse: LdtCard) -> None:
    ssse.key("RKSSSE").keys = key("first"), key("second"), key("third")
    for version, name in (("01", "first"), ("02", "second"), ("03", "third"), ("", "first")):
        assert ssse.send(ssse.authentication(0x0A, key(name), version=version)) == "9000", version
    assert ssse.send(ssse.authentication(0x0A, key("second"))) == "63C2"
    assert ssse.send(ssse.authentication(0x0A, key("third"), version="02")) == "63C1"
    assert ssse.send(ssse.authentication(0x0A, key("third"), version="04")) == "6A88"
    assert ssse.send(ssse.authentication(0x0A, key("third"), version="00")) == "6A88"


def test_global_keys_are_reached_from_every_area(df03: LdtCard) -> None:
    assert df03.authenticate("PUK") == "9000"


def test_specific_keys_are_those_of_the_current_area(df03: LdtCard) -> None:
    assert df03.send(df03.authentication(0x84, key("RK1DF04"))) == "63C2"
    assert df03.key("RK1DF03").tries_left == 2
    assert df03.key("RK1DF04").tries_left == 3
    df03.select(SELECT_DF04)
    assert df03.authenticate("RK1DF04") == "9000"


def test_specific_keys_are_not_looked_for_above(df03: LdtCard) -> None:
    df03.security.keys["SSSE"].append(LdtKey("UK9", 0x8F, (key("UK9"),)))
    assert df03.send(df03.authentication(0x8F, key("UK9"))) == "6A88"


# ---- rights ------------------------------------------------------------------------------------------------------


def test_pin_or_key_works_with_either(df04: LdtCard) -> None:
    assert df04.send(EF05) == "6982"
    assert df04.authenticate("RK1DF04") == "9000"
    assert df04.send(EF05) == "8F01319000"
    other = LdtCard()
    other.select(SELECT_DF04)
    assert other.verify() == "9000"
    assert other.send(EF05) == "8F01319000"


def test_pin_and_key_needs_both_in_any_order(df04: LdtCard) -> None:
    df04.verify()
    assert df04.send(EF06) == "6982"
    df04.authenticate("RK1DF04")
    assert df04.send(EF06) == "8001319000"
    other = LdtCard()
    other.select(SELECT_DF04)
    other.authenticate("RK1DF04")
    assert other.send(EF06) == "6982"
    other.verify()
    assert other.send(EF06) == "8001319000"


def test_update_key_alone_opens_no_reading(df04: LdtCard) -> None:
    df04.authenticate("UK1DF04")
    assert df04.send(EF05) == "6982"


def test_read_keys_of_one_area_are_independent(df03: LdtCard) -> None:
    df03.authenticate("RK1DF03")
    assert df03.send(EF06) == "7101319000"
    assert df03.send(EF05) == "6982"


def test_free_file_refuses_an_update_without_its_key(df03: LdtCard) -> None:
    update = "00DC013C03720132"
    assert df03.send(EF07) == "7201319000"
    assert df03.send(update) == "6982"
    df03.authenticate("UK2DF03")
    df03.verify()
    assert df03.send(update) == "6982"  # another update key does not help, nor does the PIN
    df03.authenticate("UK3DF03")
    assert df03.send(update) == "9000"
    assert df03.send(EF07) == "7201329000"


def test_log_is_never_written_from_outside(df04: LdtCard) -> None:
    df04.verify()
    for name in ("RK1DF04", "UK1DF04", "UK2DF04", "LKDF04"):
        df04.authenticate(name)
    assert df04.send("00DC00430400000002") == "6982"
    assert df04.send(EF08) == "000000019000"


@pytest.mark.parametrize("select", [SELECT_DF04, SELECT_SSSE, SELECT_MF])
def test_key_rights_end_when_another_application_is_selected(df03: LdtCard, select: str) -> None:
    df03.authenticate("RK1DF03")
    df03.select(select)
    df03.select(SELECT_SSSE)
    df03.select(SELECT_DF03)
    assert df03.send(EF06) == "6982"


def test_key_rights_last_through_files_and_the_same_application(df03: LdtCard) -> None:
    df03.authenticate("RK1DF03")
    df03.send("00A4020002EF07")
    df03.select(SELECT_DF03)
    assert df03.send(EF06) == "7101319000"


def test_key_rights_end_with_power(df03: LdtCard) -> None:
    df03.authenticate("RK1DF03")
    df03.card.power_on()
    df03.select(SELECT_SSSE)
    df03.select(SELECT_DF03)
    assert df03.send(EF06) == "6982"


def test_failed_selection_keeps_the_rights(df03: LdtCard) -> None:
    df03.authenticate("RK1DF03")
    assert df03.send("00A4000002DF09") == "6A82"
    assert df03.send(EF06) == "7101319000"


def test_pin_right_lasts_through_applications(df03: LdtCard) -> None:
    df03.verify()
    df03.select(SELECT_DF04)
    assert df03.send(EF05) == "8F01319000"


# ---- internal authentication -------------------------------------------------------------------------------------


def test_internal_authentication_needs_no_challenge_and_works_in_every_area(df03: LdtCard) -> None:
    session = df03.suite.challenge_key(key("IRK"), bytes(8))
    answer = df03.suite.authentication(session, bytes(range(8))).hex().upper()
    assert df03.send(f"0088000010{'00' * 8}{bytes(range(8)).hex()}00") == answer + "9000"
    assert df03.send(f"0088000011{'00' * 8}{bytes(range(8)).hex()}0100") == answer + "9000"


def test_internal_authentication_refuses_what_it_does_not_know(ssse: LdtCard) -> None:
    assert ssse.send(f"0088000011{'00' * 16}0200") == "6A88"
    assert ssse.send(f"008800000F{'00' * 15}00") == "6700"
    assert ssse.send(f"0088000110{'00' * 16}00") == "6A86"
    del ssse.security.keys["SSSE"][0]
    assert ssse.send(f"0088000010{'00' * 16}00") == "6A88"


def test_contact_card_announces_the_authentication_data() -> None:
    card = LdtCard(protocol=CardProtocol.T0)
    assert card.send(f"0088000010{'00' * 16}") == "6108"
    assert len(complete(card.card, f"0088000010{'00' * 16}00")) == 20


# ---- PIN ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", ["0001", "0100", "0081"])
def test_verify_has_no_parameters(ssse: LdtCard, parameters: str) -> None:
    assert ssse.send(f"0020{parameters}03123456") == "6A86"


def test_change_pin_takes_the_old_one_and_the_new_one(ssse: LdtCard) -> None:
    assert ssse.send("805E010007 123456 FF 112233") == "9000"
    assert ssse.verify("123456") == "63C5"
    assert ssse.verify("112233") == "9000"


def test_change_pin_with_a_wrong_old_one_spends_a_try(ssse: LdtCard) -> None:
    for left in (5, 4, 3, 2, 1, 0):
        assert ssse.send("805E010007 999999 FF 112233") == f"63C{left}"
    assert ssse.send("805E010007 123456 FF 112233") == "6983"


def test_change_pin_without_the_old_one_spends_a_try_too(ssse: LdtCard) -> None:
    assert ssse.send("805E010004 FF 112233") == "63C5"


def test_change_pin_without_a_new_one_takes_it_off(ssse: LdtCard) -> None:
    assert ssse.send("805E010004 123456 FF") == "9000"
    assert ssse.send(VERIFY_EMPTY) == "9000"
    assert ssse.send("805E010007 123456 FF 112233") == "6985"
    assert ssse.send("805E010004 FF 112233") == "9000"
    assert ssse.send(VERIFY_EMPTY) == "63C6"


def test_changed_pin_must_be_presented_again(df04: LdtCard) -> None:
    df04.verify()
    assert df04.send("805E010007 123456 FF 112233") == "9000"
    assert df04.send(EF05) == "6982"


@pytest.mark.parametrize(
    ("new", "status"),
    [
        ("1234", "9000"),
        ("12345F", "9000"),
        ("1234567890123456", "9000"),
        ("12F4", "6A80"),  # only the last nibble may be filler
        ("12FF", "6A80"),
        ("123F", "6A80"),  # three digits
        ("12", "6A80"),
        ("12AB", "6A80"),
    ],
)
def test_pins_have_4_to_16_digits_in_packed_form(ssse: LdtCard, new: str, status: str) -> None:
    data = f"123456FF{new}"
    assert ssse.send(f"805E0100{len(data) // 2:02X}{data}") == status


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("805E01000212FF", "6700"),
        ("805E010012" + "12" * 18, "6700"),
        ("805E010006123456112233", "6A80"),
        ("805E000007123456FF112233", "6A86"),
    ],
)
def test_malformed_pin_changes_are_refused_without_a_try(ssse: LdtCard, command: str, status: str) -> None:
    assert ssse.send(command) == status
    assert ssse.send(VERIFY_EMPTY) == "63C6"


# ---- maintenance -------------------------------------------------------------------------------------------------

MAINTENANCE = [
    ("84240000", "PUK", "STKSSSE", SELECT_SSSE),
    ("841E0001", "LKDF03", "STKDF03", SELECT_DF03),
    ("84160000", "BK", "STKSSSE", SELECT_SSSE),
]
each_command = pytest.mark.parametrize(("header", "right", "stk", "select"), MAINTENANCE)


@each_command
def test_maintenance_needs_the_right_of_its_key(header: str, right: str, stk: str, select: str) -> None:
    card = LdtCard()
    card.select(select)
    card.verify()
    assert card.send(card.protected(header, stk)) == "6982"
    for other in {"PUK", "BK", "RKSSSE"} - {right}:
        card.authenticate(other)
    assert card.send(card.protected(header, stk)) == "6982"


@each_command
def test_maintenance_needs_a_challenge_and_the_right_mac(header: str, right: str, stk: str, select: str) -> None:
    card = LdtCard()
    card.select(select)
    assert card.authenticate(right) == "9000"
    assert card.send(f"{header}0400000000") == "6984"
    command = card.protected(header, stk)
    assert card.send(f"{header}0400000000") == "6988"
    assert card.send(command) == "6984"
    card.send("0084000008")
    assert card.send(header + "00") == "6987"
    assert card.send(header + "03000000") == "6700"
    assert card.send(card.protected(header, stk)) == "9000"


@each_command
def test_challenge_of_four_bytes_serves_maintenance_too(header: str, right: str, stk: str, select: str) -> None:
    card = LdtCard()
    card.select(select)
    card.authenticate(right)
    assert card.send(card.protected(header, stk, size=4)) == "9000"


@pytest.mark.parametrize("header", ["84240002", "84240100", "841E0000", "841E0100", "84160001", "84160100"])
def test_maintenance_knows_its_parameters_only(ssse: LdtCard, header: str) -> None:
    for right in ("PUK", "BK"):
        ssse.authenticate(right)
    assert ssse.send(ssse.protected(header, "STKSSSE")) == "6A86"


def test_application_is_not_unblocked() -> None:
    card = LdtCard()
    card.select(SELECT_DF03)
    assert card.send("84180000040A0B0C0D") == "6D00"


def test_unblocking_restores_the_tries_and_keeps_the_pin(ssse: LdtCard) -> None:
    for _ in range(6):
        ssse.verify("999999")
    ssse.authenticate("PUK")
    assert ssse.send(ssse.protected("84240000", "STKSSSE")) == "9000"
    assert ssse.send(VERIFY_EMPTY) == "63C6"
    assert ssse.verify() == "9000"


def test_reload_refuses_what_is_no_pin(ssse: LdtCard) -> None:
    ssse.authenticate("PUK")
    assert ssse.send(ssse.protected("84240001", "STKSSSE", "12AB", encrypt=True)) == "6A80"
    assert ssse.send(ssse.protected("84240001", "STKSSSE", "1122334455667788")) == "6A80"  # not encrypted
    assert ssse.send(ssse.protected("84240001", "STKSSSE", "11223344556677", encrypt=True)) == "9000"
    assert ssse.verify("11223344556677") == "9000"


def test_reloaded_pin_must_be_presented(df04: LdtCard) -> None:
    df04.verify()
    df04.authenticate("PUK")
    assert df04.send(df04.protected("84240001", "STKSSSE", "112233", encrypt=True)) == "9000"
    assert df04.send(EF05) == "6982"


def test_blocked_puk_ends_unblocking(ssse: LdtCard) -> None:
    for _ in range(3):
        ssse.send("0084000008")
        ssse.send(f"0082000610{WRONG}")
    assert ssse.authenticate("PUK") == "6983"
    assert ssse.send(ssse.protected("84240000", "STKSSSE")) == "6982"


def test_blocked_application_answers_nothing_and_stays_blocked(df03: LdtCard) -> None:
    df03.authenticate("LKDF03")
    assert df03.send(df03.protected("841E0001", "STKDF03")) == "9000"
    assert df03.send(EF07) == "9303"
    assert df03.send("0084000008") == "9303"
    df03.card.power_on()
    df03.select(SELECT_SSSE)
    assert df03.send(SELECT_DF03) == "9303"
    assert df03.send("00A4040006D15600000502") == "9303"
    assert df03.send(EF05).endswith("9000")  # the environment is still the current directory
    df03.select(SELECT_DF04)


def test_blocked_card_answers_6a81_to_everything_for_ever(ssse: LdtCard) -> None:
    ssse.authenticate("BK")
    assert ssse.send(ssse.protected("84160000", "STKSSSE")) == "9000"
    for _ in range(2):
        for command in (SELECT_MF, SELECT_SSSE, EF05, "0084000008", VERIFY_EMPTY, "00C0000000"):
            assert ssse.send(command) == "6A81", command
        ssse.card.power_on()


def test_application_block_wants_the_messaging_key_of_its_own_area(df03: LdtCard) -> None:
    df03.authenticate("LKDF03")
    assert df03.send(df03.protected("841E0001", "STKSSSE")) == "6988"
    assert df03.send(df03.protected("841E0001", "STKDF04")) == "6988"


# ---- secure messaging of updates ---------------------------------------------------------------------------------


def test_protected_update_needs_right_challenge_and_mac(df03: LdtCard) -> None:
    assert df03.send(df03.protected("04DC013C", "STKDF03", "720133")) == "6982"
    df03.authenticate("UK3DF03")
    assert df03.send("04DC013C0772013300000000") == "6984"
    df03.send("0084000008")
    assert df03.send("04DC013C0772013300000000") == "6988"
    df03.send("0084000008")
    assert df03.send("04DC013C03720133") == "6987"
    assert df03.send(df03.protected("04DC013C", "STKDF03", "720133")) == "9000"
    assert df03.send(EF07) == "7201339000"


def test_mac_covers_the_header(df03: LdtCard) -> None:
    df03.authenticate("UK3DF03")
    command = df03.protected("04DC023C", "STKDF03", "720133")
    assert df03.send("04DC013C" + command[8:]) == "6988"


def test_reads_are_not_protected(ssse: LdtCard) -> None:
    assert ssse.send("04B2012C00") == "6882"


# ---- tearing -----------------------------------------------------------------------------------------------------


def cut(card: LdtCard, moment: Moment, command: str) -> None:
    def hook(reached: Moment, running: Received) -> None:
        if reached is moment:
            raise CardRemoved("torn by the test")

    card.card.hook = hook
    with pytest.raises(CardRemoved):
        card.send(command)
    card.card.hook = None
    card.card.power_on()
    card.select(SELECT_SSSE)


@pytest.mark.parametrize(("moment", "left"), [(Moment.BEFORE_COMMIT, 3), (Moment.AFTER_COMMIT, 2)])
def test_key_counter_changes_with_its_commit(ssse: LdtCard, moment: Moment, left: int) -> None:
    ssse.send("0084000008")
    cut(ssse, moment, f"0082000A10{WRONG}")
    assert ssse.key("RKSSSE").tries_left == left


@pytest.mark.parametrize("moment", [Moment.BEFORE_COMMIT, Moment.AFTER_COMMIT])
def test_torn_authentication_gives_no_right(ssse: LdtCard, moment: Moment) -> None:
    cut(ssse, moment, ssse.authentication(0x0A, key("RKSSSE")))
    assert ssse.send(EF06) == "6982"


@pytest.mark.parametrize(("moment", "status"), [(Moment.BEFORE_COMMIT, "6F"), (Moment.AFTER_COMMIT, "93")])
def test_application_block_holds_with_its_commit(df03: LdtCard, moment: Moment, status: str) -> None:
    df03.authenticate("LKDF03")
    cut(df03, moment, df03.protected("841E0001", "STKDF03"))
    assert df03.send(SELECT_DF03)[:2] == status


@pytest.mark.parametrize(("moment", "blocked"), [(Moment.BEFORE_COMMIT, False), (Moment.COMMAND, False)])
def test_card_block_torn_before_its_commit_has_not_happened(ssse: LdtCard, moment: Moment, blocked: bool) -> None:
    ssse.authenticate("BK")
    cut(ssse, moment, ssse.protected("84160000", "STKSSSE"))
    assert ssse.card.blocked is blocked


@pytest.mark.parametrize(("moment", "value"), [(Moment.BEFORE_COMMIT, "123456"), (Moment.AFTER_COMMIT, "112233")])
def test_reloaded_pin_changes_with_its_commit(ssse: LdtCard, moment: Moment, value: str) -> None:
    ssse.authenticate("PUK")
    cut(ssse, moment, ssse.protected("84240001", "STKSSSE", "112233", encrypt=True))
    assert ssse.verify(value) == "9000"


@pytest.mark.parametrize(("moment", "value"), [(Moment.BEFORE_COMMIT, "31"), (Moment.AFTER_COMMIT, "33")])
def test_record_changes_with_its_commit(df03: LdtCard, moment: Moment, value: str) -> None:
    df03.authenticate("UK3DF03")
    cut(df03, moment, "00DC013C03720133")
    df03.select(SELECT_DF03)
    assert df03.send(EF07) == f"7201{value}9000"
