"""Values of fields: what is written comes back, and no bytes of a card do harm."""

import importlib
import pkgutil
import string
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import cardio.files.tables
from cardio.files.codecs import (
    Amount,
    BinaryAmount,
    Codec,
    DecimalText,
    Digits,
    Flag,
    HexDigits,
    Number,
    Octets,
    Text,
    TextOctets,
)
from cardio.files.codes import Code, CodeTable
from cardio.files.dates import CARD_TIMEZONE, CardDate, Date, Timestamp, Year, YearMonth, encode_time
from cardio.files.nesting import Composite, Constructed
from cardio.files.record import FixedRecord, ItemRecord, item, optional
from cardio.files.tables.card import SEX
from tests.files.declared import RECORDS

TABLES = [
    table
    for module in pkgutil.iter_modules(cardio.files.tables.__path__, "cardio.files.tables.")
    for table in vars(importlib.import_module(module.name)).values()
    if isinstance(table, CodeTable)
]
COUNTRIES = CodeTable("test", {"01": ("一", "one"), "99": ("九", "nine")})
DECLARED: list[Codec[Any]] = [spec.codec for cls in RECORDS for spec in cls.specs().values()]


class Pair(FixedRecord):
    first: str | None = optional(Text(2), "一", "first")
    second: bool | None = optional(Flag(), "二", "second")


class Chain(ItemRecord):
    first: str | None = item(0x01, Text(2), "一", "first")
    second: bool | None = item(0x02, Flag(), "二", "second")


def parts(record: type[Pair] | type[Chain]) -> st.SearchStrategy[Any]:
    return st.builds(record, first=st.sampled_from(["a", "bc"]), second=st.booleans() | st.none())


printable = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
texts = st.text(printable, min_size=1, max_size=12).filter(lambda text: not text.endswith(" "))
digits = st.text(string.digits, min_size=1, max_size=12)
hex_digits = st.text("0123456789ABCDEF", min_size=1, max_size=12).filter(lambda d: d[-1] != "F" and bool(d.strip("0")))
octets = st.binary(min_size=6, max_size=6).filter(lambda raw: bool(raw.strip(b"\x00") and raw.strip(b"\xff")))
card_dates = st.dates().map(CardDate.of) | st.integers(1, 9999).map(CardDate)
seconds = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=CARD_TIMEZONE)
)
CODECS: Mapping[str, tuple[Codec[Any], st.SearchStrategy[Any]]] = {
    "Text": (Text(48), texts),
    "Digits": (Digits(6), digits.filter(lambda value: bool(value.strip("0")))),
    "Digits, zero is a value": (Digits(6, zero_is_value=True), digits),
    "HexDigits": (HexDigits(6), hex_digits),
    "Number": (Number(4), st.integers(0, 0xFFFFFFFF)),
    "Octets": (Octets(6), octets),
    "TextOctets": (TextOctets(6), octets),
    "Date": (Date(), card_dates),
    "Timestamp": (Timestamp(), seconds),
    "Code": (Code(2, COUNTRIES), st.sampled_from(["01", "99"])),
    "BinaryAmount": (BinaryAmount(4), st.integers(0, 0xFFFFFFFF)),
    "Amount": (Amount(4), st.integers(0, 99999999)),
    "DecimalText": (DecimalText(3), st.integers(0, 999)),
    "Flag": (Flag(), st.booleans()),
    "YearMonth": (YearMonth(), st.dates().map(lambda day: CardDate(day.year, day.month))),
    "Year": (Year(), st.integers(1, 9999).map(CardDate)),
    "Code, number": (Code(1, COUNTRIES, form="b"), st.sampled_from(["01", "99"])),
    "Composite": (Composite(Pair), parts(Pair)),
    "Constructed": (Constructed(Chain), parts(Chain)),
    "Code, packed": (Code(1, COUNTRIES, form="cn"), st.sampled_from(["01", "99"])),
}
ALWAYS_A_VALUE = {"Number", "BinaryAmount", "Code, number"}
ZERO_IS_VALUE = {"Digits, zero is a value", "Amount"}
each_codec = pytest.mark.parametrize(("codec", "values"), CODECS.values(), ids=CODECS.keys())


def test_every_codec_is_tested_here() -> None:
    tested = {type(codec) for codec, _ in CODECS.values()}
    assert {type(codec) for codec in DECLARED} <= tested
    assert {cls for cls in _codecs(Codec) if not cls.__name__.startswith("_")} == tested
    assert CODECS.keys() > ZERO_IS_VALUE


def _codecs(base: type[Any]) -> Iterator[type[Any]]:
    for cls in base.__subclasses__():
        yield cls
        yield from _codecs(cls)


