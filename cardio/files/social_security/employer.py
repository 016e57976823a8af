"""Employer card 社会保障（用人单位）卡: no file structure is public, this is the project's choice (SSC §1.2, PC-1).

The issuer data are those of a personal card, with card class 9. DF01 EF09 repeats name and organisation code.
"""

from __future__ import annotations

from dataclasses import replace

from cardio.files.codecs import Text, TextOctets, joined_text
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import PIN, ApplicationDeclaration, FileDeclaration, Structure, any_of
from cardio.files.nesting import Composite
from cardio.files.record import ItemRecord, item
from cardio.files.social_security.environment import EF06_HOLDER
from cardio.files.social_security.local import Participation, PaymentState
from cardio.files.tables.regions import region


class UnitData(ItemRecord):
    """SSSE EF06 用人单位基本信息: the items of a holder, read for a unit (SSC PC-1)."""

    credit_code: str | None = item(0x08, Text(0x12), "统一社会信用代码", "unified social credit code")
    name_bytes: bytes | None = item(0x09, TextOctets(0x1E), "单位名称", "unit name")
    name_extension_bytes: bytes | None = item(0x4E, TextOctets(0x14), "单位名称扩展", "unit name extension")

    VECTORS = (
        ("0812393139393939303030303030303030313930"
         "091EB2E2CAD4CAA1B2E2CAD4CAD0B2E2CAD4CFD8B2E2CAD4B2FAD2B5D4B0C7F8"
         "4E14B2E2CAD4D3D0CFDED4F0C8CEB9ABCBBE00000000"),
    )  # fmt: skip

    @property
    def name(self) -> str | None:
        """Name ‖ extension; a character may be split between the two."""
        return joined_text(self.name_bytes, self.name_extension_bytes)


class UnitInsuranceData(ItemRecord):
    """DF0A EF0C 用人单位参保信息 (SSC PC-1). The codes of unit types are not public."""

    unit_type: str | None = item(0x9A, Text(2), "单位类型", "unit type")
    region: str | None = item(0x9B, region(), "参保地所属行政区划代码", "region of participation")
    participation: Participation | None = item(0x9C, Composite(Participation), "参保标识", "participation")
    payment_state: PaymentState | None = item(0x9D, Composite(PaymentState), "缴费状态", "payment state")
    as_of: CardDate | None = item(0x9E, Date(), "信息截止日期", "as-of date")

    VECTORS = (
        ("9A023130" "9B03999900" "9C0A31303031313030303131" "9D053131313131" "9E0420260105"),
    )  # fmt: skip


EF06_UNIT = replace(EF06_HOLDER, zh="用人单位基本信息文件", en="unit basic data", content=UnitData, source="SSC PC-1")
EF0C_UNIT_INSURANCE = FileDeclaration(
    0xEF0C,
    0x0C,
    "用人单位参保信息文件",
    "unit participation",
    Structure.LINEAR_VARIABLE,
    UnitInsuranceData,
    read=any_of(PIN, "RK1DF0A"),
    update=any_of("UK1DF0A"),
    source="SSC PC-1",
)

DF0A = ApplicationDeclaration(
    0xDF0A,
    "用人单位信息区",
    "employer",
    (EF0C_UNIT_INSURANCE,),
    label="DF0A",
    source="SSC PC-1",
)
