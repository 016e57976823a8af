"""Changing the PIN at the terminal (SSC §5.1, EW §3.4): what is sent, what is not, and lost answers."""

from __future__ import annotations

import pytest

from cardio.applications.pin import encode_pin
from cardio.applications.pin_change import change_pin
from cardio.errors import (
    CardioError,
    PinBlocked,
    PinCancelled,
    PinError,
    PinLastTry,
    PinLength,
    PinMismatch,
    PinNotAllowed,
    PinRequired,
    PinTimeout,
    PinUnset,
    PinWrong,
)
from cardio.products.maintenance import change_holders_pin
from cardio.transport.channel import CardProtocol
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, social_security_card
from cardio.virtual.pin_pad import VirtualPinPad
from cardio.virtual.products import example_card
from tests.applications.maintaining import NEW, PIN, SHIPPED, has_pin
from tests.applications.presenting import present
from tests.purse.scripted import scripted
from tests.virtual.vectors import Exchange

ASK = "00200000"
CARDS = {
    "ssc 2.0": social_security_card,
    "ssc 3.0, SM4": lambda: example_card(SHIPPED["ssc-3.0"]),
    "wallet": citizen_card,
    "wallet, native": lambda: citizen_card(native=True),
    "transit wallet": lambda: example_card(SHIPPED["transit-jtt978"]),
}


@pytest.fixture(params=CARDS.values(), ids=list(CARDS))
def card(request: pytest.FixtureRequest) -> VirtualCard:
    """A card of every family."""
    found: VirtualCard = request.param()
    return found


@pytest.fixture
def social() -> VirtualCard:
    return social_security_card()


def tries_of(card: VirtualCard) -> int:
    assert card.pin is not None
    return card.pin.tries_left


# ---- what is sent ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "data"),
    [
        ("123456", "654321", "07123456FF654321"),
        ("1234", "567890123456", "091234FF567890123456"),
        ("12345", "123456789012", "0A12345FFF123456789012"),
    ],
)
@pytest.mark.parametrize("protocol", list(CardProtocol))
def test_old_and_new_pin_go_to_the_card_around_ff(old: str, new: str, data: str, protocol: CardProtocol) -> None:
    card, script = scripted(Exchange(ASK, "63C6"), Exchange(f"805E0100{data}", "9000"), protocol=protocol)
    change_pin(card, old, new)
    script.assert_finished()


def test_the_first_pin_has_no_old_one() -> None:
    card, script = scripted(Exchange(ASK, "9000"), Exchange("805E010004FF123456", "9000"))
    change_pin(card, None, PIN)
    script.assert_finished()


@pytest.mark.parametrize(
    ("status", "error"),
    [("63C5", PinWrong), ("63C0", PinBlocked), ("6983", PinBlocked), ("6700", PinLength), ("6C00", CardioError)],
)
def test_refusals_have_a_name_and_are_not_repeated(status: str, error: type[CardioError]) -> None:
    card, script = scripted(Exchange(ASK, "63C6"), Exchange("805E010007123456FF654321", status))
    with pytest.raises(error):
        change_pin(card, PIN, NEW)
    script.assert_finished()


@pytest.mark.parametrize("pins", [("123", NEW), (PIN, "123"), (PIN, "1234567890123"), (PIN, "12a456"), (PIN, "")])
def test_a_pin_of_the_wrong_form_reaches_no_card(pins: tuple[str, str]) -> None:
    card, script = scripted()
    with pytest.raises(PinLength):
        change_pin(card, *pins)
    script.assert_finished()


# ---- both families -----------------------------------------------------------------------------------------------


def test_the_card_has_the_new_pin_afterwards(card: VirtualCard) -> None:
    change_holders_pin(present(card), SHIPPED, PIN, NEW)
    assert has_pin(card, NEW)
    change_holders_pin(present(card), SHIPPED, NEW, PIN)
    assert has_pin(card, PIN)


def test_a_wrong_old_pin_changes_nothing_and_tells_the_tries(card: VirtualCard) -> None:
    before = tries_of(card)
    with pytest.raises(PinWrong) as caught:
        change_holders_pin(present(card), SHIPPED, "000000", NEW)
    assert caught.value.values == {"tries_left": before - 1}
    assert has_pin(card, PIN)


