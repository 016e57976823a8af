"""DF03 社会保险信息区1 of a 1.0 card: unemployment, work capacity, pension (SSC §3.2, §4.10)."""

from __future__ import annotations

from cardio.files.codecs import Amount, DecimalText, Text, TextOctets, joined_text
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import PIN, ApplicationDeclaration, FileDeclaration, Reuse, Structure, all_of, any_of
from cardio.files.masking import Mask
from cardio.files.record import ItemRecord, item
from cardio.files.social_security.insurance import PensionInsurance, UnemploymentInsurance


class UnemploymentInsuranceV1(ItemRecord):
    """DF03 EF05 失业保险信息 of a 1.0 card (SSC §4.10)."""

    registered: CardDate | None = item(0x60, Date(), "最近一次办理失业登记日期", "last unemployment registration date")
    applied: CardDate | None = item(0x98, Date(), "最近一次失业保险金申领日期", "last benefit application date")
    benefit_fen: int | None = item(0x61, Amount(4), "失业保险金月领取金额", "monthly benefit, fen")
    updated: CardDate | None = item(0x62, Date(), "信息更新日期", "update date")
    contribution_months: int | None = item(
        0x63, DecimalText(3), "失业保险累计缴费年限", "accumulated contribution months"
    )
    effective_months: int | None = item(0x64, DecimalText(3), "失业保险有效缴费年限", "effective contribution months")
    granted_months: int | None = item(0x65, DecimalText(3), "应领取失业保险金月数", "benefit months granted")
    received_months: int | None = item(0x66, DecimalText(3), "已领取失业保险金月数", "benefit months received")

    VECTORS = (
        ("600420050301" "980420050315" "610400056000" "620420050901" "6303303434" "6403303336" "6503303036"
        "6603303035"),
    )  # fmt: skip


class CapacityAppraisalV1(ItemRecord):
    """DF03 EF06 丧失劳动能力鉴定信息 of a 1.0 card; the conclusion is text in three parts (SSC §4.10)."""

    appraised: CardDate | None = item(0x67, Date(), "劳动能力鉴定日期", "appraisal date")
    conclusion_bytes: bytes | None = item(
        0x68, TextOctets(0x3E), "劳动能力鉴定结论", "conclusion", personal=Mask.HIDDEN
    )
    conclusion_second_bytes: bytes | None = item(
        0x69, TextOctets(0x3E), "劳动能力鉴定结论续1", "conclusion, second part", personal=Mask.HIDDEN
    )
    conclusion_third_bytes: bytes | None = item(
        0x6A, TextOctets(0x10), "劳动能力鉴定结论续2", "conclusion, third part", personal=Mask.HIDDEN
    )
    institution: str | None = item(0x6B, Text(0x3C), "劳动能力鉴定机构名称", "appraisal institution")

    VECTORS = (
        ("670420070820"
        "683E41B2E2CAD4BCF8B6A8BDE1C2DBB2E2CAD4BCF8B6A8BDE1C2DBB2E2CAD4BCF8B6A8BDE1C2DBB2E2CAD4BCF8B6A8BDE1C2DBB2"
        "E2CAD4BCF8B6A8BDE1C2DBB2"
        "693EE2CAD4BCF8B6A8BDE1C2DBB2E2CAD4BCF8B6A8BDE1C2DBB2E2CAD4BCF8B6A8BDE1C2DBB2E2CAD4BCF8B6A8BDE1C2DBB2E2CA"
        "D4BCF8B6A8BDE1C2DBB2E2CA"
        "6A10D4BCF8B6A8BDE1C2DBCDEAB1CF000000"
        "6B3CB2E2CAD4CAD0C0CDB6AFC4DCC1A6BCF8B6A8CEAFD4B1BBE10000000000000000000000000000000000000000000000000000"
        "00000000000000000000"),
    )  # fmt: skip

    @property
    def conclusion(self) -> str | None:
        """Conclusion, all three parts."""
        return joined_text(self.conclusion_bytes, self.conclusion_second_bytes, self.conclusion_third_bytes)


class PensionInsuranceV1(ItemRecord):
    """DF03 EF07 养老保险信息 of a 1.0 card; amounts in fen (SSC §4.10)."""

    retired: CardDate | None = item(0x6C, Date(), "离退休日期", "retirement date")
    pension_fen: int | None = item(0x6D, Amount(4), "养老金月领取金额", "monthly pension, fen")
    account_opened: CardDate | None = item(0x6E, Date(), "基本养老保险个人账户建立日期", "personal account opened")
    account_changed: CardDate | None = item(0x6F, Date(), "基本养老保险个人账户变更日期", "personal account changed")
    paid_months: int | None = item(0x70, DecimalText(3), "养老保险缴费月数", "contribution months")
    own_total_fen: int | None = item(
        0x71, Amount(4), "个人账户累计金额(个人缴费部分)", "account total, own contributions, fen"
    )
    employer_total_fen: int | None = item(
        0x72, Amount(4), "个人账户累计金额(单位缴费部分)", "account total, employer part, fen"
    )
    updated: CardDate | None = item(0x73, Date(), "养老保险信息更新日期", "data updated")

    VECTORS = (
        ("6C0420100131" "6D0400198765" "6E0419960101" "6F0420060101" "7003313638" "710401234567" "720400456789"
        "730420100201"),
    )  # fmt: skip


EF05_UNEMPLOYMENT_V1 = FileDeclaration(
    0xEF05,
    0x05,
    "失业保险信息文件",
    "unemployment insurance",
    Structure.LINEAR_VARIABLE,
    UnemploymentInsuranceV1,
    read=all_of(PIN, "RK2DF03"),
    update=any_of("UK1DF03"),
    reuse=Reuse(frozenset({0x61}), {}, UnemploymentInsurance),
    source="SSC §3.2",
)
EF06_CAPACITY_V1 = FileDeclaration(
    0xEF06,
    0x06,
    "丧失劳动能力鉴定信息文件",
    "loss-of-work-capacity appraisal",
    Structure.LINEAR_VARIABLE,
    CapacityAppraisalV1,
    read=any_of(PIN),
    update=any_of("UK2DF03"),
    source="SSC §3.2",
)
EF07_PENSION_V1 = FileDeclaration(
    0xEF07,
    0x07,
    "养老保险信息文件",
    "pension insurance",
    Structure.LINEAR_VARIABLE,
    PensionInsuranceV1,
    read=all_of(PIN, "RK1DF03"),
    update=any_of("UK3DF03"),
    reuse=Reuse(frozenset({0x71}), {0x6F: 0x71, 0x70: 0x71}, PensionInsurance),
    source="SSC §3.2",
)
DF03_V1 = ApplicationDeclaration(
    0xDF03,
    "社会保险信息区1",
    "social insurance 1",
    (EF05_UNEMPLOYMENT_V1, EF06_CAPACITY_V1, EF07_PENSION_V1),
    name=bytes.fromhex("D15600000502"),
    label="DF03",
    source="SSC §3.2",
)
