"""The PIN of virtual cards: its counter, its rights and how long they last (SSC §5.1)."""

from collections.abc import Callable

import pytest

from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import social_security_card
from cardio.virtual.tries import Secret
from tests.virtual.wire import SELECT_DF04, SELECT_SSSE, VERIFY_EMPTY, VERIFY_RIGHT, VERIFY_WRONG, complete, send

READ_MODE = "00B28F2803"


@pytest.fixture
def card() -> VirtualCard:
    """A card with DF04 selected and six tries."""
    card = social_security_card()
    complete(card, SELECT_SSSE)
    complete(card, SELECT_DF04)
    return card


def pin_of(card: VirtualCard) -> Secret:
    assert card.pin is not None
    return card.pin


def test_empty_verify_tells_the_tries_and_spends_none(card: VirtualCard) -> None:
    for _ in range(10):
        assert send(card, VERIFY_EMPTY) == "63C6"
    assert send(card, "00200000") == "63C6"
    assert pin_of(card).tries_left == 6


def test_wrong_pins_count_down_to_the_block(card: VirtualCard) -> None:
    for left in (5, 4, 3, 2, 1, 0):
        assert send(card, VERIFY_WRONG) == f"63C{left}"
    assert send(card, VERIFY_WRONG) == "6983"
    assert send(card, VERIFY_RIGHT) == "6983"
    assert send(card, VERIFY_EMPTY) == "6983"
    assert send(card, READ_MODE) == "6982"
    card.power_off()
    card.power_on()
    assert send(card, VERIFY_RIGHT) == "6983"


def test_right_pin_restores_all_tries(card: VirtualCard) -> None:
    for _ in range(5):
        send(card, VERIFY_WRONG)
    assert send(card, VERIFY_EMPTY) == "63C1"
    assert send(card, VERIFY_RIGHT) == "9000"
    assert pin_of(card).tries_left == 6


def test_tries_survive_power_off(card: VirtualCard) -> None:
    send(card, VERIFY_WRONG)
    card.power_off()
    card.power_on()
    assert send(card, VERIFY_EMPTY) == "63C5"


def test_rights_last_through_selections_until_power_off(card: VirtualCard) -> None:
    assert send(card, VERIFY_RIGHT) == "9000"
    assert send(card, VERIFY_EMPTY) == "9000"
    assert send(card, READ_MODE) == "8F01319000"
    complete(card, SELECT_SSSE)
    complete(card, SELECT_DF04)
    assert send(card, READ_MODE) == "8F01319000"
    card.power_off()
    card.power_on()
    complete(card, SELECT_SSSE)
    complete(card, SELECT_DF04)
    assert send(card, READ_MODE) == "6982"
    assert send(card, VERIFY_EMPTY) == "63C6"


@pytest.mark.parametrize("reset", [VirtualCard.power_on, VirtualCard.power_off])
def test_either_end_of_a_session_takes_the_rights_away(card: VirtualCard, reset: Callable[[VirtualCard], None]) -> None:
    send(card, VERIFY_RIGHT)
    reset(card)
    assert send(card, VERIFY_EMPTY) == "63C6"
    assert send(card, READ_MODE) == "6A82"  # the master file is selected again


def test_wrong_pin_takes_the_rights_away(card: VirtualCard) -> None:
    send(card, VERIFY_RIGHT)
    assert send(card, VERIFY_WRONG) == "63C5"
    assert send(card, READ_MODE) == "6982"


@pytest.mark.parametrize("malformed", ["002000000112", "0020000009123456789012345678"])
def test_pins_of_impossible_length_are_6700_and_spend_no_try(card: VirtualCard, malformed: str) -> None:
    assert send(card, malformed) == "6700"
    assert pin_of(card).tries_left == 6


@pytest.mark.parametrize(
    ("digits", "packed"), [("1234", "1234"), ("12345", "12345F"), ("123456789012", "123456789012")]
)
def test_pin_is_packed_with_a_filler_in_the_last_nibble_only(digits: str, packed: str) -> None:
    card = social_security_card(pin=digits)
    assert send(card, f"00200000{len(packed) // 2:02X}{packed}") == "9000"
    assert send(card, f"00200000{len(packed) // 2 + 1:02X}{packed}FF").startswith("63C")
