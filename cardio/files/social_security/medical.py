"""DF04 社会保险信息区2, medical insurance (SSC §3.1, §4.5)."""

from __future__ import annotations

from datetime import datetime

from cardio.files.codecs import Amount, BinaryAmount, DecimalText, Digits, Flag, Number, Text
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date, Timestamp
from cardio.files.declaration import (
    NEVER,
    PIN,
    ApplicationDeclaration,
    FileDeclaration,
    Structure,
    all_of,
    any_of,
)
from cardio.files.masking import Mask
from cardio.files.nesting import Composite
from cardio.files.record import FixedRecord, ItemRecord, field, item, optional
from cardio.files.tables.card import MEDICAL_CARD_MODE, MEDICAL_RECORD_TYPE
from cardio.files.tables.insurance import INSURANCE_SCHEME, INSURED_CLASS, SETTLEMENT_CLASS
from cardio.files.tables.regions import region


class MedicalScheme(FixedRecord):
    """The eight characters of item 81: three of the scheme and five flags (SSC §4.5)."""

    scheme: str | None = optional(Code(3, INSURANCE_SCHEME), "医疗保险险种类型", "medical insurance scheme")
    treatment_elsewhere: bool | None = optional(Flag(), "异地就医审批标识", "treatment elsewhere approved")
    outpatient_pooling: bool | None = optional(Flag(), "门诊统筹标识", "out-patient pooling")
    major_disease: bool | None = optional(Flag(), "门诊大病标识", "major out-patient disease", personal=Mask.HIDDEN)
    medical_assistance: bool | None = optional(Flag(), "医疗救助标识", "medical assistance")
    veteran_subsidy: bool | None = optional(Flag(), "优抚对象补助标识", "veteran subsidy")

    VECTORS = (
        "3331303030313030",
        "3339303131303131",
    )


class MedicalData(ItemRecord):
    """DF04 EF05 医疗保险基本信息 (SSC §4.5). Hospitals are given by their organisation codes."""

    scheme: MedicalScheme | None = item(
        0x81, Composite(MedicalScheme), "医疗保险险种类型及标识", "medical insurance scheme and flags"
    )
    region: str | None = item(0x84, region(), "医疗保险参保地所属行政区划代码", "region of participation")
    health_record: str | None = item(
        0x87, Text(0x11), "健康档案编号", "health record number", personal=Mask.CARD_NUMBER
    )
    insured_class: str | None = item(0x8C, Code(1, INSURED_CLASS, form="cn"), "医疗保险参保人员类别", "insured class")
    account_opened: CardDate | None = item(
        0x80, Date(), "基本医疗保险个人账户建立日期", "date when the personal account was opened"
    )
    account_number: str | None = item(
        0x8B, Text(0x1D), "基本医疗保险个人账号", "personal account number", personal=Mask.CARD_NUMBER
    )
    certificate: str | None = item(
        0x8A, Text(0x0F), "医疗证号", "medical certificate number", personal=Mask.CARD_NUMBER
    )
    hospital_1: str | None = item(0x83, Text(9), "定点医疗机构代码1", "designated hospital 1")
    hospital_2: str | None = item(0x86, Text(9), "定点医疗机构代码2", "designated hospital 2")
    hospital_3: str | None = item(0x89, Text(9), "定点医疗机构代码3", "designated hospital 3")
    injury_hospital_1: str | None = item(0x7D, Text(9), "工伤协议医疗机构代码1", "work-injury hospital 1")
    injury_hospital_2: str | None = item(0x7E, Text(9), "工伤协议医疗机构代码2", "work-injury hospital 2")
    injury_hospital_3: str | None = item(0x7F, Text(9), "工伤协议医疗机构代码3", "work-injury hospital 3")
    maternity_hospital_1: str | None = item(0x8D, Text(9), "生育定点医疗机构代码1", "maternity hospital 1")
    maternity_hospital_2: str | None = item(0x8E, Text(9), "生育定点医疗机构代码2", "maternity hospital 2")
    mode: str | None = item(0x8F, Code(1, MEDICAL_CARD_MODE), "医疗保险用卡方式", "card mode")

    VECTORS = (
        ("81083331303030303030" "8403999900" "8F0132"),
        ("81083331303131303030" "8403999900" "87113939393939393030303030303030303031" "8C0111" "800420050701"
         "8B1D3939393930303030303030303030303030303031000000000000000000" "8A0F393939393030303030303031000000"
         "8309393939393030303031" "8609393939393030303032" "8909393939393030303033" "7D09393939393030303034"
         "7E09393939393030303035" "7F09393939393030303036" "8D09393939393030303037" "8E09393939393030303038"
         "8F0131"),
    )  # fmt: skip


