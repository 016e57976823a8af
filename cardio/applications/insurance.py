"""Enrolment in the five insurances, totals, payment state, vouchers (SSC §4.4, §4.11, PC-2).

A card has no flag "insured": enrolment is derived from the region of participation, contributions from the vouchers
(which say the state on their date), and the payment state from a local file where the city has it.
"""

from __future__ import annotations

from collections.abc import Callable

from cardio.applications.answers import Question
from cardio.applications.card_files import CardFiles, Place
from cardio.applications.questions import file_question
from cardio.applications.versions import fact_of
from cardio.files.codecs import Amount, DecimalText
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.record import Record, optional
from cardio.files.social_security.insurance import (
    DependantBenefits,
    MaternityInsurance,
    ParticipationVoucher,
    ParticipationVouchers,
    PensionInsurance,
    UnemploymentInsurance,
)
from cardio.files.social_security.local import PaymentStateData
from cardio.files.social_security.medical import MedicalData
from cardio.files.social_security.version1.insurance import PensionInsuranceV1, UnemploymentInsuranceV1
from cardio.files.social_security.work_injury import WorkInjuryInsurance
from cardio.files.tables.insurance import INSURANCE_SCHEME
from cardio.files.tables.regions import region

PENSION, UNEMPLOYMENT = ("DF03", "EF07"), ("DF03", "EF05")
WORK_INJURY, MATERNITY = ("DF03", "EF15"), ("DF03", "EF16")
VOUCHERS, PAYMENTS = ("DF03", "EF19"), ("DF03", "EF0C")
MEDICAL = ("DF04", "EF05")
PENSION_SCHEMES = frozenset({"110", "120", "150", "160", "170"})
MEDICAL_SCHEMES = frozenset({"310", "340", "360", "380", "390", "391"})
UNEMPLOYMENT_SCHEMES = frozenset({"210"})


class Enrolment(Record):
    """Enrolment in one insurance, as far as the card says it."""

    scheme: str | None = optional(Code(3, INSURANCE_SCHEME), "险种类型", "scheme")
    region: str | None = optional(region(), "参保地", "region of participation")
    account_opened: CardDate | None = optional(Date(), "个人账户建立日期", "personal account opened")
    retired: CardDate | None = optional(Date(), "离退休日期", "retirement date")
    benefit_from: CardDate | None = optional(Date(), "待遇享受开始日期", "benefit from")
    monthly_benefit_fen: int | None = optional(Amount(4), "月待遇金额", "monthly benefit")
    months: int | None = optional(DecimalText(3), "累计缴费月数", "contribution months")
    contributions_fen: int | None = optional(Amount(4), "个人实际缴费金额", "own contributions paid")
    account_total_fen: int | None = optional(Amount(6), "个人账户累计金额", "personal account total")
    participation_from: CardDate | None = optional(Date(), "本地参保起始日期", "participation from")
    participation_until: CardDate | None = optional(Date(), "本地参保终止日期", "participation until")
    as_of: CardDate | None = optional(Date(), "信息截止日期", "as of")


def _voucher(files: CardFiles, schemes: frozenset[str]) -> ParticipationVoucher | None:
    """The latest voucher of one of the schemes; the place in the file is not relied on."""
    vouchers = fact_of(files, VOUCHERS, ParticipationVouchers)
    found = [one for one in vouchers.vouchers if one is not None and one.scheme in schemes] if vouchers else []
    return max(found, key=lambda one: (one.issued is not None, str(one.issued)), default=None)


def _enrolment(
    voucher: ParticipationVoucher | None,
    *,
    scheme: str | None = None,
    place: str | None = None,
    account_opened: CardDate | None = None,
    retired: CardDate | None = None,
    benefit_from: CardDate | None = None,
    monthly_benefit_fen: int | None = None,
    months: int | None = None,
    account_total_fen: int | None = None,
    updated: CardDate | None = None,
) -> Enrolment:
    """What the insurance's own file says, completed by its voucher; the later date is the one of the whole."""
    dates = [found for found in (updated, voucher.issued if voucher else None) if found is not None]
    return Enrolment(
        scheme=scheme or (voucher.scheme if voucher else None),
        region=place or (voucher.region if voucher else None),
        account_opened=account_opened,
        retired=retired,
        benefit_from=benefit_from,
        monthly_benefit_fen=monthly_benefit_fen,
        months=months if months is not None else (voucher.paid_months if voucher else None),
        contributions_fen=voucher.contributions_fen if voucher else None,
        account_total_fen=account_total_fen,
        participation_from=voucher.started if voucher else None,
        participation_until=voucher.ended if voucher else None,
        as_of=max(dates, default=None),
    )


