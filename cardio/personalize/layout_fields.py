"""Values in layout files: bytes and identifiers in hex, kinds of keys by name."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

from cardio.files.key_file import KeyKind


def _byte(value: object) -> object:
    return int(value, 16) if isinstance(value, str) else value


Byte = Annotated[
    int,
    BeforeValidator(_byte),
    PlainSerializer(lambda value: f"{value:02X}", when_used="json"),
    Field(ge=0, le=0xFF),
]
"""A byte, as a number or as two hex digits."""
Identifier = Annotated[
    int,
    BeforeValidator(_byte),
    PlainSerializer(lambda value: f"{value:04X}", when_used="json"),
    Field(ge=0, le=0xFFFF),
]
"""A file identifier, as a number or as four hex digits."""


def _kind(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return KeyKind[value.upper().replace("-", "_")]
    except KeyError:
        names = ", ".join(kind.name.lower().replace("_", "-") for kind in KeyKind)
        raise ValueError(f"{value} is none of {names}") from None


Kind = Annotated[
    KeyKind,
    BeforeValidator(_kind),
    PlainSerializer(lambda value: value.name.lower().replace("_", "-"), when_used="json"),
]
"""A kind of key by its name, `external`."""
