"""What is told while a holder types the PIN: that it is asked for, and what came of it."""

from __future__ import annotations

import pytest

from cardio.apdu.connection import CardConnection
from cardio.applications.pin import encode_pin, pin_state, verify_pin
from cardio.applications.pin_change import change_pin
from cardio.errors import CardioError
from cardio.transport.channel import PinPadChannel
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.transport.pin_telling import PinMoment, PinTellingDriver
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.pin_pad import VirtualPinPad

RIGHT, WRONG, NEW = "123456", "000000", "654321"
Told = tuple[str, PinMoment, str]
PROMPT: Told = ("counter", PinMoment.PROMPT, "")
VERIFIED: Told = ("counter", PinMoment.VERIFIED, "")
BLOCKED: Told = ("counter", PinMoment.BLOCKED, "")


def failed(why: str) -> Told:
    return "counter", PinMoment.FAILED, why


@pytest.fixture
def card() -> VirtualCard:
    return citizen_card()


@pytest.fixture
def told() -> list[Told]:
    return []


def present(card: VirtualCard, told: list[Told], pad: VirtualPinPad | None = None) -> CardConnection:
    inner = EmbeddedDriver([EmbeddedReader("counter", card, pad)])
    driver = PinTellingDriver(inner, lambda *what: told.append(what))
    assert list(driver.readers()) == ["counter"]
    assert driver.wait(driver.readers(), 0) == driver.readers()
    driver.release()
    return CardConnection(driver.connect("counter"))


def test_a_pin_from_the_caller_has_a_result_and_no_prompt(card: VirtualCard, told: list[Told]) -> None:
    connection = present(card, told)
    pin_state(connection)
    with pytest.raises(CardioError):
        verify_pin(connection, WRONG)
    verify_pin(connection, RIGHT)
    assert told == [failed("pin.wrong"), VERIFIED]
    assert not isinstance(connection.channel, PinPadChannel)


@pytest.mark.parametrize(
    ("typed", "result"),
    [
        (RIGHT, VERIFIED),
        (WRONG, failed("pin.wrong")),
        (None, failed("pin.timeout")),
        ("", failed("pin.cancelled")),
        ("12", failed("pin.length")),
    ],
)
def test_the_pad_prompts_first(card: VirtualCard, told: list[Told], typed: str | None, result: Told) -> None:
    connection = present(card, told, VirtualPinPad(typed))
    try:
        verify_pin(connection, None)
    except CardioError:
        assert result is not VERIFIED
    assert told == [PROMPT, result]


def test_the_last_wrong_pin_blocks(card: VirtualCard, told: list[Told]) -> None:
    assert card.pin is not None
    card.pin.tries_left = 1
    with pytest.raises(CardioError):
        verify_pin(present(card, told), WRONG, allow_last_try=True)
    assert told == [BLOCKED]


def test_a_change_is_told_like_any_pin(card: VirtualCard, told: list[Told]) -> None:
    change_pin(present(card, told), RIGHT, NEW)
    pad = VirtualPinPad(NEW, RIGHT)
    change_pin(present(card, told, pad), None, None)
    assert told == [VERIFIED, PROMPT, VERIFIED]
    pad.again = WRONG
    pad.typed = RIGHT
    with pytest.raises(CardioError):
        change_pin(present(card, told, pad), None, None)
    assert told[-2:] == [PROMPT, failed("pin.mismatch")]


def test_a_lost_answer_ends_the_prompt_too(card: VirtualCard, told: list[Told]) -> None:
    connection = present(card, told, VirtualPinPad(RIGHT))
    card.faults = FaultPlan(Fault.CUT_BEFORE, 2, only="0020")
    with pytest.raises(CardioError):
        verify_pin(connection, None)
    assert told == [PROMPT, failed("card.removed")]


def test_a_card_that_refuses_otherwise_is_told_so(card: VirtualCard, told: list[Told]) -> None:
    connection = present(card, told)
    card.faults = FaultPlan(Fault.REFUSED, 2, only="0020", status=0x6F00)
    with pytest.raises(CardioError):
        verify_pin(connection, RIGHT)
    assert told == [failed("card.unexpected")]
    assert encode_pin(RIGHT).hex() not in str(told)
