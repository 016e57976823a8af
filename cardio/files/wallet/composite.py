"""Composite application records of CJ/T 166 and ETC cards (EW §2.9); those of T-Union are in `tunion`.

Their files have variable records in the card's terms, but a record never changes its length: UPDATE CAPP DATA CACHE
must carry exactly the stored one.
"""

from __future__ import annotations

from cardio.files.codecs import Number, Octets
from cardio.files.codes import Code
from cardio.files.declaration import (
    FREE,
    FileDeclaration,
    Structure,
    any_of,
)
from cardio.files.record import FixedRecord, field, optional
from cardio.files.tables.wallet import COMPOSITE_RECORD, LOCK_FLAG


class CompositeRecord(FixedRecord):
    """复合应用记录: the head of every one; its data are in `trailing` (EW §2.9)."""

    identifier: str = field(Code(1, COMPOSITE_RECORD, form="b", open_ended=True), "记录ID标识", "record identifier")
    length: int = field(Number(1), "记录长度", "bytes that follow")
    lock: str = field(Code(1, LOCK_FLAG, form="b", open_ended=True), "应用锁定标志", "application lock flag")

    VECTORS = ("012E00",)


class CompositeRecordCjt166(CompositeRecord):
    """EF17 复合应用记录 after CJ/T 166, 48 bytes; the data are the city's own (EW §2.9)."""

    data: bytes | None = optional(Octets(45), "应用数据", "application data")

    VECTORS = ("012E00" + "0102030405060708090A0B0C0D0E0F" * 3,)


class CompositeRecordEtc(CompositeRecord):
    """EF19 复合应用记录 of ETC cards, the form AA 29 of 43 bytes (EW §2.9)."""

    data: bytes | None = optional(Octets(40), "应用数据", "application data")

    VECTORS = ("AA2900" + "0102030405060708" * 5,)


class CompositeRecordEtcShort(CompositeRecord):
    """EF19 复合应用记录 of ETC cards, the form AA 25 of 39 bytes (EW §2.9)."""

    data: bytes | None = optional(Octets(36), "应用数据", "application data")

    VECTORS = ("AA2500" + "010203040506070809" * 4,)


EF17_COMPOSITE = FileDeclaration(
    0x0017,
    0x17,
    "复合应用记录文件",
    "composite records",
    Structure.LINEAR_FIXED,
    CompositeRecordCjt166,
    read=FREE,
    update=any_of("DAMK"),
    size=48,
    source="EW §2.1, §2.9",
)
EF19_COMPOSITE_ETC = FileDeclaration(
    0x0019,
    0x19,
    "复合应用记录文件",
    "composite records",
    Structure.LINEAR_FIXED,
    CompositeRecordEtc,
    read=FREE,
    update=any_of("DAMK"),
    size=43,
    layouts={b"\xaa\x25": CompositeRecordEtcShort},
    source="EW §2.1, §2.9",
)
