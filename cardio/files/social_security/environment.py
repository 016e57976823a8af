"""Social security environment SSSE: issuer and holder (SSC §3.1, §4.1)."""

from __future__ import annotations

from cardio.files.codecs import HexDigits, Octets, Text, TextOctets, joined_text
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import (
    FREE,
    ApplicationDeclaration,
    FileDeclaration,
    Structure,
    Use,
    any_of,
)
from cardio.files.masking import Mask
from cardio.files.record import FixedRecord, ItemRecord, item, optional
from cardio.files.tables.card import CARD_CLASS, SEX
from cardio.files.tables.person import ETHNICITY
from cardio.files.tables.regions import region

SSSE_NAME = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")
"""DF name of the social security environment: "sx1.sh.社会保障" in GBK (SSC §2)."""


class IssuerData(ItemRecord):
    """SSSE EF05 发卡机构数据 (SSC §4.1)."""

    card_id: bytes | None = item(0x01, Octets(16), "卡的识别码", "card identification code")
    card_class: str | None = item(0x02, Code(1, CARD_CLASS), "卡的类别", "card class")
    version: str | None = item(0x03, Text(4), "规范版本", "specification version")
    institution: str | None = item(0x04, HexDigits(12), "初始化机构编号", "initialising institution number")
    issued: CardDate | None = item(0x05, Date(), "发卡日期", "issue date")
    expires: CardDate | None = item(0x06, Date(), "卡有效期", "expiry date")
    card_number: str | None = item(0x07, Text(9), "卡号", "card number", personal=Mask.CARD_NUMBER)

    VECTORS = (
        # SSC §9.2, the 2.0 test card; its two date items hold ASCII years.
        ("0110430299D156000005000000133A05F2E3" "020133" "0304322E3030"
        "040C9156000002430200430100D5" "050432303132" "060432303232" "0709423030303030313331"),
        # PERS §5.3, card B
        ("0110999900D15600000500000123FFFFFFFF" "020133" "0304322E3030"
        "040C915600000299990099990001" "050420260615" "060420360614" "0709413030303030313236"),
    )  # fmt: skip


class HolderData(ItemRecord):
    """SSSE EF06 持卡人基本信息 (SSC §4.1)."""

    social_security_number: str | None = item(
        0x08, Text(0x12), "社会保障号码", "social security number", personal=Mask.ID_NUMBER
    )
    name_bytes: bytes | None = item(0x09, TextOctets(0x1E), "姓名", "name", personal=Mask.NAME)
    name_extension_bytes: bytes | None = item(
        0x4E, TextOctets(0x14), "姓名扩展", "name extension", personal=Mask.HIDDEN
    )
    sex: str | None = item(0x0A, Code(1, SEX), "性别", "sex")
    ethnicity: str | None = item(0x0B, Code(1, ETHNICITY, form="cn"), "民族", "ethnicity")
    birthplace: str | None = item(0x0C, region(), "出生地", "place of birth", personal=Mask.HIDDEN)
    born: CardDate | None = item(0x0D, Date(), "出生日期", "date of birth", personal=Mask.DATE)

    VECTORS = (
        # PERS §5.3, card B
        ("0812393939393939313939303031303130303136"
        "091EB2E2CAD4BCD7000000000000000000000000000000000000000000000000"
        "4E140000000000000000000000000000000000000000"
        "0A0131" "0B0101" "0C03999999" "0D0419900101"),
        # SSC §9.3: a printed sample number and the name 张三
        ("0812313130313035313934393132333130303258"
        "091ED5C5C8FD0000000000000000000000000000000000000000000000000000"),
        # a name of 38 bytes
        ("0812393939393939313939303031303130303136"
         "091EB2E2CAD4BCD7A1A4B2E2CAD4D2D2A1A4B2E2CAD4B1FBA1A4B2E2CAD4BCD7"
         "4E14A1A4B2E2CAD4D2D2000000000000000000000000"
         "0A0131" "0B0105" "0C03999999" "0D0419900101"),
    )  # fmt: skip

    @property
    def name(self) -> str | None:
        """Name ‖ extension; a character may be split between the two."""
        return joined_text(self.name_bytes, self.name_extension_bytes)


class Fingerprints(FixedRecord):
    """SSSE EF07 指纹数据: two fingers, right then left; the template format is not public (SSC §4.1, PC-10)."""

    templates: bytes | None = optional(Octets(0x300), "指纹数据", "fingerprint templates", personal=Mask.HIDDEN)

    VECTORS = ("01" * 0x180 + "02" * 0x180,)


class Photo(FixedRecord):
    """SSSE EF08 照片信息: a JPEG or BMP picture from the first byte, then filler (SSC §4.1)."""

    picture: bytes | None = optional(Octets(0x1000), "照片", "photo", personal=Mask.HIDDEN)

    VECTORS = ("FFD8FFD9" + "00" * 0xFFC,)


EF05_ISSUER = FileDeclaration(
    0xEF05,
    0x05,
    "发卡机构数据文件",
    "issuer data",
    Structure.LINEAR_VARIABLE,
    IssuerData,
    read=FREE,
    update=any_of("UKSSSE"),
    source="SSC §3.1",
)
EF06_HOLDER = FileDeclaration(
    0xEF06,
    0x06,
    "持卡人的基本信息文件",
    "holder basic data",
    Structure.LINEAR_VARIABLE,
    HolderData,
    read=FREE,
    update=any_of("UKSSSE"),
    source="SSC §3.1",
)
EF07_FINGERPRINTS = FileDeclaration(
    0xEF07,
    0x07,
    "指纹数据文件",
    "fingerprints",
    Structure.TRANSPARENT,
    Fingerprints,
    read=any_of("RKSSSE"),
    update=any_of("UKSSSE"),
    size=0x300,
    use=Use.PREPARED,
    source="SSC §3.1",
)
EF08_PHOTO = FileDeclaration(
    0xEF08,
    0x08,
    "照片信息文件",
    "photo",
    Structure.TRANSPARENT,
    Photo,
    read=any_of("RKSSSE"),
    update=any_of("UKSSSE"),
    size=0x1000,
    use=Use.PREPARED,
    source="SSC §3.1",
)
SSSE = ApplicationDeclaration(
    0xDDF1,
    "社会保障系统环境",
    "social security environment",
    (EF05_ISSUER, EF06_HOLDER, EF07_FINGERPRINTS, EF08_PHOTO),
    name=SSSE_NAME,
    label="SSSE",
    source="SSC §2",
)
