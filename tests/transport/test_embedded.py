"""Embedded readers: presence, exclusive use, cards that leave, PIN pads, and waiting for a change."""

import threading
import time
from collections.abc import Callable

import pytest

from cardio.errors import CardAbsent, CardRemoved, ReaderBusy, ReaderUnavailable
from cardio.transport.channel import CardProtocol, PinChangePrompt, PinPadChannel, PinPrompt, ReaderDriver, SlotState
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader

COMMAND = bytes.fromhex("00B0950004")
OK = b"\x90\x00"
SOON = 5.0


class Card:
    """Answers each command with itself and 9000; `hook` may do mischief before the answer."""

    atr = bytes.fromhex("3B021450")
    protocol = CardProtocol.T0

    def __init__(self) -> None:
        self.powered = False
        self.sessions = 0
        self.received: list[bytes] = []
        self.hook: Callable[[], object] = lambda: None

    def power_on(self) -> None:
        self.powered = True
        self.sessions += 1

    def power_off(self) -> None:
        self.powered = False

    def transmit(self, command: bytes) -> bytes:
        assert self.powered
        self.received.append(command)
        self.hook()
        return command + OK


class Pad:
    """A PIN pad whose holder types a fixed PIN."""

    def __init__(self, pin: bytes = b"\x12\x34\x56") -> None:
        self.pin = pin
        self.prompts: list[PinPrompt] = []

    def verify(self, prompt: PinPrompt, send: Callable[[bytes], bytes]) -> bytes:
        self.prompts.append(prompt)
        return send(prompt.header + bytes([len(self.pin)]) + self.pin)

    def modify(self, prompt: PinChangePrompt, send: Callable[[bytes], bytes]) -> bytes:
        return send(prompt.command)


@pytest.fixture
def card() -> Card:
    return Card()


@pytest.fixture
def reader(card: Card) -> EmbeddedReader:
    return EmbeddedReader("counter", card)


def test_an_empty_reader_has_no_card() -> None:
    reader = EmbeddedReader("counter")
    assert reader.state == SlotState(present=False, events=0)
    assert reader.card is None
    assert reader.remove() is None
    assert reader.state == SlotState(present=False, events=0)
    with pytest.raises(CardAbsent, match="counter"):
        reader.connect()


def test_every_insertion_and_removal_is_counted(card: Card) -> None:
    reader = EmbeddedReader("counter")
    reader.insert(card)
    assert reader.state == SlotState(present=True, events=1)
    assert reader.card is card
    assert reader.remove() is card
    assert reader.state == SlotState(present=False, events=2)
    reader.insert(card)
    assert reader.state == SlotState(present=True, events=3)


def test_a_card_in_the_way_comes_out_first(reader: EmbeddedReader) -> None:
    other = Card()
    reader.insert(other)
    assert reader.card is other
    assert reader.state == SlotState(present=True, events=3)


def test_a_channel_is_the_powered_card(reader: EmbeddedReader, card: Card) -> None:
    channel = reader.connect()
    assert (channel.reader, channel.atr, channel.protocol) == ("counter", card.atr, CardProtocol.T0)
    assert channel.virtual
    assert card.powered
    assert channel.transmit(COMMAND) == COMMAND + OK
    channel.close()
    assert not card.powered


def test_a_card_has_one_user_at_a_time(reader: EmbeddedReader, card: Card) -> None:
    channel = reader.connect()
    with pytest.raises(ReaderBusy, match="counter"):
        reader.connect()
    assert card.sessions == 1
    channel.close()
    reader.connect()
    assert card.sessions == 2


def test_closing_twice_does_not_end_the_next_use(reader: EmbeddedReader, card: Card) -> None:
    first = reader.connect()
    first.close()
    second = reader.connect()
    first.close()
    assert card.powered
    with pytest.raises(ReaderBusy):
        reader.connect()
    assert second.transmit(COMMAND) == COMMAND + OK