@each_codec
@given(data=st.data())
def test_a_value_comes_back_from_exactly_the_size_of_the_field(
    codec: Codec[Any], values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    value = data.draw(values)
    raw = codec.encode(value)
    assert len(raw) == codec.size
    assert codec.decode(raw) == value


@each_codec
@given(raw=st.binary(max_size=60))
def test_no_bytes_of_any_length_do_harm(codec: Codec[Any], values: object, raw: bytes) -> None:
    codec.decode(raw)


@pytest.mark.parametrize("codec", DECLARED, ids=lambda codec: f"{type(codec).__name__}({codec.size})")
@given(raw=st.binary(max_size=40))
def test_no_bytes_harm_a_declared_field(codec: Codec[Any], raw: bytes) -> None:
    codec.decode(raw)


@pytest.mark.parametrize("name", sorted(CODECS.keys() - ALWAYS_A_VALUE))
def test_a_blank_field_is_absent_and_has_its_size(name: str) -> None:
    codec, _ = CODECS[name]
    assert len(codec.blank()) == codec.size
    assert codec.decode(codec.blank()) is None


@pytest.mark.parametrize("name", sorted(CODECS.keys() - ALWAYS_A_VALUE))
def test_unwritten_bytes_are_absent(name: str) -> None:
    codec, _ = CODECS[name]
    assert codec.decode(b"\xff" * codec.size) is None
    assert (codec.decode(bytes(codec.size)) is None) is (name not in ZERO_IS_VALUE)


def test_zero_of_a_number_is_a_value() -> None:
    assert Number(4).decode(bytes(4)) == 0
    assert Number(4).decode(b"\xff" * 4) == 0xFFFFFFFF


@pytest.mark.parametrize("filler", [b"\x00", b" ", b"\xff"])
@pytest.mark.parametrize("text", ["张三", "A 1", "𠮷", "€"])
def test_text_stands_before_any_filler(filler: bytes, text: str) -> None:
    assert Text(30).decode(text.encode("gb18030").ljust(30, filler)) == text


def test_text_ends_at_the_first_zero() -> None:
    assert Text(8).decode(b"ab\x00cd   ") == "ab"
    assert Text(8).decode(b"ab  \x00\xff\xff\xff") == "ab"
    assert Text(8).decode(b"\x00abcdefg") is None


def test_text_is_gbk_where_it_can_be_and_gb_18030_otherwise() -> None:
    assert Text(6).encode("张三") == bytes.fromhex("D5C5C8FD0000")
    assert Text(6).encode("𠮷") == "𠮷".encode("gb18030") + bytes(2)
    with pytest.raises(UnicodeEncodeError):
        "𠮷".encode("gbk")


@given(st.characters(min_codepoint=0x80, codec="gbk"))
def test_what_gbk_writes_gb_18030_reads_alike(character: str) -> None:
    assert character.encode("gbk").decode("gb18030") == character


def test_broken_text_is_shown_with_replacement_characters() -> None:
    assert Text(4).decode(b"A\x81") == "A\ufffd"


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        (Text(4), "张三丰"),
        (Text(4), "𠮷𠮷"),
        (Digits(2), "12345"),
        (Digits(2), "123456"),
        (Digits(2), ""),
        (Digits(2), "12a4"),
        (Digits(2), "١٢"),
        (HexDigits(2), ""),
        (HexDigits(2), "12345"),
        (HexDigits(2), "123456"),
        (HexDigits(2), "d5"),
        (HexDigits(2), "1F"),
        (Number(2), 0x10000),
        (Number(2), -1),
        (Octets(2), b"\x01"),
        (Octets(2), b"\x01\x02\x03"),
        (Date(), CardDate(2026, 13, 1)),
        (Date(), CardDate(2026, 2, 29)),
        (Date(), CardDate(2026, 11)),
        (Date(), CardDate(10000)),
        (Date(), CardDate(0)),
        (Code(1, SEX), "7"),
        (Code(1, SEX), ""),
    ],
)
def test_a_value_that_does_not_fit_is_refused(codec: Codec[Any], value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        codec.encode(value)


def test_digits_are_filled_with_f_from_the_right() -> None:
    assert Digits(3).encode("123") == bytes.fromhex("123FFF")
    assert Digits(3).decode(bytes.fromhex("123FFF")) == "123"
    assert HexDigits(3).decode(bytes.fromhex("1D3FFF")) == "1D3"


@pytest.mark.parametrize("raw", ["12A456", "F12345", "12F456", "ABCDEF"])
def test_nibbles_that_are_no_digits_are_absent(raw: str) -> None:
    assert Digits(3).decode(bytes.fromhex(raw)) is None


@pytest.mark.parametrize(("raw", "year"), [(b"2012", 2012), (b"0001", 1), (b"9999", 9999)])
def test_four_ascii_digits_in_a_date_are_a_year(raw: bytes, year: int) -> None:
    assert Date().decode(raw) == CardDate(year)
    assert Date().encode(CardDate(year)) == raw


@pytest.mark.parametrize(
    "raw",
    [
        "20261301",
        "20260229",
        "20260431",
        "20260001",
        "20260100",
        "00000101",
        "2026ABCD",
        "30303030",
        "202601",
        "2026010001",
    ],
)
def test_impossible_dates_are_absent(raw: str) -> None:
    assert Date().decode(bytes.fromhex(raw)) is None


@given(st.binary(min_size=4, max_size=4))
@example(bytes.fromhex("20240229"))
def test_whatever_is_a_date_can_be_compared_and_written_back(raw: bytes) -> None:
    value = Date().decode(raw)
    if value is not None:
        assert value.first <= value.last
        assert Date().encode(value) == raw


@pytest.mark.parametrize(
    ("value", "first", "last", "text"),
    [
        (CardDate(2026, 11, 23), date(2026, 11, 23), date(2026, 11, 23), "2026-11-23"),
        (CardDate(2024, 2), date(2024, 2, 1), date(2024, 2, 29), "2024-02"),
        (CardDate(2025, 12), date(2025, 12, 1), date(2025, 12, 31), "2025-12"),
        (CardDate(2012), date(2012, 1, 1), date(2012, 12, 31), "2012"),
        (CardDate(9999), date(9999, 1, 1), date(9999, 12, 31), "9999"),
        (CardDate(9999, 12), date(9999, 12, 1), date(9999, 12, 31), "9999-12"),
        (CardDate(9999, 11), date(9999, 11, 1), date(9999, 11, 30), "9999-11"),
    ],
)
def test_a_date_covers_the_days_it_can_mean(value: CardDate, first: date, last: date, text: str) -> None:
    assert (value.first, value.last, str(value)) == (first, last, text)


@pytest.mark.parametrize(
    "raw", ["20261301000000", "20260101240000", "20260101006000", "20260101000060", "202601010000", "20260101", ""]
)
def test_impossible_and_short_times_are_absent(raw: str) -> None:
    assert Timestamp().decode(bytes.fromhex(raw)) is None


@given(st.binary(min_size=7, max_size=7).map(lambda raw: bytes(byte & 0x33 for byte in raw)))
def test_whatever_is_a_time_is_written_back(raw: bytes) -> None:
    value = Timestamp().decode(raw)
    assert value is None or Timestamp().encode(value) == raw


def test_times_are_written_in_the_cards_own_zone() -> None:
    utc = datetime(2026, 6, 30, 18, 5, 6, tzinfo=timezone.utc)  # noqa: UP017
    assert encode_time(utc) == bytes.fromhex("20260701020506")
    assert Timestamp().decode(encode_time(utc)) == utc
    assert CARD_TIMEZONE.utcoffset(None) == timedelta(hours=8)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.source)
