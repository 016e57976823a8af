"""Status words mean what the command's own table says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio import errors
from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import FILE, PURSE, SAM, SELECT, VERIFY, Outcomes
from cardio.errors import CardioError
from tests.apdu.script import ScriptedChannel

TABLES = {"FILE": FILE, "SELECT": SELECT, "VERIFY": VERIFY, "PURSE": PURSE, "SAM": SAM}


@pytest.mark.parametrize(
    ("table", "sw", "expected"),
    [
        (FILE, 0x6982, errors.AccessDenied),
        (FILE, 0x6A82, errors.FileNotFound),
        (FILE, 0x6A83, errors.RecordNotFound),
        (FILE, 0x6581, errors.CardMemoryFailed),
        (FILE, 0x6A81, errors.CardUnexpected),
        (SELECT, 0x6A82, errors.FileNotFound),
        (SELECT, 0x6A81, errors.ApplicationBlocked),
        (SELECT, 0x6283, errors.ApplicationBlocked),
        (SELECT, 0x9303, errors.ApplicationBlocked),
        (PURSE, 0x6982, errors.PinRequired),
        (PURSE, 0x9302, errors.MacInvalid),
        (PURSE, 0x9401, errors.FundsInsufficient),
        (PURSE, 0x9402, errors.CounterExhausted),
        (PURSE, 0x9403, errors.KeyIndexUnsupported),
        (VERIFY, 0x6983, errors.PinBlocked),
        (VERIFY, 0x6401, errors.PinCancelled),
        (VERIFY, 0x6400, errors.PinTimeout),
        (VERIFY, 0x6403, errors.PinLength),
        (VERIFY, 0x6982, errors.CardUnexpected),
        (SAM, 0x6A88, errors.SamKeyMissing),
        (SAM, 0x9403, errors.SamNoPurchase),
        (SAM, 0x9401, errors.SamFailed),
        (SAM, 0x63CF, errors.Mac2Invalid),
    ],
)
def test_a_word_means_what_its_command_says(table: Outcomes, sw: int, expected: type[CardioError]) -> None:
    assert type(table.error(sw, "X")) is expected


def test_verify_counts_the_tries_that_are_left() -> None:
    error = VERIFY.error(0x63C2, "VERIFY")
    assert type(error) is errors.PinWrong
    assert error.values == {"tries_left": 2}
    assert "2 tries left" in error.text("en")
    assert "还可输入2次" in error.text("zh")


def test_no_try_left_is_a_blocked_pin() -> None:
    assert type(VERIFY.error(0x63C0, "VERIFY")) is errors.PinBlocked


def test_no_try_left_is_the_same_error_where_none_is_declared_for_it() -> None:
    assert type(Outcomes(tries=errors.PinWrong).error(0x63C0, "X")) is errors.PinWrong


@pytest.mark.parametrize("table", [FILE, SELECT, PURSE])
@pytest.mark.parametrize("left", range(16))
def test_tries_are_not_read_into_commands_that_count_none(table: Outcomes, left: int) -> None:
    error = table.error(0x63C0 | left, "UPDATE RECORD")
    assert type(error) is errors.CardUnexpected
    assert error.values == {}


@pytest.mark.parametrize("sw", [0x63B2, 0x63D2, 0x6302])
def test_only_63cx_counts_tries(sw: int) -> None:
    assert type(VERIFY.error(sw, "VERIFY")) is errors.CardUnexpected


@pytest.mark.parametrize("name", TABLES)
@given(sw=st.integers(0, 0xFFFF))
def test_every_word_becomes_an_error_that_names_command_and_word(name: str, sw: int) -> None:
    table = TABLES[name]
    error = table.error(sw, "THE COMMAND")
    known = sw in table.words or (table.tries is not None and sw & 0xFFF0 == 0x63C0)
    assert known or type(error) is table.unknown
    assert error.source == errors.Source(table.layer, "THE COMMAND", f"{sw:04X}")
    assert f"[THE COMMAND {sw:04X}]" in str(error)


def test_the_sam_is_named_as_the_layer() -> None:
    source = SAM.error(0x6F00, "X").source
    assert source is not None
    assert source.layer == "sam"


def test_an_extended_table_overrides_and_keeps_the_rest() -> None:
    table = VERIFY.extended({0x6700: errors.CardBlocked, 0x6F00: errors.CardMute})
    assert type(table.error(0x6700, "X")) is errors.CardBlocked
    assert type(table.error(0x6F00, "X")) is errors.CardMute
    assert type(table.error(0x6983, "X")) is errors.PinBlocked
    assert type(table.error(0x63C1, "X")) is errors.PinWrong
    assert type(VERIFY.error(0x6700, "X")) is errors.PinLength
    assert SAM.extended({}) == SAM


def test_the_call_of_a_command_raises_by_its_table() -> None:
    verify = Command("VERIFY", 0x00, 0x20, data=b"\x12\x34", outcomes=VERIFY)
    with pytest.raises(errors.PinWrong) as caught:
        CardConnection(ScriptedChannel(("00200000021234", "63C5"))).call(verify)
    assert caught.value.values["tries_left"] == 5
    read = Command("READ BINARY", 0x00, 0xB0, le=2)
    with pytest.raises(errors.CardUnexpected) as other:
        CardConnection(ScriptedChannel(("00B0000002", "63C5"))).call(read)
    assert other.value.source == errors.Source("card", "READ BINARY", "63C5")
