"""Recordings: what is written down, what never is, and how they are played back."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio.apdu.command import Command, select_name
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import VERIFY
from cardio.applications.pin import verify_pin
from cardio.applications.pin_change import change_pin
from cardio.errors import CardRemoved, InputInvalid
from cardio.files.reading import FileReader
from cardio.files.social_security.environment import EF06_HOLDER, HolderData
from cardio.transport.channel import CardProtocol, Disclosure, PinPadChannel
from cardio.transport.embedded import EmbeddedReader
from cardio.transport.recording import Exchange, Recording, RecordingChannel, ReplayChannel
from cardio.transport.recording import record as recording_of
from cardio.virtual.cards import citizen_card, social_security_card
from cardio.virtual.pin_pad import VirtualPinPad

ATR = bytes.fromhex("3B6D000000814A444686605199000001AC")
SELECT = bytes.fromhex("00A4040002AABB00")
FCI = bytes.fromhex("6F028400")
PIN = "7C3A5E"
VERIFY_PIN = Command("VERIFY", 0x00, 0x20, data=bytes.fromhex(PIN), outcomes=VERIFY)
HOLDER = HolderData.VECTORS[0]
ID_NUMBER = b"999999199001010016".hex()
NAME = "测试甲"


class Card:
    """Answers what it is told to; T=1, virtual or not."""

    reader = "reader"
    atr = ATR
    protocol = CardProtocol.T1

    def __init__(self, *answers: bytes | Callable[[], bytes], virtual: bool = False) -> None:
        self.virtual = virtual
        self.answers = list(answers)
        self.received: list[tuple[bytes, Disclosure]] = []
        self.closed = False

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        self.received.append((command, disclosure))
        answer = self.answers.pop(0)
        return answer if isinstance(answer, bytes) else answer()

    def close(self) -> None:
        self.closed = True


def torn() -> bytes:
    raise CardRemoved("pulled out")


def entries(sink: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def recorded(command: bytes, answer: bytes, disclosure: Disclosure) -> dict[str, str]:
    sink = io.StringIO()
    assert RecordingChannel(Card(answer), sink).transmit(command, disclosure) == answer
    return entries(sink)[1]


def test_the_card_comes_first_then_every_exchange() -> None:
    sink = io.StringIO()
    channel = RecordingChannel(Card(FCI + b"\x90\x00", b"\x6a\x82"), sink)
    assert channel.transmit(SELECT, Disclosure.ALL) == FCI + b"\x90\x00"
    assert channel.transmit(b"\x00\xb0\x95\x00\x04", Disclosure.ALL) == b"\x6a\x82"
    assert entries(sink) == [
        {"atr": ATR.hex().upper(), "protocol": "T=1"},
        {"command": "00A4040002AABB00", "answer": "6F0284009000"},
        {"command": "00B0950004", "answer": "6A82"},
    ]


@pytest.mark.parametrize(
    ("disclosure", "command", "answer"),
    [
        (Disclosure.HEADER, "00A4040002******", "********9000"),
        (Disclosure.COMMAND, "00A4040002AABB00", "********9000"),
        (Disclosure.ANSWER, "00A4040002******", "6F0284009000"),
        (Disclosure.ALL, "00A4040002AABB00", "6F0284009000"),
    ],
)
def test_only_what_is_declared_open_is_written(disclosure: Disclosure, command: str, answer: str) -> None:
    assert recorded(SELECT, FCI + b"\x90\x00", disclosure) == {"command": command, "answer": answer}


def test_without_a_declaration_nothing_is_open() -> None:
    sink = io.StringIO()
    RecordingChannel(Card(FCI + b"\x90\x00"), sink).transmit(SELECT)
    assert entries(sink)[1] == {"command": "00A4040002******", "answer": "********9000"}


@given(data=st.binary(min_size=1, max_size=40), extended=st.booleans())
def test_lengths_stay_visible_and_data_do_not(data: bytes, extended: bool) -> None:
    lc = len(data).to_bytes(2 if extended else 1, "big")
    command = b"\x00\xd6\x00\x00" + (b"\x00" if extended else b"") + lc + data
    written = recorded(command, data + b"\x90\x00", Disclosure.HEADER)
    assert len(written["command"]) == 2 * len(command)
    assert set(written["command"][10:]) == {"*"}
    assert written["command"][:8] == "00D60000"
    assert written["answer"] == "**" * len(data) + "9000"


def test_commands_and_answers_without_data_are_always_open() -> None:
    assert recorded(b"\x00\xb0\x95\x00\x04", b"\x69\x82", Disclosure.HEADER) == {
        "command": "00B0950004",
        "answer": "6982",
    }
    assert recorded(b"\x00\x20\x00\x00", b"\x63\xc6", Disclosure.HEADER) == {"command": "00200000", "answer": "63C6"}


def test_the_pin_of_verify_is_never_written() -> None:
    sink = io.StringIO()
    card = CardConnection(RecordingChannel(Card(b"\x90\x00", b"\x63\xc2"), sink))
    for _ in range(2):
        card.send(VERIFY_PIN)
    assert PIN not in sink.getvalue().upper()
    assert [entry["command"] for entry in entries(sink)[1:]] == ["0020000003******"] * 2


@pytest.mark.parametrize("protocol", CardProtocol)
def test_the_holder_is_never_written(protocol: CardProtocol) -> None:
    sink = io.StringIO()
    answer = bytes.fromhex(HOLDER) + b"\x90\x00"
    inner = Card(answer) if protocol is CardProtocol.T1 else Card(bytes([0x61, len(answer) - 2]), answer)
    inner.protocol = protocol
    holder = FileReader(CardConnection(RecordingChannel(inner, sink))).read_items(EF06_HOLDER, HolderData)
    assert holder.name == NAME
    for value in (ID_NUMBER, NAME.encode("gbk").hex()):
        assert value in HOLDER.lower()
        assert value not in sink.getvalue().lower()
    assert entries(sink)[-1]["answer"] == "**" * (len(answer) - 2) + "9000"


def test_a_lost_answer_is_written_down_and_passed_on() -> None:
    sink = io.StringIO()
    with pytest.raises(CardRemoved, match="pulled out"):
        RecordingChannel(Card(torn), sink).transmit(SELECT, Disclosure.ALL)
    assert entries(sink)[1] == {"command": "00A4040002AABB00", "answer": ""}


def test_a_virtual_card_may_be_recorded_in_clear() -> None:
    sink = io.StringIO()
    card = CardConnection(RecordingChannel(Card(b"\x90\x00", virtual=True), sink, reveal=True))
    card.send(VERIFY_PIN)
    assert entries(sink)[1]["command"] == "0020000003" + PIN


def test_a_virtual_card_is_not_recorded_in_clear_unasked() -> None:
    sink = io.StringIO()
    CardConnection(RecordingChannel(Card(b"\x90\x00", virtual=True), sink)).send(VERIFY_PIN)
    assert PIN not in sink.getvalue()


def test_a_real_card_is_never_recorded_in_clear() -> None:
    sink = io.StringIO()
    with pytest.raises(ValueError, match="only virtual cards"):
        RecordingChannel(Card(), sink, reveal=True)
    assert sink.getvalue() == ""


def test_a_recorded_channel_is_the_channel_underneath() -> None:
    inner = Card(b"\x90\x00", virtual=True)
    channel = RecordingChannel(inner, io.StringIO())
    assert (channel.reader, channel.atr, channel.protocol, channel.virtual) == ("reader", ATR, CardProtocol.T1, True)
    channel.transmit(SELECT, Disclosure.COMMAND)
    assert inner.received == [(SELECT, Disclosure.COMMAND)]
    channel.close()
    assert inner.closed


# ---- load and replay -----------------------------------------------------------------------------------------


def record(file: Path, *answers: bytes | Callable[[], bytes]) -> None:
    with file.open("w", encoding="ascii") as sink:
        card = CardConnection(RecordingChannel(Card(*answers), sink))
        card.send(select_name(b"\xaa\xbb"))
        card.send(VERIFY_PIN)
        card.send(Command("READ BINARY", 0x00, 0xB0, 0x95, le=4))


def test_a_recording_is_loaded_and_played_back(tmp_path: Path) -> None:
    file = tmp_path / "card.jsonl"
    record(file, FCI + b"\x90\x00", b"\x63\xc5", b"\x6a\x82")
    channel = ReplayChannel(Recording.load(file))
    assert (channel.atr, channel.protocol, channel.virtual) == (ATR, CardProtocol.T1, True)
    answers = [channel.transmit(SELECT)]
    assert not channel.finished
    # The recorded PIN is masked, so any PIN of that length matches.
    answers += [channel.transmit(bytes.fromhex(command)) for command in ("0020000003999999", "00B0950004")]
    assert answers == [FCI + b"\x90\x00", b"\x63\xc5", b"\x6a\x82"]
    assert finished(channel)
    channel.close()


def finished(channel: ReplayChannel) -> bool:
    return channel.finished


def replay(*exchanges: tuple[str, str]) -> ReplayChannel:
    return ReplayChannel(Recording(ATR, CardProtocol.T0, tuple(Exchange(*exchange) for exchange in exchanges)))


@pytest.mark.parametrize(
    "command", ["00A4040002AABC00", "00A4040002AABB", "00A4040002AABB0000", "80A4040002AABB00", ""]
)
def test_another_command_than_the_recorded_one_is_refused(command: str) -> None:
    with pytest.raises(InputInvalid, match=r"exchange 1: .*another command"):
        replay(("00A4040002AABB00", "9000")).transmit(bytes.fromhex(command))


@pytest.mark.parametrize("command", ["0020000004999999", "002000000399999999", "00200000039999"])
def test_a_masked_command_still_has_its_header_and_length(command: str) -> None:
    with pytest.raises(InputInvalid, match="another command"):
        replay(("0020000003******", "9000")).transmit(bytes.fromhex(command))


def test_a_masked_answer_cannot_be_played() -> None:
    channel = replay(("00B0950004", "6A82"), ("00B0950004", "********9000"))
    channel.transmit(bytes.fromhex("00B0950004"))
    with pytest.raises(InputInvalid, match=r"exchange 2: .*masked"):
        channel.transmit(bytes.fromhex("00B0950004"))


def test_a_lost_answer_is_lost_again() -> None:
    with pytest.raises(CardRemoved, match="exchange 1"):
        replay(("00B0950004", "")).transmit(bytes.fromhex("00B0950004"))


def test_after_the_last_exchange_the_card_is_gone() -> None:
    channel = replay()
    assert channel.finished
    with pytest.raises(CardRemoved, match="over"):
        channel.transmit(SELECT)


CARD = '{"atr": "3B00", "protocol": "T=0"}'


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no json",
        "[]",
        "null",
        "1",
        '{"atr": "3B00"}',
        '{"protocol": "T=0"}',
        '{"atr": "3B0", "protocol": "T=0"}',
        '{"atr": "xx", "protocol": "T=0"}',
        '{"atr": 5, "protocol": "T=0"}',
        '{"atr": "3B00", "protocol": "T=2"}',
        CARD + "\n{}",
        CARD + "\n[]",
        CARD + '\n{"command": "00B0950004"}',
        CARD + '\n{"command": 5, "answer": "9000"}',
        CARD + '\n{"command": "00B0950004", "answer": null}',
        CARD + '\n{"command": "00B0950004", "answer": "900"}',
        CARD + '\n{"command": "00B0950004", "answer": "*9000"}',
        CARD + '\n{"command": "00B095000Z", "answer": "9000"}',
        CARD + "\n\n",
        CARD + "\né",
    ],
)
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "card.jsonl"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputInvalid, match=r"card\.jsonl is not a recording"):
        Recording.load(file)


def test_a_card_without_exchanges_is_a_recording(tmp_path: Path) -> None:
    file = tmp_path / "card.jsonl"
    file.write_text(CARD + "\n", encoding="ascii")
    assert Recording.load(file) == Recording(bytes.fromhex("3B00"), CardProtocol.T0, ())


class FullDisk(io.StringIO):
    """A file on a disk that is full after its first line."""

    def write(self, text: str) -> int:
        if self.getvalue():
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_recording_that_cannot_be_written_never_costs_the_answer() -> None:
    reader = EmbeddedReader("reader", citizen_card())
    channel = recording_of(reader.connect(), FullDisk())
    assert channel.transmit(bytes.fromhex("00A4040009A0000000038698070100"))[-2:] == b"\x90\x00"
    assert channel.failure is not None
    channel.close()


def test_a_recorded_reader_keeps_its_pin_pad_and_the_pin_stays_in_it() -> None:
    reader = EmbeddedReader("reader", social_security_card(), VirtualPinPad("123456"))
    sink = io.StringIO()
    channel = recording_of(reader.connect(), sink)
    verify_pin(CardConnection(channel), None)
    channel.close()
    assert '"00200000", "answer": "9000"' in sink.getvalue()
    assert "123456" not in sink.getvalue()
    reader.pin_pad = VirtualPinPad("123456", "654321")
    channel = recording_of(reader.connect(), sink)
    change_pin(CardConnection(channel), None, None)
    channel.close()
    assert '"805E0100", "answer": "9000"' in sink.getvalue()
    assert not {"123456", "654321"} & set(re.findall(r"\d{6}", sink.getvalue()))
    reader.pin_pad = None
    assert not isinstance(recording_of(reader.connect(), sink), PinPadChannel)
