"""DF01 公共应用信息区 of a 1.0 card: household, communication, status, employer and wages (SSC §3.2, §4.10).

Personal status (EF07) and marital status (EF08) hold the items of version 2.0.
"""

from __future__ import annotations

from cardio.files.codecs import Amount, Digits, Text, TextOctets, joined_text
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import PIN, ApplicationDeclaration, FileDeclaration, Reuse, Structure, any_of
from cardio.files.masking import Mask
from cardio.files.record import ItemRecord, item
from cardio.files.social_security.public import Employer, MaritalStatus, Nationality, PersonalStatus


class HouseholdV1(ItemRecord):
    """DF01 EF05 户籍信息 of a 1.0 card (SSC §4.10)."""

    household_type: str | None = item(0x20, Text(1), "户口类别", "household type")
    address_bytes: bytes | None = item(
        0x21, TextOctets(0x3E), "户口所在地地址", "household address", personal=Mask.HIDDEN
    )
    address_rest_bytes: bytes | None = item(
        0x22, TextOctets(0x12), "户口所在地地址续", "household address, rest", personal=Mask.HIDDEN
    )

    VECTORS = (
        ("200131"
        "213EB2E2CAD4CAA1B2E2CAD4CAD0B2E2CAD4C7F8B2E2CAD4BDD6B5C0B2E2CAD4C9E7C7F8B2E2CAD4C2B731BAC5B2E2CAD4D0A1C7"
        "F832BAC5C2A533B5A5D4AAB2"
        "2212E2CAD4CAD2BCD7D2D2B1FBB6A10000000000"),
    )  # fmt: skip

    @property
    def address(self) -> str | None:
        """Household address, both parts."""
        return joined_text(self.address_bytes, self.address_rest_bytes)


class CommunicationV1(ItemRecord):
    """DF01 EF06 通讯信息 of a 1.0 card (SSC §4.10)."""

    address_bytes: bytes | None = item(0x25, TextOctets(0x3E), "通讯地址", "postal address", personal=Mask.HIDDEN)
    address_rest_bytes: bytes | None = item(
        0x26, TextOctets(0x12), "通讯地址续", "postal address, rest", personal=Mask.HIDDEN
    )
    postcode: str | None = item(0x27, Digits(3), "邮政编码", "postcode", personal=Mask.HIDDEN)
    telephone: str | None = item(0x28, Text(0x0F), "联系电话", "telephone", personal=Mask.HIDDEN)

    VECTORS = (
        ("253EB2E2CAD4CAA1B2E2CAD4CAD0B2E2CAD4C7F8B2E2CAD4BDD6B5C0B2E2CAD4C9E7C7F8B2E2CAD4C2B738BAC5B2E2CAD4D0C5CF"
        "E4B2E2CAD4CAD5B7A2CAD2B2"
        "2612E2CAD4B4A600000000000000000000000000" "2703999999" "280F303030303030303030303100000000"),
    )  # fmt: skip

    @property
    def address(self) -> str | None:
        """Postal address, both parts."""
        return joined_text(self.address_bytes, self.address_rest_bytes)


class EmployerV1(ItemRecord):
    """DF01 EF09 就业单位信息 of a 1.0 card (SSC §4.10)."""

    name_bytes: bytes | None = item(0x2E, TextOctets(0x3E), "单位名称", "employer name", personal=Mask.HIDDEN)
    name_rest_bytes: bytes | None = item(
        0x2F, TextOctets(0x08), "单位名称续", "employer name, rest", personal=Mask.HIDDEN
    )
    organisation_code: str | None = item(
        0x30, Text(9), "单位组织机构代码", "employer organisation code", personal=Mask.HIDDEN
    )
    unit_type: str | None = item(0x31, Text(1), "单位类型", "unit type")
    economic_type: str | None = item(0x32, Text(3), "经济类型", "economic type")

    VECTORS = (
        ("2E3EB2E2CAD4CAA1B2E2CAD4CAD041B2E2CAD4BBFAD0B5C9E8B1B8D6C6D4ECD3D0CFDED4F0C8CEB9ABCBBEB5DAD2BBB7D6B9ABCB"
        "BEB2E2CAD4B3B5BCE4B2E2CA"
        "2F08D4B0E0D7E9B2BF00" "3009393939393939393930" "310131" "3203313130"),
    )  # fmt: skip

    @property
    def name(self) -> str | None:
        """Employer name, both parts."""
        return joined_text(self.name_bytes, self.name_rest_bytes)


