"""Reading a card whose PIN fails or which leaves: no try is wasted, and what was read is kept."""

import pytest

from cardio.errors import CardRemoved, PinLastTry, PinNotAllowed, PinTimeout, PinWrong
from cardio.products.catalogue import Catalogue
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.transport.embedded import EmbeddedChannel
from cardio.virtual.card import CardPin, Moment, VirtualCard
from cardio.virtual.cards import citizen_card, social_security_card
from cardio.virtual.pin_pad import VirtualPinPad
from cardio.virtual.received import Received
from tests.products.conftest import Present, combined_card
from tests.products.readings import Read, error_of, tries_of

PIN = "123456"
MEDICAL = {Group.MEDICAL, Group.MEDICAL_LOG}


# ---- PIN ---------------------------------------------------------------------------------------------------------


def test_wrong_pin_spends_one_try_however_many_groups_need_it(read: Read) -> None:
    card = combined_card()
    readings = read(card, set(Group), pin="000000")
    for group in (Group.MEDICAL, Group.MEDICAL_LOG, Group.WALLET_LOG):
        error = error_of(readings[group])
        assert isinstance(error, PinWrong), group
        assert error.values == {"tries_left": 5}
    assert tries_of(card) == 5


def test_last_try_is_not_spent(read: Read) -> None:
    card = social_security_card()
    assert card.pin is not None
    card.pin = CardPin(card.pin.value, max_tries=6, tries_left=1)
    readings = read(card, MEDICAL, pin="000000")
    assert isinstance(error_of(readings[Group.MEDICAL]), PinLastTry)
    assert tries_of(card) == 1


def test_pin_pad_is_asked_once_for_all_groups(read: Read) -> None:
    pad = VirtualPinPad(PIN)
    readings = read(combined_card(), set(Group), pad)
    assert [group for group in MEDICAL | {Group.WALLET_LOG} if readings[group].error] == []
    assert pad.entries == 1


def test_holder_who_types_nothing_is_asked_once(read: Read) -> None:
    pad = VirtualPinPad(None)
    readings = read(combined_card(), set(Group), pad)
    assert isinstance(error_of(readings[Group.MEDICAL_LOG]), PinTimeout)
    assert isinstance(error_of(readings[Group.WALLET_LOG]), PinTimeout)
    assert pad.entries == 1


def test_callers_pin_never_reaches_a_real_card(catalogue: Catalogue, present: Present) -> None:
    card = combined_card()
    connection = present(card)
    assert isinstance(connection.channel, EmbeddedChannel)
    connection.channel.virtual = False
    readings = CardReading(connection, catalogue, pin="000000").read(set(Group))
    for group in (Group.MEDICAL, Group.MEDICAL_LOG, Group.WALLET_LOG):
        assert isinstance(error_of(readings[group]), PinNotAllowed), group
    assert connection.counts["VERIFY"] == 0
    assert tries_of(card) == 6


# ---- a card that leaves ------------------------------------------------------------------------------------------


def tear_at_command(card: VirtualCard, number: int) -> None:
    """Tear the card out at its n-th command."""
    seen = 0

    def hook(moment: Moment, command: Received) -> None:
        nonlocal seen
        seen += moment is Moment.COMMAND
        if seen >= number:
            raise CardRemoved("torn by the test")

    card.hook = hook


def test_card_that_leaves_at_any_command_gives_what_was_read_before(read: Read) -> None:
    asked = {Group.CARD, Group.HOLDER, Group.MEDICAL, Group.MEDICAL_LOG, Group.WALLET}
    whole = read(combined_card(), asked, pin=PIN)
    outcomes: set[int] = set()
    for number in range(1, 100):
        card = combined_card()
        tear_at_command(card, number)
        try:
            readings = read(card, asked, pin=PIN)
        except CardRemoved:
            assert not outcomes, "only the first commands find out what the card is"
            continue
        assert set(readings) == asked
        for group, reading in readings.items():
            if reading.error is None and group is not Group.CARD:
                assert reading.content == whole[group].content
            elif reading.error is not None:
                assert isinstance(reading.error, CardRemoved)
        came = sum(reading.error is None for reading in readings.values())
        outcomes.add(came)
        if readings == whole:
            break
    assert outcomes == set(range(1, len(asked) + 1))


def test_card_that_leaves_before_its_only_application_is_found_is_an_error(read: Read) -> None:
    for number in range(1, 5):  # the environment by name, from the master file, again; then the wallet
        card = citizen_card()
        tear_at_command(card, number)
        with pytest.raises(CardRemoved):
            read(card, {Group.CARD, Group.WALLET})
    card = citizen_card()
    tear_at_command(card, 5)
    assert isinstance(error_of(read(card, {Group.WALLET})[Group.WALLET]), CardRemoved)
