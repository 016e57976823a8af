"""Values of card fields: text, packed digits, numbers, dates, amounts and codes.

A codec turns the bytes of one field into a typed value and back, `decode(encode(value)) == value`. Unwritten bytes
decode to None: absent, which is not the same as empty or zero. Source: SSC §4.0, EW §2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Generic, TypeVar

T = TypeVar("T")

CARD_TIMEZONE = timezone(timedelta(hours=8), "CST")
"""Cards store local time without a zone; all of China keeps UTC+8."""

TEXT_FILLERS = b"\x00 \xff"


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


class Text(Codec[str]):
    """`an`: text left aligned and filled with 00; readers also accept 20 and FF as filler.

    Code page GBK, GB 18030 for characters outside it (SSC §1).
    """

    form = "an"

    def decode(self, raw: bytes) -> str | None:
        """Text up to the first 00, fillers stripped."""
        text = raw.split(b"\x00", 1)[0].rstrip(TEXT_FILLERS)
        return text.decode("gb18030", errors="replace") or None

    def encode(self, value: str) -> bytes:
        """GBK where it can, GB 18030 otherwise."""
        try:
            raw = value.encode("gbk")
        except UnicodeEncodeError:
            raw = value.encode("gb18030")
        if len(raw) > self.size:
            raise ValueError(f"text of {len(raw)} bytes does not fit into {self.size}")
        return raw.ljust(self.size, b"\x00")

    def blank(self) -> bytes:
        """Filler only."""
        return bytes(self.size)


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

    def encode(self, value: int) -> bytes:
        """Big-endian."""
        try:
            return value.to_bytes(self.size, "big")
        except OverflowError as error:
            raise ValueError(f"{value} does not fit into {self.size} bytes") from error


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

    def encode(self, value: bytes) -> bytes:
        """The bytes, which must have the field's length."""
        if len(value) != self.size:
            raise ValueError(f"{len(value)} bytes where {self.size} are needed")
        return value


class TextOctets(Octets):
    """`an` kept as bytes, because a character may be split between two items (SSC §10.2)."""

    form = "an"

    def blank(self) -> bytes:
        """Filler of text."""
        return bytes(self.size)


@dataclass(frozen=True, order=True)
class CardDate:
    """A date as cards know it: at least a year, usually month and day (SSC §4.0)."""

    year: int
    month: int | None = None
    day: int | None = None

    @classmethod
    def of(cls, value: date) -> CardDate:
        """The full date."""
        return cls(value.year, value.month, value.day)

    @property
    def first(self) -> date:
        """First day it can mean."""
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def last(self) -> date:
        """Last day it can mean."""
        if self.day is not None and self.month is not None:
            return date(self.year, self.month, self.day)
        if self.year == date.max.year and self.month in {None, 12}:
            return date.max
        following = date(self.year + 1, 1, 1) if self.month in {None, 12} else date(self.year, (self.month or 0) + 1, 1)
        return following - timedelta(days=1)

    def __str__(self) -> str:
        """ISO 8601, as far as known: 2026, 2026-11 or 2026-11-23."""
        parts = [f"{self.year:04d}"]
        if self.month is not None:
            parts.append(f"{self.month:02d}")
        if self.day is not None:
            parts.append(f"{self.day:02d}")
        return "-".join(parts)


class Date(Codec[CardDate]):
    """`cn 4` YYYYMMDD; four ASCII digits are taken as a year, as some 2.0 cards carry them (SSC §9.2)."""

    form = "cn"

    def __init__(self) -> None:
        super().__init__(4)

    def decode(self, raw: bytes) -> CardDate | None:
        """None for unwritten and impossible dates."""
        if len(raw) == 4 and raw.isdigit():
            return CardDate(int(raw)) if int(raw) else None
        digits = raw.hex()
        if len(digits) != 8 or not digits.isdecimal():
            return None
        try:
            return CardDate.of(date(int(digits[:4]), int(digits[4:6]), int(digits[6:])))
        except ValueError:
            return None

    def encode(self, value: CardDate) -> bytes:
        """Packed digits; a bare year in the ASCII form."""
        if value.month is None and value.day is None and 0 < value.year <= date.max.year:
            return f"{value.year:04d}".encode("ascii")
        if value.month is None or value.day is None:
            raise ValueError(f"{value} is neither a year nor a full date")
        day = date(value.year, value.month, value.day)
        return bytes.fromhex(f"{day.year:04d}{day.month:02d}{day.day:02d}")


class Timestamp(Codec[datetime]):
    """`cn 7` YYYYMMDDhhmmss, local time."""

    form = "cn"

    def __init__(self) -> None:
        super().__init__(7)

    def decode(self, raw: bytes) -> datetime | None:
        """None for unwritten and impossible times."""
        if len(raw) != self.size:
            return None
        try:
            return datetime.strptime(raw.hex(), "%Y%m%d%H%M%S").replace(tzinfo=CARD_TIMEZONE)
        except ValueError:
            return None

    def encode(self, value: datetime) -> bytes:
        """Packed digits of the local time."""
        return encode_time(value)


def encode_time(value: datetime) -> bytes:
    """The 7 bytes YYYYMMDDhhmmss that cards and PSAMs take, in their local time."""
    local = value.astimezone(CARD_TIMEZONE)
    return bytes.fromhex(f"{local.year:04d}{local:%m%d%H%M%S}")


@dataclass(frozen=True)
class CodeTable:
    """Codes of a standard with their meaning.

    Attributes:
        source: Standard and clause.
        entries: Code to Chinese and English text.
    """

    source: str
    entries: Mapping[str, tuple[str, str]]

    def text(self, code: str, language: str) -> str:
        """Meaning of a code in `zh` or `en`; unknown codes are shown as they are."""
        entry = self.entries.get(code)
        if entry is None:
            return code
        return entry[0] if language == "zh" else entry[1]


class Code(Codec[str]):
    """A code of a table, stored as text (`an`) or packed digits (`cn`); unknown codes are kept as they are."""

    def __init__(self, size: int, table: CodeTable, *, packed: bool = False) -> None:
        super().__init__(size)
        self.table = table
        self.codec: Codec[str] = Digits(size) if packed else Text(size)
        self.form = self.codec.form

    def decode(self, raw: bytes) -> str | None:
        """The code."""
        return self.codec.decode(raw)

    def encode(self, value: str) -> bytes:
        """The code; only codes of the table are written."""
        if value not in self.table.entries:
            raise ValueError(f"{value!r} is not in the table {self.table.source}")
        return self.codec.encode(value)

    def blank(self) -> bytes:
        """As the inner form."""
        return self.codec.blank()
