"""Typed records over declared layouts.

A record class lists its fields once: annotation for the type checker, `field` or `item` for the bytes. The same
declaration decodes, encodes, masks personal data and feeds the manual.

    class LogRecord(FixedRecord):
        number: int = field(Number(2), "交易序号", "transaction number")

`FixedRecord` lays its fields side by side (construct underneath), `ItemRecord` holds one TLV item per field.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar, cast, dataclass_transform

import construct

from cardio.apdu.tlv import Tlv, encode_simple, iterate_simple
from cardio.errors import CardDataInvalid
from cardio.files.codecs import Codec
from cardio.files.masking import HIDDEN, Mask

T = TypeVar("T")


@dataclass(frozen=True)
class FieldSpec:
    """Declaration of one field.

    Attributes:
        codec: Its bytes.
        zh: Chinese title.
        en: English title.
        personal: How a person's name, number or address is masked; None for what is not personal.
        tag: Tag of the item; None in fixed records.
    """

    codec: Codec[Any]
    zh: str
    en: str
    personal: Mask | None = None
    tag: int | None = None


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


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field, optional, item))
class Record:
    """Base of all records; subclasses become frozen keyword-only dataclasses."""

    VECTORS: ClassVar[tuple[str, ...]] = ()
    """Encoded samples in hex, checked by the tests and printed in the manual."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(frozen=True, kw_only=True, repr=False)(cls)

    @classmethod
    def specs(cls) -> dict[str, FieldSpec]:
        """Declared fields by name, in order."""
        fields = dataclasses.fields(cast("Any", cls))
        return {f.name: f.metadata["spec"] for f in fields if "spec" in f.metadata}

    def values(self) -> Iterator[tuple[str, FieldSpec, Any]]:
        """Name, declaration and value of every field that is present."""
        for name, spec in self.specs().items():
            value = getattr(self, name)
            if value is not None:
                yield name, spec, value

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={HIDDEN if spec.personal else repr(value)}" for name, spec, value in self.values())
        return f"{type(self).__name__}({shown})"


class FixedRecord(Record):
    """Fields side by side; bytes beyond the declared ones are kept in `trailing`."""

    trailing: bytes = b""

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
        try:
            parsed = _layout(cls).parse(raw)
        except construct.StreamError as error:
            raise CardDataInvalid(f"{cls.__name__} has {len(raw)} bytes, {cls.size()} are needed") from error
        values: dict[str, Any] = {"trailing": parsed.trailing}
        for name, spec in cls.specs().items():
            value = spec.codec.decode(parsed[name])
            if value is None and name not in _optional_names(cls):
                raise CardDataInvalid(f"{cls.__name__}.{name} is unwritten or malformed")
            values[name] = value
        return cls(**values)

    def encode(self) -> bytes:
        """The bytes of the record.

        Raises:
            ValueError: A value does not fit its field.
        """
        values: dict[str, bytes] = {"trailing": self.trailing}
        for name, spec in self.specs().items():
            values[name] = _encode(spec, getattr(self, name))
        return bytes(_layout(type(self)).build(values))


class ItemRecord(Record):
    """One TLV item per field; items that are not declared are kept in `unknown`."""

    unknown: tuple[Tlv, ...] = ()

    @classmethod
    def decode(cls, items: Iterable[Tlv]) -> Self:
        """Decode items in any order; the first of a tag counts."""
        by_tag = {spec.tag: (name, spec) for name, spec in cls.specs().items()}
        values: dict[str, Any] = {}
        unknown = []
        for found in items:
            name, spec = by_tag.get(found.tag, (None, None))
            if name is None or spec is None or name in values:
                unknown.append(found)
            else:
                values[name] = spec.codec.decode(found.value)
        return cls(unknown=tuple(unknown), **values)

    @classmethod
    def decode_concatenated(cls, raw: bytes) -> Self:
        """Decode the items of a "from 1 to last" READ RECORD.

        Raises:
            CardDataInvalid: An item is cut short.
        """
        return cls.decode(iterate_simple(raw))

    def encode(self) -> list[bytes]:
        """One TLV per declared item in order, absent ones blank, then the unknown ones."""
        records = []
        for name, spec in self.specs().items():
            if spec.tag is None:
                raise TypeError(f"{type(self).__name__}.{name} has no tag")
            records.append(encode_simple(spec.tag, _encode(spec, getattr(self, name))))
        return records + [encode_simple(tlv.tag, tlv.value) for tlv in self.unknown]


def _encode(spec: FieldSpec, value: Any) -> bytes:
    return spec.codec.blank() if value is None else spec.codec.encode(value)


def _optional_names(cls: type[Record]) -> set[str]:
    fields = dataclasses.fields(cast("Any", cls))
    return {f.name for f in fields if f.default is not dataclasses.MISSING}


_LAYOUTS: dict[type[Record], Any] = {}


def _layout(cls: type[FixedRecord]) -> Any:
    """The construct of a record class, compiled on first use: logs are decoded in bulk."""
    if cls not in _LAYOUTS:
        parts = [name / construct.Bytes(spec.codec.size) for name, spec in cls.specs().items()]
        _LAYOUTS[cls] = construct.Struct(*parts, "trailing" / construct.GreedyBytes)
    return _LAYOUTS[cls]