def _payments(files: CardFiles) -> PaymentStateData | None:
    return fact_of(files, PAYMENTS, PaymentStateData)


def _pension(files: CardFiles) -> Enrolment:
    data = fact_of(files, PENSION, PensionInsurance)
    old = files.read(*PENSION).record
    local = _payments(files)
    total = local.pension_total_fen if local else None
    months = monthly = None
    if isinstance(old, PensionInsuranceV1):
        parts = (old.own_total_fen, old.employer_total_fen)
        total = sum(part for part in parts if part is not None) if any(part is not None for part in parts) else total
        months, monthly = old.paid_months, old.pension_fen
    return _enrolment(
        _voucher(files, PENSION_SCHEMES),
        scheme=data.scheme if data else None,
        place=data.region if data else None,
        account_opened=data.account_opened if data else None,
        retired=data.retired if data else None,
        benefit_from=data.benefit_from if data else None,
        monthly_benefit_fen=monthly,
        months=months,
        account_total_fen=total,
        updated=data.updated if data else None,
    )


def _medical(files: CardFiles) -> Enrolment:
    data = fact_of(files, MEDICAL, MedicalData)
    local = _payments(files)
    return _enrolment(
        _voucher(files, MEDICAL_SCHEMES),
        scheme=data.scheme.scheme if data and data.scheme else None,
        place=data.region if data else None,
        account_opened=data.account_opened if data else None,
        account_total_fen=local.medical_total_fen if local else None,
        updated=local.as_of if local else None,
    )


def _unemployment(files: CardFiles) -> Enrolment:
    data = fact_of(files, UNEMPLOYMENT, UnemploymentInsurance)
    old = files.read(*UNEMPLOYMENT).record
    return _enrolment(
        _voucher(files, UNEMPLOYMENT_SCHEMES),
        place=data.region if data else None,
        monthly_benefit_fen=old.benefit_fen if isinstance(old, UnemploymentInsuranceV1) else None,
        months=data.contribution_months if data else None,
        updated=data.reported if data else None,
    )


def _work_injury(files: CardFiles) -> Enrolment:
    data = fact_of(files, WORK_INJURY, WorkInjuryInsurance)
    return _enrolment(
        None,
        place=data.region if data else None,
        benefit_from=data.benefit_from if data else None,
        updated=data.updated if data else None,
    )


def _maternity(files: CardFiles) -> Enrolment:
    data = fact_of(files, MATERNITY, MaternityInsurance)
    return _enrolment(None, place=data.region if data else None)


def _insurance(
    name: str, zh: str, en: str, places: tuple[Place, ...], derive: Callable[[CardFiles], Enrolment]
) -> Question:
    def facts(files: CardFiles) -> tuple[Record, ...]:
        return (derive(files),)

    return Question(name, zh, en, Enrolment, places, facts)


INSURANCE_QUESTIONS = (
    _insurance("pension", "养老保险", "pension insurance", (PENSION, VOUCHERS, PAYMENTS), _pension),
    _insurance("medical", "医疗保险", "medical insurance", (MEDICAL, VOUCHERS, PAYMENTS), _medical),
    _insurance("unemployment", "失业保险", "unemployment insurance", (UNEMPLOYMENT, VOUCHERS), _unemployment),
    _insurance("work_injury", "工伤保险", "work-injury insurance", (WORK_INJURY,), _work_injury),
    _insurance("maternity", "生育保险", "maternity insurance", (MATERNITY,), _maternity),
    file_question("payment_state", "缴费状态", "payment state", PAYMENTS, PaymentStateData),
    file_question("vouchers", "参保凭证", "participation vouchers", VOUCHERS, ParticipationVouchers),
    file_question("dependants", "供养亲属待遇", "dependant benefits", ("DF03", "EF18"), DependantBenefits),
)
