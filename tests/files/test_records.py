"""Every declared record: its vectors, its titles, its mask; and what the two kinds of record keep."""

import contextlib
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio.apdu.tlv import Tlv, encode_simple
from cardio.errors import CardDataInvalid
from cardio.files.codecs import DecimalText, Number, Text
from cardio.files.codes import Code
from cardio.files.dates import CARD_TIMEZONE, CardDate, Date
from cardio.files.record import FixedRecord, ItemRecord, Record, field, item, items, optional
from cardio.files.social_security.environment import HolderData, IssuerData
from cardio.files.social_security.medical import MedicalData, MedicalLogRecord, MedicalScheme
from cardio.files.tables.card import SEX
from cardio.files.wallet.log import WalletLogRecord
from cardio.files.wallet.public import PublicData
from tests.crypto.vectors import Vector, all_vectors
from tests.files.declared import RECORDS, VECTORS, decode, encode

each_record = pytest.mark.parametrize("cls", RECORDS)


@each_record
def test_every_record_has_a_vector(cls: type[Record]) -> None:
    assert cls.VECTORS
    assert cls.specs()


@pytest.mark.parametrize(("cls", "vector"), VECTORS)
def test_a_vector_is_decoded_and_encoded_to_the_same_bytes(cls: type[Record], vector: str) -> None:
    raw = bytes.fromhex(vector)
    record = decode(cls, raw)
    assert list(record.values())
    assert encode(record) == raw
    assert decode(cls, encode(record)) == record


@each_record
@settings(deadline=None)
@given(raw=st.binary(max_size=80))
def test_any_bytes_are_a_record_or_invalid(cls: type[Record], raw: bytes) -> None:
    with contextlib.suppress(CardDataInvalid):
        assert isinstance(decode(cls, raw), cls)


@pytest.mark.parametrize("cls", [cls for cls in RECORDS if issubclass(cls, ItemRecord)])
@settings(deadline=None)
@given(data=st.data())
def test_any_values_under_the_declared_tags_are_a_record(cls: type[ItemRecord], data: st.DataObject) -> None:
    tags = st.sampled_from([spec.tag for spec in cls.specs().values() if spec.tag is not None])
    raw = data.draw(st.lists(st.builds(encode_simple, tags, st.binary(max_size=32)), max_size=8))
    record = cls.decode_concatenated(b"".join(raw))
    assert sum(1 for _ in record.values()) + len(record.unknown) <= len(raw)


@each_record
def test_every_field_has_a_chinese_and_an_english_title(cls: type[Record]) -> None:
    for name, spec in cls.specs().items():
        assert any("\u4e00" <= character <= "\u9fff" for character in spec.zh), name
        assert spec.en, name
        assert spec.en.isascii(), name


@each_record
def test_items_have_tags_of_their_own_and_fixed_fields_none(cls: type[Record]) -> None:
    tags = [spec.tag for spec in cls.specs().values()]
    if issubclass(cls, ItemRecord):
        assert None not in tags
        assert len(set(tags)) == len(tags)
    else:
        assert set(tags) == {None}


@pytest.mark.parametrize(("cls", "vector"), VECTORS)
def test_repr_never_shows_a_personal_value(cls: type[Record], vector: str) -> None:
    record = decode(cls, bytes.fromhex(vector))
    shown = repr(record)
    assert shown.startswith(f"{cls.__name__}(")
    for name, spec, value in record.values():
        if spec.personal:
            assert f"{name}=***" in shown
            assert repr(value) not in shown
            assert str(value) not in shown
        else:
            assert f"{name}={value!r}" in shown


def test_what_names_a_person_is_declared_personal() -> None:
    open_fields = {name for name, spec in HolderData.specs().items() if spec.personal is None}
    assert open_fields == {"sex", "ethnicity"}
    assert IssuerData.specs()["card_number"].personal
    assert PublicData.specs()["serial"].personal


def test_repr_shows_no_bytes_that_nobody_declared() -> None:
    record = HolderData.decode([Tlv(0x9A, b"SECRET")])
    assert repr(record) == "HolderData()"
    log = WalletLogRecord.decode(bytes.fromhex(WalletLogRecord.VECTORS[0]) + b"SECRET")
    assert "SECRET" not in repr(log)