def test_every_code_of_a_table_fits_its_items_and_has_both_texts(table: CodeTable) -> None:
    codecs = [codec for codec in DECLARED if isinstance(codec, Code) and codec.table is table]
    assert codecs, "no item uses this table"
    for code, (zh, en) in table.entries.items():
        for codec in codecs:
            raw = codec.encode(code)
            assert len(raw) == codec.size
            assert codec.decode(raw) == code
            assert codec.json(code) == {"code": code, "zh": zh, "en": en}
        assert (table.text(code, "zh"), table.text(code, "en")) == (zh, en)
        assert zh
        assert en
        assert en.isascii()


def test_an_unknown_code_is_read_and_shown_as_it_is() -> None:
    assert Code(1, SEX).decode(b"7") == "7"
    assert SEX.text("7", "zh") == "7"
    assert Code(1, COUNTRIES, form="cn").decode(b"\x42") == "42"


@pytest.mark.parametrize(
    ("codec", "form"),
    [(Text(1), "an"), (Digits(1), "cn"), (Number(1), "b"), (Octets(1), "b"), (TextOctets(1), "an"), (Date(), "cn")],
)
def test_a_codec_names_the_form_of_the_standards(codec: Codec[Any], form: str) -> None:
    assert codec.form == form
    assert Code(1, COUNTRIES).form == "an"
    assert Code(1, COUNTRIES, form="cn").form == "cn"
