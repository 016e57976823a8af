"""Typed records over declared layouts.

A record class lists its fields once: annotation for the type checker, `field` or `item` for the bytes. The same
declaration decodes, encodes, masks personal data and feeds the manual.

    class LogRecord(FixedRecord):
        number: int = field(Number(2), "交易序号", "transaction number")

`FixedRecord` lays its fields side by side, `ItemRecord` holds TLV items.

A decoded record remembers the bytes it came from: what is unwritten, malformed, too long or outside its code table is
written back as the card had it, unless the value was changed.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar, cast, dataclass_transform

from cardio.apdu.tlv import Tlv, encode_simple, iterate_simple
from cardio.errors import CardDataInvalid
from cardio.files.codecs import Codec
from cardio.files.masking import HIDDEN, Mask

NAME = re.compile("[a-z][a-z0-9_]{0,39}")
"""The form of a field's name."""

T = TypeVar("T")
MASKED_SCHEMA = {"type": "string"}
"""A masked value is always a string."""


@dataclass(frozen=True)
class FieldSpec:
    """Declaration of one field.

    Attributes:
        codec: Its bytes.
        zh: Chinese title.
        en: English title.
        personal: How a person's name, number or address is masked; None for what is not personal.
        tag: Tag of the item; None in fixed records.
        count: How many items carry the tag.
    """

    codec: Codec[Any]
    zh: str
    en: str
    personal: Mask | None = None
    tag: int | None = None
    count: int = 1

    def show(self, value: Any, *, masked: bool) -> Any:
        """One value of the field for JSON."""
        if isinstance(value, Record):
            return value.show(masked=masked)
        if self.personal is not None and masked:
            return self.personal.apply(value)
        return self.codec.json(value)

    def text(self, value: Any, language: str, *, masked: bool) -> str:
        """One value of the field for people, in `zh` or `en`; of a record inside it all fields that are present."""
        if isinstance(value, Record):
            parts = ((spec, one) for _, spec, one in value.values())
            return "; ".join(
                f"{spec.zh if language == 'zh' else spec.en}: {spec.text(one, language, masked=masked)}"
                for spec, one in parts
            )
        if isinstance(value, tuple):
            return "; ".join(self.text(one, language, masked=masked) for one in value if one is not None)
        if self.personal is not None and masked:
            return self.personal.apply(value)
        return self.codec.text(value, language)


def field(codec: Codec[T], zh: str, en: str, *, personal: Mask | None = None) -> T:
    """A field of a fixed record that is always there."""
    return cast("T", dataclasses.field(metadata={"spec": FieldSpec(codec, zh, en, personal)}))


def optional(codec: Codec[T], zh: str, en: str, *, personal: Mask | None = None) -> T | None:
    """A field of a fixed record that may be unwritten."""
    spec = FieldSpec(codec, zh, en, personal)
    return cast("T | None", dataclasses.field(default=None, metadata={"spec": spec}))


def item(tag: int, codec: Codec[T], zh: str, en: str, *, personal: Mask | None = None) -> T | None:
    """A TLV item of an item file; absent items are None."""
    spec = FieldSpec(codec, zh, en, personal, tag)
    return cast("T | None", dataclasses.field(default=None, metadata={"spec": spec}))


