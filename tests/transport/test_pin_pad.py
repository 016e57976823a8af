"""PIN pads of PC/SC readers (part 10), and what the PC/SC layer does with readers that leave."""

from __future__ import annotations

import sys

import pytest

from cardio.apdu.connection import CardConnection
from cardio.applications.pin import encode_pin, pin_state, verify_pin
from cardio.applications.pin_change import change_pin
from cardio.errors import (
    CardioError,
    CardRemoved,
    LinkCorrupt,
    PinBlocked,
    PinCancelled,
    PinLength,
    PinPadMissing,
    PinRequired,
    PinTimeout,
    PinWrong,
    ReaderBusy,
    ReaderServiceStopped,
    ReaderUnavailable,
)
from cardio.transport import part10, pcsc
from cardio.transport.channel import PinChangePrompt, PinPadChannel, PinPrompt
from cardio.transport.pcsc import PcscDriver
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card
from tests.transport.fake_scard import (
    FEATURES,
    NOT_TRANSACTED,
    PLUG_AND_PLAY,
    READER,
    UNKNOWN_READER,
    WITH_CHANGE,
    FakeScard,
)

COMMAND = bytes.fromhex("00A40000023F00")
PROMPT = PinPrompt(bytes.fromhex("00200000"), 4, 12)


@pytest.fixture
def card() -> VirtualCard:
    return citizen_card()


@pytest.fixture
def scard(card: VirtualCard, monkeypatch: pytest.MonkeyPatch) -> FakeScard:
    fake = FakeScard(card)
    monkeypatch.setattr(pcsc, "_scard", fake)
    return fake


@pytest.fixture
def driver(scard: FakeScard) -> PcscDriver:
    return PcscDriver()


def tries_left(card: VirtualCard) -> int:
    assert card.pin is not None
    return card.pin.tries_left


# ---- structures --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.byteorder != "little", reason="the bytes are those of a little-endian host")
def test_pin_verify_has_every_byte_in_its_place() -> None:
    assert part10.pin_verify(PROMPT) == bytes.fromhex(
        "1E"  # bTimerOut 30 s
        "1E"  # bTimerOut2 30 s
        "81"  # bmFormatString: bytes, position 0, left, BCD
        "00"  # bmPINBlockString: no length in the data, no fixed block
        "00"  # bmPINLengthFormat
        "0C04"  # wPINMaxExtraDigit 040C: at least 4, at most 12 digits
        "02"  # bEntryValidationCondition: confirmation key
        "01"  # bNumberMessage
        "0408"  # wLangId 0804, zh-CN
        "00"  # bMsgIndex
        "000000"  # bTeoPrologue
        "04000000"  # ulDataLength
        "00200000"  # the command, Lc and data left to the pad
    )


@pytest.mark.skipif(sys.byteorder != "little", reason="the bytes are those of a little-endian host")
@pytest.mark.parametrize(
    ("prompt", "fields"),
    [
        (
            PinChangePrompt(bytes.fromhex("805E010007FFFFFFFFFFFFFF"), 6, 0, 4),
            (
                "03"  # bmPINBlockString: 3 bytes
                "00"  # bmPINLengthFormat
                "00"  # bInsertionOffsetOld
                "04"  # bInsertionOffsetNew
                "0606"  # wPINMaxExtraDigit 0606: 6 digits
                "03"  # bConfirmPIN: old PIN asked for, new one confirmed
                "02"  # bEntryValidationCondition: confirmation key
                "03"  # bNumberMessage
                "0408"  # wLangId 0804, zh-CN
                "000102"  # bMsgIndex1 to 3: enter, new, again
                "000000"  # bTeoPrologue
                "0C000000"  # ulDataLength
                "805E010007FFFFFFFFFFFFFF"
            ),
        ),
        (
            PinChangePrompt(bytes.fromhex("805E010004FFFFFFFF"), 5, None, 1),
            "030000010505010202040801020000000009000000805E010004FFFFFFFF",
        ),
    ],
)
def test_pin_modify_has_every_byte_in_its_place(prompt: PinChangePrompt, fields: str) -> None:
    # bTimerOut 30 s, bTimerOut2 30 s, bmFormatString: bytes, position 0, left, BCD
    assert part10.pin_modify(prompt) == bytes.fromhex("1E1E81" + fields)


