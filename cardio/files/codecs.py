"""Values of card fields: text, packed digits, numbers, amounts and bytes.

A codec turns the bytes of one field into a typed value and back, `decode(encode(value)) == value`. Unwritten bytes
decode to None: absent, which is not the same as empty or zero. Source: SSC §4.0, EW §2.
"""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

T = TypeVar("T")

TEXT_FILLERS = b"\x00 \xff"
UNREADABLE = "\ufffd"
"""What stands for a character that could not be read, such as half of one that is split over two items."""


class Codec(ABC, Generic[T]):
    """Bytes of one field to a value and back.

    Attributes:
        size: Length of the field in bytes.
        form: The standards' name of the form (`an`, `cn`, `b`), for the manual.
    """

    form: str = "b"

    def __init__(self, size: int) -> None:
        self.size = size

    @abstractmethod
    def decode(self, raw: bytes) -> T | None:
        """Value of `raw`, None where it is unwritten or senseless; `raw` may be shorter than `size`."""

    @abstractmethod
    def encode(self, value: T) -> bytes:
        """Exactly `size` bytes.

        Raises:
            ValueError: The value does not fit.
        """

    def blank(self) -> bytes:
        """Bytes of an absent value."""
        return b"\xff" * self.size

    def is_blank(self, raw: bytes) -> bool:
        """Whether `raw` was never written, which is not the same as malformed."""
        return unwritten(raw)

    def json(self, value: T) -> Any:
        """The value for JSON."""
        return value if isinstance(value, (int, str)) else str(value)

    @abstractmethod
    def parse(self, given: Any) -> T:
        """The value that `json` gave, or that a person typed for it.

        Raises:
            ValueError: It is none.
        """

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of `json`."""
        return {"type": "string"}

    def text(self, value: T, language: str) -> str:  # noqa: ARG002
        """The value for people, `language` is `zh` or `en`."""
        return str(self.json(value))


def parse_text(given: Any) -> str:
    """Insist on text.

    Raises:
        ValueError: It is something else, or empty, or holds a control character, or the mark of a character that could
            not be read.
    """
    if not isinstance(given, str) or not given:
        raise ValueError("text is needed")
    if UNREADABLE in given:
        raise ValueError("a character could not be read where this was taken from")
    if any(unicodedata.category(character) == "Cc" for character in given):
        raise ValueError("a control character is no text")
    return given


def parse_number(given: Any) -> int:
    """A whole number, also as decimal digits in text, as tables have it.

    Raises:
        ValueError: It is none.
    """
    if isinstance(given, str) and given.isascii() and given.isdecimal():
        return int(given)
    if isinstance(given, bool) or not isinstance(given, int):
        raise ValueError("a whole number is needed")  # noqa: TRY004 - as for every wrong value
    return given


def unwritten(raw: bytes) -> bool:
    """Whether `raw` is filler only: all 00, all FF or all spaces (SSC §4.0)."""
    return len(set(raw)) <= 1 and raw[:1] in {b"", b"\x00", b"\xff", b" "}


class Text(Codec[str]):
    """`an`: text left aligned and filled with 00; readers also accept 20 and FF as filler.

    Code page GBK, GB 18030 for characters outside it (SSC §1).
    """

    form = "an"

    def decode(self, raw: bytes) -> str | None:
        """Text up to the first 00, fillers stripped."""
        text = raw.split(b"\x00", 1)[0].rstrip(TEXT_FILLERS)
        return text.decode("gb18030", errors="replace") or None

    def parse(self, given: Any) -> str:
        """Text."""
        return parse_text(given)

    def encode(self, value: str) -> bytes:
        """GBK where it can, GB 18030 otherwise."""
        try:
            raw = value.encode("gbk")
        except UnicodeEncodeError:
            raw = _gb18030(value)
        if len(raw) > self.size:
            raise ValueError(f"text of {len(raw)} bytes does not fit into {self.size}")
        return raw.ljust(self.size, b"\x00")

    def blank(self) -> bytes:
        """Filler only."""
        return bytes(self.size)


def _gb18030(value: str) -> bytes:
    try:
        return value.encode("gb18030")
    except UnicodeEncodeError as error:
        raise ValueError(f"character {error.start + 1} has no code in GB 18030") from None


class Digits(Codec[str]):
    """`cn`: packed decimal digits, left aligned, filled with nibbles F.

    Args:
        size: Length in bytes.
        zero_is_value: Whether all zeros are a value (a terminal number without PSAM) and not an unwritten field.
    """

    form = "cn"

    def __init__(self, size: int, *, zero_is_value: bool = False) -> None:
        super().__init__(size)
        self.zero_is_value = zero_is_value

    def decode(self, raw: bytes) -> str | None:
        """Digits without filler; None for unwritten bytes and for nibbles that are no digits."""
        digits = raw.hex().rstrip("f")
        if not digits.isdecimal() or (not self.zero_is_value and not digits.strip("0")):
            return None
        return digits

    def parse(self, given: Any) -> str:
        """Digits."""
        return parse_text(given)

    def encode(self, value: str) -> bytes:
        """Digits, filled with F."""
        if len(value) > 2 * self.size or not value.isdecimal() or not value.isascii():
            raise ValueError(f"{self.size * 2} decimal digits are allowed")
        return bytes.fromhex(value.ljust(2 * self.size, "f"))


class HexDigits(Digits):
    """`cn` that real cards also fill with nibbles A to E: upper-case hexadecimal digits, filled with nibbles F."""

    def decode(self, raw: bytes) -> str | None:
        """Digits without filler; None for unwritten bytes."""
        digits = raw.hex().upper().rstrip("F")
        return digits if digits.strip("0") else None

    def encode(self, value: str) -> bytes:
        """Digits, filled with F."""
        if len(value) > 2 * self.size or not set(value) <= set("0123456789ABCDEF") or value[-1:] in {"", "F"}:
            raise ValueError(f"{self.size * 2} hexadecimal digits are allowed")
        return bytes.fromhex(value.ljust(2 * self.size, "F"))


class Number(Codec[int]):
    """`b`: unsigned big-endian integer."""

    def decode(self, raw: bytes) -> int | None:
        """Any bytes are a number."""
        return int.from_bytes(raw, "big")

    def parse(self, given: Any) -> int:
        """A whole number."""
        return parse_number(given)

    def encode(self, value: int) -> bytes:
        """Big-endian."""
        try:
            return value.to_bytes(self.size, "big")
        except OverflowError as error:
            raise ValueError(f"the number does not fit into {self.size} bytes") from error

    def json_schema(self) -> dict[str, Any]:
        """A number that fits the field."""
        return {"type": "integer", "minimum": 0, "maximum": 256**self.size - 1}


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals."""
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{abs(fen) // 100}.{abs(fen) % 100:02d}"


class BinaryAmount(Number):
    """`b`: amount in fen."""

    def text(self, value: int, language: str) -> str:  # noqa: ARG002
        """Yuan."""
        return yuan(value)


class Amount(Codec[int]):
    """`cn`: amount in fen as packed digits, right aligned: 298.19 yuan is 00 02 98 19 (SSC §4.0).

    Zeros are an amount; only filler F means that nothing was written.
    """

    form = "cn"

    def decode(self, raw: bytes) -> int | None:
        """Fen; None for bytes that are no digits."""
        digits = raw.hex()
        return int(digits) if digits.isdecimal() else None

    def parse(self, given: Any) -> int:
        """A whole number."""
        return parse_number(given)

    def encode(self, value: int) -> bytes:
        """Packed digits with leading zeros."""
        digits = f"{value:0{2 * self.size}d}"
        if value < 0 or len(digits) > 2 * self.size:
            raise ValueError(f"the amount does not fit into {2 * self.size} digits")
        return bytes.fromhex(digits)

    def json_schema(self) -> dict[str, Any]:
        """Fen."""
        return {"type": "integer", "minimum": 0, "maximum": 100**self.size - 1}

    def text(self, value: int, language: str) -> str:  # noqa: ARG002
        """Yuan."""
        return yuan(value)


class DecimalText(Codec[int]):
    """`an`: a count as zero-padded decimal characters, such as 186 months (SSC §4.0)."""

    form = "an"

    def decode(self, raw: bytes) -> int | None:
        """The number; fillers are stripped."""
        digits = raw.split(b"\x00", 1)[0].strip(TEXT_FILLERS)
        return int(digits) if digits.isdigit() else None

    def parse(self, given: Any) -> int:
        """A whole number."""
        return parse_number(given)

    def encode(self, value: int) -> bytes:
        """Zero-padded."""
        digits = f"{value:0{self.size}d}"
        if value < 0 or len(digits) > self.size:
            raise ValueError(f"the number does not fit into {self.size} digits")
        return digits.encode("ascii")

    def blank(self) -> bytes:
        """Filler only."""
        return bytes(self.size)

    def json_schema(self) -> dict[str, Any]:
        """A number that fits the field."""
        return {"type": "integer", "minimum": 0, "maximum": 10**self.size - 1}


class Flag(Codec[bool]):
    """`an 1`: "0" no, "1" yes (SSC §4.0)."""

    form = "an"

    def __init__(self) -> None:
        super().__init__(1)

    def decode(self, raw: bytes) -> bool | None:
        """None for everything but the two digits."""
        return {b"0": False, b"1": True}.get(raw)

    def parse(self, given: Any) -> bool:
        """True or false, also as `1` and `0`, 是 and 否, yes and no."""
        words = {"1": True, "是": True, "yes": True, "0": False, "否": False, "no": False}
        found = words.get(given) if isinstance(given, str) else given
        if not isinstance(found, bool):
            raise ValueError("yes or no is needed")  # noqa: TRY004 - as for every wrong value
        return found

    def encode(self, value: bool) -> bytes:
        """One digit."""
        return b"1" if value else b"0"

    def blank(self) -> bytes:
        """Filler only."""
        return bytes(1)

    def json_schema(self) -> dict[str, Any]:
        """Yes or no."""
        return {"type": "boolean"}

    def text(self, value: bool, language: str) -> str:
        """是 or yes, 否 or no."""
        if language == "zh":
            return "是" if value else "否"
        return "yes" if value else "no"


class Octets(Codec[bytes]):
    """`b`: bytes without inner meaning, or raw bytes in a `cn` item that real cards fill otherwise.

    Args:
        size: Length in bytes.
        blank_is_value: Whether all 00 and all FF are a value (an issuer that keys are diversified by).
    """

    def __init__(self, size: int, *, blank_is_value: bool = False) -> None:
        super().__init__(size)
        self.blank_is_value = blank_is_value

    def decode(self, raw: bytes) -> bytes | None:
        """The bytes themselves; all FF or all 00 are unwritten unless they are a value."""
        if self.blank_is_value:
            return raw
        return None if not raw.strip(b"\xff") or not raw.strip(b"\x00") else raw

    def parse(self, given: Any) -> bytes:
        """Hex digits."""
        return bytes.fromhex(parse_text(given))

    def encode(self, value: bytes) -> bytes:
        """The bytes, which must have the field's length."""
        if len(value) != self.size:
            raise ValueError(f"{len(value)} bytes where {self.size} are needed")
        return value

    def json(self, value: bytes) -> str:
        """Hex digits."""
        return value.hex().upper()

    def json_schema(self) -> dict[str, Any]:
        """Hex digits."""
        return {"type": "string", "pattern": "^([0-9A-F]{2})*$"}


class TextOctets(Octets):
    """`an` kept as bytes, because a character may be split between two items (SSC §10.2)."""

    form = "an"

    def parse(self, given: Any) -> bytes:
        """Text, or the bytes of this item's part of a longer one."""
        return given if isinstance(given, bytes) else Text(self.size).encode(parse_text(given))

    def json(self, value: bytes) -> str:
        """The text as far as these bytes hold it."""
        return Text(len(value)).decode(value) or ""

    def json_schema(self) -> dict[str, Any]:
        """Text."""
        return {"type": "string"}

    def blank(self) -> bytes:
        """Filler of text."""
        return bytes(self.size)


def joined_text(*parts: bytes | None) -> str | None:
    """Text that is split over several items, joined before decoding: a character may be split too (SSC §10.2).

    A space at the end of a part is text when the text goes on, and filler otherwise.

    Args:
        parts: Values of `TextOctets` items in order; None for an absent one.
    """
    joined = b"".join((part or b"").rstrip(b"\x00\xff") for part in parts)
    return Text(len(joined)).decode(joined)
