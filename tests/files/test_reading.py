"""Reading files over a scripted card: the ways to address records, logs, transparent files."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from cardio.apdu.connection import CardConnection
from cardio.apdu.tlv import Tlv
from cardio.errors import AccessDenied, ApplicationBlocked, CardUnexpected, FileNotFound
from cardio.files.codecs import Text
from cardio.files.declaration import FREE, NEVER, FileDeclaration, Structure
from cardio.files.reading import BY_NUMBER, FileReader, RecordStyle, read_record
from cardio.files.record import FixedRecord, ItemRecord, item, items
from cardio.files.social_security.environment import EF06_HOLDER, HolderData
from cardio.files.wallet.log import EF18_LOG, WalletLogRecord
from cardio.transport.channel import CardProtocol, Disclosure
from tests.apdu.script import ScriptedChannel

HOLDER = HolderData.VECTORS[0]
LOG = WalletLogRecord.VECTORS[0]


class Short(ItemRecord):
    first: str | None = item(0x81, Text(2), "一", "first")
    second: str | None = item(0x82, Text(2), "二", "second")


FILE = FileDeclaration(0xEF05, 0x05, "短", "short", Structure.LINEAR_VARIABLE, Short, FREE, NEVER)
FIRST, SECOND = "81026161", "82026262"
ITEMS = [Tlv(0x81, b"aa"), Tlv(0x82, b"bb")]
RUN, NUMBER_1, NUMBER_2, NUMBER_3 = "00B2012D00", "00B2012C00", "00B2022C00", "00B2032C00"
TAG_1, TAG_2 = "00B2812800", "00B2822800"
SELECT, SELECTED_1, SELECTED_2, SELECTED_3 = "00A4000002EF05", "00B2010400", "00B2020400", "00B2030400"
BY_RUN = [(RUN, FIRST + SECOND + "9000")]
BY_NUMBERS = [(NUMBER_1, FIRST + "9000"), (NUMBER_2, SECOND + "9000"), (NUMBER_3, "6A83")]
BY_TAGS = [(TAG_1, FIRST + "9000"), (TAG_2, SECOND + "9000")]
BY_SELECTED = [
    (SELECT, "9000"),
    (SELECTED_1, FIRST + "9000"),
    (SELECTED_2, SECOND + "9000"),
    (SELECTED_3, "6A83"),
]


def card(script: Sequence[tuple[str, str]]) -> tuple[FileReader, ScriptedChannel]:
    channel = ScriptedChannel(*script, protocol=CardProtocol.T1)
    return FileReader(CardConnection(channel)), channel


@pytest.mark.parametrize(
    ("style", "script"),
    [
        (RecordStyle.RUN, BY_RUN),
        (RecordStyle.NUMBER, BY_NUMBERS),
        (RecordStyle.TAG, BY_TAGS),
        (RecordStyle.SELECTED, BY_SELECTED),
    ],
)
def test_every_way_of_addressing_gives_the_same_items(style: RecordStyle, script: list[tuple[str, str]]) -> None:
    channel = ScriptedChannel(*script, protocol=CardProtocol.T1)
    assert FileReader(CardConnection(channel), (style,)).read_tlvs(FILE) == ITEMS
    assert channel.finished


def test_all_items_come_in_one_command() -> None:
    reader, channel = card([("00B2013500", HOLDER + "9000")])
    assert reader.read_items(EF06_HOLDER, HolderData) == HolderData.decode_concatenated(bytes.fromhex(HOLDER))
    assert channel.finished


def test_bytes_of_personal_files_are_closed_to_recordings() -> None:
    reader, channel = card([("00B2013500", HOLDER + "9000")])
    reader.read_items(EF06_HOLDER, HolderData)
    assert channel.disclosures == [Disclosure.HEADER]
    assert read_record(EF18_LOG, 1, BY_NUMBER).disclosure is Disclosure.ALL


@pytest.mark.parametrize("refusal", ["6A86", "6981", "6D00", "6700", "6A83", "6B00"])
def test_a_card_that_refuses_a_run_is_read_record_by_record(refusal: str) -> None:
    reader, channel = card([(RUN, refusal), *BY_NUMBERS])
    assert reader.read_tlvs(FILE) == ITEMS
    assert channel.finished


@pytest.mark.parametrize("refusal", ["6A83", "6A86"])
def test_a_card_that_refuses_numbers_is_read_by_tag(refusal: str) -> None:
    reader, channel = card([(RUN, "6A86"), (NUMBER_1, refusal), *BY_TAGS])
    assert reader.read_tlvs(FILE) == ITEMS
    assert channel.finished


def test_a_card_without_short_identifiers_is_read_after_select() -> None:
    reader, channel = card([(RUN, "6A82"), *BY_SELECTED])
    assert reader.read_tlvs(FILE) == ITEMS
    assert channel.finished


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ([(RUN, "6A86"), *BY_NUMBERS], BY_NUMBERS),
        ([(RUN, "6A86"), (NUMBER_1, "6A86"), *BY_TAGS], BY_TAGS),
        ([(RUN, "6A82"), *BY_SELECTED], BY_SELECTED),
    ],
)
def test_what_a_card_understood_is_used_for_its_next_file(
    first: list[tuple[str, str]], again: list[tuple[str, str]]
) -> None:
    reader, channel = card([*first, *again])
    assert reader.read_tlvs(FILE) == reader.read_tlvs(FILE) == ITEMS
    assert channel.finished


def test_an_empty_file_costs_one_command_once_a_way_is_known() -> None:
    reader, channel = card([*BY_RUN, (RUN, "6A83")])
    assert reader.read_tlvs(FILE) == ITEMS
    assert reader.read_tlvs(FILE) == []
    assert channel.finished


def test_a_missing_file_costs_one_command_once_a_way_is_known() -> None:
    reader, channel = card([*BY_RUN, (RUN, "6A82")])
    reader.read_tlvs(FILE)
    with pytest.raises(FileNotFound):
        reader.read_tlvs(FILE)
    assert channel.finished


def test_a_file_that_select_does_not_find_either_is_missing() -> None:
    reader, channel = card([(RUN, "6A82"), (SELECT, "6A82")])
    with pytest.raises(FileNotFound):
        reader.read_tlvs(FILE)
    assert channel.finished


@pytest.mark.parametrize(("sw", "error"), [("6982", AccessDenied), ("9303", ApplicationBlocked)])
def test_a_closed_file_is_asked_once(sw: str, error: type[Exception]) -> None:
    reader, channel = card([(RUN, sw)])
    with pytest.raises(error):
        reader.read_tlvs(FILE)
    assert channel.finished


def test_a_run_that_is_cut_goes_on_at_the_first_record_that_is_not_whole() -> None:
    reader, channel = card([(RUN, FIRST + "8202" + "9000"), ("00B2022D00", SECOND + "9000")])
    assert reader.read_tlvs(FILE) == ITEMS
    assert channel.finished


def test_a_run_of_256_bytes_may_have_a_successor() -> None:
    filler = "9AFA" + "00" * 250
    reader, channel = card([(RUN, filler + FIRST + "9000"), ("00B2032D00", SECOND + "9000")])
    assert [tlv.tag for tlv in reader.read_tlvs(FILE)] == [0x9A, 0x81, 0x82]
    assert channel.finished


def test_a_record_shorter_than_its_length_says_is_clamped() -> None:
    script = [(RUN, "6A86"), (NUMBER_1, "810A6161" + "9000"), (NUMBER_2, SECOND + "00009000"), (NUMBER_3, "6A83")]
    reader, channel = card(script)
    assert reader.read_tlvs(FILE) == ITEMS
    assert channel.finished


class Repeated(ItemRecord):
    titles: tuple[str | None, ...] = items(0x81, Text(2), "一", "titles", count=3)


def test_a_tag_that_occurs_several_times_is_asked_for_again_by_next() -> None:
    script = [(TAG_1, FIRST + "9000"), ("00B2812A00", "81026363" + "9000"), ("00B2812A00", "6A83")]
    channel = ScriptedChannel(*script, protocol=CardProtocol.T1)
    reader = FileReader(CardConnection(channel), (RecordStyle.TAG,))
    assert reader.read_items(replace(FILE, content=Repeated), Repeated).titles == ("aa", "cc")
    assert channel.finished


def test_a_log_is_read_newest_first_until_there_are_no_more() -> None:
    older = "0010" + LOG[4:]
    reader, channel = card([("00B201C417", LOG + "9000"), ("00B202C417", older + "9000"), ("00B203C417", "6A83")])
    assert [record.number for record in reader.read_log(EF18_LOG, WalletLogRecord)] == [0x11, 0x10]
    assert channel.finished


def test_a_log_is_read_no_further_than_it_is_wanted() -> None:
    reader, channel = card([("00B201C417", LOG + "9000")])
    assert next(reader.read_log(EF18_LOG, WalletLogRecord)).number == 0x11
    assert channel.finished


def test_a_log_ends_after_its_last_possible_record() -> None:
    reader, channel = card([(f"00B2{number:02X}C417", LOG + "9000") for number in range(1, 255)])
    assert sum(1 for _ in reader.read_log(EF18_LOG, WalletLogRecord)) == 254
    assert channel.finished


def test_a_log_of_a_card_without_short_identifiers_is_read_after_select() -> None:
    script = [("00B201C417", "6A86"), ("00A40000020018", "9000"), ("00B2010417", LOG + "9000"), ("00B2020417", "6A83")]
    reader, channel = card(script)
    assert [record.number for record in reader.read_log(EF18_LOG, WalletLogRecord)] == [0x11]
    assert channel.finished


def test_a_closed_log_says_so() -> None:
    reader, _ = card([("00B201C417", "6982")])
    with pytest.raises(AccessDenied):
        list(reader.read_log(EF18_LOG, WalletLogRecord))


def test_a_log_that_fails_in_the_middle_gives_what_came_before() -> None:
    reader, _ = card([("00B201C417", LOG + "9000"), ("00B202C417", "6F00")])
    records = reader.read_log(EF18_LOG, WalletLogRecord)
    assert next(records).number == 0x11
    with pytest.raises(CardUnexpected):
        next(records)


class Blob(FixedRecord):
    """Bytes."""


def transparent(size: int) -> FileDeclaration:
    return FileDeclaration(0xEF08, 0x08, "照片", "photo", Structure.TRANSPARENT, Blob, FREE, NEVER, size=size)


def test_a_transparent_file_is_read_in_pieces() -> None:
    script = [
        ("00B08800E0", "11" * 0xE0 + "9000"),
        ("00B000E0E0", "22" * 0xE0 + "9000"),
        ("00B001C040", "33" * 0x40 + "9000"),
    ]
    reader, channel = card(script)
    assert reader.read_binary(transparent(0x200)) == b"\x11" * 0xE0 + b"\x22" * 0xE0 + b"\x33" * 0x40
    assert channel.finished


@pytest.mark.parametrize(
    "end", [[("00B08800E0", "11" * 9 + "9000")], [("00B08800E0", "11" * 0xE0 + "9000"), ("00B000E0E0", "6B00")]]
)
def test_a_transparent_file_may_be_shorter_than_declared(end: list[tuple[str, str]]) -> None:
    reader, channel = card(end)
    assert set(reader.read_binary(transparent(0x1000))) == {0x11}
    assert channel.finished


def test_a_transparent_file_that_is_not_there_is_missing() -> None:
    reader, _ = card([("00B0880010", "6A82")])
    with pytest.raises(FileNotFound):
        reader.read_binary(transparent(0x10))
