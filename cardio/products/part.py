"""What all parts of a product file share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer


class Part(BaseModel):
    """A table of a product file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(Part):
    """A name in both languages."""

    zh: str
    en: str


def _hex(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a string of hex digits")  # noqa: TRY004 (pydantic wants ValueError)
    return bytes.fromhex(value)


def check_hex(value: str) -> str:
    """Insist on whole bytes in hex."""
    bytes.fromhex(value)
    return value.upper()


Hex = Annotated[bytes, BeforeValidator(_hex), PlainSerializer(lambda value: value.hex().upper(), when_used="json")]
"""Bytes, written as hex digits."""
