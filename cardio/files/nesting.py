"""Fields that have fields of their own: B-TLV items, and codes made of several parts (SSC §4.0)."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from cardio.apdu.tlv import iterate_simple
from cardio.errors import CardDataInvalid
from cardio.files.codecs import Codec, unwritten
from cardio.files.record import FixedRecord, ItemRecord, Record

R = TypeVar("R", bound=Record)
I = TypeVar("I", bound=ItemRecord)  # noqa: E741
F = TypeVar("F", bound=FixedRecord)


class _RecordCodec(Codec[R], Generic[R]):
    """The value is a record; JSON is made of its fields.

    Attributes:
        record: The record's class.
    """

    def __init__(self, record: type[R], size: int) -> None:
        super().__init__(size)
        self.record = record

    def json(self, value: R) -> Any:
        """The record's fields, unmasked."""
        return value.show(masked=False)

    def parse(self, given: Any) -> R:
        """The record's fields by name."""
        return self.record.parse(given)

    def json_schema(self) -> dict[str, Any]:
        """The record's schema."""
        return self.record.json_schema()


class Constructed(_RecordCodec[I], Generic[I]):
    """B-TLV: the value is a chain of TLVs, read and written as a whole."""

    form = "B-TLV"

    def __init__(self, record: type[I]) -> None:
        super().__init__(record, sum(spec.count * (2 + spec.codec.size) for spec in record.specs().values()))

    def decode(self, raw: bytes) -> I | None:
        """None where nothing is written, and where the chain is broken."""
        if unwritten(raw):
            return None
        try:
            record = self.record.decode(iterate_simple(raw))
        except CardDataInvalid:
            return None
        return record if record.unknown or any(True for _ in record.values()) else None

    def is_blank(self, raw: bytes) -> bool:
        """Filler only, or a chain whose items were never written."""
        if unwritten(raw):
            return True
        try:
            record = self.record.decode(iterate_simple(raw))
        except CardDataInvalid:
            return False
        return not record.unknown and not record.malformed() and not any(True for _ in record.values())

    def encode(self, value: I) -> bytes:
        """The chain; absent inner items are blank."""
        return b"".join(value.encode())

    def blank(self) -> bytes:
        """A chain of blank items."""
        return b"".join(self.record.empty().encode())


class Composite(_RecordCodec[F], Generic[F]):
    """A field that packs several codes or flags side by side, all of them optional."""

    form = "an"

    def __init__(self, record: type[F]) -> None:
        super().__init__(record, record.size())

    def decode(self, raw: bytes) -> F | None:
        """None where nothing is written, and where the parts do not fit; short values are completed with filler."""
        if unwritten(raw):
            return None
        record = self.record.decode(raw.ljust(self.size, b"\x00"))
        return record if any(True for _ in record.values()) else None

    def encode(self, value: F) -> bytes:
        """The parts side by side."""
        return value.encode()

    def blank(self) -> bytes:
        """Filler of text."""
        return bytes(self.size)