class OfflineSettlement(ItemRecord):
    """DF04 EF06 医疗保险临时脱网结算信息 (SSC §4.5)."""

    allowed: bool | None = item(0x90, Flag(), "准许脱网医保结算标识", "off-line settlement allowed")
    total_fen: int | None = item(0x92, Amount(4), "脱网医保结算累计金额", "accumulated off-line amount, fen")
    count: int | None = item(0x93, DecimalText(2), "脱网医保结算累计次数", "accumulated off-line count")

    VECTORS = (("900131" "920400029819" "93023037"),)  # fmt: skip


class MedicalLogRecord(FixedRecord):
    """DF04 EF08 医疗交易明细, 28 bytes (SSC §4.5)."""

    number: int = field(Number(2), "交易序号", "transaction number")
    kind: str = field(Code(1, MEDICAL_RECORD_TYPE), "交易类型", "transaction type")
    terminal: str = field(Digits(6, zero_is_value=True), "终端机编号", "terminal number")
    time: datetime = field(Timestamp(), "交易时间", "transaction time")
    account_fen: int = field(BinaryAmount(4), "个人账户支付金额", "personal account amount, fen")
    self_pay_fen: int = field(BinaryAmount(4), "个人自付金额", "self-paid amount, fen")
    pool_fen: int = field(BinaryAmount(4), "统筹基金支付金额", "pool amount, fen")

    VECTORS = (
        ("000532519900000001202601150930450000000000002710" "00001F40"),  # SSC §9.3
        "00003199990000000120260615101500000027100000000000000000",  # PERS §5.3, B120
    )  # fmt: skip


class SpecialSettlementRecord(FixedRecord):
    """DF04 EF15 特殊医疗结算记录, 3 bytes: tells more of the EF08 record of the same number (SSC §4.5)."""

    number: int = field(Number(2), "交易序号", "transaction number")
    settlement_class: str = field(Code(1, SETTLEMENT_CLASS), "结算类别", "settlement class")

    VECTORS = ("000532",)


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
EF06_OFFLINE_SETTLEMENT = FileDeclaration(
    0xEF06,
    0x06,
    "医疗保险临时脱网结算信息文件",
    "temporary off-line settlement",
    Structure.LINEAR_VARIABLE,
    OfflineSettlement,
    read=all_of(PIN, "RK1DF04"),
    update=any_of("UK2DF04"),
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
EF15_SPECIAL_SETTLEMENT = FileDeclaration(
    0xEF15,
    0x15,
    "特殊医疗结算记录文件",
    "special settlement log",
    Structure.CYCLIC,
    SpecialSettlementRecord,
    read=any_of(PIN, "RK1DF04"),
    update=any_of("UK2DF04"),
    size=0x03,
    records=8,
    source="SSC §3.1",
)

DF04 = ApplicationDeclaration(
    0xDF04,
    "社会保险信息区2",
    "social insurance 2 (medical)",
    (EF05_MEDICAL, EF06_OFFLINE_SETTLEMENT, EF08_MEDICAL_LOG, EF15_SPECIAL_SETTLEMENT),
    name=bytes.fromhex("D15600000503"),
    label="DF04",
    source="SSC §2",
)
