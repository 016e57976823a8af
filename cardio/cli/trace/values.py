"""Explained values made of declared records, items and BER-TLV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cardio.apdu.tlv import Tlv, iterate_ber
from cardio.cli.trace.explanation import Phrase, Value, same
from cardio.errors import CardDataInvalid
from cardio.files.codecs import Codec, Text, TextOctets, unwritten
from cardio.files.codes import Code
from cardio.files.masking import HIDDEN
from cardio.files.record import FieldSpec, FixedRecord, ItemRecord, Record

EMPTY = Phrase("未写入", "empty")
UNKNOWN_ITEM = Phrase("未知数据项", "unknown item")
TRAILING = Phrase("其余字节", "further bytes")


def raw_value(name: str, title: Phrase, raw: bytes, *, masked: bool, tag: str | None = None) -> Value:
    """Bytes whose meaning is not known: they may be anything, so they are treated as personal."""
    if unwritten(raw):
        return Value(name, title, None, EMPTY, tag)
    shown = HIDDEN if masked else raw.hex().upper()
    return Value(name, title, shown, _with_size(shown, raw), tag, personal=True)


def record_values(record: Record, *, masked: bool) -> tuple[Value, ...]:
    """The fields of a record that are present, and what it has besides."""
    found = []
    for name, spec, value in record.values():
        several = value if spec.count > 1 else (value,)
        found += [_present(name, spec, one, masked=masked) for one in several if one is not None]
    if isinstance(record, ItemRecord):
        found += [_unknown(tlv, masked=masked) for tlv in record.unknown]
    elif isinstance(record, FixedRecord) and record.trailing:
        found.append(raw_value("trailing", TRAILING, record.trailing, masked=masked))
    return tuple(found)


def item_value(record: type[ItemRecord], tlv: Tlv, *, masked: bool) -> Value:
    """One TLV item as the record class declares it."""
    for name, spec in record.specs().items():
        if spec.tag == tlv.tag:
            return _field(name, spec, tlv.value, masked=masked)
    return _unknown(tlv, masked=masked)


def fixed_values(record: type[FixedRecord], raw: bytes, *, masked: bool, offset: int = 0) -> tuple[Value, ...]:
    """The fields of which `raw` holds bytes, `raw` being a part of the record that begins at `offset`."""
    found = []
    start = 0
    for name, spec in record.specs().items():
        end = start + spec.codec.size
        part = raw[max(0, start - offset) : max(0, end - offset)]
        if part and len(part) == spec.codec.size:
            found.append(_field(name, spec, part, masked=masked))
        elif part:
            found.append(_part(name, spec, part, masked=masked))
        start = end
    rest = raw[max(0, start - offset) :]
    if rest:
        found.append(raw_value("trailing", TRAILING, rest, masked=masked))
    return tuple(found)


def split_items(raw: bytes) -> Iterator[Tlv]:
    """The TLV items of an answer; a card may store fewer bytes than the last length says (SSC §10.2)."""
    place = 0
    while place < len(raw):
        if len(raw) - place < 2:
            yield Tlv(raw[place], b"")
            return
        end = place + 2 + raw[place + 1]
        yield Tlv(raw[place], raw[place + 2 : end])
        place = end


def _part(name: str, spec: FieldSpec, raw: bytes, *, masked: bool) -> Value:
    """Bytes of a field of which not all were read or written."""
    shown = HIDDEN if masked and _is_personal(spec) else raw.hex().upper()
    title = Phrase(f"{spec.zh}（一部分）", f"{spec.en} (a part)")
    return Value(name, title, shown, _with_size(shown, raw), _tag(spec), personal=_is_personal(spec))


def _with_size(shown: str, raw: bytes) -> Phrase:
    return Phrase(f"（{len(raw)}字节）", f"({len(raw)} bytes)", shown)


def _is_personal(spec: FieldSpec) -> bool:
    """Whether the field is personal, or a field inside it."""
    nested: type[Record] | None = getattr(spec.codec, "record", None)
    return spec.personal is not None or (nested is not None and nested.personal())


def _field(name: str, spec: FieldSpec, raw: bytes, *, masked: bool) -> Value:
    value = spec.codec.decode(raw)
    if value is not None:
        return _present(name, spec, value, masked=masked)
    title = Phrase(spec.zh, spec.en)
    if unwritten(raw):
        return Value(name, title, None, EMPTY, _tag(spec))
    shown = HIDDEN if masked and _is_personal(spec) else raw.hex().upper()
    text = Phrase("（无法识别）", "(malformed)", shown)
    return Value(name, title, shown, text, _tag(spec), personal=_is_personal(spec))


def _present(name: str, spec: FieldSpec, value: Any, *, masked: bool) -> Value:
    title = Phrase(spec.zh, spec.en)
    tag = _tag(spec)
    if isinstance(value, Record):
        inner = record_values(value, masked=masked)
        personal = any(one.personal for one in inner)
        return Value(name, title, None, same(""), tag, inner, personal)
    if isinstance(spec.codec, TextOctets):
        value = Text(len(value)).decode(value) or value.hex().upper()
        shown = spec.personal.apply(value) if masked and spec.personal is not None else value
        return Value(name, title, shown, same(shown), tag, personal=spec.personal is not None)
    if masked and spec.personal is not None:
        shown = spec.personal.apply(value)
        return Value(name, title, shown, same(shown), tag, personal=True)
    text = _text(spec.codec, value)
    return Value(name, title, spec.codec.json(value), text, tag, personal=spec.personal is not None)


def _text(codec: Codec[Any], value: Any) -> Phrase:
    zh, en = codec.text(value, "zh"), codec.text(value, "en")
    return Phrase(zh, en, value if isinstance(codec, Code) and value not in {zh, en} else "")


def _unknown(tlv: Tlv, *, masked: bool) -> Value:
    return raw_value(f"item_{tlv.tag:02X}", UNKNOWN_ITEM, tlv.value, masked=masked, tag=f"{tlv.tag:02X}")


def _tag(spec: FieldSpec) -> str | None:
    return None if spec.tag is None else f"{spec.tag:02X}"


def readable(raw: bytes) -> str:
    """Text of bytes in GBK, if they are all printable; empty otherwise."""
    try:
        text = raw.rstrip(b"\x00").decode("gbk")
    except UnicodeDecodeError:
        return ""
    return text if text and text.isprintable() else ""


def hex_and_text(raw: bytes) -> str:
    """Hex digits, and the text that they are, if any."""
    text = readable(raw)
    return f"{raw.hex().upper()} “{text}”" if text else raw.hex().upper()


BER_TITLES = {
    0x4F: ("application_identifier", "应用标识", "application identifier"),
    0x50: ("label", "应用标签", "label"),
    0x61: ("application", "应用模板", "application"),
    0x6F: ("fci", "文件控制信息", "file control information"),
    0x70: ("directory_record", "目录记录", "directory record"),
    0x84: ("name", "目录名称", "directory name"),
    0x86: ("algorithm", "算法标识", "algorithm"),
    0x87: ("priority", "应用优先级", "priority"),
    0x88: ("directory_sfi", "目录文件短标识", "SFI of the directory file"),
    0xA5: ("proprietary", "专有数据", "proprietary data"),
    0x9F08: ("application_version", "应用版本号", "application version"),
    0x9F0C: ("issuer_data", "发卡方自定义数据", "issuer's data"),
    0xBF0C: ("issuer_data", "发卡方自定义数据", "issuer's data"),
}
"""Objects of FCI templates and directory records (SSC §2.1, EW §1.3)."""


def ber_values(raw: bytes, *, masked: bool) -> tuple[Value, ...]:
    """The objects of a BER-TLV template, with those inside them; what is no BER-TLV stays bytes."""
    try:
        objects = list(iterate_ber(raw))
    except CardDataInvalid:
        return (raw_value("bytes", TRAILING, raw, masked=masked),)
    return tuple(_ber(one, masked=masked) for one in objects)


def _ber(tlv: Tlv, *, masked: bool) -> Value:
    tag = f"{tlv.tag:02X}"
    first = tlv.tag
    while first > 0xFF:
        first >>= 8
    name, zh, en = BER_TITLES.get(tlv.tag, ("", "", ""))
    if not name:
        return raw_value(f"object_{tag}", UNKNOWN_ITEM, tlv.value, masked=masked, tag=tag)
    if first & 0x20:
        inner = ber_values(tlv.value, masked=masked)
        return Value(name, Phrase(zh, en), None, same(""), tag, inner, any(one.personal for one in inner))
    if tlv.tag in {0x86, 0x87, 0x88}:
        return Value(name, Phrase(zh, en), tlv.value.hex().upper(), same(tlv.value.hex().upper()), tag)
    if tlv.tag == 0x9F0C:
        return raw_value(name, Phrase(zh, en), tlv.value, masked=masked, tag=tag)
    return Value(name, Phrase(zh, en), tlv.value.hex().upper(), same(hex_and_text(tlv.value)), tag)


def flat(values: Iterable[Value]) -> Iterator[Value]:
    """The values and those inside them."""
    for value in values:
        yield value
        yield from flat(value.values)
