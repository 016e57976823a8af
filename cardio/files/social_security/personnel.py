"""DF07 人事人才信息区, personnel and talent (SSC §3.1, §4.6)."""

from __future__ import annotations

from cardio.files.codecs import Text
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import (
    ApplicationDeclaration,
    FileDeclaration,
    Structure,
    Use,
    any_of,
)
from cardio.files.record import ItemRecord, item
from cardio.files.tables.relief import HONOUR_LEVEL, PLACEMENT


class Honours(ItemRecord):
    """DF07 EF05 荣誉信息 (SSC §4.6)."""

    honour: str | None = item(0xF0, Text(2), "荣誉称号名称代码", "honour name code")
    level: str | None = item(0xF1, Code(1, HONOUR_LEVEL), "荣誉称号级别", "honour level")
    honour_approved: CardDate | None = item(0xF2, Date(), "荣誉称号批准日期", "honour approved")
    medal: str | None = item(0xF3, Text(3), "荣誉奖章代码", "medal code")
    medal_approved: CardDate | None = item(0xF4, Date(), "荣誉奖章批准日期", "medal approved")

    VECTORS = (
        ("F0023031" "F10131" "F20420180501" "F303303031" "F40420190501"),
    )  # fmt: skip


class ExpertStatus(ItemRecord):
    """DF07 EF06 专家信息 (SSC §4.6)."""

    expert_class: str | None = item(0xF5, Text(3), "专家类别", "expert class")
    approved: CardDate | None = item(0xF6, Date(), "专家批准日期", "approval date")
    authority: str | None = item(0xF7, Text(0x46), "专家批准机构名称", "approving authority")

    VECTORS = (
        ("F503303031" "F60420200601"
         "F746B2E2CAD4CAA1C8CBC1A6D7CAD4B4BACDC9E7BBE1B1A3D5CFCCFC000000000000000000000000000000000000000000000000"
         "0000000000000000000000000000000000000000"),
    )  # fmt: skip


class Demobilisation(ItemRecord):
    """DF07 EF07 军队转业干部信息, demobilised officers (SSC §4.6)."""

    approved: CardDate | None = item(0xF8, Date(), "批准转业日期", "transfer approved")
    placement: str | None = item(0xF9, Code(1, PLACEMENT), "安置方式", "placement")

    VECTORS = (
        ("F80420160901" "F90132"),
    )  # fmt: skip


EF05_HONOURS = FileDeclaration(
    0xEF05,
    0x05,
    "荣誉信息文件",
    "honours",
    Structure.LINEAR_VARIABLE,
    Honours,
    read=any_of("RK1DF07"),
    update=any_of("UK1DF07"),
    use=Use.PREPARED,
    source="SSC §3.1",
)
EF06_EXPERT = FileDeclaration(
    0xEF06,
    0x06,
    "专家信息文件",
    "expert status",
    Structure.LINEAR_VARIABLE,
    ExpertStatus,
    read=any_of("RK2DF07"),
    update=any_of("UK2DF07"),
    use=Use.PREPARED,
    source="SSC §3.1",
)
EF07_DEMOBILISATION = FileDeclaration(
    0xEF07,
    0x07,
    "军队转业干部信息文件",
    "demobilised officers",
    Structure.LINEAR_VARIABLE,
    Demobilisation,
    read=any_of("RK3DF07"),
    update=any_of("UK3DF07"),
    use=Use.PREPARED,
    source="SSC §3.1",
)

DF07 = ApplicationDeclaration(
    0xDF07,
    "人事人才信息区",
    "personnel and talent",
    (EF05_HONOURS, EF06_EXPERT, EF07_DEMOBILISATION),
    name=bytes.fromhex("D15600000504"),
    label="DF07",
    source="SSC §2",
)
