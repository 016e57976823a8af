"""One shape for all card versions: what a 1.0 card says, in the records of version 2.0 (SSC §4.10, §4.11)."""

from __future__ import annotations

from functools import singledispatch
from typing import Any, TypeVar

from cardio.applications.card_files import CardFiles, Place
from cardio.files.record import Record
from cardio.files.social_security.employer import UnitData
from cardio.files.social_security.employment import (
    EmploymentCertificate,
    EmploymentStatus,
    Skills,
    VocationalQualification,
)
from cardio.files.social_security.environment import HolderData
from cardio.files.social_security.insurance import PensionInsurance, UnemploymentInsurance
from cardio.files.social_security.medical import MedicalData, MedicalLogRecord
from cardio.files.social_security.public import Employer, Household, Residence
from cardio.files.social_security.version1.employment import (
    EmploymentPermitV1,
    EmploymentStatusV1,
    QualificationV1,
    SkillsV1,
)
from cardio.files.social_security.version1.environment import HolderDataV1
from cardio.files.social_security.version1.insurance import (
    CapacityAppraisalV1,
    PensionInsuranceV1,
    UnemploymentInsuranceV1,
)
from cardio.files.social_security.version1.medical import MedicalDataV1, MedicalLogRecordV1
from cardio.files.social_security.version1.public import CommunicationV1, EmployerV1, HouseholdV1
from cardio.files.social_security.work_injury import LabourCapacity

R = TypeVar("R", bound=Record)


@singledispatch
def as_current(record: Record) -> Record:
    """The record in the shape of version 2.0; records of 2.0 and of no other version are what they are."""
    return record


@as_current.register
def _(old: HolderDataV1) -> Record:
    return HolderData(
        social_security_number=old.social_security_number,
        name_bytes=old.name.encode("gb18030") if old.name else None,
        name_extension_bytes=None,
        sex=old.sex,
        ethnicity=old.ethnicity,
        birthplace=old.birthplace,
        born=old.born,
    )


@as_current.register
def _(unit: UnitData) -> Record:
    """An employer card says whose it is in the items of the holder (SSC PC-1)."""
    return HolderData(
        social_security_number=unit.credit_code,
        name_bytes=unit.name_bytes,
        name_extension_bytes=unit.name_extension_bytes,
        sex=None,
        ethnicity=None,
        birthplace=None,
        born=None,
    )


@as_current.register
def _(old: HouseholdV1) -> Record:
    return Household(household_type=old.household_type, address=old.address, region=None)


@as_current.register
def _(old: CommunicationV1) -> Record:
    return Residence(address=old.address, region=None, telephone=old.telephone, contact=None, contact_telephone=None)


@as_current.register
def _(old: EmployerV1) -> Record:
    return Employer(name=old.name, organisation_code=old.organisation_code, identity_class=None)


@as_current.register
def _(old: EmploymentStatusV1) -> Record:
    return EmploymentStatus(
        employment_date=old.employment_date,
        employment=None,
        employment_region=None,
        unemployment_date=old.unemployment_date,
        unemployment=None,
        unemployment_region=None,
        occupation=old.occupation,
    )


@as_current.register
def _(old: UnemploymentInsuranceV1) -> Record:
    return UnemploymentInsurance(
        region=None,
        registered=old.registered,
        applied=old.applied,
        reported=old.updated,
        contribution_months=old.contribution_months,
        effective_months=old.effective_months,
        granted_months=old.granted_months,
        received_months=old.received_months,
    )


@as_current.register
def _(old: PensionInsuranceV1) -> Record:
    return PensionInsurance(
        scheme=None,
        region=None,
        account_opened=old.account_opened,
        retired=old.retired,
        benefit_from=None,
        updated=old.updated,
    )


@as_current.register
def _(old: CapacityAppraisalV1) -> Record:
    return LabourCapacity(
        number=None,
        matter=None,
        disability_grade=None,
        self_care=None,
        capacity_loss=None,
        appraised=old.appraised,
        institution=old.institution,
        confirmations=(),
    )


@as_current.register
def _(old: SkillsV1) -> Record:
    qualifications = (old.qualification_1, old.qualification_2)
    return Skills(
        title=old.title,
        title_level=None,
        vocational=tuple(None if one is None else _qualification(one) for one in qualifications),
        professional=(),
    )


def _qualification(old: QualificationV1) -> VocationalQualification:
    return VocationalQualification(
        occupation=old.occupation, level=old.level, institution=old.institution, issued=old.issued, certificate=None
    )


@as_current.register
def _(old: EmploymentPermitV1) -> Record:
    return EmploymentCertificate(number=old.number, authority=old.authority, issued=old.issued, region=None)


@as_current.register
def _(old: MedicalDataV1) -> Record:
    """Hospitals by their codes; their names stand only in the file itself."""
    return MedicalData(
        scheme=None,
        region=None,
        health_record=None,
        insured_class=None,
        account_opened=old.account_opened,
        account_number=old.account_number,
        certificate=old.certificate,
        hospital_1=old.hospital_1_code,
        hospital_2=old.hospital_2_code,
        hospital_3=old.hospital_3_code,
        injury_hospital_1=None,
        injury_hospital_2=None,
        injury_hospital_3=None,
        maternity_hospital_1=None,
        maternity_hospital_2=None,
        mode=old.mode,
    )


@as_current.register
def _(old: MedicalLogRecordV1) -> Record:
    return MedicalLogRecord(
        number=old.number,
        kind=old.kind,
        terminal=old.terminal,
        time=old.time,
        account_fen=old.account_fen,
        self_pay_fen=old.self_pay_fen or 0,
        pool_fen=old.pool_fen or 0,
    )


def facts_of(files: CardFiles, place: Place, facts: type[R]) -> tuple[R, ...]:
    """Facts of one file.

    A 1.0 file may hold data of both versions, which together are one fact (SSC §4.10).

    Args:
        files: The card's files.
        place: Which file.
        facts: Class of the facts; records of other classes say nothing to the question.
    """
    reading = files.read(*place)
    found = [record for one in reading.records if isinstance(record := as_current(one), facts)]
    if reading.reused is not None and isinstance(record := as_current(reading.reused), facts):
        return (_merged(record, *found),)
    return tuple(found)


def fact_of(files: CardFiles, place: Place, facts: type[R]) -> R | None:
    """The only fact of a file, None if it has none."""
    return next(iter(facts_of(files, place, facts)), None)


def _merged(first: R, *others: R) -> R:
    values: dict[str, Any] = {}
    for record in (first, *others):
        for name, _, value in record.values():
            values.setdefault(name, value)
    return type(first)(**values)