def test_features_are_found_by_their_tags() -> None:
    assert part10.features(FEATURES) == {0x06: 0x42330006, 0x0A: 0x4233000A, 0x12: 0x42330012}


@pytest.mark.parametrize(
    ("answer", "found"),
    [("", {}), ("06", {}), ("0604423300", {}), ("060342330006", {}), ("0604423300060A0342330A", {6: 0x42330006})],
)
def test_malformed_features_are_left_out(answer: str, found: dict[int, int]) -> None:
    assert part10.features(bytes.fromhex(answer)) == found


@pytest.mark.parametrize(
    ("properties", "lengths"),
    [
        ("", (4, 12)),
        ("060106 070108", (6, 8)),
        ("0102 1002 0701 08", (4, 8)),
        ("070100", (4, 12)),
        ("06010D", (4, 12)),
        ("060110 070104", (4, 12)),
        ("0702 0800", (4, 12)),
        ("07", (4, 12)),
        ("0705 08", (4, 8)),
    ],
)
def test_lengths_are_those_that_the_pad_can_take(properties: str, lengths: tuple[int, int]) -> None:
    prompt = part10.within_pad(PROMPT, bytes.fromhex(properties))
    assert (prompt.min_digits, prompt.max_digits) == lengths


# ---- a reader with a pad -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("digits", ["1234", "12345", "123456", "123456789012"])
def test_the_pin_goes_from_the_pad_to_the_card(
    driver: PcscDriver, scard: FakeScard, card: VirtualCard, digits: str
) -> None:
    assert card.pin is not None
    card.pin.value = encode_pin(digits)
    scard.typed = digits
    connection = CardConnection(driver.connect(READER))
    verify_pin(connection, None)
    assert not pin_state(connection).is_set
    assert scard.asked == [part10.pin_verify(PROMPT)]
    packed = encode_pin(digits)
    assert scard.commands == [bytes.fromhex("00200000") + bytes([len(packed)]) + packed]


def test_the_pad_is_asked_for_what_it_can_take(driver: PcscDriver, scard: FakeScard) -> None:
    scard.properties = bytes.fromhex("060104070108")
    verify_pin(CardConnection(driver.connect(READER)), None)
    assert scard.asked == [part10.pin_verify(PinPrompt(PROMPT.header, 4, 8))]


@pytest.mark.parametrize(
    ("typed", "error"),
    [(None, PinTimeout), ("", PinCancelled), ("123", PinLength), ("1234567890123", PinLength)],
)
def test_a_holder_who_types_no_pin_spends_no_try(
    driver: PcscDriver, scard: FakeScard, card: VirtualCard, typed: str | None, error: type[CardioError]
) -> None:
    scard.typed = typed
    with pytest.raises(error):
        verify_pin(CardConnection(driver.connect(READER)), None)
    assert tries_left(card) == 6


def test_a_wrong_pin_tells_the_tries_that_are_left(driver: PcscDriver, scard: FakeScard) -> None:
    scard.typed = "654321"
    with pytest.raises(PinWrong) as caught:
        verify_pin(CardConnection(driver.connect(READER)), None)
    assert caught.value.values == {"tries_left": 5}


@pytest.mark.parametrize(
    ("status", "error"),
    [("6400", PinTimeout), ("6401", PinCancelled), ("6403", PinLength), ("63C0", PinBlocked), ("6983", PinBlocked)],
)
def test_status_words_of_pad_and_card_mean_what_they_mean_after_verify(
    driver: PcscDriver, scard: FakeScard, status: str, error: type[CardioError]
) -> None:
    channel = driver.connect(READER)
    connection = CardConnection(channel)
    assert isinstance(channel, PinPadChannel)
    pin_state(connection)
    asked = iter([(0, bytes.fromhex("63C6")), (0, bytes.fromhex(status))])
    scard.override = lambda: next(asked)
    with pytest.raises(error):
        verify_pin(connection, None)


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (0x8010006B, PinWrong),
        (0x8010006C, PinBlocked),
        (0x8010006E, PinCancelled),
        (0x8010006E - (1 << 32), PinCancelled),
        (0x80100069, CardRemoved),
        (UNKNOWN_READER, ReaderUnavailable),
        (NOT_TRANSACTED, LinkCorrupt),
        (0, LinkCorrupt),
    ],
)
def test_results_of_the_driver_have_their_errors(
    driver: PcscDriver, scard: FakeScard, result: int, error: type[CardioError]
) -> None:
    channel = driver.connect(READER)
    assert isinstance(channel, PinPadChannel)
    scard.override = lambda: (result, b"")
    with pytest.raises(error) as caught:
        channel.verify_pin(PROMPT)
    assert caught.value.source is not None
    assert caught.value.source.command == "SCardControl"


