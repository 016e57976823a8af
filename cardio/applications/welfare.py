"""Health, social relief, preferential treatment, honours and talent (SSC §4.6)."""

from __future__ import annotations

from cardio.applications.questions import file_question
from cardio.files.social_security.health import HealthData
from cardio.files.social_security.personnel import Demobilisation, ExpertStatus, Honours
from cardio.files.social_security.relief import PreferentialTreatment, SocialRelief

WELFARE_QUESTIONS = (
    file_question("health", "生命与健康", "health", ("DF05", "EF05"), HealthData),
    file_question("relief", "社会救助", "social relief", ("DF06", "EF05"), SocialRelief),
    file_question(
        "preferential_treatment", "优待抚恤", "preferential treatment", ("DF06", "EF06"), PreferentialTreatment
    ),
    file_question("honours", "荣誉", "honours", ("DF07", "EF05"), Honours),
    file_question("expert", "专家", "expert status", ("DF07", "EF06"), ExpertStatus),
    file_question("demobilisation", "军转干部", "demobilised officer", ("DF07", "EF07"), Demobilisation),
)
