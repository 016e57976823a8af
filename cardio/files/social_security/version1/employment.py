"""DF02 就业与失业信息区 of a 1.0 card: skills, employment, migrants' permits (SSC §3.2, §4.10).

The employment history (EF07) has the records of version 2.0.
"""

from __future__ import annotations

from cardio.files.codecs import Digits, Text, TextOctets, joined_text
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import PIN, ApplicationDeclaration, FileDeclaration, Reuse, Structure, any_of
from cardio.files.masking import Mask
from cardio.files.nesting import Constructed
from cardio.files.record import ItemRecord, item
from cardio.files.social_security.employment import EmploymentCertificate, EmploymentRecord, EmploymentStatus
from cardio.files.social_security.public import Degree


class QualificationV1(ItemRecord):
    """One vocational qualification, inside the items 43 and 44 of DF02 EF05 (SSC §4.10)."""

    occupation: str | None = item(0x5A, Digits(7), "职业(工种)代码", "occupation code")
    level: str | None = item(0x5B, Digits(1), "等级", "level")
    institution: str | None = item(0x5C, Text(9), "发证机构代码", "organisation code of the institution")
    issued: CardDate | None = item(0x5D, Date(), "发证日期", "issue date")

    VECTORS = (
        ("5A0760701020000001" "5B0103" "5C09393939393939393031" "5D0420080620"),
    )  # fmt: skip


class SkillsV1(ItemRecord):
    """DF02 EF05 技能和学历信息 of a 1.0 card (SSC §4.10)."""

    education_1: Degree | None = item(0x40, Constructed(Degree), "学历信息1", "education 1")
    education_2: Degree | None = item(0x41, Constructed(Degree), "学历信息2", "education 2")
    title: str | None = item(0x42, Digits(3), "专业技术职务代码", "professional title code")
    qualification_1: QualificationV1 | None = item(
        0x43, Constructed(QualificationV1), "职业资格信息1", "vocational qualification 1"
    )
    qualification_2: QualificationV1 | None = item(
        0x44, Constructed(QualificationV1), "职业资格信息2", "vocational qualification 2"
    )

    VECTORS = (
        ("4034570334303158030801015928B2E2CAD4B4F3D1A7000000000000000000000000000000000000000000000000000000000000"
        "0000"
        "4134570333303158030801025928B2E2CAD4D1A7D4BA000000000000000000000000000000000000000000000000000000000000"
        "0000"
        "4203082FFF" "431D5A07607010200000015B01035C093939393939393930315D0420080620"
        "441D5A07607010200000025B01035C093939393939393930325D0420080620"),
    )  # fmt: skip


class EmploymentStatusV1(ItemRecord):
    """DF02 EF06 就业与失业信息 of a 1.0 card (SSC §4.10)."""

    first_employed: CardDate | None = item(0x4B, Date(), "首次就业日期", "start of the first job")
    employment_date: CardDate | None = item(0x4C, Date(), "就业登记日期", "employment registration date")
    unemployment_date: CardDate | None = item(0x60, Date(), "失业登记日期", "unemployment registration date")
    contract_signed: CardDate | None = item(0x4D, Date(), "劳动合同签订日期", "contract signed")
    contract_ended: CardDate | None = item(0x4F, Date(), "劳动合同终止日期", "contract ended")
    contract_started: CardDate | None = item(0x50, Date(), "劳动合同开始日期", "contract start")
    occupation: str | None = item(0x3A, Text(7), "现从事职业", "present occupation")

    VECTORS = (
        ("4B0420010701" "4C0420010715" "600420050301" "4D0420060104" "4F0420081231" "500420060105"
        "3A0736303730313032"),
    )  # fmt: skip


class WorkPermitCardV1(ItemRecord):
    """DF02 EF08 外出人员就业登记卡 of a 1.0 card (SSC §4.10)."""

    number: str | None = item(0x52, Digits(0x0A), "登记卡编号", "permit number", personal=Mask.CARD_NUMBER)
    authority_bytes: bytes | None = item(0x53, TextOctets(0x3E), "发卡机构", "authority")
    authority_rest_bytes: bytes | None = item(0x94, TextOctets(0x08), "发卡机构续", "authority, rest")
    issued: CardDate | None = item(0x54, Date(), "发卡日期", "issue date")

    VECTORS = (
        ("520A99999920060105000001"
        "533EB2E2CAD4CAA1B2E2CAD4CAD041B2E2CAD4C7F8C8CBC1A6D7CAD4B4BACDC9E7BBE1B1A3D5CFBED6B2E2CAD4BDD6B5C0C0CDB6"
        "AFBECDD2B5B7FECEF1B9DCC0"
        "9408EDCBF90000000000" "540420060105"),
    )  # fmt: skip

    @property
    def authority(self) -> str | None:
        """Authority, both parts."""
        return joined_text(self.authority_bytes, self.authority_rest_bytes)


