"""Social security environment of a 1.0 card: issuer, holder and fingerprints (SSC §3.2, §4.1, §4.10)."""

from __future__ import annotations

from dataclasses import replace

from cardio.files.codecs import Text
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import FREE
from cardio.files.masking import Mask
from cardio.files.record import ItemRecord, item
from cardio.files.social_security.environment import EF05_ISSUER, EF06_HOLDER, EF07_FINGERPRINTS
from cardio.files.tables.card import SEX
from cardio.files.tables.person import ETHNICITY
from cardio.files.tables.regions import region


class HolderDataV1(ItemRecord):
    """SSSE EF06 持卡人基本信息 of a 1.0 card, without the name extension (SSC §4.1, §4.10)."""

    social_security_number: str | None = item(
        0x08, Text(0x12), "社会保障号码", "social security number", personal=Mask.ID_NUMBER
    )
    name: str | None = item(0x09, Text(0x1E), "姓名", "name", personal=Mask.NAME)
    sex: str | None = item(0x0A, Code(1, SEX), "性别", "sex")
    ethnicity: str | None = item(0x0B, Code(1, ETHNICITY, form="cn"), "民族", "ethnicity")
    birthplace: str | None = item(0x0C, region(), "出生地", "place of birth", personal=Mask.HIDDEN)
    born: CardDate | None = item(0x0D, Date(), "出生日期", "date of birth", personal=Mask.DATE)

    VECTORS = (
        "0A0131",  # SSC §9.1
        ("0812393939393939313939303031303130303136"
        "091EB2E2CAD4BCD7000000000000000000000000000000000000000000000000" "0A0131" "0B0101" "0C03999999"
        "0D0419900101"),
    )  # fmt: skip


EF05_ISSUER_V1 = replace(EF05_ISSUER, source="SSC §3.2")
EF06_HOLDER_V1 = replace(EF06_HOLDER, content=HolderDataV1, source="SSC §3.2")
EF07_FINGERPRINTS_V1 = replace(EF07_FINGERPRINTS, read=FREE, source="SSC §3.2")
