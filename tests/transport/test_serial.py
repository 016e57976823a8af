"""Serial readers: a whole card over a pty, every fault of the cable, several slots of one box."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio.apdu.connection import CardConnection
from cardio.errors import (
    CardAbsent,
    CardMute,
    CardRemoved,
    LinkCorrupt,
    OperationUnsupported,
    ReaderBusy,
    ReaderError,
    ReaderUnavailable,
)
from cardio.products.catalogue import Catalogue
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.readers.sam import find_sam
from cardio.transport import serial_reader
from cardio.transport.channel import CardProtocol, Channel, ReaderDriver, SlotState
from cardio.transport.serial_frame import MAX_DATA, Kind, Message, Parser, Receipt, encode_nak
from cardio.transport.serial_line import MAX_NAKS, LineSettings, SerialLine
from cardio.transport.serial_reader import SerialDriver, SerialSlot
from cardio.virtual.cards import CITIZEN_ATR, citizen_card, psam, social_security_card
from tests.transport.serial_box import SerialBox

FAST = LineSettings(baud=115200, receipt_timeout=0.4, answer_timeout=0.6, longest=5.0)
RANDOM = bytes.fromhex("0084000008")
CARD, SAM, FURTHER_SAM = (1, 0), (1, 1), (2, 0)
SLOTS = (
    SerialSlot("counter"),
    SerialSlot("sam", slot=1),
    SerialSlot("further sam", interface=2, polled=False),
)


class EchoCard:
    """Answers each command with itself and 9000."""

    def __init__(self, atr: bytes = bytes.fromhex("3B021450")) -> None:
        self.atr = atr
        self.sessions = 0

    def power_on(self) -> None:
        self.sessions += 1

    def power_off(self) -> None:
        pass

    def transmit(self, command: bytes) -> bytes:
        return command + b"\x90\x00"


@pytest.fixture
def box() -> Iterator[SerialBox]:
    box = SerialBox({CARD: EchoCard(), SAM: None, FURTHER_SAM: None})
    yield box
    box.close()


@pytest.fixture
def driver(box: SerialBox) -> Iterator[SerialDriver]:
    with closing(SerialDriver([(SerialLine(box.device, FAST), SLOTS)])) as driver:
        yield driver


@pytest.fixture
def channel(driver: SerialDriver) -> Iterator[Channel]:
    with closing(driver.connect("counter")) as channel:
        yield channel


# ---- frames --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        (Message(Kind.POWER_ON, 0, 1, parameters=b"\x01\0\0"), "02 62 00000000 00 01 010000 62 03"),
        (Message(Kind.POWER_OFF, 0, 2), "02 63 00000000 00 02 000000 61 03"),
        (Message(Kind.EXCHANGE, 0, 3, bytes.fromhex("8084000008")), "02 6F 05000000 00 03 000000 8084000008 65 03"),
        (
            Message(Kind.EXCHANGE, 0, 3, bytes.fromhex("8084000008"), interface=2),
            "12 6F 05000000 00 03 000000 8084000008 65 13",
        ),
    ],
)
def test_messages_are_those_of_the_manuals(message: Message, frame: str) -> None:
    assert message.encode() == bytes.fromhex(frame)


def test_the_answer_and_the_nak_of_the_manual_are_understood() -> None:
    answer = bytes.fromhex("02 80 0D000000 00 01 000000 3B2A00806524B0000200829000")
    checksum = 0
    for byte in answer[1:]:
        checksum ^= byte
    (found,) = Parser().feed(answer + bytes([checksum, 0x03]))
    assert found == Message(Kind.DATA, 0, 1, bytes.fromhex("3B2A00806524B0000200829000"))
    assert encode_nak() == bytes.fromhex("02 0000000000000000000000 03")
    assert list(Parser().feed(bytes.fromhex("02000003 02FFFF03"))) == [Receipt(0), Receipt(0xFF)]


MESSAGES = st.builds(
    Message,
    st.sampled_from([Kind.DATA, Kind.STATUS]),
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(max_size=MAX_DATA),
    st.binary(min_size=3, max_size=3),
    st.integers(1, 3),
)


@given(MESSAGES, st.lists(st.integers(1, 300), max_size=5))
def test_a_message_is_found_however_its_bytes_arrive(message: Message, cuts: list[int]) -> None:
    frame, parser, found, position = message.encode(), Parser(), [], 0
    for cut in [*cuts, len(frame)]:
        found += list(parser.feed(frame[position : position + cut]))
        position += cut
    assert found == [message]
    assert not parser.dropped


@given(MESSAGES, st.data())
def test_no_damaged_byte_goes_unnoticed(message: Message, data: st.DataObject) -> None:
    frame = bytearray(message.encode())
    place = data.draw(st.integers(0, len(frame) - 1))
    frame[place] ^= data.draw(st.integers(1, 255))
    parser = Parser()
    found = [*parser.feed(bytes(frame)), *parser.expire()]
    assert message not in found


@given(st.binary(max_size=40), MESSAGES)
def test_noise_before_a_message_does_not_hide_it(noise: bytes, message: Message) -> None:
    parser = Parser()
    found = list(parser.feed(noise + message.encode()))
    while parser.waiting:
        found += list(parser.expire())
    assert message in found


@given(st.binary(max_size=600))
def test_any_bytes_at_all_end_in_frames_or_in_nothing(noise: bytes) -> None:
    parser = Parser()
    list(parser.feed(noise))
    while parser.waiting:
        list(parser.expire())


# ---- a card over the line ------------------------------------------------------------------------------------


def test_a_citizen_card_is_read_over_a_serial_line(box: SerialBox, driver: SerialDriver) -> None:
    box.insert(CARD, citizen_card(balance_fen=1234))
    with closing(driver.connect("counter")) as channel:
        assert channel.atr == CITIZEN_ATR
        assert channel.protocol is CardProtocol.T1
        assert not channel.virtual
        reading = CardReading(CardConnection(channel), Catalogue.load()).read([Group.WALLET])[Group.WALLET]
    assert reading.error is None
    assert isinstance(reading.content, dict)
    assert reading.content["balance_fen"] == 1234
    assert not box.slots[CARD].powered


def test_a_contact_card_speaks_t0(box: SerialBox, driver: SerialDriver) -> None:
    card = social_security_card()
    box.insert(CARD, card)
    with closing(driver.connect("counter")) as channel:
        assert (channel.reader, channel.atr, channel.protocol) == ("counter", card.atr, CardProtocol.T0)
        reading = CardReading(CardConnection(channel), Catalogue.load()).read([Group.HOLDER])[Group.HOLDER]
    assert reading.error is None


@pytest.mark.parametrize(
    ("atr", "protocol"),
    [("3B021450", CardProtocol.T0), ("3B8180015081", CardProtocol.T1), ("3B910181", CardProtocol.T1), ("3B90", "T=0")],
)
def test_the_protocol_is_the_one_that_the_atr_offers_first(
    box: SerialBox, driver: SerialDriver, atr: str, protocol: str
) -> None:
    box.insert(CARD, EchoCard(bytes.fromhex(atr)))
    with closing(driver.connect("counter")) as channel:
        assert channel.protocol == protocol


def test_slow_bytes_are_waited_for(box: SerialBox, channel: Channel) -> None:
    box.faults.gap = 0.03
    assert channel.transmit(RANDOM) == RANDOM + b"\x90\x00"
    assert box.seen.naks == 0


def test_noise_before_every_frame_is_passed_over(box: SerialBox, channel: Channel) -> None:
    box.faults.garbage = bytes.fromhex("FF0280")
    for _ in range(3):
        assert channel.transmit(RANDOM) == RANDOM + b"\x90\x00"
    assert box.seen.commands == [RANDOM] * 3


@pytest.mark.parametrize("fault", ["damage", "shorten"])
def test_a_damaged_answer_is_asked_for_again_and_the_card_hears_nothing_of_it(
    box: SerialBox, channel: Channel, fault: str
) -> None:
    setattr(box.faults, fault, MAX_NAKS)
    assert channel.transmit(RANDOM) == RANDOM + b"\x90\x00"
    assert box.seen.naks == MAX_NAKS
    assert box.seen.commands == [RANDOM]


@pytest.mark.parametrize("fault", ["damage", "shorten"])
def test_an_answer_that_stays_damaged_is_lost(box: SerialBox, channel: Channel, fault: str) -> None:
    setattr(box.faults, fault, MAX_NAKS + 1)
    with pytest.raises(LinkCorrupt, match="lost"):
        channel.transmit(RANDOM)
    assert box.seen.commands == [RANDOM]
    assert channel.transmit(RANDOM) == RANDOM + b"\x90\x00"


def test_a_lost_answer_is_an_error_and_the_command_is_not_sent_again(box: SerialBox, channel: Channel) -> None:
    box.faults.lose_answers = 1
    with pytest.raises(LinkCorrupt, match="lost"):
        channel.transmit(RANDOM)
    assert box.seen.commands == [RANDOM]


def test_an_answer_counts_even_if_the_receipt_before_it_was_lost(box: SerialBox, channel: Channel) -> None:
    box.faults.lose_receipts = 1
    assert channel.transmit(RANDOM) == RANDOM + b"\x90\x00"
    assert box.seen.commands == [RANDOM]


def test_a_late_answer_is_not_taken_for_that_of_the_next_command(box: SerialBox, channel: Channel) -> None:
    slow = [0.9]
    box.before_exchange = lambda: time.sleep(slow.pop() if slow else 0)
    first, second = RANDOM, bytes.fromhex("0084000004")
    with pytest.raises(LinkCorrupt):
        channel.transmit(first)
    assert channel.transmit(second) == second + b"\x90\x00"
    assert box.seen.commands == [first, second]


def test_a_command_that_the_box_refused_unread_goes_out_once_more(box: SerialBox, channel: Channel) -> None:
    box.faults.refuse = 2
    assert channel.transmit(RANDOM) == RANDOM + b"\x90\x00"
    assert box.seen.commands == [RANDOM]
    box.faults.refuse = 3
    with pytest.raises(LinkCorrupt, match="refused a message with FF"):
        channel.transmit(RANDOM)
    assert box.seen.commands == [RANDOM]


def test_after_a_lost_answer_a_refusal_may_be_about_the_command_before_so_nothing_goes_out_again(
    box: SerialBox, channel: Channel
) -> None:
    box.faults.lose_answers = 1
    with pytest.raises(LinkCorrupt):
        channel.transmit(RANDOM)
    box.faults.refuse = 1
    sent = box.seen.messages
    with pytest.raises(LinkCorrupt, match="refused"):
        channel.transmit(RANDOM)
    assert box.seen.messages == sent + 1
    assert channel.transmit(RANDOM) == RANDOM + b"\x90\x00"


def test_a_card_may_ask_for_more_time(box: SerialBox, channel: Channel) -> None:
    box.faults.extensions = 3
    assert channel.transmit(RANDOM) == RANDOM + b"\x90\x00"


def test_a_card_that_asks_for_more_time_for_ever_is_given_up(box: SerialBox) -> None:
    settings = LineSettings(baud=115200, receipt_timeout=0.4, answer_timeout=0.6, longest=1.0)
    driver = SerialDriver([(SerialLine(box.device, settings), SLOTS)])
    with closing(driver), closing(driver.connect("counter")) as channel:
        box.faults.extensions = 6
        with pytest.raises(LinkCorrupt):
            channel.transmit(RANDOM)
    assert box.seen.commands == [RANDOM]


@pytest.mark.parametrize("command", [RANDOM, bytes(MAX_DATA)])
def test_a_cable_cut_in_the_middle_of_a_command_is_a_reader_error_and_nothing_is_sent_again(
    box: SerialBox, channel: Channel, command: bytes
) -> None:
    box.faults.cut_at = 1
    with pytest.raises(ReaderError) as error:
        channel.transmit(command)
    assert isinstance(error.value, ReaderUnavailable | LinkCorrupt)
    assert box.seen.commands == [command]
    with pytest.raises(ReaderUnavailable):
        channel.transmit(command)
    assert box.seen.commands == [command]


def test_a_command_too_long_for_the_box_is_not_sent(box: SerialBox, channel: Channel) -> None:
    with pytest.raises(OperationUnsupported):
        channel.transmit(bytes(MAX_DATA + 1))
    assert box.seen.commands == []


# ---- cards that leave ----------------------------------------------------------------------------------------


def test_a_card_pulled_out_between_commands_is_removed(box: SerialBox, driver: SerialDriver, channel: Channel) -> None:
    before = driver.readers()["counter"]
    box.insert(CARD, None)
    with pytest.raises(CardRemoved):
        channel.transmit(RANDOM)
    assert driver.readers()["counter"] == SlotState(False, before.events + 1)


def test_a_card_swapped_between_commands_does_not_answer_for_the_first(
    box: SerialBox, driver: SerialDriver, channel: Channel
) -> None:
    before = driver.readers()["counter"]
    box.insert(CARD, EchoCard())
    with pytest.raises(CardRemoved):
        channel.transmit(RANDOM)
    assert box.seen.commands == []
    assert driver.readers()["counter"] == SlotState(True, before.events + 2)


def test_a_card_that_falls_silent_is_mute(box: SerialBox, driver: SerialDriver) -> None:
    class Mute(EchoCard):
        def transmit(self, command: bytes) -> bytes:
            raise CardMute

    box.insert(CARD, Mute())
    with closing(driver.connect("counter")) as channel, pytest.raises(CardMute) as error:
        channel.transmit(RANDOM)
    assert error.value.source is not None
    assert error.value.source.raw == "40FE"


def test_a_closed_channel_sends_nothing_and_the_card_is_free_again(box: SerialBox, driver: SerialDriver) -> None:
    first = driver.connect("counter")
    with pytest.raises(ReaderBusy):
        driver.connect("counter")
    first.close()
    with closing(driver.connect("counter")):
        first.close()
        assert box.slots[CARD].powered
        with pytest.raises(ReaderUnavailable, match="closed"):
            first.transmit(RANDOM)


# ---- slots and lines -----------------------------------------------------------------------------------------


def test_slots_of_one_box_are_readers_of_their_own(box: SerialBox, driver: ReaderDriver) -> None:
    assert driver.readers() == {
        "counter": SlotState(True, 1),
        "sam": SlotState(False, 0),
        "further sam": SlotState(True, 1),  # it cannot be asked
    }
    for name in ("sam", "further sam"):
        with pytest.raises(CardAbsent, match=name):
            driver.connect(name)
    assert driver.readers()["further sam"] == SlotState(True, 1)
    with pytest.raises(ReaderUnavailable, match="cellar"):
        driver.connect("cellar")


def test_a_psam_is_found_on_a_further_interface_of_the_box(box: SerialBox, driver: SerialDriver) -> None:
    box.insert(FURTHER_SAM, psam())
    found = find_sam(driver)
    assert (found.reader, found.virtual) == ("further sam", False)


def test_card_and_sam_of_one_box_work_at_the_same_time(box: SerialBox, driver: SerialDriver) -> None:
    box.insert(SAM, EchoCard())
    box.insert(FURTHER_SAM, EchoCard())

    def work(name: str, mark: int) -> None:
        command = bytes([0x80, mark, 0, 0])
        with closing(driver.connect(name)) as channel:
            for _ in range(20):
                assert channel.transmit(command) == command + b"\x90\x00"

    with ThreadPoolExecutor(3) as threads:
        works = [threads.submit(work, slot.name, mark) for mark, slot in enumerate(SLOTS)]
        while not all(done.done() for done in works):
            driver.readers()
    for done in works:
        done.result()
    assert len(box.seen.commands) == 60


def test_waiting_sees_a_card_come_and_go(box: SerialBox, driver: SerialDriver) -> None:
    known = driver.readers()
    assert driver.wait(known, 0.1) == known
    timer = threading.Timer(0.1, box.insert, (SAM, EchoCard()))
    timer.start()
    came = driver.wait(known, 5)
    assert came["sam"] == SlotState(True, 1)
    timer.join()
    box.insert(SAM, None)
    assert driver.wait(came, 5)["sam"] == SlotState(False, 2)


def test_a_card_in_use_is_not_asked_about(box: SerialBox, driver: SerialDriver, channel: Channel) -> None:
    driver.readers()
    asked = box.seen.messages
    driver.readers()
    assert box.seen.messages == asked + 1  # the other slot that can be asked


def test_a_line_that_does_not_answer_has_no_readers_until_it_answers_again(
    box: SerialBox, driver: SerialDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_reader, "RETRY", 0.0)
    assert driver.readers()["counter"] == SlotState(True, 1)
    box.mute = True
    assert driver.readers() == {}
    with pytest.raises(ReaderUnavailable):
        driver.connect("counter")
    box.heard.clear()
    box.mute = False
    assert driver.readers()["counter"] == SlotState(True, 3)


def test_a_port_that_is_not_there_has_no_readers_and_others_go_on(box: SerialBox) -> None:
    lines = [(SerialLine("/dev/serial/by-id/none"), [SerialSlot("gate")]), (SerialLine(box.device, FAST), SLOTS)]
    with closing(SerialDriver(lines)) as driver:
        assert "gate" not in driver.readers()
        assert driver.readers()["counter"].present
        with pytest.raises(ReaderUnavailable, match="by-id"):
            driver.connect("gate")


def test_a_port_belongs_to_one_program(box: SerialBox, driver: SerialDriver) -> None:
    driver.readers()
    with closing(SerialDriver([(SerialLine(box.device, FAST), SLOTS)])) as second:
        assert second.readers() == {}
