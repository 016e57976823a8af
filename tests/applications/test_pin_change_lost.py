"""A PIN change whose answer is lost: the new PIN is asked for once, and nothing is guessed."""

from __future__ import annotations

import pytest

from cardio.apdu.connection import CardConnection
from cardio.applications.pin import encode_pin, pin_state
from cardio.applications.pin_change import was_changed
from cardio.errors import (
    CardRemoved,
    LinkCorrupt,
    PinChangeUnknown,
    PinLastTry,
)
from cardio.products.maintenance import change_holders_pin, select_pin
from cardio.transport.channel import ChannelAround, Disclosure
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import social_security_card
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.pin_pad import VirtualPinPad
from tests.applications.maintaining import NEW, PIN, SHIPPED, has_pin, listened
from tests.applications.presenting import present
from tests.applications.test_pin_change import CARDS, tries_of


@pytest.fixture(params=CARDS.values(), ids=list(CARDS))
def card(request: pytest.FixtureRequest) -> VirtualCard:
    """A card of every family."""
    found: VirtualCard = request.param()
    return found


@pytest.fixture
def social() -> VirtualCard:
    return social_security_card()


def torn(card: VirtualCard, fault: Fault) -> None:
    card.faults = FaultPlan(fault, only="805E")


@pytest.mark.parametrize(
    ("fault", "changed"),
    [
        (Fault.CUT_BEFORE, False),
        (Fault.CUT_BEFORE_COMMIT, False),
        (Fault.CUT_AFTER_COMMIT, None),
        (Fault.CUT_AFTER, True),
        (Fault.LATE, True),
    ],
)
@pytest.mark.parametrize("typed", ["by the caller", "on the pad"])
def test_after_a_lost_answer_the_new_pin_is_asked_for_once(
    card: VirtualCard, fault: Fault, changed: bool | None, typed: str
) -> None:
    pad = VirtualPinPad(PIN, NEW) if typed == "on the pad" else None
    pins = (None, None) if pad else (PIN, NEW)
    full = tries_of(card)
    torn(card, fault)
    with pytest.raises(PinChangeUnknown) as caught:
        change_holders_pin(present(card, pad), SHIPPED, *pins)
    assert PIN not in str(caught.value)
    connection, sent = listened(card)
    select_pin(connection, SHIPPED)
    answer = was_changed(connection, NEW)
    assert changed in {answer, None}
    assert sum(command.startswith("0020") and len(command) > 10 for command in sent) == 1
    assert tries_of(card) == (full if answer else full - 1)
    connection.channel.close()
    assert has_pin(card, NEW if answer else PIN)


def test_the_last_try_of_the_old_pin_is_not_spent_on_the_question(social: VirtualCard) -> None:
    torn(social, Fault.CUT_BEFORE)
    with pytest.raises(PinChangeUnknown):
        change_holders_pin(present(social), SHIPPED, PIN, NEW)
    assert social.pin is not None
    social.pin.tries_left = 1
    connection = present(social)
    select_pin(connection, SHIPPED)
    with pytest.raises(PinLastTry):
        was_changed(connection, NEW)
    assert has_pin_left(social) == 1


def has_pin_left(card: VirtualCard) -> int:
    connection = present(card)
    select_pin(connection, SHIPPED)
    left = pin_state(connection).tries_left
    assert left is not None
    return left


class Noisy(ChannelAround):
    """A link on which the answer to CHANGE PIN is lost, while the card stays.

    Args:
        card: The card behind it.
        executed: Whether the card gets the command.
        gone: Whether the card leaves right after it.
    """

    def __init__(self, card: VirtualCard, *, executed: bool, gone: bool = False) -> None:
        super().__init__(present(card).channel)
        self._executed = executed
        self._gone = gone
        self.commands: list[bytes] = []

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        """Pass on what is no change."""
        left = self._gone and any(one[1] == 0x5E for one in self.commands)
        self.commands.append(command)
        if left:
            raise CardRemoved
        if command[1] != 0x5E:
            return super().transmit(command, disclosure)
        if self._executed:
            super().transmit(command, disclosure)
        raise LinkCorrupt


def test_a_card_that_is_still_there_is_asked_at_once(social: VirtualCard) -> None:
    link = Noisy(social, executed=True)
    change_holders_pin(CardConnection(link), SHIPPED, PIN, NEW)
    assert link.commands[-1] == bytes.fromhex("0020000003") + encode_pin(NEW)
    link.close()
    assert has_pin(social, NEW)


def test_a_change_that_did_not_happen_is_told_as_such(social: VirtualCard) -> None:
    link = Noisy(social, executed=False)
    with pytest.raises(LinkCorrupt):
        change_holders_pin(CardConnection(link), SHIPPED, PIN, NEW)
    assert tries_of(social) == 5
    link.close()
    assert has_pin(social, PIN)


@pytest.mark.parametrize(("tries", "gone"), [(1, False), (6, True)])
def test_a_card_that_does_not_tell_leaves_it_unknown(social: VirtualCard, tries: int, gone: bool) -> None:
    assert social.pin is not None
    social.pin.tries_left = tries
    link = Noisy(social, executed=False, gone=gone)
    with pytest.raises(PinChangeUnknown):
        change_holders_pin(CardConnection(link), SHIPPED, PIN, NEW, allow_last_try=True)
    assert not any(command[1] == 0x20 and len(command) > 5 for command in link.commands)


@pytest.mark.parametrize(("fault", "changed"), [(Fault.CUT_BEFORE, False), (Fault.CUT_AFTER, True)])
def test_a_first_pin_whose_answer_was_lost_is_set_or_not(social: VirtualCard, fault: Fault, changed: bool) -> None:
    social.pin = None
    torn(social, fault)
    with pytest.raises(PinChangeUnknown):
        change_holders_pin(present(social), SHIPPED, None, NEW)
    connection = present(social)
    select_pin(connection, SHIPPED)
    assert was_changed(connection, NEW) is changed


def test_a_first_pin_that_was_not_set_over_a_noisy_link_is_told(social: VirtualCard) -> None:
    social.pin = None
    with pytest.raises(LinkCorrupt):
        change_holders_pin(CardConnection(Noisy(social, executed=False)), SHIPPED, None, NEW)
    assert social.pin is None
