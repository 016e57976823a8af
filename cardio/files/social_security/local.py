"""Files and items that some regions add: payment state, personal number, participation (SSC §4.9, PC-2).

They belong to no standard card; product files add them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cardio.files.codecs import Amount, Flag, Text
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import FREE, PIN, FileDeclaration, Structure, any_of
from cardio.files.masking import Mask
from cardio.files.nesting import Composite
from cardio.files.record import FixedRecord, ItemRecord, item, optional
from cardio.files.social_security.public import EF09_EMPLOYER, Employer
from cardio.files.tables.insurance import BENEFIT_STATE, PAYMENT_STATE
from cardio.files.tables.regions import region


class Participation(FixedRecord):
    """The participation string: ten flags in the order of Hubei (SSC §4.9)."""

    enterprise_pension: bool | None = optional(Flag(), "企业养老保险", "enterprise pension")
    public_sector_pension: bool | None = optional(Flag(), "机关事业单位养老保险", "public-sector pension")
    enterprise_annuity: bool | None = optional(Flag(), "企业年金", "enterprise annuity")
    unemployment: bool | None = optional(Flag(), "失业保险", "unemployment insurance")
    basic_medical: bool | None = optional(Flag(), "基本医疗保险", "basic medical insurance")
    large_amount_medical: bool | None = optional(Flag(), "大额医疗保险", "large-amount medical insurance")
    civil_servant_supplement: bool | None = optional(Flag(), "公务员医疗补助", "civil-servant medical supplement")
    enterprise_supplement: bool | None = optional(
        Flag(), "企业补充医疗保险", "enterprise supplementary medical insurance"
    )
    work_injury: bool | None = optional(Flag(), "工伤保险", "work-injury insurance")
    maternity: bool | None = optional(Flag(), "生育保险", "maternity insurance")

    VECTORS = ("31303031313030303131",)


class PaymentState(FixedRecord):
    """State of payment of the five insurances, one character each (SSC PC-2)."""

    pension: str | None = optional(Code(1, PAYMENT_STATE), "养老保险缴费状态", "pension insurance")
    medical: str | None = optional(Code(1, PAYMENT_STATE), "医疗保险缴费状态", "medical insurance")
    unemployment: str | None = optional(Code(1, PAYMENT_STATE), "失业保险缴费状态", "unemployment insurance")
    work_injury: str | None = optional(Code(1, PAYMENT_STATE), "工伤保险缴费状态", "work-injury insurance")
    maternity: str | None = optional(Code(1, PAYMENT_STATE), "生育保险缴费状态", "maternity insurance")

    VECTORS = ("3131323039",)


class PaymentStateData(ItemRecord):
    """DF03 EF0C 参保缴费状态信息: what the standard leaves to the database (SSC PC-2)."""

    participation: Participation | None = item(0x9A, Composite(Participation), "参保标识", "participation")
    payment_state: PaymentState | None = item(0x9B, Composite(PaymentState), "缴费状态", "payment state")
    as_of: CardDate | None = item(0x9C, Date(), "信息截止日期", "as-of date")
    pension_total_fen: int | None = item(0x9D, Amount(6), "养老保险个人账户累计金额", "pension account total, fen")
    medical_total_fen: int | None = item(0x9E, Amount(6), "医疗保险个人账户累计金额", "medical account total, fen")

    VECTORS = (
        ("9A0A31303031313030303131" "9B053131323039" "9C0420260105" "9D06000012345678" "9E06000000298190"),
    )  # fmt: skip


class PersonalNumberData(ItemRecord):
    """SSSE EF0D 个人编号信息 of several provinces; the meaning of EC and ED is not public (SSC §4.9)."""

    personal_number: str | None = item(0xEA, Text(0x0C), "个人编号", "personal number", personal=Mask.CARD_NUMBER)
    first_region: str | None = item(0xEB, region(), "首次申领地行政区划代码", "first application region")
    mark_1: str | None = item(0xEC, Text(1), "地方标识1", "local mark 1")
    mark_2: str | None = item(0xED, Text(1), "地方标识2", "local mark 2")

    VECTORS = (("EA0C393939393030303030303031" "EB03999900" "EC0131" "ED0130"),)  # fmt: skip


class EmployerHubei(Employer):
    """DF01 EF09 as Hubei extends it (SSC §4.9). The tags of both items are not public: PC-3 gives free ones."""

    participation: Participation | None = item(0x9A, Composite(Participation), "参保标识", "participation")
    benefit_state: str | None = item(0x9B, Code(1, BENEFIT_STATE), "待遇状态", "benefit state")

    VECTORS = (
        Employer.VECTORS[0] + "9A0A31303031313030303131" "9B0131",
    )  # fmt: skip


EF0C_PAYMENT_STATE = FileDeclaration(
    0xEF0C,
    0x0C,
    "参保缴费状态信息文件",
    "payment state",
    Structure.LINEAR_VARIABLE,
    PaymentStateData,
    read=any_of(PIN, "RK1DF03"),
    update=any_of("UK3DF03"),
    source="SSC PC-2",
)
EF0D_PERSONAL_NUMBER = FileDeclaration(
    0xEF0D,
    0x0D,
    "个人编号信息文件",
    "personal number",
    Structure.LINEAR_VARIABLE,
    PersonalNumberData,
    read=FREE,
    update=any_of("UK2SSSE"),
    source="SSC §4.9",
)
"""Only the update key is known (identifier 0D on the card, 13 in the PSAM), not its name and not the read right."""
EF09_EMPLOYER_HUBEI = replace(EF09_EMPLOYER, content=EmployerHubei, source="SSC §4.9")

LOCAL_FILES: Mapping[str, tuple[str, FileDeclaration]] = {
    "payment-state": ("DF03", EF0C_PAYMENT_STATE),
    "personal-number": ("SSSE", EF0D_PERSONAL_NUMBER),
    "employer-hubei": ("DF01", EF09_EMPLOYER_HUBEI),
}
"""Files that a product file may name, each with the label of the directory it lies in."""
