"""A record's vectors as tables: place, name, value and bytes of every item."""

from __future__ import annotations

from collections.abc import Iterator

from cardio.apdu.tlv import iterate_simple
from cardio.cli.manual.markdown import code, octets, table
from cardio.cli.manual.source import inner
from cardio.cli.manual.words import Language
from cardio.files.codecs import Octets, TextOctets
from cardio.files.codes import Code
from cardio.files.record import FieldSpec, FixedRecord, ItemRecord, Record

Row = tuple[str, str, str, str]
INDENT = "— "


def samples(record: type[Record], language: Language) -> Iterator[str]:
    """All vectors of a record class, decoded. Their persons are fictional, so nothing is masked."""
    for number, vector in enumerate(record.VECTORS, start=1):
        raw = bytes.fromhex(vector)
        many = f" {number}" if len(record.VECTORS) > 1 else ""
        yield language.pick(f"样例{many}，{len(raw)} 字节：", f"Sample{many}, {len(raw)} bytes:")
        yield ""
        decoded = _decode(record, raw)
        place = language.pick("偏移", "offset") if isinstance(decoded, FixedRecord) else language.pick("标签", "tag")
        head = (place, language.pick("名称", "title"), language.pick("值", "value"), language.pick("字节", "bytes"))
        yield from table(head, list(_rows(decoded, raw, language, 0)))
        yield from _derived(decoded, language)


def _decode(record: type[Record], raw: bytes) -> Record:
    if issubclass(record, FixedRecord):
        return record.decode(raw)
    if issubclass(record, ItemRecord):
        return record.decode_concatenated(raw)
    raise TypeError(record)


def _rows(record: Record, raw: bytes, language: Language, depth: int) -> Iterator[Row]:
    if isinstance(record, FixedRecord):
        position = 0
        for name, spec in record.specs().items():
            part = raw[position : position + spec.codec.size]
            offset = str(position) if depth == 0 else f"+{position}"
            yield from _item(offset, spec, getattr(record, name), part, b"", language, depth)
            position += spec.codec.size
        if record.trailing:
            yield (
                str(position),
                language.pick("其余", "rest"),
                language.pick("（字节）", "(bytes)"),
                code(octets(raw[position:])),
            )
        return
    by_tag = {spec.tag: (name, spec) for name, spec in record.specs().items()}
    met: dict[int, int] = {}
    for tlv in iterate_simple(raw):
        name, spec = by_tag[tlv.tag]
        value = getattr(record, name)
        if spec.count > 1:
            value = value[met.get(tlv.tag, 0)]
        met[tlv.tag] = met.get(tlv.tag, 0) + 1
        header = bytes([tlv.tag, len(tlv.value)])
        yield from _item(f"{tlv.tag:02X}", spec, value, tlv.value, header, language, depth)


def _item(
    place: str, spec: FieldSpec, value: object, raw: bytes, header: bytes, language: Language, depth: int
) -> Iterator[Row]:
    title = INDENT * depth + language.pick(spec.zh, spec.en)
    before = header.hex(" ").upper()
    if inner(spec) is not None and isinstance(value, Record):
        yield place, title, "", code(before)
        yield from _rows(value, raw, language, depth + 1)
        return
    yield place, title, _value(spec, value, raw, language), code(f"{before} {octets(raw)}".strip())


def _value(spec: FieldSpec, value: object, raw: bytes, language: Language) -> str:
    if value is None:
        return language.pick("（未写入）", "(unwritten)")
    if isinstance(spec.codec, TextOctets):
        try:
            return raw.rstrip(b"\x00").decode("gb18030")
        except UnicodeDecodeError:
            return language.pick("（不完整）", "(a part)")
    if isinstance(spec.codec, Octets):
        return language.pick("（字节）", "(bytes)")
    text = spec.codec.text(value, language.code)
    return f"{value} {text}" if isinstance(spec.codec, Code) and text != value else text


def _derived(record: Record, language: Language) -> Iterator[str]:
    """Texts that the record makes of several items, such as a name in two parts."""
    found = {}
    for cls in type(record).__mro__:
        for name, one in vars(cls).items():
            if isinstance(one, property):
                value = getattr(record, name)
                if isinstance(value, str):
                    found[name] = value
    if found:
        told = language.pick("，", ", ").join(f"`{name}` = {value}" for name, value in sorted(found.items()))
        yield f"{language.label(language.pick('由此得出', 'Derived'))}{told}"
        yield ""