# ---- fixed records -------------------------------------------------------------------------------------------


class Sample(FixedRecord):
    number: int = field(Number(2), "序号", "number")
    word: str = field(Text(3), "字", "word")
    note: str | None = optional(Text(2), "注", "note")


def test_fields_lie_side_by_side_in_order() -> None:
    assert Sample.size() == 7
    assert Sample(number=258, word="ab", note="c").encode() == b"\x01\x02ab\x00c\x00"


@pytest.mark.parametrize("size", range(7))
def test_a_short_record_is_invalid(size: int) -> None:
    with pytest.raises(CardDataInvalid, match=f"Sample has {size} bytes, 7 are needed"):
        Sample.decode(b"\x01\x02ab\x00c\x00"[:size])


def test_bytes_beyond_the_record_are_kept_and_written_back() -> None:
    raw = b"\x01\x02ab\x00c\x00 and more"
    record = Sample.decode(raw)
    assert record.trailing == b" and more"
    assert record.encode() == raw


def test_an_unwritten_field_is_absent_where_it_may_be_and_invalid_where_not() -> None:
    assert Sample.decode(b"\x01\x02ab\x00\xff\xff").note is None
    with pytest.raises(CardDataInvalid, match=r"Sample\.word is unwritten"):
        Sample.decode(b"\x01\x02\xff\xff\xffc\x00")


def test_a_value_that_does_not_fit_is_not_written() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Sample(number=65536, word="ab", note=None).encode()
    with pytest.raises(ValueError, match="does not fit"):
        Sample(number=1, word="abcd", note=None).encode()


def test_records_are_values() -> None:
    one = Sample(number=1, word="a", note=None)
    assert one == Sample(number=1, word="a", note=None)
    assert one != Sample(number=2, word="a", note=None)
    with pytest.raises(AttributeError):
        one.number = 2  # type: ignore[misc]


@pytest.mark.parametrize("cls", [cls for cls in RECORDS if issubclass(cls, FixedRecord)])
def test_every_fixed_record_refuses_what_is_too_short(cls: type[FixedRecord]) -> None:
    raw = bytes.fromhex(cls.VECTORS[0])
    assert len(raw) == cls.size()
    for size in range(len(raw)):
        with pytest.raises(CardDataInvalid):
            cls.decode(raw[:size])


def test_the_medical_log_is_read_as_the_worked_example_says() -> None:
    record = MedicalLogRecord.decode(bytes.fromhex(MedicalLogRecord.VECTORS[0]))
    assert (record.number, record.kind, record.terminal) == (5, "2", "519900000001")
    assert record.time == datetime(2026, 1, 15, 9, 30, 45, tzinfo=CARD_TIMEZONE)
    assert (record.account_fen, record.self_pay_fen, record.pool_fen) == (0, 10000, 8000)


@pytest.mark.parametrize("vector", [vector for vector in all_vectors() if "log_record" in vector.outputs], ids=str)
def test_the_wallet_log_is_read_as_the_vectors_say(vector: Vector) -> None:
    record = WalletLogRecord.decode(vector.output("log_record"))
    moment = str(vector.inputs["datetime"])
    assert record.amount_fen == int.from_bytes(vector.input("amount"), "big")
    assert record.overdraft_fen == int(str(vector.inputs.get("overdraft", "0")), 16)
    assert record.kind == vector.inputs["type"]
    assert record.terminal == vector.inputs["terminal"]
    assert (str(record.date).replace("-", ""), record.time) == (moment[:8], moment[8:])
    assert record.encode() == vector.output("log_record")


def test_a_terminal_number_of_zeros_is_a_number() -> None:
    raw = bytes.fromhex("0001 000000 000000C8 02 000000000000 20260315 000000")
    record = WalletLogRecord.decode(raw)
    assert (record.terminal, record.time) == ("000000000000", "000000")
    assert record.encode() == raw


def test_an_unwritten_log_record_is_invalid() -> None:
    with pytest.raises(CardDataInvalid, match="terminal"):
        WalletLogRecord.decode(b"\xff" * 23)


