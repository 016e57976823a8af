"""DF04 社会保险信息区2 of a 1.0 card: medical insurance, its account and log (SSC §3.2, §4.10)."""

from __future__ import annotations

from datetime import datetime

from cardio.files.codecs import Amount, BinaryAmount, Digits, Number, Text, TextOctets, joined_text
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date, Timestamp
from cardio.files.declaration import (
    NEVER,
    PIN,
    ApplicationDeclaration,
    FileDeclaration,
    Reuse,
    Structure,
    all_of,
    any_of,
)
from cardio.files.masking import Mask
from cardio.files.record import FixedRecord, ItemRecord, field, item
from cardio.files.social_security.medical import MedicalData, OfflineSettlement
from cardio.files.tables.card import MEDICAL_CARD_MODE, MEDICAL_RECORD_TYPE


class MedicalDataV1(ItemRecord):
    """DF04 EF05 医疗保险基本信息 of a 1.0 card (SSC §4.10)."""

    account_opened: CardDate | None = item(0x80, Date(), "基本医疗保险个人账户建立日期", "personal account opened")
    hospital_1_bytes: bytes | None = item(0x81, TextOctets(0x3E), "定点医疗机构名称1", "designated hospital 1")
    hospital_1_rest_bytes: bytes | None = item(
        0x82, TextOctets(0x08), "定点医疗机构名称1续", "designated hospital 1, rest"
    )
    hospital_1_code: str | None = item(0x83, Text(9), "定点医疗机构代码1", "designated hospital 1, code")
    hospital_2_bytes: bytes | None = item(0x84, TextOctets(0x3E), "定点医疗机构名称2", "designated hospital 2")
    hospital_2_rest_bytes: bytes | None = item(
        0x85, TextOctets(0x08), "定点医疗机构名称2续", "designated hospital 2, rest"
    )
    hospital_2_code: str | None = item(0x86, Text(9), "定点医疗机构代码2", "designated hospital 2, code")
    hospital_3_bytes: bytes | None = item(0x87, TextOctets(0x3E), "定点医疗机构名称3", "designated hospital 3")
    hospital_3_rest_bytes: bytes | None = item(
        0x88, TextOctets(0x08), "定点医疗机构名称3续", "designated hospital 3, rest"
    )
    hospital_3_code: str | None = item(0x89, Text(9), "定点医疗机构代码3", "designated hospital 3, code")
    certificate: str | None = item(
        0x8A, Text(0x0F), "医疗证号", "medical certificate number", personal=Mask.CARD_NUMBER
    )
    account_number: str | None = item(
        0x8B, Text(0x0A), "基本医疗保险个人账号", "personal account number", personal=Mask.CARD_NUMBER
    )
    insured_class: str | None = item(0x8C, Text(1), "医疗保险参保人员类别", "insured class")
    mode: str | None = item(0x8F, Code(1, MEDICAL_CARD_MODE), "医疗保险用卡方式", "card mode")

    VECTORS = (
        ("800420010101"
        "813EB2E2CAD4CAA1B2E2CAD4CAD031B2E2CAD4C7F8B2E2CAD4BDD6B5C0B2E2CAD4C9E7C7F8CEC0C9FAB7FECEF1D6D0D0C4B2E2CA"
        "D4B7D6D4BAB2E2CAD4C3C5D5"
        "8208EFB2BF0000000000" "8309393939393939393031"
        "843EB2E2CAD4CAA1B2E2CAD4CAD032B2E2CAD4C7F8B2E2CAD4BDD6B5C0B2E2CAD4C9E7C7F8CEC0C9FAB7FECEF1D6D0D0C4B2E2CA"
        "D4B7D6D4BAB2E2CAD4C3C5D5"
        "8508EFB2BF0000000000" "8609393939393939393032"
        "873EB2E2CAD4CAA1B2E2CAD4CAD033B2E2CAD4C7F8B2E2CAD4BDD6B5C0B2E2CAD4C9E7C7F8CEC0C9FAB7FECEF1D6D0D0C4B2E2CA"
        "D4B7D6D4BAB2E2CAD4C3C5D5"
        "8808EFB2BF0000000000" "8909393939393939393033" "8A0F595A30303030303030303030303031"
        "8B0A39393939303030303031" "8C0131" "8F0132"),
    )  # fmt: skip

    @property
    def hospitals(self) -> tuple[str | None, str | None, str | None]:
        """Names of the three designated hospitals, both parts of each."""
        return (
            joined_text(self.hospital_1_bytes, self.hospital_1_rest_bytes),
            joined_text(self.hospital_2_bytes, self.hospital_2_rest_bytes),
            joined_text(self.hospital_3_bytes, self.hospital_3_rest_bytes),
        )


