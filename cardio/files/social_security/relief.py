"""DF06 救助与优抚信息区, social relief and preferential treatment (SSC §3.1, §4.6); informative only."""

from __future__ import annotations

from cardio.files.codecs import Amount, Text
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date, Year, YearMonth
from cardio.files.declaration import (
    ApplicationDeclaration,
    FileDeclaration,
    Structure,
    Use,
    any_of,
)
from cardio.files.nesting import Constructed
from cardio.files.record import ItemRecord, item
from cardio.files.tables.relief import PREFERENTIAL_TREATMENT, RELIEF


class Relief(ItemRecord):
    """One kind of relief in DF06 EF05, 救助信息 (SSC §4.6)."""

    kind: str | None = item(0xE3, Code(1, RELIEF, form="cn"), "救助类型代码", "relief code")
    approved: CardDate | None = item(0xE4, Date(), "批准日期", "approval date")
    reviewed: CardDate | None = item(0xE5, Date(), "复核日期", "review date")
    last_amount_fen: int | None = item(0xE6, Amount(4), "最近一次发放金额", "last amount paid, fen")
    last_paid_month: CardDate | None = item(0xE7, YearMonth(), "最近一次发放年月", "last month paid")

    VECTORS = (
        ("E30101" "E40420220101" "E50420230101" "E60400065000" "E703202305"),
    )  # fmt: skip


class SocialRelief(ItemRecord):
    """DF06 EF05 社会救助信息 (SSC §4.6)."""

    institution: str | None = item(0xC0, Text(0x46), "救助金发放机构名称", "paying institution")
    institution_code: str | None = item(0xC2, Text(9), "救助金发放机构代码", "paying institution's code")
    first: Relief | None = item(0xC3, Constructed(Relief), "救助信息1", "relief 1")
    second: Relief | None = item(0xC4, Constructed(Relief), "救助信息2", "relief 2")
    third: Relief | None = item(0xC5, Constructed(Relief), "救助信息3", "relief 3")

    VECTORS = (
        ("C046B2E2CAD4CAD0C3F1D5FEBED60000000000000000000000000000000000000000000000000000000000000000000000000000"
         "0000000000000000000000000000000000000000"
         "C209303030303030303031" "C31AE30101E40420220101E50420230101E60400065000E703202305"
         "C41AE30104E40420230101E50420240101E60400120050E703202405"
         "C51AE30109E40420240101E50420250101E60400030000E703202505"),
    )  # fmt: skip


def _code(tag: int, zh: str, en: str) -> str | None:
    return item(tag, Code(1, PREFERENTIAL_TREATMENT, form="cn"), zh, en)


