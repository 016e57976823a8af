"""Groups of data that can be asked for, and the questions that each of them asks (design §5)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from cardio.applications.answers import Question
from cardio.applications.employment import EMPLOYMENT_QUESTIONS
from cardio.applications.holder import HOLDER_QUESTION
from cardio.applications.insurance import INSURANCE_QUESTIONS
from cardio.applications.medical_records import MEDICAL_LOG_QUESTION, MEDICAL_QUESTION, MEDICAL_RECORD_QUESTIONS
from cardio.applications.person import PERSON_QUESTIONS
from cardio.applications.welfare import WELFARE_QUESTIONS
from cardio.applications.work_injury import WORK_INJURY_QUESTIONS


class Group(StrEnum):
    """Groups of data, in the order in which they are shown."""

    CARD = "card"
    HOLDER = "holder"
    PERSON = "person"
    INSURANCE = "insurance"
    MEDICAL = "medical"
    MEDICAL_RECORDS = "medical_records"
    EMPLOYMENT = "employment"
    WORK_INJURY = "work_injury"
    WELFARE = "welfare"
    WALLET = "wallet"
    WALLET_LOG = "wallet_log"
    TRIPS = "trips"
    MEDICAL_LOG = "medical_log"
    FILES = "files"


GROUP_TITLES: Mapping[Group, tuple[str, str]] = {
    Group.CARD: ("卡片", "card"),
    Group.HOLDER: ("持卡人", "holder"),
    Group.PERSON: ("个人信息", "personal data"),
    Group.INSURANCE: ("社会保险", "insurance"),
    Group.MEDICAL: ("医疗保险", "medical insurance"),
    Group.MEDICAL_RECORDS: ("医疗结算", "medical settlements"),
    Group.EMPLOYMENT: ("就业与失业", "employment"),
    Group.WORK_INJURY: ("工伤与劳动能力", "work injury and labour capacity"),
    Group.WELFARE: ("健康、救助与人才", "health, relief and honours"),
    Group.WALLET: ("电子钱包", "wallet"),
    Group.WALLET_LOG: ("钱包交易明细", "wallet log"),
    Group.TRIPS: ("乘车记录", "trips"),
    Group.MEDICAL_LOG: ("医疗交易明细", "medical log"),
    Group.FILES: ("全部文件", "all files"),
}
QUESTIONS: Mapping[Group, tuple[Question, ...]] = {
    Group.HOLDER: (HOLDER_QUESTION,),
    Group.PERSON: PERSON_QUESTIONS,
    Group.INSURANCE: INSURANCE_QUESTIONS,
    Group.MEDICAL: (MEDICAL_QUESTION,),
    Group.MEDICAL_RECORDS: MEDICAL_RECORD_QUESTIONS,
    Group.EMPLOYMENT: EMPLOYMENT_QUESTIONS,
    Group.WORK_INJURY: WORK_INJURY_QUESTIONS,
    Group.WELFARE: WELFARE_QUESTIONS,
    Group.MEDICAL_LOG: (MEDICAL_LOG_QUESTION,),
}
"""Questions to the files of the social security environment."""
FLAT = frozenset({Group.HOLDER, Group.MEDICAL, Group.MEDICAL_LOG})
"""Groups of one question, shown without the question's name."""
PERSONAL_GROUPS = frozenset(
    {
        Group.HOLDER,
        Group.PERSON,
        Group.INSURANCE,
        Group.MEDICAL_RECORDS,
        Group.EMPLOYMENT,
        Group.WORK_INJURY,
        Group.WELFARE,
        Group.FILES,
    }
)
"""Groups whose reading is noted in the access log."""