def test_public_data_are_read_field_by_field() -> None:
    record = PublicData.decode(bytes.fromhex(PublicData.VECTORS[0]))
    assert record.issuer == bytes.fromhex("9999000000000001")
    assert (record.application_type, record.application_version) == (3, 1)
    assert record.serial == "00008600000000000123"
    assert (str(record.starts), str(record.ends)) == ("2026-06-01", "2035-12-31")
    assert record.issuer_data == bytes.fromhex("5566")


@pytest.mark.parametrize("serial", ["03104170001234567890", "0310417000123456789F", "031041700012345678FF"])
def test_the_card_factor_is_bytes_13_to_20_as_the_card_has_them(serial: str) -> None:
    raw = bytearray.fromhex(PublicData.VECTORS[0])
    raw[10:20] = bytes.fromhex(serial)
    record = PublicData.decode(bytes(raw))
    assert record.factor == bytes.fromhex(serial)[2:]
    assert record.factor == record.encode()[12:20]


# ---- item records --------------------------------------------------------------------------------------------


class Items(ItemRecord):
    first: str | None = item(0x01, Text(3), "一", "first")
    second: int | None = item(0x02, Number(1), "二", "second")


def test_items_are_found_in_any_order_and_written_in_the_declared_one() -> None:
    record = Items.decode_concatenated(bytes.fromhex("020107 0103616200"))
    assert (record.first, record.second) == ("ab", 7)
    assert record.encode() == [bytes.fromhex("0103616200"), bytes.fromhex("020107")]


def test_unknown_items_are_kept_and_written_back_behind_the_known_ones() -> None:
    record = Items.decode_concatenated(bytes.fromhex("9A02AABB 020107 9B00"))
    assert record.unknown == (Tlv(0x9A, b"\xaa\xbb"), Tlv(0x9B, b""))
    assert b"".join(record.encode())[-6:] == bytes.fromhex("9A02AABB 9B00")
    assert Items.decode_concatenated(b"".join(record.encode())) == record


def test_the_first_item_of_a_tag_counts_and_the_others_are_kept() -> None:
    record = Items.decode_concatenated(bytes.fromhex("020107 020108"))
    assert record.second == 7
    assert record.unknown == (Tlv(0x02, b"\x08"),)


def test_absent_items_are_none_and_written_blank() -> None:
    record = Items.empty()
    assert (record.first, record.second) == (None, None)
    assert record.encode() == [bytes.fromhex("0103000000"), bytes.fromhex("0201FF")]


def test_items_that_a_card_does_not_have_are_not_written_back() -> None:
    record = Items.decode_concatenated(bytes.fromhex("020107"))
    assert record.encode() == [bytes.fromhex("020107")]
    assert replace(record, first="a").encode() == [bytes.fromhex("0103610000"), bytes.fromhex("020107")]


def test_odd_bytes_are_written_back_until_the_value_changes() -> None:
    raw = [bytes.fromhex("0103612020"), bytes.fromhex("02020007")]
    record = Items.decode_concatenated(b"".join(raw))
    assert (record.first, record.second) == ("a", 7)
    assert record.encode() == raw
    assert replace(record, first="b", second=8).encode() == [bytes.fromhex("0103620000"), bytes.fromhex("020108")]


class Coded(ItemRecord):
    """A code, a date and a repeated number."""

    sex: str | None = item(0x0A, Code(1, SEX), "性别", "sex")
    born: CardDate | None = item(0x0D, Date(), "出生日期", "date of birth")
    counts: tuple[int | None, ...] = items(0x40, DecimalText(2), "次数", "counts", count=3)


def test_a_malformed_item_is_told_apart_from_an_absent_one_and_written_back() -> None:
    raw = bytes.fromhex("0A0137 0D0420261399")
    record = Coded.decode_concatenated(raw)
    assert (record.sex, record.born) == ("7", None)
    assert record.malformed() == ("born",)
    assert b"".join(record.encode()) == raw
    assert Coded.decode_concatenated(bytes.fromhex("0D04FFFFFFFF")).malformed() == ()


