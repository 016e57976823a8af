"""DF02 就业与失业信息区, skills, employment and unemployment (SSC §3.1, §4.3)."""

from __future__ import annotations

from cardio.files.codecs import Text
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import (
    PIN,
    ApplicationDeclaration,
    FileDeclaration,
    Structure,
    Use,
    any_of,
)
from cardio.files.masking import Mask
from cardio.files.nesting import Composite, Constructed
from cardio.files.record import FixedRecord, ItemRecord, item, items, optional
from cardio.files.tables.employment import (
    AID_TYPE,
    EMPLOYMENT_FORM,
    EMPLOYMENT_REGISTRATION,
    PROFESSIONAL_QUALIFICATION,
    SKILL_LEVEL,
    SUPPORT_MEASURE,
    TITLE_LEVEL,
    UNEMPLOYMENT_CANCELLATION,
    UNEMPLOYMENT_REASON,
    UNEMPLOYMENT_REGISTRATION,
)
from cardio.files.tables.regions import region


class VocationalQualification(ItemRecord):
    """One vocational qualification of a worker, 职业资格(工人技术等级)信息 of DF02 EF05 (SSC §4.3)."""

    occupation: str | None = item(0x5A, Text(7), "名称代码", "occupation code")
    level: str | None = item(0x5B, Code(1, SKILL_LEVEL, open_ended=True), "等级", "level")
    institution: str | None = item(0x5C, Text(0x46), "发证/年检机构名称", "certifying or inspecting institution")
    issued: CardDate | None = item(0x5D, Date(), "发证/年检日期", "issue or inspection date")
    certificate: str | None = item(0x5E, Text(0x10), "证书编号", "certificate number", personal=Mask.CARD_NUMBER)

    VECTORS = (
        # SSC §9.3
        ("5A0736333130313032" "5B0133"
         "5C46B2E2CAD4CAD0D6B0D2B5BCBCC4DCBCF8B6A8D6D0D0C400000000000000000000000000000000000000000000000000000000"
         "0000000000000000000000000000000000000000"
         "5D0420190620" "5E1031393531303030303033303030303031"),
    )  # fmt: skip


class ProfessionalQualification(ItemRecord):
    """One qualification of a professional, 职业资格(专业技术人员)信息 of DF02 EF05 (SSC §4.3)."""

    qualification: str | None = item(0x33, Code(3, PROFESSIONAL_QUALIFICATION), "名称代码", "name code")
    institution: str | None = item(0x34, Text(0x46), "注册登记/年检机构名称", "registering institution")
    registered: CardDate | None = item(0x35, Date(), "注册登记/年检日期", "registration or inspection date")
    certificate: str | None = item(0x36, Text(0x10), "证书编号", "certificate number", personal=Mask.CARD_NUMBER)

    VECTORS = (
        ("3303333030"
         "3446B2E2CAD4CAA1C8CBCAC2BFBCCAD4D6D0D0C40000000000000000000000000000000000000000000000000000000000000000"
         "0000000000000000000000000000000000000000"
         "350420200901" "361030303030303030303030303030303033"),
    )  # fmt: skip


class Skills(ItemRecord):
    """DF02 EF05 职业和专业技能信息 (SSC §4.3)."""

    title: str | None = item(0x42, Text(3), "专业技术职务代码", "professional title code, GB/T 8561")
    title_level: str | None = item(0x41, Code(3, TITLE_LEVEL), "专业技术职务级别", "professional title level")
    vocational: tuple[VocationalQualification | None, ...] = items(
        0x43,
        Constructed(VocationalQualification),
        "职业资格(工人技术等级)信息",
        "vocational qualifications",
        count=2,
    )
    professional: tuple[ProfessionalQualification | None, ...] = items(
        0x44,
        Constructed(ProfessionalQualification),
        "职业资格(专业技术人员)信息",
        "professional qualifications",
        count=2,
    )

    VECTORS = (
        # SSC §9.3, the qualification
        ("436C5A07363331303130325B01335C46B2E2CAD4CAD0D6B0D2B5BCBCC4DCBCF8B6A8D6D0D0C40000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000000000000000000005D04201906205E1031393531303030303033"
         "303030303031"),
        ("4203303133" "4103343132"
         "436C5A07363331303130325B01335C46B2E2CAD4CAD0D6B0D2B5BCBCC4DCBCF8B6A8D6D0D0C40000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000000000000000000005D04201906205E1031393531303030303033"
         "303030303031"
         "436C5A07363331303130335B01345C46B2E2CAD4CAD0D6B0D2B5BCBCC4DCBCF8B6A8D6D0D0C40000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000000000000000000005D04201603155E1030303030303030303030"
         "303030303032"
         "446533033330303446B2E2CAD4CAA1C8CBCAC2BFBCCAD4D6D0D0C400000000000000000000000000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000000350420200901361030303030303030303030303030303033"
         "446533033132313446B2E2CAD4CAA1C8CBCAC2BFBCCAD4D6D0D0C400000000000000000000000000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000000350420220510361030303030303030303030303030303034"),
    )  # fmt: skip