def test_a_closed_channel_asks_for_no_pin(driver: PcscDriver, scard: FakeScard) -> None:
    channel = driver.connect(READER)
    assert isinstance(channel, PinPadChannel)
    channel.close()
    with pytest.raises(ReaderUnavailable, match="closed"):
        channel.verify_pin(PROMPT)
    assert scard.asked == []


@pytest.mark.parametrize("features", [None, b"", bytes.fromhex("12 04 42330012")])
def test_a_reader_without_the_feature_has_no_pad(driver: PcscDriver, scard: FakeScard, features: bytes | None) -> None:
    scard.features = features
    channel = driver.connect(READER)
    assert not isinstance(channel, PinPadChannel)
    with pytest.raises(PinRequired):
        verify_pin(CardConnection(channel), None)


@pytest.mark.parametrize(("old", "new"), [("123456", "654321"), ("12345", "54321"), ("1234", "4321")])
def test_the_pad_changes_the_pin(driver: PcscDriver, scard: FakeScard, card: VirtualCard, old: str, new: str) -> None:
    assert card.pin is not None
    card.pin.value = encode_pin(old)
    scard.features, scard.typed, scard.new = WITH_CHANGE, old, new
    change_pin(CardConnection(driver.connect(READER)), None, None, digits=len(old))
    data = encode_pin(old) + b"\xff" + encode_pin(new)
    assert scard.commands == [bytes.fromhex("805E0100") + bytes([len(data)]) + data]
    assert card.pin.value == encode_pin(new)


def test_the_pad_sets_the_first_pin(driver: PcscDriver, scard: FakeScard, card: VirtualCard) -> None:
    card.pin = None
    scard.features = WITH_CHANGE
    change_pin(CardConnection(driver.connect(READER)), None, None)
    assert scard.commands == [bytes.fromhex("805E010004FF654321")]


def test_a_pad_that_only_verifies_changes_no_pin(driver: PcscDriver, scard: FakeScard) -> None:
    with pytest.raises(PinPadMissing, match="cannot change"):
        change_pin(CardConnection(driver.connect(READER)), None, None)
    assert scard.asked == []


# ---- readers that leave ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("result", [UNKNOWN_READER, 0x80100017, NOT_TRANSACTED, 0x80100013, 0x80100011])
def test_a_reader_unplugged_in_mid_command_is_named(driver: PcscDriver, scard: FakeScard, result: int) -> None:
    channel = driver.connect(READER)

    def unplug() -> tuple[int, bytes]:
        scard.plugged = False
        return result, b""

    scard.override = unplug
    with pytest.raises(ReaderUnavailable):
        channel.transmit(COMMAND)
    assert driver.readers() == {}
    scard.plugged, scard.override = True, None
    assert driver.connect(READER).transmit(COMMAND).endswith(b"\x90\x00")


def test_waiting_watches_for_readers_that_come(driver: PcscDriver, scard: FakeScard) -> None:
    driver.wait(driver.readers(), 0.01)
    assert {READER, PLUG_AND_PLAY} <= scard.watched


def test_a_service_that_starts_later_is_found(driver: PcscDriver, scard: FakeScard) -> None:
    scard.generation = 0
    with pytest.raises(ReaderServiceStopped):
        driver.readers()
    scard.generation = 1
    assert list(driver.readers()) == [READER]


def test_a_context_of_a_former_service_is_given_back_and_replaced(driver: PcscDriver, scard: FakeScard) -> None:
    driver.readers()
    scard.generation = 2
    assert list(driver.readers()) == [READER]
    assert scard.released == [1]


def test_a_card_that_another_program_holds_is_named_busy(driver: PcscDriver, scard: FakeScard) -> None:
    scard.held = True
    with pytest.raises(ReaderBusy):
        driver.connect(READER)
    scard.held = False
    driver.connect(READER).close()