def test_repeated_items_keep_their_places() -> None:
    record = Coded.decode_concatenated(bytes.fromhex("40023031 40020000 40023033 40023034"))
    assert record.counts == (1, None, 3)
    assert record.unknown == (Tlv(0x40, b"04"),)
    assert record.show(masked=True) == {"counts": [1, None, 3]}
    assert replace(Coded.empty(), counts=(None, 2)).encode()[2:] == [
        bytes.fromhex(one) for one in ("40020000", "40023032", "40020000")
    ]
    with pytest.raises(ValueError, match="4 items where 3 fit"):
        replace(Coded.empty(), counts=(1, 2, 3, 4)).encode()


def test_an_item_cut_short_is_invalid() -> None:
    with pytest.raises(CardDataInvalid, match="item at byte 3"):
        Items.decode_concatenated(bytes.fromhex("020107 010361"))


def test_items_shorter_than_declared_are_read() -> None:
    record = HolderData.decode_concatenated(bytes.fromhex("0806313130313035 0904D5C5C8FD 0D021990"))
    assert (record.social_security_number, record.name, record.born) == ("110105", "张三", None)


@pytest.mark.parametrize("filler", ["00", "20", "FF"])
def test_an_empty_holder_file_has_no_holder(filler: str) -> None:
    blank: dict[int, int] = {spec.tag or 0: spec.codec.size for spec in HolderData.specs().values()}
    raw = b"".join(encode_simple(tag, bytes.fromhex(filler) * size) for tag, size in blank.items())
    record = HolderData.decode_concatenated(raw)
    assert record.name is None
    assert record.social_security_number is None
    assert record.sex is None
    assert record.born is None


def holder(first: bytes, extension: bytes | None = None) -> HolderData:
    items = [Tlv(0x09, first)]
    return HolderData.decode(items if extension is None else [*items, Tlv(0x4E, extension)])


@pytest.mark.parametrize("filler", [b"\x00", b" ", b"\xff"])
def test_a_short_name_stands_before_its_filler(filler: bytes) -> None:
    name = "测试甲".encode("gbk")
    assert holder(name.ljust(30, filler)).name == "测试甲"
    assert holder(name.ljust(30, filler), filler * 20).name == "测试甲"


@pytest.mark.parametrize("name", ["A" + "阿" * 20, "阿" * 24, "A" * 27 + "阿卜杜"])
@pytest.mark.parametrize("filler", [b"\x00", b" ", b"\xff"])
def test_a_name_may_be_split_in_the_middle_of_a_character(name: str, filler: bytes) -> None:
    raw = name.encode("gbk")
    assert holder(raw[:30], raw[30:].ljust(20, filler)).name == name


def test_a_four_byte_character_may_be_split_too() -> None:
    name = "A" * 27 + "𠮷木"
    raw = name.encode("gb18030")
    assert len(raw[:30].decode("gb18030", errors="ignore")) == 27
    assert holder(raw[:30], raw[30:].ljust(20, b"\x00")).name == name


def test_a_space_at_the_split_belongs_to_the_name() -> None:
    name = "A" * 29 + " " + "B" * 5
    assert holder(name[:30].encode(), name[30:].encode().ljust(20, b" ")).name == name


def test_an_empty_name_extension_is_written_as_text_is() -> None:
    encoded: dict[int, Any] = {record[0]: record[2:] for record in HolderData.empty().encode()}
    assert encoded[0x09] == bytes(30)
    assert encoded[0x4E] == bytes(20)


def test_the_issuer_data_of_a_real_test_card_are_read() -> None:
    record = IssuerData.decode_concatenated(bytes.fromhex(IssuerData.VECTORS[0]))
    assert (record.card_class, record.version, record.card_number) == ("3", "2.00", "B00000131")
    assert (record.issued, record.expires) == (CardDate(2012), CardDate(2022))
    assert record.institution == "9156000002430200430100D5"


def test_medical_data_are_read() -> None:
    record = MedicalData.decode_concatenated(bytes.fromhex(MedicalData.VECTORS[0]))
    assert record.scheme == MedicalScheme.decode(b"31000000")
    assert (record.region, record.mode) == ("999900", "2")