def test_a_card_without_a_pin_gets_its_first_one(social: VirtualCard) -> None:
    social.pin = None
    with pytest.raises(PinUnset):
        change_holders_pin(present(social), SHIPPED, PIN, NEW)
    change_holders_pin(present(social), SHIPPED, None, NEW)
    assert has_pin(social, NEW)
    with pytest.raises(PinRequired):
        change_holders_pin(present(social), SHIPPED, None, PIN)
    assert tries_of(social) == 6


def test_the_last_try_is_not_used_unless_the_holder_agreed(social: VirtualCard) -> None:
    assert social.pin is not None
    social.pin.tries_left = 1
    with pytest.raises(PinLastTry):
        change_holders_pin(present(social), SHIPPED, PIN, NEW)
    assert tries_of(social) == 1
    change_holders_pin(present(social), SHIPPED, PIN, NEW, allow_last_try=True)
    assert tries_of(social) == 6


def test_a_blocked_pin_is_not_changed(social: VirtualCard) -> None:
    assert social.pin is not None
    social.pin.tries_left = 0
    with pytest.raises(PinBlocked):
        change_holders_pin(present(social), SHIPPED, PIN, NEW, allow_last_try=True)


def test_a_caller_hands_no_pin_to_a_real_card(social: VirtualCard, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = present(social)
    monkeypatch.setattr(type(connection.channel), "virtual", False)
    for pins in ((PIN, NEW), (None, NEW)):
        with pytest.raises(PinNotAllowed):
            change_holders_pin(connection, SHIPPED, *pins)
    assert tries_of(social) == 6


# ---- the PIN pad -------------------------------------------------------------------------------------------------


def test_the_holder_changes_the_pin_on_the_pad(card: VirtualCard) -> None:
    pad = VirtualPinPad(PIN, NEW)
    connection = present(card, pad)
    change_holders_pin(connection, SHIPPED, None, None)
    assert (pad.entries, connection.counts["CHANGE PIN"]) == (1, 1)
    pad.typed, pad.new = NEW, PIN
    connection.channel.close()
    change_holders_pin(present(card, pad), SHIPPED, None, None)
    assert has_pin(card, PIN)


@pytest.mark.parametrize("digits", [4, 5, 7, 12])
def test_the_pad_takes_pins_of_another_length(social: VirtualCard, digits: int) -> None:
    old, new = "123456789012"[:digits], "210987654321"[:digits]
    assert social.pin is not None
    social.pin.value = encode_pin(old)
    change_holders_pin(present(social, VirtualPinPad(old, new)), SHIPPED, None, None, digits=digits)
    assert has_pin(social, new)


def test_the_first_pin_is_typed_twice_on_the_pad(social: VirtualCard) -> None:
    social.pin = None
    change_holders_pin(present(social, VirtualPinPad(None, NEW)), SHIPPED, None, None)
    assert has_pin(social, NEW)


@pytest.mark.parametrize(
    ("typed", "new", "again", "error"),
    [
        (None, NEW, None, PinTimeout),
        (PIN, None, None, PinTimeout),
        ("", NEW, None, PinCancelled),
        (PIN, "", None, PinCancelled),
        (PIN, NEW, "654320", PinMismatch),
        (PIN, "12345", None, PinLength),
        ("12345", NEW, None, PinLength),
    ],
)
def test_an_entry_that_fails_on_the_pad_spends_no_try(
    social: VirtualCard, typed: str | None, new: str | None, again: str | None, error: type[PinError]
) -> None:
    pad = VirtualPinPad(typed, new)
    pad.again = again
    with pytest.raises(error):
        change_holders_pin(present(social, pad), SHIPPED, None, None)
    assert tries_of(social) == 6
    assert has_pin(social, PIN)


@pytest.mark.parametrize("digits", [3, 13])
def test_the_pad_is_not_asked_for_a_length_that_no_pin_has(social: VirtualCard, digits: int) -> None:
    pad = VirtualPinPad(PIN, NEW)
    with pytest.raises(PinLength):
        change_holders_pin(present(social, pad), SHIPPED, None, None, digits=digits)
    assert pad.entries == 0


def test_without_a_pad_a_new_pin_is_required(social: VirtualCard) -> None:
    with pytest.raises(PinRequired):
        change_holders_pin(present(social), SHIPPED, None, None)