class MedicalAccountV1(ItemRecord):
    """DF04 EF06 医疗保险账户信息 of a 1.0 card, in on-line mode only; amounts in fen (SSC §4.10)."""

    balance_fen: int | None = item(0x90, Amount(4), "个人账户余额", "account balance, fen")
    self_paid_fen: int | None = item(0x92, Amount(4), "年度个人自付累计金额", "yearly self-paid total, fen")
    pool_fen: int | None = item(0x93, Amount(4), "年度统筹支付累计金额", "yearly pool total, fen")

    VECTORS = (
        ("900400029819" "920400100000" "930400250050"),
    )  # fmt: skip


class MedicalLogRecordV1(FixedRecord):
    """DF04 EF08 医疗交易明细 of a 1.0 card: 20 bytes with the account only; the others have 28 (SSC §3.2, §4.5)."""

    number: int = field(Number(2), "交易序号", "transaction number")
    kind: str = field(Code(1, MEDICAL_RECORD_TYPE), "交易类型", "transaction type")
    terminal: str = field(Digits(6, zero_is_value=True), "终端机编号", "terminal number")
    time: datetime = field(Timestamp(), "交易时间", "transaction time")
    account_fen: int = field(BinaryAmount(4), "个人账户支付金额", "personal account amount, fen")

    VECTORS = (
        ("00013299990000000120091130101530" "00000FA0"),
        ("00053251990000000120260115093045" "00000000" "00002710" "00001F40"),  # SSC §9.3
    )  # fmt: skip

    @property
    def self_pay_fen(self) -> int | None:
        """Self-paid amount in fen; None in a record of 20 bytes."""
        return self._amount(0)

    @property
    def pool_fen(self) -> int | None:
        """Pool amount in fen; None in a record of 20 bytes."""
        return self._amount(4)

    def _amount(self, offset: int) -> int | None:
        raw = self.trailing[offset : offset + 4]
        return BinaryAmount(4).decode(raw) if len(raw) == 4 else None


EF05_MEDICAL_V1 = FileDeclaration(
    0xEF05,
    0x05,
    "医疗保险基本信息文件",
    "medical insurance basic data",
    Structure.LINEAR_VARIABLE,
    MedicalDataV1,
    read=any_of(PIN),
    update=any_of("UK1DF04"),
    reuse=Reuse(frozenset({0x81, 0x84, 0x87}), {}, MedicalData),
    source="SSC §3.2",
)
EF06_ACCOUNT_V1 = FileDeclaration(
    0xEF06,
    0x06,
    "医疗保险账户信息文件",
    "medical account",
    Structure.LINEAR_VARIABLE,
    MedicalAccountV1,
    read=all_of(PIN, "RK1DF04"),
    update=any_of("UK2DF04"),
    reuse=Reuse(frozenset({0x90, 0x93}), {0x92: 0x90}, OfflineSettlement),
    source="SSC §3.2",
)
EF08_MEDICAL_LOG_V1 = FileDeclaration(
    0xEF08,
    0x08,
    "医疗交易明细文件",
    "medical transaction log",
    Structure.CYCLIC,
    MedicalLogRecordV1,
    read=any_of(PIN),
    update=NEVER,
    size=0x1C,
    records=10,
    source="SSC §3.2",
)
DF04_V1 = ApplicationDeclaration(
    0xDF04,
    "社会保险信息区2",
    "social insurance 2 (medical)",
    (EF05_MEDICAL_V1, EF06_ACCOUNT_V1, EF08_MEDICAL_LOG_V1),
    name=bytes.fromhex("D15600000503"),
    label="DF04",
    source="SSC §3.2",
)
