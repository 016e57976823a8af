"""Files of DF03 on labour capacity and work injury (SSC §3.1, §4.4)."""

from __future__ import annotations

from cardio.files.codecs import Text
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import PIN, FileDeclaration, Structure, any_of
from cardio.files.masking import Mask
from cardio.files.nesting import Constructed
from cardio.files.record import ItemRecord, item, items
from cardio.files.tables.injury import (
    APPRAISAL_MATTER,
    CAPACITY_LOSS,
    CONFIRMATION_RESULT,
    DISABILITY_GRADE,
    INJURY_RESULT,
    SELF_CARE,
)
from cardio.files.tables.regions import region


class CapacityConfirmation(ItemRecord):
    """One matter that was confirmed, the chain inside item 4A of DF03 EF06 (SSC §4.4)."""

    matter: str | None = item(
        0x13, Code(2, APPRAISAL_MATTER), "申请确认事项代码", "matter to confirm", personal=Mask.HIDDEN
    )
    result: str | None = item(0x14, Code(1, CONFIRMATION_RESULT), "确认事项结论", "result")
    device: str | None = item(0x15, Text(0x14), "配置辅助器具项目名称", "assistive device", personal=Mask.HIDDEN)
    confirmed: CardDate | None = item(0x16, Date(), "申请劳动能力确认日期", "date")
    institution: str | None = item(0x17, Text(0x3C), "申请劳动能力确认机构名称", "institution")

    VECTORS = (
        ("13023330" "140131" "1514BCD9D6AB00000000000000000000000000000000" "160420250401"
         "173CB2E2CAD4CAD0C0CDB6AFC4DCC1A6BCF8B6A8CEAFD4B1BBE1000000000000000000000000000000000000000000000000"
         "000000000000000000000000"),
    )  # fmt: skip


class LabourCapacity(ItemRecord):
    """DF03 EF06 劳动能力鉴定信息 (SSC §4.4)."""

    number: str | None = item(0x45, Text(0x14), "劳动能力鉴定编号", "appraisal number", personal=Mask.CARD_NUMBER)
    matter: str | None = item(
        0x46, Code(2, APPRAISAL_MATTER), "申请鉴定事项代码", "matter appraised", personal=Mask.HIDDEN
    )
    disability_grade: str | None = item(
        0x47, Code(2, DISABILITY_GRADE), "伤残等级", "disability grade", personal=Mask.HIDDEN
    )
    self_care: str | None = item(
        0x48, Code(1, SELF_CARE), "生活自理障碍等级", "self-care impairment", personal=Mask.HIDDEN
    )
    capacity_loss: str | None = item(
        0x49, Code(1, CAPACITY_LOSS), "丧失劳动能力鉴定结论", "loss of working capacity", personal=Mask.HIDDEN
    )
    appraised: CardDate | None = item(0x67, Date(), "劳动能力鉴定日期", "appraisal date")
    institution: str | None = item(0x6B, Text(0x3C), "劳动能力鉴定机构名称", "appraisal institution")
    confirmations: tuple[CapacityConfirmation | None, ...] = items(
        0x4A, Constructed(CapacityConfirmation), "申请确认事项", "confirmations", count=3
    )

    VECTORS = (
        "47023037",  # SSC §9.3: grade 7
        ("45143939393930303230323530303030303030303031" "46023930" "47023034" "480133" "490131" "670420250220"
         "6B3CB2E2CAD4CAD0C0CDB6AFC4DCC1A6BCF8B6A8CEAFD4B1BBE1000000000000000000000000000000000000000000000000"
         "000000000000000000000000"
         "4A61130233301401301514BCD9D6AB00000000000000000000000000000000160420250402173CB2E2CAD4CAD0C0CDB6AFC4"
         "DCC1A6BCF8B6A8CEAFD4B1BBE1000000000000000000000000000000000000000000000000000000000000000000000000"
         "4A61130234301401301514CAD6D5C800000000000000000000000000000000160420250502173CB2E2CAD4CAD0C0CDB6AFC4"
         "DCC1A6BCF8B6A8CEAFD4B1BBE1000000000000000000000000000000000000000000000000000000000000000000000000"
         "4A61130236301401301514C2D6D2CE00000000000000000000000000000000160420250602173CB2E2CAD4CAD0C0CDB6AFC4"
         "DCC1A6BCF8B6A8CEAFD4B1BBE1000000000000000000000000000000000000000000000000000000000000000000000000"),
    )  # fmt: skip


class WorkInjuryInsurance(ItemRecord):
    """DF03 EF15 工伤保险信息 (SSC §4.4)."""

    region: str | None = item(0x7A, region(), "工伤保险参保地所属行政区划代码", "region of participation")
    benefit_from: CardDate | None = item(0x7B, Date(), "工伤定期待遇享受开始日期", "start of periodic benefit")
    updated: CardDate | None = item(0x7C, Date(), "工伤保险信息更新日期", "date when the data were updated")

    VECTORS = (("7A03999900" "7B0420240601" "7C0420260105"),)  # fmt: skip


class InjuryDetermination(ItemRecord):
    """DF03 EF17 工伤认定信息; occupational diseases use the same items (SSC §4.4, §4.11)."""

    number: str | None = item(0x3B, Text(0x14), "工伤认定编号", "determination number", personal=Mask.CARD_NUMBER)
    employer: str | None = item(0x3C, Text(0x46), "用人单位名称", "employer", personal=Mask.HIDDEN)
    result: str | None = item(0x3D, Code(1, INJURY_RESULT), "工伤认定结论", "result", personal=Mask.HIDDEN)
    determined: CardDate | None = item(0x3E, Date(), "工伤认定日期", "date")
    authority: str | None = item(0x3F, Text(0x3C), "工伤认定部门名称", "authority")

    VECTORS = (
        ("3B143939393930303230323430303030303030303031"
         "3C46B2E2CAD4B5A5CEBBBCD70000000000000000000000000000000000000000000000000000000000000000000000000000"
         "00000000000000000000000000000000000000000000" "3D0133" "3E0420240510"
         "3F3CB2E2CAD4CAD0C8CBC1A6D7CAD4B4BACDC9E7BBE1B1A3D5CFBED600000000000000000000000000000000000000000000"
         "000000000000000000000000"),
    )  # fmt: skip


EF06_LABOUR_CAPACITY = FileDeclaration(
    0xEF06,
    0x06,
    "劳动能力鉴定信息文件",
    "labour-capacity appraisal",
    Structure.LINEAR_VARIABLE,
    LabourCapacity,
    read=any_of(PIN, "RK1DF03"),
    update=any_of("UK2DF03"),
    source="SSC §3.1",
)
EF15_WORK_INJURY = FileDeclaration(
    0xEF15,
    0x15,
    "工伤保险信息文件",
    "work-injury insurance",
    Structure.LINEAR_VARIABLE,
    WorkInjuryInsurance,
    read=any_of(PIN, "RK1DF03"),
    update=any_of("UK4DF03"),
    source="SSC §3.1",
)
EF17_INJURY_DETERMINATION = FileDeclaration(
    0xEF17,
    0x17,
    "工伤认定信息文件",
    "work-injury determination",
    Structure.LINEAR_VARIABLE,
    InjuryDetermination,
    read=any_of(PIN, "RK1DF03"),
    update=any_of("UK6DF03"),
    source="SSC §3.1",
)
