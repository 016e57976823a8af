"""Employment and unemployment: status, employer, history, registration, benefits, measures, skills (SSC §4.3)."""

from __future__ import annotations

from cardio.applications.answers import Question
from cardio.applications.card_files import CardFiles
from cardio.applications.questions import file_question
from cardio.applications.versions import fact_of, facts_of
from cardio.files.codecs import Amount, DecimalText, Text
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.record import Record, optional
from cardio.files.social_security.employment import (
    EmploymentAid,
    EmploymentCertificate,
    EmploymentRecord,
    EmploymentStatus,
    Skills,
    SupportMeasure,
)
from cardio.files.social_security.insurance import UnemploymentInsurance
from cardio.files.social_security.public import Employer, PersonalStatus
from cardio.files.social_security.version1.insurance import UnemploymentInsuranceV1
from cardio.files.tables.person import IDENTITY_CLASS, PERSONAL_STATUS
from cardio.files.tables.regions import region

STATUS, EMPLOYER, REGISTRATION = ("DF01", "EF07"), ("DF01", "EF09"), ("DF02", "EF06")
MEASURES, UNEMPLOYMENT = ("DF02", "EF16"), ("DF03", "EF05")
TRAINING = frozenset({"040", "050"})
"""Support measures that are training: the training subsidy and the skill-test subsidy (SSC §4.11)."""


class WorkingStatus(Record):
    """Whether and how the holder works."""

    status: str | None = optional(Code(1, PERSONAL_STATUS), "就业或离退休状态", "employment or retirement state")
    identity_class: str | None = optional(Code(2, IDENTITY_CLASS), "人员身份类别", "identity class")
    occupation: str | None = optional(Text(7), "现从事职业", "present occupation")


class UnemploymentBenefits(Record):
    """Unemployment registration and benefits."""

    region: str | None = optional(region(), "失业保险参保地", "region of participation")
    registered: CardDate | None = optional(Date(), "最近一次失业登记日期", "last unemployment registration")
    applied: CardDate | None = optional(Date(), "最近一次失业保险金申领日期", "last benefit application")
    updated: CardDate | None = optional(Date(), "信息更新日期", "data updated")
    monthly_benefit_fen: int | None = optional(Amount(4), "失业保险金月发放金额", "monthly benefit")
    contribution_months: int | None = optional(DecimalText(3), "累计缴费月数", "accumulated contribution months")
    effective_months: int | None = optional(DecimalText(3), "有效缴费月数", "effective contribution months")
    granted_months: int | None = optional(DecimalText(3), "应领取月数", "benefit months granted")
    received_months: int | None = optional(DecimalText(3), "已领取月数", "benefit months received")


def _working_status(files: CardFiles) -> tuple[Record, ...]:
    status = fact_of(files, STATUS, PersonalStatus)
    employer = fact_of(files, EMPLOYER, Employer)
    registration = fact_of(files, REGISTRATION, EmploymentStatus)
    return (
        WorkingStatus(
            status=status.status if status else None,
            identity_class=employer.identity_class if employer else None,
            occupation=registration.occupation if registration else None,
        ),
    )


def _benefits(files: CardFiles) -> tuple[Record, ...]:
    data = fact_of(files, UNEMPLOYMENT, UnemploymentInsurance)
    old = files.read(*UNEMPLOYMENT).record
    if data is None:
        return ()
    return (
        UnemploymentBenefits(
            region=data.region,
            registered=data.registered,
            applied=data.applied,
            updated=data.reported,
            monthly_benefit_fen=old.benefit_fen if isinstance(old, UnemploymentInsuranceV1) else None,
            contribution_months=data.contribution_months,
            effective_months=data.effective_months,
            granted_months=data.granted_months,
            received_months=data.received_months,
        ),
    )


def _training(files: CardFiles) -> tuple[Record, ...]:
    return tuple(one for one in facts_of(files, MEASURES, SupportMeasure) if one.kind in TRAINING)


def _other_measures(files: CardFiles) -> tuple[Record, ...]:
    return tuple(one for one in facts_of(files, MEASURES, SupportMeasure) if one.kind not in TRAINING)


EMPLOYMENT_QUESTIONS = (
    Question(
        "status", "就业状态", "employment status", WorkingStatus, (STATUS, EMPLOYER, REGISTRATION), _working_status
    ),
    file_question("employer", "就业单位", "employer", EMPLOYER, Employer),
    file_question("registration", "就业与失业登记", "employment registration", REGISTRATION, EmploymentStatus),
    file_question("history", "就业记录", "employment history", ("DF02", "EF07"), EmploymentRecord, many=True),
    file_question("certificate", "就业失业登记证", "employment certificate", ("DF02", "EF09"), EmploymentCertificate),
    Question(
        "unemployment_benefits",
        "失业保险待遇",
        "unemployment benefits",
        UnemploymentBenefits,
        (UNEMPLOYMENT,),
        _benefits,
    ),
    file_question("aid", "就业援助", "employment aid", ("DF02", "EF15"), EmploymentAid),
    Question("training", "培训", "training", SupportMeasure, (MEASURES,), _training, many=True),
    Question(
        "measures", "就业扶持政策", "other support measures", SupportMeasure, (MEASURES,), _other_measures, many=True
    ),
    file_question("skills", "职业资格与职称", "qualifications and titles", ("DF02", "EF05"), Skills),
)
