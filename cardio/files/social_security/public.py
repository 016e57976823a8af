"""DF01 公共应用信息区, public data (SSC §3.1, §4.2)."""

from __future__ import annotations

from cardio.files.codecs import Digits, Octets, Text
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import (
    FREE,
    PIN,
    ApplicationDeclaration,
    FileDeclaration,
    Structure,
    Use,
    any_of,
)
from cardio.files.masking import Mask
from cardio.files.nesting import Constructed
from cardio.files.record import FixedRecord, ItemRecord, item, items, optional
from cardio.files.tables.person import (
    EDUCATION,
    HOUSEHOLD_TYPE,
    IDENTITY_CLASS,
    MARITAL,
    NATIONALITY,
    PERSONAL_STATUS,
    POLITICAL,
)
from cardio.files.tables.regions import region


class Household(ItemRecord):
    """DF01 EF05 户籍信息 (SSC §4.2)."""

    household_type: str | None = item(0x20, Code(2, HOUSEHOLD_TYPE), "户口类别", "household type")
    address: str | None = item(0x21, Text(0x50), "户口所在地地址", "household address", personal=Mask.HIDDEN)
    region: str | None = item(0x0E, region(), "户口所在地行政区划代码", "household region code", personal=Mask.HIDDEN)

    VECTORS = (
        ("20023131"
         "2150B2E2CAD4CAD0B2E2CAD4C7F8B2E2CAD4BDD6B5C0D2BBBAC50000000000000000000000000000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000000000000"
         "0E03999900"),
    )  # fmt: skip


