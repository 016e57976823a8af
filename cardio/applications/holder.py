"""Whose card it is (SSC §4.1, §4.11)."""

from __future__ import annotations

from cardio.applications.answers import Question
from cardio.applications.card_files import CardFiles
from cardio.applications.versions import fact_of
from cardio.files.check_characters import birth_date_of_citizen_id, sex_of_citizen_id
from cardio.files.codecs import Text
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.masking import Mask
from cardio.files.record import Record, optional
from cardio.files.social_security.environment import HolderData
from cardio.files.tables.card import SEX
from cardio.files.tables.person import ETHNICITY
from cardio.files.tables.regions import region

PLACE = ("SSSE", "EF06")


class Holder(Record):
    """The holder: a person, or on an employer card the unit."""

    name: str | None = optional(Text(0x32), "姓名", "name", personal=Mask.NAME)
    social_security_number: str | None = optional(
        Text(0x12), "社会保障号码", "social security number", personal=Mask.ID_NUMBER
    )
    sex: str | None = optional(Code(1, SEX), "性别", "sex")
    ethnicity: str | None = optional(Code(1, ETHNICITY, form="cn"), "民族", "ethnicity")
    birthplace: str | None = optional(region(), "出生地", "place of birth", personal=Mask.HIDDEN)
    born: CardDate | None = optional(Date(), "出生日期", "date of birth", personal=Mask.DATE)


def _derive(files: CardFiles) -> tuple[Record, ...]:
    """Sex and date of birth may be unwritten: the citizen number holds both (SSC §4.11)."""
    data = fact_of(files, PLACE, HolderData)
    if data is None:
        return ()
    number = data.social_security_number
    return (
        Holder(
            name=data.name,
            social_security_number=number,
            sex=data.sex or (sex_of_citizen_id(number) if number else None),
            ethnicity=data.ethnicity,
            birthplace=data.birthplace,
            born=data.born or (birth_date_of_citizen_id(number) if number else None),
        ),
    )


HOLDER_QUESTION = Question("holder", "持卡人", "holder", Holder, (PLACE,), _derive)
