"""Work injury, occupational disease and labour-capacity appraisal with grade (SSC §4.4, §4.11)."""

from __future__ import annotations

from cardio.applications.answers import Question
from cardio.applications.card_files import CardFiles
from cardio.applications.questions import file_question
from cardio.applications.versions import fact_of
from cardio.files.codecs import Text
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.masking import Mask
from cardio.files.nesting import Constructed
from cardio.files.record import Record, optional
from cardio.files.social_security.version1.insurance import CapacityAppraisalV1
from cardio.files.social_security.work_injury import (
    CapacityConfirmation,
    InjuryDetermination,
    LabourCapacity,
    WorkInjuryInsurance,
)
from cardio.files.tables.injury import APPRAISAL_MATTER, CAPACITY_LOSS, DISABILITY_GRADE, SELF_CARE

APPRAISAL = ("DF03", "EF06")


class Appraisal(Record):
    """Result of a labour-capacity appraisal; a 1.0 card has it as text."""

    number: str | None = optional(Text(0x14), "劳动能力鉴定编号", "appraisal number", personal=Mask.CARD_NUMBER)
    matter: str | None = optional(Code(2, APPRAISAL_MATTER), "申请鉴定事项", "matter appraised", personal=Mask.HIDDEN)
    disability_grade: str | None = optional(
        Code(2, DISABILITY_GRADE), "伤残等级", "disability grade", personal=Mask.HIDDEN
    )
    self_care: str | None = optional(
        Code(1, SELF_CARE), "生活自理障碍等级", "self-care impairment", personal=Mask.HIDDEN
    )
    capacity_loss: str | None = optional(
        Code(1, CAPACITY_LOSS), "丧失劳动能力鉴定结论", "loss of working capacity", personal=Mask.HIDDEN
    )
    conclusion: str | None = optional(Text(140), "鉴定结论", "conclusion", personal=Mask.HIDDEN)
    appraised: CardDate | None = optional(Date(), "劳动能力鉴定日期", "appraisal date")
    institution: str | None = optional(Text(0x3C), "劳动能力鉴定机构", "appraisal institution")
    confirmation_1: CapacityConfirmation | None = optional(
        Constructed(CapacityConfirmation), "申请确认事项1", "confirmation 1"
    )
    confirmation_2: CapacityConfirmation | None = optional(
        Constructed(CapacityConfirmation), "申请确认事项2", "confirmation 2"
    )
    confirmation_3: CapacityConfirmation | None = optional(
        Constructed(CapacityConfirmation), "申请确认事项3", "confirmation 3"
    )


def _appraisal(files: CardFiles) -> tuple[Record, ...]:
    data = fact_of(files, APPRAISAL, LabourCapacity)
    old = files.read(*APPRAISAL).record
    if data is None:
        return ()
    confirmations = (*data.confirmations, None, None, None)
    return (
        Appraisal(
            number=data.number,
            matter=data.matter,
            disability_grade=data.disability_grade,
            self_care=data.self_care,
            capacity_loss=data.capacity_loss,
            conclusion=old.conclusion if isinstance(old, CapacityAppraisalV1) else None,
            appraised=data.appraised,
            institution=data.institution,
            confirmation_1=confirmations[0],
            confirmation_2=confirmations[1],
            confirmation_3=confirmations[2],
        ),
    )


WORK_INJURY_QUESTIONS = (
    file_question("determination", "工伤认定", "work-injury determination", ("DF03", "EF17"), InjuryDetermination),
    file_question("benefits", "工伤待遇", "work-injury benefits", ("DF03", "EF15"), WorkInjuryInsurance),
    Question("appraisal", "劳动能力鉴定", "labour-capacity appraisal", Appraisal, (APPRAISAL,), _appraisal),
)