class Residence(ItemRecord):
    """DF01 EF06 常住地信息, residence and contact (SSC §4.2)."""

    address: str | None = item(0x23, Text(0x50), "常住所在地地址", "residence address", personal=Mask.HIDDEN)
    region: str | None = item(0x24, region(), "常住所在地行政区划代码", "residence region code", personal=Mask.HIDDEN)
    telephone: str | None = item(0x28, Text(0x0F), "联系电话", "telephone", personal=Mask.HIDDEN)
    contact: str | None = item(0x2C, Text(0x32), "联系人(监护人)姓名", "contact or guardian name", personal=Mask.NAME)
    contact_telephone: str | None = item(
        0x2D, Text(0x0F), "联系人(监护人)电话", "contact or guardian telephone", personal=Mask.HIDDEN
    )

    VECTORS = (
        ("2350B2E2CAD4CAD0B2E2CAD4C7F8B2E2CAD4BDD6B5C0B6FEBAC50000000000000000000000000000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000000000000"
         "2403999900" "280F303030303030303030303100000000"
         "2C32B2E2CAD4D2D20000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "2D0F303030303030303030303200000000"),
    )  # fmt: skip


class PersonalStatus(ItemRecord):
    """DF01 EF07 个人状况信息 (SSC §4.2)."""

    status: str | None = item(
        0x29, Code(1, PERSONAL_STATUS), "个人就业或离退休(职)状态", "employment or retirement state"
    )

    VECTORS = ("290131",)  # SSC §5.6, "write employment state"


class MaritalStatus(ItemRecord):
    """DF01 EF08 婚姻状况信息 (SSC §4.2)."""

    status: str | None = item(0x2B, Code(1, MARITAL), "婚姻状况", "marital status")

    VECTORS = ("2B0132",)


class Employer(ItemRecord):
    """DF01 EF09 人员身份及就业单位信息, identity class and employer (SSC §4.2)."""

    name: str | None = item(0x2E, Text(0x46), "单位名称", "employer name", personal=Mask.HIDDEN)
    organisation_code: str | None = item(
        0x30, Text(9), "单位组织机构代码", "employer organisation code", personal=Mask.HIDDEN
    )
    identity_class: str | None = item(0x32, Code(2, IDENTITY_CLASS), "人员身份类别", "identity class")

    VECTORS = (
        ("2E46B2E2CAD4D3D0CFDEB9ABCBBE0000000000000000000000000000000000000000000000000000000000000000000000000000"
         "0000000000000000000000000000000000000000"
         "3009303030303030303058" "32023234"),
    )  # fmt: skip


class Nationality(ItemRecord):
    """DF01 EF0A 国籍及政治面貌信息, nationality and political status (SSC §4.2)."""

    nationality: str | None = item(0x37, Code(3, NATIONALITY), "国籍", "nationality")
    political_status: str | None = item(0x38, Code(2, POLITICAL), "政治面貌", "political status")
    joined: CardDate | None = item(0x39, Date(), "参加党派日期", "party joining date")

    VECTORS = (
        ("370343484E" "38023133" "390420100701"),
    )  # fmt: skip


class Degree(ItemRecord):
    """One degree of DF01 EF15, 学位信息 (SSC §4.2)."""

    degree: str | None = item(0x57, Text(3), "学位代码", "degree code, GB/T 6864")
    field_of_study: str | None = item(0x58, Digits(3), "所学专业类别", "field of study, GB/T 16835")
    school: str | None = item(0x59, Text(0x28), "毕业学校名称", "school", personal=Mask.HIDDEN)

    VECTORS = (
        # SSC §9.2, a vendor's test program
        ("5703313233" "5803112233"
         "5928C4CFBEA9B4F3D1A70000000000000000000000000000000000000000000000000000000000000000"),
    )  # fmt: skip


class Education(ItemRecord):
    """DF01 EF15 学历信息 (SSC §4.2)."""

    level: str | None = item(0x2A, Code(1, EDUCATION, form="cn"), "学历", "education level")
    degrees: tuple[Degree | None, ...] = items(0x40, Constructed(Degree), "学位信息", "degrees", count=3)

    VECTORS = (
        # SSC §9.2, a vendor's test program
        ("2A0111"
         "4034570331323358031122335928C4CFBEA9B4F3D1A7000000000000000000000000000000000000000000000000000000000000"
         "0000"),
        ("2A0114"
         "4034570334303158030809005928B2E2CAD4B4F3D1A7000000000000000000000000000000000000000000000000000000000000"
         "0000"
         "4034570333303158030809005928B2E2CAD4D1A7D4BA000000000000000000000000000000000000000000000000000000000000"
         "0000"
         "4034570334303258031202005928B2E2CAD4B4F3D1A7000000000000000000000000000000000000000000000000000000000000"
         "0000"),
    )  # fmt: skip


class ReservedData(FixedRecord):
    """DF01 EF16 to EF1A 预留信息, without any meaning so far and therefore hidden (SSC §4.2)."""

    data: bytes | None = optional(Octets(0x128), "预留信息", "reserved data", personal=Mask.HIDDEN)

    VECTORS = ("A5" * 0x128,)


def _reserved(number: int, update: str) -> FileDeclaration:
    return FileDeclaration(
        0xEF15 + number,
        0x15 + number,
        f"预留信息文件{number}",
        f"reserved {number}",
        Structure.TRANSPARENT,
        ReservedData,
        read=FREE,
        update=any_of(update),
        size=0x128,
        use=Use.RESERVED,
        source="SSC §3.1",
    )


EF05_HOUSEHOLD = FileDeclaration(
    0xEF05,
    0x05,
    "户籍信息文件",
    "household registration",
    Structure.LINEAR_VARIABLE,
    Household,
    read=any_of(PIN, "RK1DF01"),
    update=any_of("UK1DF01"),
    source="SSC §3.1",
)
EF06_RESIDENCE = FileDeclaration(
    0xEF06,
    0x06,
    "常住地信息文件",
    "residence and contact",
    Structure.LINEAR_VARIABLE,
    Residence,
    read=any_of(PIN, "RK1DF01"),
    update=any_of("UK4DF01"),
    source="SSC §3.1",
)
EF07_PERSONAL_STATUS = FileDeclaration(
    0xEF07,
    0x07,
    "个人状况信息文件",
    "personal status",
    Structure.LINEAR_VARIABLE,
    PersonalStatus,
    read=any_of(PIN, "RK1DF01"),
    update=any_of("UK2DF01"),
    source="SSC §3.1",
)
EF08_MARITAL_STATUS = FileDeclaration(
    0xEF08,
    0x08,
    "婚姻状况信息文件",
    "marital status",
    Structure.LINEAR_VARIABLE,
    MaritalStatus,
    read=any_of(PIN, "RK1DF01"),
    update=any_of("UK3DF01"),
    source="SSC §3.1",
)
EF09_EMPLOYER = FileDeclaration(
    0xEF09,
    0x09,
    "人员身份及就业单位信息文件",
    "identity class and employer",
    Structure.LINEAR_VARIABLE,
    Employer,
    read=any_of(PIN, "RK1DF01"),
    update=any_of("UK2DF01"),
    source="SSC §3.1",
)
EF0A_NATIONALITY = FileDeclaration(
    0xEF0A,
    0x0A,
    "国籍及政治面貌信息文件",
    "nationality, political status",
    Structure.LINEAR_VARIABLE,
    Nationality,
    read=any_of(PIN, "RK1DF01"),
    update=any_of("UK5DF01"),
    source="SSC §3.1",
)
EF15_EDUCATION = FileDeclaration(
    0xEF15,
    0x15,
    "学历信息文件",
    "education",
    Structure.LINEAR_VARIABLE,
    Education,
    read=any_of(PIN, "RK1DF01"),
    update=any_of("UK6DF01"),
    source="SSC §3.1",
)
EF16_RESERVED = _reserved(1, "UK7DF01")
EF17_RESERVED = _reserved(2, "UK8DF01")
EF18_RESERVED = _reserved(3, "UK9DF01")
EF19_RESERVED = _reserved(4, "UKADF01")
EF1A_RESERVED = _reserved(5, "UKBDF01")

DF01 = ApplicationDeclaration(
    0xDF01,
    "公共应用信息区",
    "public data",
    (
        EF05_HOUSEHOLD,
        EF06_RESIDENCE,
        EF07_PERSONAL_STATUS,
        EF08_MARITAL_STATUS,
        EF09_EMPLOYER,
        EF0A_NATIONALITY,
        EF15_EDUCATION,
        EF16_RESERVED,
        EF17_RESERVED,
        EF18_RESERVED,
        EF19_RESERVED,
        EF1A_RESERVED,
    ),
    name=bytes.fromhex("D15600000500"),
    label="DF01",
    source="SSC §2",
)
