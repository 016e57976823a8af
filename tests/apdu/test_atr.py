"""Historical bytes and card factor from the answer to reset (SSC §1.1)."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio.apdu.atr import card_factor, historical_bytes
from cardio.errors import CardDataInvalid

VERSION_1 = "0081008843866533010100ABCD"
VERSION_3 = "00814A444686605199000001AC"
CONTACTLESS = "0081544C9686845101C0666779"
EXAMPLES = {
    "contact 1.0": ("3B6D0000" + VERSION_1, VERSION_1),
    "contact 3.0": ("3B6D0000" + VERSION_3, VERSION_3),
    "with TA1": ("3B7D180000" + VERSION_3, VERSION_3),
    "only TB1": ("3B2D00" + VERSION_3, VERSION_3),
    "TA1 and TB1": ("3B3D1800" + VERSION_3, VERSION_3),
    "TD1, TD2, TA3 and TCK": ("3B8D801F43" + VERSION_3 + "55", VERSION_3),
    "TA1, TD1, TD2, TA3 and TCK": ("3B9D18801F43" + VERSION_3 + "55", VERSION_3),
    "TC1, TD1, TD2, TA3 and TCK": ("3BCD00801F43" + VERSION_3 + "55", VERSION_3),
    "TA1, TC1, TD1, TD2, TA3 and TCK": ("3BDD1800801F43" + VERSION_3 + "55", VERSION_3),
    "PC/SC contactless": ("3B8D8001" + CONTACTLESS + "55", CONTACTLESS),
    "no historical bytes": ("3B00", ""),
    "interface bytes only": ("3BF018000081318065", ""),
}
each_example = pytest.mark.parametrize(("atr", "historical"), EXAMPLES.values(), ids=EXAMPLES.keys())
WITH_CARD = [example for example in EXAMPLES.values() if example[1]]


@each_example
def test_historical_bytes_are_found_behind_the_interface_bytes(atr: str, historical: str) -> None:
    assert historical_bytes(bytes.fromhex(atr)) == bytes.fromhex(historical)


@pytest.mark.parametrize(("atr", "historical"), WITH_CARD)
def test_the_factor_is_the_last_eight_of_them(atr: str, historical: str) -> None:
    assert card_factor(bytes.fromhex(atr)) == bytes.fromhex(historical)[5:]


@each_example
def test_every_cut_before_the_last_historical_byte_is_invalid(atr: str, historical: str) -> None:
    raw = bytes.fromhex(atr)
    check_byte = 1 if atr.endswith("55") else 0
    for size in range(len(raw) - check_byte):
        with pytest.raises(CardDataInvalid):
            historical_bytes(raw[:size])


@pytest.mark.parametrize("count", range(8))
def test_fewer_than_eight_historical_bytes_hold_no_factor(count: int) -> None:
    with pytest.raises(CardDataInvalid, match=f"{count} historical bytes"):
        card_factor(bytes([0x3B, count]) + bytes(count))


def test_eight_historical_bytes_are_the_factor() -> None:
    assert card_factor(bytes.fromhex("3B08 0102030405060708")) == bytes.fromhex("0102030405060708")


@given(st.binary(max_size=40))
def test_any_bytes_have_historical_bytes_or_are_invalid(raw: bytes) -> None:
    with contextlib.suppress(CardDataInvalid):
        historical = historical_bytes(raw)
        assert len(historical) == raw[1] & 0x0F
        assert historical in raw


@given(st.binary(max_size=40))
def test_any_bytes_have_a_factor_or_are_invalid(raw: bytes) -> None:
    with contextlib.suppress(CardDataInvalid):
        assert len(card_factor(raw)) == 8
