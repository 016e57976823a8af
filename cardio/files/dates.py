"""Dates and times of card fields (SSC §4.0, EW §2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import total_ordering
from typing import Any

from cardio.files.codecs import Codec, parse_text

CARD_TIMEZONE = timezone(timedelta(hours=8), "CST")
"""Cards store local time without a zone; all of China keeps UTC+8."""

_ISO_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


@total_ordering
@dataclass(frozen=True)
class CardDate:
    """A date as cards know it: at least a year, usually month and day (SSC §4.0).

    Dates are ordered by the first day they can mean, a vaguer date before an exact one.
    """

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

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, CardDate):
            return NotImplemented
        return self._order < other._order

    @property
    def _order(self) -> tuple[int, int, int]:
        return self.year, self.month or 0, self.day or 0

    def __str__(self) -> str:
        """ISO 8601, as far as known: 2026, 2026-11 or 2026-11-23."""
        parts = [f"{self.year:04d}"]
        if self.month is not None:
            parts.append(f"{self.month:02d}")
        if self.day is not None:
            parts.append(f"{self.day:02d}")
        return "-".join(parts)


class _DateCodec(Codec[CardDate]):
    form = "cn"

    def parse(self, given: Any) -> CardDate:
        """ISO 8601, as far as known."""
        parts = _ISO_DATE.fullmatch(parse_text(given))
        if parts is None:
            raise ValueError("a date is needed, as 2026-11-23, 2026-11 or 2026")
        year, month, day = (None if part is None else int(part) for part in parts.groups())
        found = CardDate(year or 0, month, day)
        _ = found.first
        return found

    def json_schema(self) -> dict[str, Any]:
        """A year, a month or a day in ISO 8601."""
        return {"type": "string", "pattern": r"^\d{4}(-\d{2}(-\d{2})?)?$"}


class Date(_DateCodec):
    """`cn 4` YYYYMMDD; four ASCII digits are taken as a year, as some 2.0 cards carry them (SSC §9.2)."""

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


class YearMonth(_DateCodec):
    """`cn 3` YYYYMM."""

    def __init__(self) -> None:
        super().__init__(3)

    def decode(self, raw: bytes) -> CardDate | None:
        """None for unwritten and impossible months."""
        digits = raw.hex()
        if len(digits) != 6 or not digits.isdecimal():
            return None
        year, month = int(digits[:4]), int(digits[4:])
        return CardDate(year, month) if year and 1 <= month <= 12 else None

    def encode(self, value: CardDate) -> bytes:
        """Packed digits of year and month."""
        if value.month is None or value.day is not None:
            raise ValueError(f"{value} is not a month")
        return bytes.fromhex(f"{value.year:04d}{value.month:02d}")


class Year(_DateCodec):
    """`cn 2` YYYY."""

    def __init__(self) -> None:
        super().__init__(2)

    def decode(self, raw: bytes) -> CardDate | None:
        """None for unwritten years."""
        digits = raw.hex()
        return CardDate(int(digits)) if len(digits) == 4 and digits.isdecimal() and int(digits) else None

    def encode(self, value: CardDate) -> bytes:
        """Packed digits of the year."""
        if value.month is not None or value.day is not None:
            raise ValueError(f"{value} is not a year")
        return bytes.fromhex(f"{value.year:04d}")


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

    def parse(self, given: Any) -> datetime:
        """RFC 3339; without an offset it is the cards' local time."""
        try:
            found = datetime.fromisoformat(parse_text(given))
        except ValueError:
            raise ValueError("a time is needed, as 2026-11-23T09:30:00") from None
        return found.replace(tzinfo=CARD_TIMEZONE) if found.tzinfo is None else found

    def encode(self, value: datetime) -> bytes:
        """Packed digits of the local time."""
        return encode_time(value)

    def json(self, value: datetime) -> str:
        """RFC 3339."""
        return value.isoformat()

    def json_schema(self) -> dict[str, Any]:
        """RFC 3339."""
        return {"type": "string", "format": "date-time"}

    def text(self, value: datetime, language: str) -> str:  # noqa: ARG002
        """Local time to the second."""
        return f"{value:%Y-%m-%d %H:%M:%S}"


def encode_time(value: datetime) -> bytes:
    """The 7 bytes YYYYMMDDhhmmss that cards and PSAMs take, in their local time."""
    local = value.astimezone(CARD_TIMEZONE)
    return bytes.fromhex(f"{local.year:04d}{local:%m%d%H%M%S}")