class WagesV1(ItemRecord):
    """DF01 EF0A 工资信息 of a 1.0 card; amounts in fen (SSC §4.10)."""

    contribution_base_fen: int | None = item(0x37, Amount(4), "缴费基数", "contribution base, fen")
    last_year_wages_fen: int | None = item(0x38, Amount(4), "上年度工资", "last year's wages, fen")
    updated: CardDate | None = item(0x39, Date(), "信息更新日期", "update date")

    VECTORS = (
        ("370400312345" "380404123456" "390420090701"),
    )  # fmt: skip


EF05_HOUSEHOLD_V1 = FileDeclaration(
    0xEF05,
    0x05,
    "户籍信息文件",
    "household registration",
    Structure.LINEAR_VARIABLE,
    HouseholdV1,
    read=any_of(PIN),
    update=any_of("UK1DF01"),
    source="SSC §3.2",
)
EF06_COMMUNICATION_V1 = FileDeclaration(
    0xEF06,
    0x06,
    "通讯信息文件",
    "communication",
    Structure.LINEAR_VARIABLE,
    CommunicationV1,
    read=any_of(PIN),
    update=any_of("UK4DF01"),
    source="SSC §3.2",
)
EF07_PERSONAL_STATUS_V1 = FileDeclaration(
    0xEF07,
    0x07,
    "个人状况信息文件",
    "personal status",
    Structure.LINEAR_FIXED,
    PersonalStatus,
    read=any_of(PIN, "UK2DF01"),
    update=any_of("UK2DF01"),
    size=3,
    source="SSC §3.2",
)
EF08_MARITAL_STATUS_V1 = FileDeclaration(
    0xEF08,
    0x08,
    "婚姻状况信息文件",
    "marital status",
    Structure.LINEAR_VARIABLE,
    MaritalStatus,
    read=any_of(PIN),
    update=any_of("UK3DF01"),
    source="SSC §3.2",
)
EF09_EMPLOYER_V1 = FileDeclaration(
    0xEF09,
    0x09,
    "就业单位信息文件",
    "employer",
    Structure.LINEAR_VARIABLE,
    EmployerV1,
    read=any_of(PIN, "UK2DF01"),
    update=any_of("UK2DF01"),
    reuse=Reuse(frozenset({0x32}), {}, Employer),
    source="SSC §3.2",
)
EF0A_WAGES_V1 = FileDeclaration(
    0xEF0A,
    0x0A,
    "工资信息文件",
    "wages",
    Structure.LINEAR_VARIABLE,
    WagesV1,
    read=any_of(PIN),
    update=any_of("UK5DF01"),
    reuse=Reuse(frozenset({0x37, 0x38}), {0x39: 0x38}, Nationality),
    source="SSC §3.2",
)
DF01_V1 = ApplicationDeclaration(
    0xDF01,
    "公共应用信息区",
    "public data",
    (
        EF05_HOUSEHOLD_V1,
        EF06_COMMUNICATION_V1,
        EF07_PERSONAL_STATUS_V1,
        EF08_MARITAL_STATUS_V1,
        EF09_EMPLOYER_V1,
        EF0A_WAGES_V1,
    ),
    name=bytes.fromhex("D15600000500"),
    label="DF01",
    source="SSC §3.2",
)