def test_a_card_that_was_pulled_out_hears_nothing(reader: EmbeddedReader, card: Card) -> None:
    channel = reader.connect()
    reader.remove()
    with pytest.raises(CardRemoved, match="counter"):
        channel.transmit(COMMAND)
    assert card.received == []


def test_a_card_pulled_out_during_a_command_has_heard_it_and_its_answer_is_lost(
    reader: EmbeddedReader, card: Card
) -> None:
    channel = reader.connect()
    card.hook = reader.remove
    with pytest.raises(CardRemoved):
        channel.transmit(COMMAND)
    assert card.received == [COMMAND]


def test_a_card_swapped_during_a_command_does_not_answer_for_the_new_one(reader: EmbeddedReader, card: Card) -> None:
    channel = reader.connect()
    other = Card()
    card.hook = lambda: reader.insert(other)
    with pytest.raises(CardRemoved):
        channel.transmit(COMMAND)
    assert other.received == []


def test_a_card_that_tears_itself_out_is_seen_to_leave(reader: EmbeddedReader, card: Card) -> None:
    def tear() -> None:
        raise CardRemoved("fault point")

    channel = reader.connect()
    card.hook = tear
    with pytest.raises(CardRemoved, match="fault point"):
        channel.transmit(COMMAND)
    assert reader.state == SlotState(present=False, events=2)
    with pytest.raises(CardRemoved):
        channel.transmit(COMMAND)
    assert len(card.received) == 1


def test_a_reinserted_card_does_not_serve_the_old_channel(reader: EmbeddedReader, card: Card) -> None:
    old = reader.connect()
    reader.remove()
    reader.insert(card)
    with pytest.raises(CardRemoved):
        old.transmit(COMMAND)
    assert card.received == []
    old.close()
    new = reader.connect()
    assert new.transmit(COMMAND) == COMMAND + OK
    with pytest.raises(CardRemoved):
        old.transmit(COMMAND)


def test_closing_an_old_channel_does_not_power_off_a_card_in_use_elsewhere(card: Card) -> None:
    counter, gate = EmbeddedReader("counter", card), EmbeddedReader("gate")
    old = counter.connect()
    counter.remove()
    gate.insert(card)
    new = gate.connect()
    old.close()
    assert card.powered
    assert new.transmit(COMMAND) == COMMAND + OK


def test_a_card_pulled_out_in_use_begins_anew_when_it_is_put_in_again(reader: EmbeddedReader, card: Card) -> None:
    channel = reader.connect()
    reader.remove()
    reader.insert(card)
    channel.close()
    reader.connect()
    assert card.sessions == 2


# ---- PIN pad -------------------------------------------------------------------------------------------------

PROMPT = PinPrompt(bytes.fromhex("00200000"), 4, 12)
CHANGE = PinChangePrompt(bytes.fromhex("805E010007FFFFFFFFFFFFFF"), 6, 0, 4)


def test_a_reader_without_a_pad_has_a_channel_without_one(reader: EmbeddedReader) -> None:
    assert not isinstance(reader.connect(), PinPadChannel)


def test_what_is_typed_goes_from_the_pad_to_the_card(card: Card) -> None:
    pad = Pad()
    channel = EmbeddedReader("counter", card, pad).connect()
    assert isinstance(channel, PinPadChannel)
    assert channel.verify_pin(PROMPT) == bytes.fromhex("0020000003123456") + OK
    assert pad.prompts == [PROMPT]
    assert card.received == [bytes.fromhex("0020000003123456")]


def test_a_pin_typed_after_the_card_left_is_presented_to_nobody(card: Card) -> None:
    reader = EmbeddedReader("counter", card, Pad())
    channel = reader.connect()
    assert isinstance(channel, PinPadChannel)
    other = Card()
    reader.insert(other)
    with pytest.raises(CardRemoved):
        channel.verify_pin(PROMPT)
    assert card.received == other.received == []