class EmploymentPermitV1(ItemRecord):
    """DF02 EF09 外来人员就业证 of a 1.0 card (SSC §4.10)."""

    number: str | None = item(0x55, Digits(0x0A), "就业证编号", "permit number", personal=Mask.CARD_NUMBER)
    authority_bytes: bytes | None = item(0x56, TextOctets(0x3E), "发证机构", "authority")
    authority_rest_bytes: bytes | None = item(0x95, TextOctets(0x08), "发证机构续", "authority, rest")
    issued: CardDate | None = item(0x96, Date(), "发证日期", "issue date")
    valid_to: CardDate | None = item(0x97, Date(), "有效期至", "valid to")

    VECTORS = (
        ("550A99999920060105000002"
        "563EB2E2CAD4CAA1B2E2CAD4CAD042B2E2CAD4C7F8C8CBC1A6D7CAD4B4BACDC9E7BBE1B1A3D5CFBED6B2E2CAD4BDD6B5C0C0CDB6"
        "AFBECDD2B5B7FECEF1B9DCC0"
        "9508EDCBF90000000000" "960420060106" "970420090105"),
    )  # fmt: skip

    @property
    def authority(self) -> str | None:
        """Authority, both parts."""
        return joined_text(self.authority_bytes, self.authority_rest_bytes)


class ReusedCertificateV1(EmploymentCertificate):
    """DF02 EF09 of a 1.0 card that holds the certificate of version 2.0; its number is `cn 8` (SSC §4.10)."""

    number: str | None = item(0x55, Digits(8), "就业失业登记证编号", "certificate number", personal=Mask.CARD_NUMBER)

    VECTORS = (
        ("55089999001200000012"
        "5646B2E2CAD4CAD0C8CBC1A6D7CAD4B4BACDC9E7BBE1B1A3D5CFBED6000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000"
        "960420120501" "9703999900"),
    )  # fmt: skip


EF05_SKILLS_V1 = FileDeclaration(
    0xEF05,
    0x05,
    "技能和学历信息文件",
    "skills and education",
    Structure.LINEAR_VARIABLE,
    SkillsV1,
    read=any_of(PIN, "UK1DF02"),
    update=any_of("UK1DF02"),
    source="SSC §3.2",
)
EF06_EMPLOYMENT_STATUS_V1 = FileDeclaration(
    0xEF06,
    0x06,
    "就业与失业信息文件",
    "employment and unemployment",
    Structure.LINEAR_VARIABLE,
    EmploymentStatusV1,
    read=any_of(PIN, "UK2DF02"),
    update=any_of("UK2DF02"),
    reuse=Reuse(frozenset({0x4B, 0x4D, 0x4F, 0x50}), {}, EmploymentStatus),
    source="SSC §3.2",
)
EF07_EMPLOYMENT_HISTORY_V1 = FileDeclaration(
    0xEF07,
    0x07,
    "就业记录信息文件",
    "employment history",
    Structure.CYCLIC,
    EmploymentRecord,
    read=any_of(PIN, "UK3DF02"),
    update=any_of("UK3DF02"),
    size=0x55,
    records=4,
    source="SSC §3.2",
)
EF08_WORK_PERMIT_CARD_V1 = FileDeclaration(
    0xEF08,
    0x08,
    "外出人员就业登记卡信息文件",
    "rural migrant work-permit card",
    Structure.LINEAR_VARIABLE,
    WorkPermitCardV1,
    read=any_of(PIN, "UK4DF02"),
    update=any_of("UK4DF02"),
    source="SSC §3.2",
)
EF09_EMPLOYMENT_PERMIT_V1 = FileDeclaration(
    0xEF09,
    0x09,
    "外来人员就业证信息文件",
    "rural migrant employment permit",
    Structure.LINEAR_VARIABLE,
    EmploymentPermitV1,
    read=any_of(PIN, "UK5DF02"),
    update=any_of("UK5DF02"),
    reuse=Reuse(frozenset({0x55, 0x97}), {0x56: 0x55, 0x96: 0x55}, ReusedCertificateV1),
    source="SSC §3.2",
)
DF02_V1 = ApplicationDeclaration(
    0xDF02,
    "就业与失业信息区",
    "employment and unemployment",
    (
        EF05_SKILLS_V1,
        EF06_EMPLOYMENT_STATUS_V1,
        EF07_EMPLOYMENT_HISTORY_V1,
        EF08_WORK_PERMIT_CARD_V1,
        EF09_EMPLOYMENT_PERMIT_V1,
    ),
    name=bytes.fromhex("D15600000501"),
    label="DF02",
    source="SSC §3.2",
)
