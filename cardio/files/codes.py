"""Codes of a standard with their meaning, and how cards store them (SSC §4.8)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cardio.files.codecs import Codec, Digits, Text, parse_text


class Codes(ABC):
    """Codes with a Chinese and an English text.

    Attributes:
        source: Standard and clause.
    """

    source: str

    @abstractmethod
    def entry(self, code: str) -> tuple[str, str] | None:
        """Chinese and English text of a code, None if the standard does not list it."""

    def text(self, code: str, language: str) -> str:
        """Meaning of a code in `zh` or `en`; unknown codes are shown as they are."""
        entry = self.entry(code)
        if entry is None:
            return code
        return entry[0] if language == "zh" else entry[1]


@dataclass(frozen=True)
class CodeTable(Codes):
    """Codes that are listed in full.

    Attributes:
        source: Standard and clause.
        entries: Code to Chinese and English text.
    """

    source: str
    entries: Mapping[str, tuple[str, str]]

    def entry(self, code: str) -> tuple[str, str] | None:
        """The texts of a listed code."""
        return self.entries.get(code)


class Code(Codec[str]):
    """A code of a table, stored as text (`an`), as packed digits (`cn`) or as a number (`b`).

    Unknown codes are kept as they are. `form` `b` gives two upper-case hex digits a byte, as the tables of wallets
    print their codes.

    Args:
        size: Length in bytes.
        table: The codes.
        form: `an`, `cn` or `b`.
        open_ended: Whether codes outside the table may be written: the table is not the whole standard.
    """

    def __init__(self, size: int, table: Codes, *, form: str = "an", open_ended: bool = False) -> None:
        super().__init__(size)
        self.table = table
        self.form = form
        self.open_ended = open_ended
        self._inner: Codec[str] = {"an": Text, "cn": _PackedCode, "b": _HexCode}[form](size)

    def decode(self, raw: bytes) -> str | None:
        """The code."""
        return self._inner.decode(raw)

    def parse(self, given: Any) -> str:
        """The code, alone or with its texts; only one of the table, unless that is open-ended."""
        code = parse_text(given.get("code") if isinstance(given, Mapping) else given)
        if not self.open_ended and self.table.entry(code) is None:
            raise ValueError(f"the code is not in the table {self.table.source}")
        return code

    def encode(self, value: str) -> bytes:
        """The code; only codes of the table are written, unless it is open-ended."""
        if not self.open_ended and self.table.entry(value) is None:
            raise ValueError(f"the code is not in the table {self.table.source}")
        return self._inner.encode(value)

    def blank(self) -> bytes:
        """As the inner form."""
        return self._inner.blank()

    def json(self, value: str) -> dict[str, str]:
        """The code with its texts."""
        return {"code": value, "zh": self.table.text(value, "zh"), "en": self.table.text(value, "en")}

    def json_schema(self) -> dict[str, Any]:
        """The code with its texts."""
        text = {"type": "string"}
        return {
            "type": "object",
            "properties": {"code": text, "zh": text, "en": text},
            "required": ["code", "zh", "en"],
        }

    def text(self, value: str, language: str) -> str:
        """The meaning; the code itself where it has none."""
        return self.table.text(value, language)


class _PackedCode(Digits):
    """Packed digits of a fixed length; code 00 is an unwritten one."""

    def encode(self, value: str) -> bytes:
        if len(value) != 2 * self.size:
            raise ValueError(f"{2 * self.size} decimal digits are needed")
        return super().encode(value)


class _HexCode(Codec[str]):
    def parse(self, given: Any) -> str:
        return parse_text(given)

    def decode(self, raw: bytes) -> str | None:
        return raw.hex().upper()

    def encode(self, value: str) -> bytes:
        try:
            raw = bytes.fromhex(value)
        except ValueError:
            raw = b""
        if len(raw) != self.size:
            raise ValueError(f"{2 * self.size} hex digits are needed")
        return raw