def test_a_pad_that_was_taken_away_is_an_error(card: Card) -> None:
    reader = EmbeddedReader("counter", card, Pad())
    channel = reader.connect()
    assert isinstance(channel, PinPadChannel)
    reader.pin_pad = None
    with pytest.raises(ReaderUnavailable, match="PIN pad"):
        channel.verify_pin(PROMPT)
    with pytest.raises(ReaderUnavailable, match="PIN pad"):
        channel.modify_pin(CHANGE)


# ---- waiting -------------------------------------------------------------------------------------------------


def later(action: Callable[[], object]) -> threading.Timer:
    """Run `action` in another thread while the caller waits."""
    timer = threading.Timer(0.05, action)
    timer.start()
    return timer


def test_waiting_ends_at_once_when_the_state_is_already_another(reader: EmbeddedReader) -> None:
    assert reader.wait_change(SlotState(present=False, events=0), SOON)


def test_waiting_ends_without_a_change_when_the_time_is_over(reader: EmbeddedReader) -> None:
    assert not reader.wait_change(reader.state, 0.01)


@pytest.mark.parametrize("action", ["insert", "remove"])
def test_waiting_ends_when_a_card_comes_or_goes(reader: EmbeddedReader, action: str) -> None:
    known = reader.state
    begin = time.monotonic()
    timer = later(reader.remove if action == "remove" else lambda: reader.insert(Card()))
    assert reader.wait_change(known, SOON)
    assert time.monotonic() - begin < SOON
    timer.join()


@pytest.fixture
def driver(reader: EmbeddedReader) -> EmbeddedDriver:
    return EmbeddedDriver([reader, EmbeddedReader("gate"), EmbeddedReader("sam")])


def test_a_driver_lists_its_readers(driver: ReaderDriver) -> None:
    assert driver.readers() == {
        "counter": SlotState(present=True, events=1),
        "gate": SlotState(present=False, events=0),
        "sam": SlotState(present=False, events=0),
    }


def test_a_driver_connects_to_the_named_reader(driver: EmbeddedDriver, card: Card) -> None:
    channel = driver.connect("counter")
    assert channel.transmit(COMMAND) == COMMAND + OK
    with pytest.raises(ReaderBusy):
        driver.connect("counter")
    with pytest.raises(CardAbsent):
        driver.connect("gate")
    with pytest.raises(ReaderUnavailable, match="cellar"):
        driver.connect("cellar")


@pytest.mark.parametrize("name", ["counter", "gate", "sam"])
def test_the_wait_of_a_driver_wakes_when_any_reader_changes(driver: EmbeddedDriver, name: str) -> None:
    known = driver.readers()
    begin = time.monotonic()
    timer = later(lambda: driver.slots[name].insert(Card()))
    now = driver.wait(known, SOON)
    assert time.monotonic() - begin < SOON
    timer.join()
    assert now == driver.readers() != known
    assert now[name].present


def test_a_card_swapped_between_two_waits_is_a_change(driver: EmbeddedDriver, card: Card) -> None:
    known = driver.readers()
    driver.slots["counter"].remove()
    driver.slots["counter"].insert(card)
    now = driver.wait(known, SOON)
    assert now["counter"] == SlotState(present=True, events=3)


@pytest.mark.parametrize("names", [["counter"], []])
def test_the_wait_of_a_driver_ends_when_its_time_is_over(names: list[str]) -> None:
    driver = EmbeddedDriver(EmbeddedReader(name) for name in names)
    begin = time.monotonic()
    assert driver.wait(driver.readers(), 0.1) == driver.readers()
    assert 0.09 < time.monotonic() - begin < SOON


def test_a_driver_that_lost_a_reader_reports_it_at_once(driver: EmbeddedDriver) -> None:
    known = {**driver.readers(), "unplugged": SlotState(present=True, events=1)}
    assert "unplugged" not in driver.wait(known, SOON)
