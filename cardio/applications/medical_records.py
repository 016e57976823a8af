"""Medical insurance data, settlements and logs in the files of DF04 (SSC §4.5, §4.11)."""

from __future__ import annotations

from cardio.applications.questions import file_question
from cardio.files.social_security.medical import (
    MedicalData,
    MedicalLogRecord,
    OfflineSettlement,
    SpecialSettlementRecord,
)
from cardio.files.social_security.version1.medical import MedicalAccountV1

LOG_RECORDS = 10
"""Records of a log that a read returns, newest first."""

MEDICAL_QUESTION = file_question("medical", "医疗保险", "medical insurance", ("DF04", "EF05"), MedicalData)
MEDICAL_LOG_QUESTION = file_question(
    "log", "医疗交易明细", "medical log", ("DF04", "EF08"), MedicalLogRecord, many=True, limit=LOG_RECORDS
)
MEDICAL_RECORD_QUESTIONS = (
    file_question(
        "offline_settlement",
        "临时脱网结算",
        "off-line settlement",
        ("DF04", "EF06"),
        OfflineSettlement,
        declared=OfflineSettlement,
    ),
    file_question(
        "account",
        "个人账户（1.0版）",
        "personal account, version 1.0",
        ("DF04", "EF06"),
        MedicalAccountV1,
        declared=MedicalAccountV1,
    ),
    file_question(
        "special_settlements",
        "特殊医疗结算",
        "special settlements",
        ("DF04", "EF15"),
        SpecialSettlementRecord,
        many=True,
        limit=LOG_RECORDS,
    ),
)
