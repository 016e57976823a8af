"""Management data of T-Union cards, EF17 (EW §2.6)."""

from __future__ import annotations

from cardio.files.codecs import Digits, Octets
from cardio.files.codes import Code
from cardio.files.declaration import (
    FREE,
    FileDeclaration,
    Structure,
    any_of,
)
from cardio.files.record import FixedRecord, field, optional
from cardio.files.tables.wallet import CARD_KIND, INTEROPERABLE


class ManagementData(FixedRecord):
    """EF17 管理信息, 60 bytes (EW §2.6)."""

    country: str | None = optional(Digits(4), "国际代码", "country code")
    province: str | None = optional(Digits(2), "省级代码", "province code")
    city: str | None = optional(Digits(2), "城市代码", "city code")
    interoperable: str = field(Code(2, INTEROPERABLE, form="b", open_ended=True), "互通卡种", "interoperable card")
    kind: str = field(Code(1, CARD_KIND, form="b", open_ended=True), "卡种类型", "card kind")
    reserved: bytes | None = optional(Octets(49), "预留", "reserved")

    VECTORS = (
        "00000156" "9900" "9999" "0001" "01" + "00" * 49,
        "00000156" "9900" "9999" "0000" "05" + "00" * 48 + "01",
    )  # fmt: skip


EF17_MANAGEMENT = FileDeclaration(
    0x0017,
    0x17,
    "管理信息文件",
    "management data",
    Structure.TRANSPARENT,
    ManagementData,
    read=FREE,
    update=any_of("DAMK"),
    size=60,
    source="EW §2.6",
)
