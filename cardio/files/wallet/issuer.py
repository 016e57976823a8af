"""Issuer data of CJ/T 166 cards, EF05 in the master file (EW §2.5)."""

from __future__ import annotations

from cardio.files.codecs import Digits, Octets
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import (
    FREE,
    FileDeclaration,
    Structure,
    any_of,
)
from cardio.files.nesting import Composite
from cardio.files.record import FixedRecord, field, optional
from cardio.files.wallet.serial import ApplicationSerialNumber


class CardIssuerData(FixedRecord):
    """MF EF05 发卡机构信息, 30 bytes, packed digits except the serial (EW §2.5)."""

    issuer_code: str | None = optional(Digits(2), "发卡机构代码", "issuer code")
    city: str | None = optional(Digits(2), "城市代码", "city code")
    industry: str | None = optional(Digits(2), "行业代码", "industry code")
    reserved: bytes | None = optional(Octets(2), "预留", "reserved")
    asn: ApplicationSerialNumber = field(Composite(ApplicationSerialNumber), "应用序列号", "application serial number")
    main_type: str | None = optional(Digits(1, zero_is_value=True), "卡主类型", "card main type")
    sub_type: str | None = optional(Digits(1, zero_is_value=True), "卡子类型", "card sub type")
    issued: CardDate | None = optional(Date(), "发卡日期", "issue date")
    device: str | None = optional(Digits(6), "发卡设备编号", "issuing device")
    application_version: str | None = optional(Digits(2, zero_is_value=True), "应用版本", "application version")

    VECTORS = (("9999999900010300" "9999010000BC614E" "0100" "20260601" "999900000001" "0100"),)  # fmt: skip


EF05_CARD_ISSUER = FileDeclaration(
    0x0005,
    0x05,
    "发卡机构信息文件",
    "issuer data",
    Structure.TRANSPARENT,
    CardIssuerData,
    read=FREE,
    # The line protection key of the master file, as in PERS §5.2 (EW §4.7).
    update=any_of("CLK"),
    size=30,
    source="EW §2.5",
)