def items(
    tag: int, codec: Codec[Any], zh: str, en: str, *, count: int, personal: Mask | None = None
) -> tuple[Any, ...]:
    """A TLV item that a file holds `count` times under one tag; the place counts, an absent one is None.

    Annotate it `tuple[X | None, ...]`; the type checker cannot derive that from the codec.
    """
    spec = FieldSpec(codec, zh, en, personal, tag, count)
    return cast("tuple[Any, ...]", dataclasses.field(default=(), metadata={"spec": spec}))


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field, optional, item, items))
class Record:
    """Base of all records; subclasses become frozen keyword-only dataclasses."""

    VECTORS: ClassVar[tuple[str, ...]] = ()
    """Encoded samples in hex, checked by the tests and printed in the manual."""
    _specs: ClassVar[dict[str, FieldSpec]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(frozen=True, kw_only=True, repr=False)(cls)
        fields = dataclasses.fields(cast("Any", cls))
        cls._specs = {f.name: f.metadata["spec"] for f in fields if "spec" in f.metadata}

    @classmethod
    def specs(cls) -> dict[str, FieldSpec]:
        """Declared fields by name, in order."""
        return cls._specs

    def values(self) -> Iterator[tuple[str, FieldSpec, Any]]:
        """Name, declaration and value of every field that is present; repeated items as tuples."""
        for name, spec in self.specs().items():
            value = getattr(self, name)
            if value is not None and (spec.count == 1 or any(one is not None for one in value)):
                yield name, spec, value

    def show(self, *, masked: bool) -> dict[str, Any]:
        """The present fields by name, as JSON values; personal ones masked if `masked`."""
        return {
            name: spec.show(value, masked=masked)
            if spec.count == 1
            else [None if one is None else spec.show(one, masked=masked) for one in value]
            for name, spec, value in self.values()
        }

    @classmethod
    def parse(cls, given: Any) -> Self:
        """A record from its fields by name, as `show` gives them unmasked; fields that are left out are absent.

        Raises:
            ValueError: There is no such field, or a value is none of its field.
        """
        if not isinstance(given, Mapping):
            raise ValueError("fields by name are needed")  # noqa: TRY004 - as for every wrong value
        specs = cls.specs()
        values: dict[str, Any] = {}
        for name, value in given.items():
            if name not in specs:
                # In the place of a name anything may stand, a person's number too.
                shown = name if isinstance(name, str) and NAME.fullmatch(name) else "…"
                raise ValueError(f"{shown}: there is no such field; there are {', '.join(specs)}")
            try:
                values[name] = _parse(specs[name], value)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        missing = [name for name in specs if name not in values and name not in _optional_names(cls)]
        if missing:
            raise ValueError(f"{', '.join(missing)}: missing")
        return cls(**values)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """JSON Schema of `show`."""
        properties = {}
        for name, spec in cls.specs().items():
            schema = spec.codec.json_schema()
            if spec.personal is not None and schema != MASKED_SCHEMA:
                schema = {"anyOf": [schema, MASKED_SCHEMA]}
            if spec.count > 1:
                schema = {"type": "array", "maxItems": spec.count, "items": {"anyOf": [schema, {"type": "null"}]}}
            properties[name] = {"title": f"{spec.zh} {spec.en}", **schema}
        return {"type": "object", "properties": properties, "additionalProperties": False}

    def malformed(self) -> tuple[str, ...]:
        """Names of fields that hold bytes which mean nothing in their form."""
        return ()

    @classmethod
    def personal(cls) -> bool:
        """Whether a field is personal, so that the record's bytes are not written down."""
        nested = (getattr(spec.codec, "record", None) for spec in cls.specs().values())
        return any(spec.personal is not None for spec in cls.specs().values()) or any(
            record.personal() for record in nested if record is not None
        )

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={HIDDEN if spec.personal else repr(value)}" for name, spec, value in self.values())
        return f"{type(self).__name__}({shown})"


class FixedRecord(Record):
    """Fields side by side; bytes beyond the declared ones are kept in `trailing`."""

    trailing: bytes = b""
    as_read: bytes | None = dataclasses.field(default=None, compare=False)

    @classmethod
    def size(cls) -> int:
        """Length of the declared fields in bytes."""
        return sum(spec.codec.size for spec in cls.specs().values())

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Decode the bytes of one record.

        Raises:
            CardDataInvalid: The record is too short, or a field that must be there is not.
        """
        size = cls.size()
        if len(raw) < size:
            raise CardDataInvalid(f"{cls.__name__} has {len(raw)} bytes, {size} are needed")
        values: dict[str, Any] = {"trailing": raw[size:], "as_read": raw}
        for name, spec, part in cls._split(raw):
            value = spec.codec.decode(part)
            if value is None and name not in _optional_names(cls):
                raise CardDataInvalid(f"{cls.__name__}.{name} is unwritten or malformed")
            values[name] = value
        return cls(**values)

    def encode(self) -> bytes:
        """The bytes of the record.

        Raises:
            ValueError: A value does not fit its field.
        """
        before = {} if self.as_read is None else {name: part for name, _, part in self._split(self.as_read)}
        parts = [_encode(name, spec, getattr(self, name), before.get(name)) for name, spec in self.specs().items()]
        fields = b"".join(parts)
        if len(fields) != self.size():
            raise ValueError(f"{type(self).__name__}: {len(fields)} bytes where {self.size()} fit")
        return fields + self.trailing

    def malformed(self) -> tuple[str, ...]:
        """Names of fields that hold bytes which mean nothing in their form."""
        if self.as_read is None:
            return ()
        return tuple(name for name, spec, part in self._split(self.as_read) if _is_malformed(spec.codec, part))

    @classmethod
    def _split(cls, raw: bytes) -> Iterator[tuple[str, FieldSpec, bytes]]:
        """Every field with its bytes."""
        begin = 0
        for name, spec in cls.specs().items():
            end = begin + spec.codec.size
            yield name, spec, raw[begin:end]
            begin = end


class ItemRecord(Record):
    """TLV items; those that are not declared are kept in `unknown`."""

    unknown: tuple[Tlv, ...] = ()
    as_read: Mapping[str, tuple[bytes, ...]] | None = dataclasses.field(default=None, compare=False)

    @classmethod
    def empty(cls) -> Self:
        """A record without any value; all its items are blank."""
        return cls()

    @classmethod
    def decode(cls, found: Iterable[Tlv]) -> Self:
        """Decode items in any order; of a tag count as many as are declared."""
        by_tag = {spec.tag: (name, spec) for name, spec in cls.specs().items()}
        as_read: dict[str, tuple[bytes, ...]] = {}
        unknown = []
        for tlv in found:
            name, spec = by_tag.get(tlv.tag, (None, None))
            if name is None or spec is None or len(as_read.get(name, ())) == spec.count:
                unknown.append(tlv)
            else:
                as_read[name] = (*as_read.get(name, ()), tlv.value)
        specs = cls.specs()
        values: dict[str, Any] = {}
        for name, raw in as_read.items():
            decoded = tuple(specs[name].codec.decode(one) for one in raw)
            values[name] = decoded[0] if specs[name].count == 1 else decoded
        return cls(unknown=tuple(unknown), as_read=as_read, **values)

    @classmethod
    def decode_concatenated(cls, raw: bytes) -> Self:
        """Decode the items of a "from 1 to last" READ RECORD.

        Raises:
            CardDataInvalid: An item is cut short.
        """
        return cls.decode(iterate_simple(raw))

    def encode(self) -> list[bytes]:
        """One TLV per item in declared order, then the unknown ones.

        Absent items are blank; those that a decoded record did not have are left out.

        Raises:
            ValueError: A value does not fit its item.
        """
        records = []
        for name, spec in self.specs().items():
            if spec.tag is None:
                raise TypeError(f"{type(self).__name__}.{name} has no tag")
            held = getattr(self, name)
            values = (held,) if spec.count == 1 else tuple(held)
            if len(values) > spec.count:
                raise ValueError(f"{name}: {len(values)} items where {spec.count} fit")
            before = () if self.as_read is None else self.as_read.get(name, ())
            for place in range(spec.count):
                value = values[place] if place < len(values) else None
                raw = before[place] if place < len(before) else None
                if value is None and raw is None and self.as_read is not None:
                    continue
                records.append(encode_simple(spec.tag, _encode(name, spec, value, raw)))
        return records + [encode_simple(tlv.tag, tlv.value) for tlv in self.unknown]

    def malformed(self) -> tuple[str, ...]:
        """Names of items that hold bytes which mean nothing in their form."""
        return tuple(
            name
            for name, raw in (self.as_read or {}).items()
            if any(_is_malformed(self.specs()[name].codec, one) for one in raw)
        )


def _parse(spec: FieldSpec, given: Any) -> Any:
    if spec.count == 1:
        return None if given is None else spec.codec.parse(given)
    if not isinstance(given, list) or len(given) > spec.count:
        raise ValueError(f"a list of at most {spec.count} is needed")
    return tuple(None if one is None else spec.codec.parse(one) for one in given)


def _is_malformed(codec: Codec[Any], raw: bytes) -> bool:
    return codec.decode(raw) is None and not codec.is_blank(raw)


def _encode(name: str, spec: FieldSpec, value: Any, before: bytes | None) -> bytes:
    """`before` where it means the same as `value`: a card's own filler and odd bytes survive."""
    if before is not None and spec.codec.decode(before) == value:
        return before
    try:
        return spec.codec.blank() if value is None else spec.codec.encode(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _optional_names(cls: type[Record]) -> set[str]:
    fields = dataclasses.fields(cast("Any", cls))
    return {f.name for f in fields if f.default is not dataclasses.MISSING}