class EmploymentRegistration(FixedRecord):
    """Item 4B of DF02 EF06, 就业登记类型及形式 (SSC §4.3)."""

    kind: str | None = optional(Code(2, EMPLOYMENT_REGISTRATION), "就业登记类型", "employment registration type")
    form: str | None = optional(Code(3, EMPLOYMENT_FORM), "就业登记形式", "employment registration form")

    VECTORS = (
        "3130303130",
    )  # fmt: skip


class UnemploymentRegistration(FixedRecord):
    """Item 4F of DF02 EF06, 失业登记类型、原因及注销原因 (SSC §4.3)."""

    kind: str | None = optional(Code(2, UNEMPLOYMENT_REGISTRATION), "失业登记类型", "unemployment registration type")
    reason: str | None = optional(Code(2, UNEMPLOYMENT_REASON), "失业登记原因", "unemployment reason")
    cancellation: str | None = optional(Code(2, UNEMPLOYMENT_CANCELLATION), "失业登记注销原因", "cancellation reason")

    VECTORS = (
        "323032303630",
    )  # fmt: skip


class EmploymentStatus(ItemRecord):
    """DF02 EF06 就业状况信息 (SSC §4.3).

    A card holds tag 60 in exactly one of this file and DF03 EF05.
    """

    employment_date: CardDate | None = item(
        0x4C, Date(), "最近一次办理就业登记日期", "last employment registration date"
    )
    employment: EmploymentRegistration | None = item(
        0x4B, Composite(EmploymentRegistration), "就业登记类型及形式", "employment registration type and form"
    )
    employment_region: str | None = item(0x4D, region(), "就业登记地行政区划代码", "region of employment registration")
    unemployment_date: CardDate | None = item(
        0x60, Date(), "最近一次办理失业登记日期", "last unemployment registration date"
    )
    unemployment: UnemploymentRegistration | None = item(
        0x4F,
        Composite(UnemploymentRegistration),
        "失业登记类型、原因及注销原因",
        "unemployment registration type, reason and cancellation reason",
    )
    unemployment_region: str | None = item(
        0x50, region(), "失业登记地行政区划代码", "region of unemployment registration"
    )
    occupation: str | None = item(0x3A, Text(7), "现从事职业", "present occupation")

    VECTORS = (
        # SSC §9.2, a vendor's test program
        ("4C0420130630" "4B053132333435" "4D03010203" "600420130630" "4F06303030313032" "5003123123"
         "3A07C7E5BDE0B9A400"),
        ("4C0420240301" "4B053130303130" "4D03999900" "600420231115" "4F06323032303630" "5003999900"
         "3A0736333130313032"),
    )  # fmt: skip


class EmploymentRecord(FixedRecord):
    """One record of DF02 EF07 就业记录, 85 bytes (SSC §4.3)."""

    occupation: str | None = optional(Text(7), "职业", "occupation")
    started: CardDate | None = optional(Date(), "就业起始日期", "start of employment")
    ended: CardDate | None = optional(Date(), "就业终止日期", "end of employment")
    employer: str | None = optional(Text(0x46), "就业单位名称", "employer name", personal=Mask.HIDDEN)

    VECTORS = (
        ("363331303130322019070120231031B2E2CAD4D3D0CFDEB9ABCBBE00000000000000000000000000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000000000000000000"),
    )  # fmt: skip


class EmploymentCertificate(ItemRecord):
    """DF02 EF09 就业失业登记证信息 (SSC §4.3)."""

    number: str | None = item(0x55, Text(0x10), "就业失业登记证编号", "certificate number", personal=Mask.CARD_NUMBER)
    authority: str | None = item(0x56, Text(0x46), "发证机构", "issuing authority")
    issued: CardDate | None = item(0x96, Date(), "发证/年检日期", "issue or inspection date")
    region: str | None = item(0x97, region(), "发证地行政区划代码", "region of issue")

    VECTORS = (
        ("551039393939303030303030303030303031"
         "5646B2E2CAD4CAD0C8CBC1A6D7CAD4B4BACDC9E7BBE1B1A3D5CFBED6000000000000000000000000000000000000000000000000"
         "0000000000000000000000000000000000000000"
         "960420231115" "9703999900"),
    )  # fmt: skip