class PreferentialTreatment(ItemRecord):
    """DF06 EF06 优待抚恤信息, pensions and allowances of soldiers, their families and survivors (SSC §4.6).

    SSC lists the four "paid" items DF to E2 after the four amounts DB to DE; they are taken in that order: months of
    the pension, years of the health allowance, each central before local.
    """

    institution: str | None = item(0xC6, Text(0x46), "优抚金发放机构名称", "paying institution")
    institution_code: str | None = item(0xC8, Text(9), "优抚金发放机构代码", "paying institution's code")
    conscript_code: str | None = _code(0xC9, "优抚类别代码1", "treatment code 1")
    conscript_from: CardDate | None = item(0xCA, Date(), "优抚起始日期1", "treatment 1 from")
    conscript_until: CardDate | None = item(0xCB, Date(), "优抚终止日期1", "treatment 1 to")
    conscript_allowance_fen: int | None = item(
        0xCC, Amount(4), "义务兵家属年优待金额", "yearly conscript allowance, fen"
    )
    conscript_paid_year: CardDate | None = item(
        0xCD, Year(), "义务兵家属优待金发放年度", "conscript allowance paid, year"
    )
    pension_code: str | None = _code(0xCE, "优抚类别代码2", "treatment code 2")
    pension_from: CardDate | None = item(0xCF, Date(), "优抚起始日期2", "treatment 2 from")
    pension_until: CardDate | None = item(0xD0, Date(), "优抚终止日期2", "treatment 2 to")
    pension_fen: int | None = item(0xD1, Amount(4), "定期抚恤金额", "periodic pension, fen")
    pension_paid_month: CardDate | None = item(0xD2, YearMonth(), "定期抚恤金发放年月", "periodic pension paid, month")
    subsidy_code: str | None = _code(0xD3, "优抚类别代码3", "treatment code 3")
    subsidy_from: CardDate | None = item(0xD4, Date(), "优抚起始日期3", "treatment 3 from")
    subsidy_until: CardDate | None = item(0xD5, Date(), "优抚终止日期3", "treatment 3 to")
    subsidy_fen: int | None = item(0xD6, Amount(4), "定期补助金额", "periodic subsidy, fen")
    subsidy_paid_month: CardDate | None = item(0xD7, YearMonth(), "定期补助发放年月", "periodic subsidy paid, month")
    disability_code: str | None = _code(0xD8, "优抚类别代码4", "treatment code 4")
    disability_from: CardDate | None = item(0xD9, Date(), "优抚起始日期4", "treatment 4 from")
    disability_until: CardDate | None = item(0xDA, Date(), "优抚终止日期4", "treatment 4 to")
    central_pension_fen: int | None = item(0xDB, Amount(4), "残疾抚恤金额（中央）", "disability pension, central, fen")
    local_pension_fen: int | None = item(0xDC, Amount(4), "残疾抚恤金额（地方）", "disability pension, local, fen")
    central_allowance_fen: int | None = item(0xDD, Amount(4), "残疾保健金额（中央）", "health allowance, central, fen")
    local_allowance_fen: int | None = item(0xDE, Amount(4), "残疾保健金额（地方）", "health allowance, local, fen")
    central_pension_paid_month: CardDate | None = item(
        0xDF, YearMonth(), "残疾抚恤金发放年月（中央）", "disability pension paid, central, month"
    )
    local_pension_paid_month: CardDate | None = item(
        0xE0, YearMonth(), "残疾抚恤金发放年月（地方）", "disability pension paid, local, month"
    )
    central_allowance_paid_year: CardDate | None = item(
        0xE1, Year(), "残疾保健金发放年度（中央）", "health allowance paid, central, year"
    )
    local_allowance_paid_year: CardDate | None = item(
        0xE2, Year(), "残疾保健金发放年度（地方）", "health allowance paid, local, year"
    )

    VECTORS = (
        ("C646B2E2CAD4CAD0CDCBD2DBBEFCC8CBCAC2CEF1BED6000000000000000000000000000000000000000000000000000000000000"
         "0000000000000000000000000000000000000000"
         "C809303030303030303032" "C90101" "CA0420210901" "CB0420230831" "CC0401500000" "CD022023" "CE0102"
         "CF0420150101" "D00420351231" "D10400210000" "D203202605" "D30103" "D40420160101" "D50420361231"
         "D60400080000" "D703202604" "D80104" "D90420170101" "DA0420371231" "DB0400350000" "DC0400060000"
         "DD0400040000" "DE0400010000" "DF03202603" "E003202602" "E1022025" "E2022024"),
    )  # fmt: skip


EF05_RELIEF = FileDeclaration(
    0xEF05,
    0x05,
    "社会救助信息",
    "social relief",
    Structure.LINEAR_VARIABLE,
    SocialRelief,
    read=any_of("RK1DF06"),
    update=any_of("UK1DF06"),
    use=Use.PREPARED,
    source="SSC §3.1",
)
EF06_PREFERENTIAL_TREATMENT = FileDeclaration(
    0xEF06,
    0x06,
    "优待抚恤信息",
    "preferential treatment and pensions",
    Structure.LINEAR_VARIABLE,
    PreferentialTreatment,
    read=any_of("RK1DF06"),
    update=any_of("UK2DF06"),
    use=Use.PREPARED,
    source="SSC §3.1",
)

DF06 = ApplicationDeclaration(
    0xDF06,
    "救助与优抚信息区",
    "social relief and preferential treatment",
    (EF05_RELIEF, EF06_PREFERENTIAL_TREATMENT),
    label="DF06",
    source="SSC §2",
)
"""Selected by identifier: its AID rests on one source."""
