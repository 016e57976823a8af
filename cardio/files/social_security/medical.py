"""DF04 社会保险信息区2, medical insurance (SSC §3.1, §4.5)."""

from __future__ import annotations

from datetime import datetime

from cardio.files.codecs import Digits, Number, Text
from cardio.files.codes import Code
from cardio.files.dates import Timestamp
from cardio.files.declaration import (
    NEVER,
    PIN,
    ApplicationDeclaration,
    FileDeclaration,
    Structure,
    any_of,
)
from cardio.files.record import FixedRecord, ItemRecord, field, item
from cardio.files.tables.card import MEDICAL_CARD_MODE, MEDICAL_RECORD_TYPE


class MedicalData(ItemRecord):
    """DF04 EF05 医疗保险基本信息, the items this library uses so far (SSC §4.5)."""

    scheme: str | None = item(0x81, Text(8), "医疗保险险种类型及标识", "medical insurance scheme and flags")
    region: str | None = item(0x84, Digits(3), "参保地所属行政区划代码", "region of participation")
    mode: str | None = item(0x8F, Code(1, MEDICAL_CARD_MODE), "医疗保险用卡方式", "card mode")

    VECTORS = (("81083331303030303030" "8403999900" "8F0132"),)  # fmt: skip


class MedicalLogRecord(FixedRecord):
    """DF04 EF08 医疗交易明细, 28 bytes (SSC §4.5)."""

    number: int = field(Number(2), "交易序号", "transaction number")
    kind: str = field(Code(1, MEDICAL_RECORD_TYPE), "交易类型", "transaction type")
    terminal: str = field(Digits(6, zero_is_value=True), "终端机编号", "terminal number")
    time: datetime = field(Timestamp(), "交易时间", "transaction time")
    account_fen: int = field(Number(4), "个人账户支付金额", "personal account amount, fen")
    self_pay_fen: int = field(Number(4), "个人自付金额", "self-paid amount, fen")
    pool_fen: int = field(Number(4), "统筹基金支付金额", "pool amount, fen")

    VECTORS = (
        ("000532519900000001202601150930450000000000002710" "00001F40"),  # SSC §9.3
        "00003199990000000120260615101500000027100000000000000000",  # PERS §5.3, B120
    )  # fmt: skip


EF05_MEDICAL = FileDeclaration(
    0xEF05,
    0x05,
    "医疗保险基本信息文件",
    "medical insurance basic data",
    Structure.LINEAR_VARIABLE,
    MedicalData,
    read=any_of(PIN, "RK1DF04"),
    update=any_of("UK1DF04"),
    source="SSC §3.1",
)
EF08_MEDICAL_LOG = FileDeclaration(
    0xEF08,
    0x08,
    "医疗交易明细文件",
    "medical transaction log",
    Structure.CYCLIC,
    MedicalLogRecord,
    read=any_of(PIN),
    update=NEVER,
    size=0x1C,
    records=30,
    source="SSC §3.1",
)

DF04 = ApplicationDeclaration(
    0xDF04,
    "社会保险信息区2",
    "social insurance 2 (medical)",
    (EF05_MEDICAL, EF08_MEDICAL_LOG),
    name=bytes.fromhex("D15600000503"),
)
