"""DF05 生命与健康信息区, health data (SSC §3.1, §4.6); read freely and informative only."""

from __future__ import annotations

from cardio.files.codecs import Text
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
from cardio.files.nesting import Constructed
from cardio.files.record import ItemRecord, item, items
from cardio.files.tables.health import (
    DISABILITY_CLASS,
    DISABILITY_LEVEL,
    HEALTH_STATE,
    MEDICAL_ALERT,
    RHESUS,
)


class ContraindicatedDrug(ItemRecord):
    """One drug that the holder must not get, 禁忌药物信息 of DF05 EF05 (SSC §4.6)."""

    name: str | None = item(0xA5, Text(0x10), "禁忌药物名称", "drug name", personal=Mask.HIDDEN)
    code: str | None = item(0xA6, Text(4), "禁忌药物代码", "drug code", personal=Mask.HIDDEN)

    VECTORS = (
        ("A510B2E2CAD4D2A931000000000000000000" "A60430303031"),
    )  # fmt: skip


class MajorDisease(ItemRecord):
    """One major disease, 重大疾病信息 of DF05 EF05 (SSC §4.6)."""

    name: str | None = item(0xA7, Text(0x10), "重大疾病名称", "disease name", personal=Mask.HIDDEN)
    code: str | None = item(0xA8, Text(3), "重大疾病代码", "disease code", personal=Mask.HIDDEN)

    VECTORS = (
        ("A710B2E2CAD4B2A131000000000000000000" "A803303031"),
    )  # fmt: skip


def _alert(tag: int, zh: str, en: str) -> str | None:
    return item(tag, Code(1, MEDICAL_ALERT), zh, en, personal=Mask.HIDDEN)


class HealthData(ItemRecord):
    """DF05 EF05 生命与健康信息 (SSC §4.6)."""

    state: str | None = item(0xA0, Code(1, HEALTH_STATE), "健康状况", "health state", personal=Mask.HIDDEN)
    disability_class: str | None = item(
        0xA1, Code(1, DISABILITY_CLASS), "残疾类别", "disability class", personal=Mask.HIDDEN
    )
    disability_level: str | None = item(
        0xB9, Code(1, DISABILITY_LEVEL), "残疾等级", "disability level", personal=Mask.HIDDEN
    )
    blood_group: str | None = item(0xA2, Text(4), "ABO血型", "ABO blood group", personal=Mask.HIDDEN)
    rhesus: str | None = item(0xA9, Code(1, RHESUS, form="cn"), "Rh血型", "Rh blood group", personal=Mask.HIDDEN)
    drugs: tuple[ContraindicatedDrug | None, ...] = items(
        0xA3, Constructed(ContraindicatedDrug), "禁忌药物信息", "contraindicated drugs", count=5
    )
    diseases: tuple[MajorDisease | None, ...] = items(
        0xA4, Constructed(MajorDisease), "重大疾病信息", "major diseases", count=5
    )
    allergen: str | None = item(0xBA, Text(0x14), "过敏物质名称", "allergen", personal=Mask.HIDDEN)
    reaction: str | None = item(0xBB, Text(0x64), "过敏反应", "allergic reaction", personal=Mask.HIDDEN)
    vaccination: str | None = item(0xAA, Text(0x14), "免疫接种名称", "vaccination", personal=Mask.HIDDEN)
    vaccinated: CardDate | None = item(0xAB, Date(), "免疫接种日期", "vaccination date", personal=Mask.HIDDEN)
    asthma: str | None = _alert(0xAC, "哮喘标志", "asthma")
    heart_disease: str | None = _alert(0xAD, "心脏病标志", "heart disease")
    vascular_disease: str | None = _alert(0xAE, "心脑血管病标志", "cardiovascular or cerebrovascular disease")
    epilepsy: str | None = _alert(0xAF, "癫痫病标志", "epilepsy")
    coagulation_disorder: str | None = _alert(0xB0, "凝血紊乱标志", "coagulation disorder")
    diabetes: str | None = _alert(0xB1, "糖尿病标志", "diabetes")
    glaucoma: str | None = _alert(0xB2, "青光眼标志", "glaucoma")
    dialysis: str | None = _alert(0xB3, "透析标志", "dialysis")
    transplant: str | None = _alert(0xB4, "器官移植标志", "organ transplant")
    missing_organ: str | None = _alert(0xB5, "器官缺失标志", "missing organ")
    prosthesis: str | None = _alert(0xB6, "可装卸义肢标志", "removable prosthesis")
    pacemaker: str | None = _alert(0xB7, "心脏起搏器标志", "pacemaker")
    mental_illness: str | None = _alert(0xBC, "精神病标志", "mental illness")
    other_alert: str | None = item(0xB8, Text(0x28), "其他医学警示名称", "other medical alert", personal=Mask.HIDDEN)

    VECTORS = (
        ("A00133" "A10134" "B90132" "A2044142D0CD" "A90102" "A318A510B2E2CAD4D2A931000000000000000000A60430303031"
         "A318A510B2E2CAD4D2A932000000000000000000A60430303032"
         "A318A510B2E2CAD4D2A933000000000000000000A60430303033"
         "A318A510B2E2CAD4D2A934000000000000000000A60430303034"
         "A318A510B2E2CAD4D2A935000000000000000000A60430303035"
         "A417A710B2E2CAD4B2A131000000000000000000A803303031" "A417A710B2E2CAD4B2A132000000000000000000A803303032"
         "A417A710B2E2CAD4B2A133000000000000000000A803303033" "A417A710B2E2CAD4B2A134000000000000000000A803303034"
         "A417A710B2E2CAD4B2A135000000000000000000A803303035" "BA14B2E2CAD4B9FDC3F4CEEFD6CA0000000000000000"
         "BB64B2E2CAD4B9FDC3F4B7B4D3A60000000000000000000000000000000000000000000000000000000000000000000000000000"
         "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "AA14B2E2CAD4D2DFC3E7000000000000000000000000" "AB0420210601" "AC0130" "AD0131" "AE0132" "AF0130" "B00130"
         "B10131" "B20130" "B30130" "B40130" "B50130" "B60131" "B70130" "BC0130"
         "B828B2E2CAD4BEAFCABE0000000000000000000000000000000000000000000000000000000000000000"),
    )  # fmt: skip


EF05_HEALTH = FileDeclaration(
    0xEF05,
    0x05,
    "生命与健康信息",
    "health data",
    Structure.LINEAR_VARIABLE,
    HealthData,
    read=FREE,
    update=any_of("UK1DF05"),
    use=Use.PREPARED,
    source="SSC §3.1",
)

DF05 = ApplicationDeclaration(0xDF05, "生命与健康信息区", "health", (EF05_HEALTH,), label="DF05", source="SSC §2")
"""Selected by identifier: its AID rests on one source."""
