"""A search for values in any form in which a program may leave them behind."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

SHORTEST = 6
"""Bytes of the shortest form that is looked for; a shorter one is there by chance, among hashes and random ids."""


@dataclass(frozen=True)
class Canary:
    """A value that must not be found.

    Attributes:
        name: What it is.
        exact: Ways in which it may be written down, by their names.
        caseless: Those with hex digits or the like, in lower case.
    """

    name: str
    exact: Mapping[str, bytes]
    caseless: Mapping[str, bytes]

    def in_(self, content: bytes, lower: bytes) -> list[str]:
        """Names of the ways in which a content has it, which comes as it is and in lower case."""
        return [way for way, form in self.exact.items() if form in content] + [
            way for way, form in self.caseless.items() if form in lower
        ]


def found(canaries: Iterable[Canary], places: Mapping[str, bytes]) -> list[str]:
    """Which canary is where, in which form; in words."""
    looked_for = list(canaries)
    told = []
    for place, content in places.items():
        lower = content.lower()
        told += [f"{canary.name} as {way} in {place}" for canary in looked_for for way in canary.in_(content, lower)]
    return told


def of_text(name: str, text: str) -> Canary:
    """Characters, in the encodings of cards and programs."""
    return _canary(name, list(_of_text(text)))


def of_digits(name: str, digits: str) -> Canary:
    """A number: as characters, and packed into bytes as cards have it, at either half of a byte."""
    whole = digits[: len(digits) // 2 * 2]
    inner = digits[1 : 1 + (len(digits) - 1) // 2 * 2]
    packed = [*_of_bytes("packed", bytes.fromhex(whole)), *_of_bytes("packed one off", bytes.fromhex(inner))]
    return _canary(name, [*_of_text(digits), *packed])


def of_bytes(name: str, value: bytes) -> Canary:
    """A key."""
    return _canary(name, list(_of_bytes("bytes", value)))


def _canary(name: str, forms: list[tuple[str, bytes, bool]]) -> Canary:
    """Each form once: in many encodings digits are the same bytes."""
    exact: dict[bytes, str] = {}
    caseless: dict[bytes, str] = {}
    for way, form, any_case in forms:
        if len(form) >= SHORTEST and form not in exact:
            (caseless if any_case else exact).setdefault(form.lower() if any_case else form, way)
    return Canary(name, {way: form for form, way in exact.items()}, {way: form for form, way in caseless.items()})


def _of_text(text: str) -> Iterator[tuple[str, bytes, bool]]:
    """Forms, and whether their case means nothing."""
    for encoding in ("utf-8", "gbk", "utf-16-le", "utf-16-be"):
        encoded = text.encode(encoding)
        yield from _of_bytes(encoding, encoded)
        yield f"{encoding}, percent-encoded", urllib.parse.quote_from_bytes(encoded, safe="").encode(), True
    yield "escapes", json.dumps(text)[1:-1].encode(), True
    yield "backwards", text[::-1].encode("utf-8"), False


def _of_bytes(name: str, value: bytes) -> Iterator[tuple[str, bytes, bool]]:
    yield name, value, False
    yield f"{name}, printed by Python", repr(value)[2:-1].encode(), False
    yield f"{name}, hex", value.hex().encode(), True
    yield f"{name}, spaced hex", value.hex(" ").encode(), True
    for separator in (",", ", "):
        yield f"{name}, list of '{separator}'", separator.join(map(str, value)).encode(), False
    for offset in range(3):
        # Of a longer value's base64 only the characters that this value alone decides.
        whole = base64.b64encode(bytes(offset) + value)
        inner = whole[(offset * 8 + 5) // 6 : (offset + len(value)) * 8 // 6]
        if len(inner) * 6 >= SHORTEST * 8:
            yield f"{name}, base64 {offset} bytes in", inner, False
            yield f"{name}, URL base64 {offset} bytes in", inner.translate(bytes.maketrans(b"+/", b"-_")), False
