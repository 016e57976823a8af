"""Trip log of T-Union cards, EF1E (EW §2.8)."""

from __future__ import annotations

from datetime import datetime

from cardio.files.codecs import BinaryAmount, Digits, HexDigits, Number, Octets
from cardio.files.codes import Code
from cardio.files.dates import Timestamp
from cardio.files.declaration import (
    FREE,
    NEVER,
    FileDeclaration,
    Structure,
)
from cardio.files.record import FixedRecord, field, optional
from cardio.files.tables.wallet import INDUSTRY, TRADE_KIND


class TripRecord(FixedRecord):
    """EF1E 交通行业交易记录, 48 bytes without header (EW §2.8).

    Line and station are bytes: cards hold them as packed digits or as numbers.
    """

    kind: str = field(Code(1, TRADE_KIND, form="b", open_ended=True), "交易类型", "trade kind")
    terminal: str | None = optional(Digits(8, zero_is_value=True), "终端编号", "terminal number")
    industry: str = field(Code(1, INDUSTRY, form="b", open_ended=True), "行业代码", "industry")
    line: bytes = field(Octets(2, blank_is_value=True), "线路号", "line")
    station: bytes = field(Octets(2, blank_is_value=True), "站点号", "station")
    reserved: bytes | None = optional(Octets(3), "预留", "reserved")
    amount_fen: int = field(BinaryAmount(4), "交易金额", "amount, fen")
    balance_fen: int = field(BinaryAmount(4), "交易后余额", "balance after, fen")
    time: datetime | None = optional(Timestamp(), "交易日期时间", "date and time")
    city: str | None = optional(Digits(2), "受理方城市代码", "city of the accepting party")
    institution: str | None = optional(HexDigits(8), "受理方机构标识", "institution of the accepting party")
    incomplete_max_fen: int = field(BinaryAmount(4), "不完整交易最大金额", "largest amount of an incomplete trip, fen")
    incomplete_minutes: int = field(Number(2), "不完整交易最长时间", "longest time of an incomplete trip, minutes")

    VECTORS = (
        # EW §10: 3des-composite-entry-zero, 3des-bike-rent, 3des-bike-return
        ("03000011223344556602001200030000000000000000001388"
         "20260318073000375002313750FFFFFFFF000000000000"),
        ("030000112233445566060204000B00000000000000000007D0"
         "20260319180000375002313750FFFFFFFF000000000000"),
        ("0400001122334455660603110005000000000000640000076C"
         "20260319191500375002313750FFFFFFFF000000000000"),
        ("0600009999000000010100010002AABBCC000001900000BEEF"
         "20260601080910999902319999FFFFFFFF00000708003C"),
    )  # fmt: skip


EF1E_TRIPS = FileDeclaration(
    0x001E,
    0x1E,
    "交通行业交易记录文件",
    "trip log",
    Structure.CYCLIC,
    TripRecord,
    read=FREE,
    update=NEVER,
    size=48,
    records=30,  # as many as readers poll (EW §2.8)
    source="EW §2.8",
)
