"""Check characters of card numbers and citizen ID numbers, against the samples of SSC §4.7."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio.files.check_characters import (
    birth_date_of_citizen_id,
    card_number_check_character,
    citizen_id_check_character,
    citizen_id_of_old_number,
    is_card_number,
    is_citizen_id,
    sex_of_citizen_id,
)
from cardio.files.dates import CardDate
from cardio.files.social_security.environment import HolderData, IssuerData

PRINTED = ["11010519491231002X", "440524188001010014"]
"""The samples of GB 11643."""


@pytest.mark.parametrize(
    ("body", "check"),
    [
        ("D2143569", "X"),
        ("X0000001", "9"),
        ("ET000077", "X"),
        ("B0000013", "1"),
    ],
)
def test_the_sample_card_numbers_have_their_check_characters(body: str, check: str) -> None:
    assert card_number_check_character(body) == check
    assert is_card_number(body + check)


def test_a_remainder_of_zero_is_checked_by_zero() -> None:
    # A is 10: 10 * 3 + 4 * 4 + 10 * 2 = 66 = 6 * 11
    assert card_number_check_character("A000004A") == "0"


@pytest.mark.parametrize(
    "number",
    ["", "D2143569", "D21435691", "d2143569X", "D2143569x", "D2143569XX", "12143569X", "D214356 X", "D214356９X"],
)
def test_what_is_no_card_number(number: str) -> None:
    assert not is_card_number(number)


@pytest.mark.parametrize("body", ["", "D214356", "D2143569X", "12143569", "d2143569"])
def test_only_a_body_of_the_right_form_has_a_check_character(body: str) -> None:
    with pytest.raises(ValueError, match="capital letter"):
        card_number_check_character(body)


@pytest.mark.parametrize("number", PRINTED)
def test_the_printed_citizen_id_numbers_are_right(number: str) -> None:
    assert citizen_id_check_character(number[:17]) == number[17]
    assert is_citizen_id(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "11010519491231002",
        "110105194912310021",
        "11010519491231002x",
        "11010519491231002XX",
        "１1010519491231002X",
        "110105491231002",
    ],
)
def test_what_is_no_citizen_id_number(number: str) -> None:
    assert not is_citizen_id(number)
    assert sex_of_citizen_id("") is None


def test_a_number_whose_birth_date_does_not_exist_is_none() -> None:
    body = "11010519491331002"
    assert not is_citizen_id(body + citizen_id_check_character(body))


@pytest.mark.parametrize("body", ["", "1101051949123100", "1101051949123100２", "11010519491231002X"])
def test_only_17_digits_have_a_check_character(body: str) -> None:
    with pytest.raises(ValueError, match="17 decimal digits"):
        citizen_id_check_character(body)


def test_an_old_number_gets_its_century_and_its_check_character() -> None:
    assert citizen_id_of_old_number("110105491231002") == "11010519491231002X"


@pytest.mark.parametrize("old", ["", "11010549123100", "11010519491231002X", "11010549123100X"])
def test_only_15_digits_are_an_old_number(old: str) -> None:
    with pytest.raises(ValueError, match="15 decimal digits"):
        citizen_id_of_old_number(old)


@pytest.mark.parametrize(
    ("number", "born", "sex"),
    [
        ("11010519491231002X", CardDate(1949, 12, 31), "2"),
        ("440524188001010014", CardDate(1880, 1, 1), "1"),
        ("110105491231002", CardDate(1949, 12, 31), "2"),
        ("110105491231003", CardDate(1949, 12, 31), "1"),
        ("110105194912310021", None, None),
        ("110105491331002", None, None),
        ("H12345678", None, None),
    ],
)
def test_a_number_tells_birth_date_and_sex(number: str, born: CardDate | None, sex: str | None) -> None:
    assert birth_date_of_citizen_id(number) == born
    assert sex_of_citizen_id(number) == sex


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_not(text: str) -> None:
    assert is_citizen_id(text) <= (birth_date_of_citizen_id(text) is not None)
    assert is_card_number(text) in {True, False}


@given(st.integers(min_value=0, max_value=10**15 - 1))
def test_a_changed_digit_is_noticed(number: int) -> None:
    full = citizen_id_of_old_number(f"{number:015d}")
    for place in range(17):
        changed = f"{full[:place]}{(int(full[place]) + 1) % 10}{full[place + 1 : 17]}"
        assert citizen_id_check_character(changed) != full[17]


def test_the_numbers_of_the_sample_cards_fit_their_check_characters() -> None:
    for vector in IssuerData.VECTORS:
        assert is_card_number(IssuerData.decode_concatenated(bytes.fromhex(vector)).card_number or "")
    for vector in HolderData.VECTORS:
        holder = HolderData.decode_concatenated(bytes.fromhex(vector))
        number = holder.social_security_number or ""
        assert is_citizen_id(number)
        assert holder.born in {None, birth_date_of_citizen_id(number)}
        assert holder.sex in {None, sex_of_citizen_id(number)}
