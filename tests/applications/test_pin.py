"""The holder's PIN at the terminal: state first, then at most one try (SSC §5.1)."""

import pytest

from cardio.applications.pin import PinState, encode_pin, pin_state, verify_pin
from cardio.errors import (
    CardUnexpected,
    PinBlocked,
    PinCancelled,
    PinError,
    PinLastTry,
    PinLength,
    PinRequired,
    PinTimeout,
    PinWrong,
)
from cardio.transport.channel import CardProtocol
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card
from cardio.virtual.pin_pad import VirtualPinPad
from tests.applications.presenting import present
from tests.purse.scripted import scripted
from tests.virtual.vectors import Exchange

RIGHT, WRONG = "123456", "654321"
ASK = "00200000"
"""VERIFY with an empty body."""


def card_with(tries: int = 6) -> VirtualCard:
    card = citizen_card()
    assert card.pin is not None
    card.pin.tries_left = tries
    return card


def tries_of(card: VirtualCard) -> int:
    assert card.pin is not None
    return card.pin.tries_left


# ---- state -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("63C6", PinState(is_set=True, tries_left=6)),
        ("63C1", PinState(is_set=True, tries_left=1)),
        ("63CF", PinState(is_set=True, tries_left=15)),
        ("9000", PinState(is_set=False, tries_left=None)),
        ("6700", PinState(is_set=True, tries_left=None)),
        ("6300", PinState(is_set=True, tries_left=None)),
    ],
)
@pytest.mark.parametrize("protocol", list(CardProtocol))
def test_state_is_what_the_card_says(status: str, state: PinState, protocol: CardProtocol) -> None:
    card, script = scripted(Exchange(ASK, status), protocol=protocol)
    assert pin_state(card) == state
    script.assert_finished()


@pytest.mark.parametrize("status", ["63C0", "6983"])
def test_state_of_a_blocked_pin_is_an_error(status: str) -> None:
    card, _ = scripted(Exchange(ASK, status))
    with pytest.raises(PinBlocked):
        pin_state(card)


def test_asking_spends_no_try() -> None:
    virtual = card_with()
    card = present(virtual)
    for _ in range(8):
        assert pin_state(card) == PinState(is_set=True, tries_left=6)
    assert tries_of(virtual) == 6


# ---- from the caller ---------------------------------------------------------------------------------------------


def test_right_pin_opens_the_card() -> None:
    virtual = card_with(3)
    card = present(virtual)
    verify_pin(card, RIGHT)
    assert tries_of(virtual) == 6
    assert pin_state(card) == PinState(is_set=False, tries_left=None)


def test_pin_that_was_presented_is_not_presented_again() -> None:
    card = present(card_with())
    verify_pin(card, RIGHT)
    verify_pin(card, WRONG)
    assert card.counts["VERIFY"] == 3


def test_card_without_a_pin_asks_for_none() -> None:
    virtual = card_with()
    virtual.pin = None
    verify_pin(present(virtual), None)


def test_wrong_pin_tells_the_tries_that_are_left() -> None:
    virtual = card_with()
    with pytest.raises(PinWrong) as caught:
        verify_pin(present(virtual), WRONG)
    assert caught.value.values == {"tries_left": 5}
    assert tries_of(virtual) == 5


def test_last_try_is_not_spent_unless_the_holder_agreed() -> None:
    virtual = card_with(1)
    card = present(virtual)
    with pytest.raises(PinLastTry):
        verify_pin(card, WRONG)
    assert tries_of(virtual) == 1
    with pytest.raises(PinLastTry):
        verify_pin(card, RIGHT)
    verify_pin(card, RIGHT, allow_last_try=True)
    assert tries_of(virtual) == 6


def test_last_try_that_fails_blocks() -> None:
    virtual = card_with(1)
    card = present(virtual)
    with pytest.raises(PinBlocked):
        verify_pin(card, WRONG, allow_last_try=True)
    assert tries_of(virtual) == 0