class AidRecognition(ItemRecord):
    """One recognition of DF02 EF15, 就业援助对象认定信息 (SSC §4.3)."""

    kind: str | None = item(0x10, Code(3, AID_TYPE), "类型", "aid type")
    recognised: CardDate | None = item(0x11, Date(), "认定日期", "recognition date")
    region: str | None = item(0x12, region(), "认定地行政区划代码", "region of recognition")

    VECTORS = (
        ("1003303430" "110420231201" "1203999900"),
    )  # fmt: skip


class EmploymentAid(ItemRecord):
    """DF02 EF15 就业援助对象认定信息, employment-aid status (SSC §4.3)."""

    recognitions: tuple[AidRecognition | None, ...] = items(
        0x99, Constructed(AidRecognition), "就业援助对象认定信息", "aid recognitions", count=4
    )
    left: CardDate | None = item(0x0F, Date(), "退出就业援助对象认定日期", "date of leaving the aid scheme")
    leaving_region: str | None = item(
        0x1F, region(), "退出就业援助对象认定地行政区划代码", "region of leaving the aid scheme"
    )

    VECTORS = (
        ("991010033034301104201512011203999900" "991010033035301104201802011203999900"
         "991010033037301104202004011203999900" "991010033939301104202312011203999900" "0F0420240301" "1F03999900"),
    )  # fmt: skip


class SupportMeasure(FixedRecord):
    """One record of DF02 EF16 就业扶持政策享受信息, 18 bytes (SSC §4.3)."""

    kind: str | None = optional(Code(3, SUPPORT_MEASURE), "享受政策类型", "support measure")
    approved: CardDate | None = optional(Date(), "批准日期", "approval date")
    started: CardDate | None = optional(Date(), "享受政策起始日期", "start of support")
    ended: CardDate | None = optional(Date(), "享受政策终止日期", "end of support")
    region: str | None = optional(region(), "享受政策地行政区划代码", "region of support")

    VECTORS = (
        "303430202312102024010120240229999900",
    )  # fmt: skip


EF05_SKILLS = FileDeclaration(
    0xEF05,
    0x05,
    "职业和专业技能信息文件",
    "vocational and professional skills",
    Structure.LINEAR_VARIABLE,
    Skills,
    read=any_of(PIN, "RK1DF02"),
    update=any_of("UK1DF02"),
    use=Use.PREPARED,
    source="SSC §3.1",
)
EF06_EMPLOYMENT = FileDeclaration(
    0xEF06,
    0x06,
    "就业状况信息文件",
    "employment status",
    Structure.LINEAR_VARIABLE,
    EmploymentStatus,
    read=any_of(PIN, "RK1DF02"),
    update=any_of("UK2DF02"),
    source="SSC §3.1",
)
EF07_EMPLOYMENT_RECORDS = FileDeclaration(
    0xEF07,
    0x07,
    "就业记录信息文件",
    "employment history",
    Structure.CYCLIC,
    EmploymentRecord,
    read=any_of(PIN, "RK1DF02"),
    update=any_of("UK3DF02"),
    size=0x55,
    records=4,
    source="SSC §3.1",
)
EF09_CERTIFICATE = FileDeclaration(
    0xEF09,
    0x09,
    "就业失业登记证信息文件",
    "employment and unemployment certificate",
    Structure.LINEAR_VARIABLE,
    EmploymentCertificate,
    read=any_of(PIN, "RK1DF02"),
    update=any_of("UK4DF02"),
    source="SSC §3.1",
)
EF15_EMPLOYMENT_AID = FileDeclaration(
    0xEF15,
    0x15,
    "就业援助对象认定信息文件",
    "employment-aid status",
    Structure.LINEAR_VARIABLE,
    EmploymentAid,
    read=any_of(PIN, "RK1DF02"),
    update=any_of("UK5DF02"),
    source="SSC §3.1",
)
EF16_SUPPORT_MEASURES = FileDeclaration(
    0xEF16,
    0x16,
    "就业扶持政策享受信息文件",
    "employment-support measures received",
    Structure.CYCLIC,
    SupportMeasure,
    read=any_of(PIN, "RK1DF02"),
    update=any_of("UK6DF02"),
    size=0x12,
    records=4,
    source="SSC §3.1",
)

DF02 = ApplicationDeclaration(
    0xDF02,
    "就业与失业信息区",
    "employment and unemployment",
    (
        EF05_SKILLS,
        EF06_EMPLOYMENT,
        EF07_EMPLOYMENT_RECORDS,
        EF09_CERTIFICATE,
        EF15_EMPLOYMENT_AID,
        EF16_SUPPORT_MEASURES,
    ),
    name=bytes.fromhex("D15600000501"),
    label="DF02",
    source="SSC §2",
)
