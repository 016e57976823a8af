"""Household, residence, marital status, nationality and education of the holder (SSC §4.2)."""

from __future__ import annotations

from cardio.applications.questions import file_question
from cardio.files.social_security.public import Education, Household, MaritalStatus, Nationality, Residence

PERSON_QUESTIONS = (
    file_question("household", "户籍", "household registration", ("DF01", "EF05"), Household),
    file_question("residence", "常住地与联系方式", "residence and contact", ("DF01", "EF06"), Residence),
    file_question("marital", "婚姻状况", "marital status", ("DF01", "EF08"), MaritalStatus),
    file_question("nationality", "国籍与政治面貌", "nationality and political status", ("DF01", "EF0A"), Nationality),
    file_question("education", "学历学位", "education and degrees", ("DF01", "EF15"), Education),
)