def test_blocked_pin_is_not_presented() -> None:
    card = present(card_with(0))
    with pytest.raises(PinBlocked):
        verify_pin(card, RIGHT, allow_last_try=True)
    assert card.counts["VERIFY"] == 1


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12 456", "12345a", "１２３４５６", "²³¹²"])
def test_pin_of_wrong_length_or_other_characters_is_not_presented(pin: str) -> None:
    virtual = card_with()
    with pytest.raises(PinLength):
        verify_pin(present(virtual), pin)
    assert tries_of(virtual) == 6


@pytest.mark.parametrize(
    ("pin", "packed"),
    [("1234", "1234"), ("12345", "12345F"), ("123456", "123456"), ("123456789012", "123456789012"), ("0000", "0000")],
)
def test_pin_is_packed(pin: str, packed: str) -> None:
    assert encode_pin(pin).hex().upper() == packed
    command = f"00200000{len(packed) // 2:02X}{packed}"
    card, script = scripted(Exchange(ASK, "63C6"), Exchange(command, "9000"))
    verify_pin(card, pin)
    script.assert_finished()


@pytest.mark.parametrize(
    ("status", "error"),
    [("63C5", PinWrong), ("63C0", PinBlocked), ("6983", PinBlocked), ("6700", PinLength), ("6F00", CardUnexpected)],
)
def test_refusals_have_a_name(status: str, error: type[PinError]) -> None:
    card, script = scripted(Exchange(ASK, "63C6"), Exchange("0020000003123456", status))
    with pytest.raises(error):
        verify_pin(card, RIGHT)
    script.assert_finished()


def test_verify_is_never_repeated_by_the_connection() -> None:
    card, script = scripted(Exchange(ASK, "63C6"), Exchange("0020000003123456", "6C00"))
    with pytest.raises(CardUnexpected):
        verify_pin(card, RIGHT)
    script.assert_finished()


def test_without_pad_and_caller_there_is_no_pin() -> None:
    virtual = card_with()
    with pytest.raises(PinRequired):
        verify_pin(present(virtual), None)
    assert tries_of(virtual) == 6


# ---- from the PIN pad --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("digits", ["1234", "12345", "123456", "123456789012"])
def test_pin_from_the_pad_opens_the_card(digits: str) -> None:
    virtual = card_with()
    assert virtual.pin is not None
    virtual.pin.value = encode_pin(digits)
    pad = VirtualPinPad(digits)
    card = present(virtual, pad)
    verify_pin(card, None)
    assert pad.entries == 1
    assert card.counts["VERIFY"] == 2
    assert not pin_state(card).is_set


def test_pin_from_the_caller_leaves_the_pad_alone() -> None:
    pad = VirtualPinPad(WRONG)
    verify_pin(present(card_with(), pad), RIGHT)
    assert pad.entries == 0


@pytest.mark.parametrize(
    ("typed", "error"), [(None, PinTimeout), ("", PinCancelled), ("123", PinLength), ("1234567890123", PinLength)]
)
def test_holder_who_does_not_type_a_pin_spends_no_try(typed: str | None, error: type[PinError]) -> None:
    virtual = card_with()
    pad = VirtualPinPad(typed)
    with pytest.raises(error):
        verify_pin(present(virtual, pad), None)
    assert tries_of(virtual) == 6
    assert pad.entries == 1


def test_wrong_pin_from_the_pad_tells_the_tries_that_are_left() -> None:
    virtual = card_with()
    with pytest.raises(PinWrong) as caught:
        verify_pin(present(virtual, VirtualPinPad(WRONG)), None)
    assert caught.value.values == {"tries_left": 5}


@pytest.mark.parametrize("tries", [0, 1])
def test_pad_is_not_asked_for_a_pin_that_must_not_be_presented(tries: int) -> None:
    pad = VirtualPinPad(RIGHT)
    with pytest.raises((PinBlocked, PinLastTry)):
        verify_pin(present(card_with(tries), pad), None)
    assert pad.entries == 0


def test_pad_may_use_the_last_try_when_the_holder_agreed() -> None:
    virtual = card_with(1)
    verify_pin(present(virtual, VirtualPinPad(RIGHT)), None, allow_last_try=True)
    assert tries_of(virtual) == 6
