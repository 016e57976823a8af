"""DF03 社会保险信息区1: unemployment, pension, maternity, dependants, vouchers (SSC §3.1, §4.4).

The files of labour capacity and work injury stand in `work_injury`.
"""

from __future__ import annotations

from cardio.files.codecs import Amount, DecimalText, Flag
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import PIN, ApplicationDeclaration, FileDeclaration, Structure, any_of
from cardio.files.nesting import Constructed
from cardio.files.record import ItemRecord, item, items
from cardio.files.social_security.work_injury import EF06_LABOUR_CAPACITY, EF15_WORK_INJURY, EF17_INJURY_DETERMINATION
from cardio.files.tables.insurance import DEPENDANT_RELATION, INSURANCE_SCHEME
from cardio.files.tables.regions import region


class UnemploymentInsurance(ItemRecord):
    """DF03 EF05 失业保险信息 (SSC §4.4).

    A card holds item 60 here or in DF02 EF06. Without it the record numbers behind it shift by one (SSC §4.3).
    """

    region: str | None = item(0x61, region(), "失业保险参保地所属行政区划代码", "region of participation")
    registered: CardDate | None = item(0x60, Date(), "最近一次办理失业登记日期", "last unemployment registration date")
    applied: CardDate | None = item(0x98, Date(), "最近一次失业保险金申领日期", "last benefit application date")
    reported: CardDate | None = item(0x62, Date(), "申领报到日期/信息更新日期", "benefit reporting or update date")
    contribution_months: int | None = item(
        0x63, DecimalText(3), "失业保险累计缴费年限", "accumulated contribution months"
    )
    effective_months: int | None = item(0x64, DecimalText(3), "失业保险有效缴费年限", "effective contribution months")
    granted_months: int | None = item(0x65, DecimalText(3), "应领取失业保险金月数", "benefit months granted")
    received_months: int | None = item(0x66, DecimalText(3), "已领取失业保险金月数", "benefit months received")

    VECTORS = (
        ("6103999900" "600420250301" "980420250315" "620420251120"
         "6303303836" "6403303836" "6503303138" "6603303038"),
    )  # fmt: skip


class PensionInsurance(ItemRecord):
    """DF03 EF07 养老保险信息 (SSC §4.4)."""

    scheme: str | None = item(0x70, Code(3, INSURANCE_SCHEME), "养老保险险种类型", "scheme")
    region: str | None = item(0x71, region(), "养老保险参保地所属行政区划代码", "region of participation")
    account_opened: CardDate | None = item(
        0x6E, Date(), "基本养老保险个人账户建立日期", "date when the personal account was opened"
    )
    retired: CardDate | None = item(0x6C, Date(), "离退休日期", "retirement date")
    benefit_from: CardDate | None = item(0x6F, Date(), "待遇享受开始日期", "first pension payment")
    updated: CardDate | None = item(0x73, Date(), "养老保险信息更新日期", "date when the data were updated")

    VECTORS = (
        ("7003313130" "7103999900" "6E0419980701" "6C0420250131" "6F0420250201" "730420260105"),
    )  # fmt: skip


class MaternityInsurance(ItemRecord):
    """DF03 EF16 生育保险信息 (SSC §4.4)."""

    region: str | None = item(0x51, region(), "生育保险参保地所属行政区划代码", "region of participation")
    spouse_not_employed: bool | None = item(0x5F, Flag(), "职工未就业配偶标识", "spouse not employed")

    VECTORS = (("5103999900" "5F0131"),)  # fmt: skip


class DependantBenefits(ItemRecord):
    """DF03 EF18 供养亲属信息 (SSC §4.4)."""

    scheme: str | None = item(0x74, Code(3, INSURANCE_SCHEME), "供养险种类型", "scheme")
    region: str | None = item(0x75, region(), "参保地所属行政区划代码", "region of participation")
    relation: str | None = item(0x76, Code(1, DEPENDANT_RELATION, form="cn"), "供养关系", "relation to the insured")
    benefit_from: CardDate | None = item(0x77, Date(), "供养待遇享受开始日期", "start of benefit")
    updated: CardDate | None = item(0x78, Date(), "供养亲属信息更新日期", "date when the data were updated")

    VECTORS = (
        ("7403343130" "7503999900" "760102" "770420240601" "780420260105"),
    )  # fmt: skip


class ParticipationVoucher(ItemRecord):
    """One voucher of DF03 EF19, the chain inside item 79 (SSC §4.4)."""

    scheme: str | None = item(0x18, Code(3, INSURANCE_SCHEME), "险种类型", "scheme")
    region: str | None = item(0x19, region(), "参保地所属行政区划代码", "region of participation")
    started: CardDate | None = item(0x1A, Date(), "本地参保起始日期", "participation from")
    ended: CardDate | None = item(0x1B, Date(), "本地参保终止日期", "participation to")
    contributions_fen: int | None = item(0x1C, Amount(4), "本地个人实际缴费金额", "personal contributions paid, fen")
    paid_months: int | None = item(0x1D, DecimalText(3), "本地实际缴费月数", "months paid")
    issued: CardDate | None = item(0x1E, Date(), "凭证出具日期", "voucher date")

    VECTORS = (
        # SSC §9.3
        ("1803313130" "1903519900" "1A0420100101" "1B0420251231" "1C0401234567" "1D03313836" "1E0420260110"),
    )  # fmt: skip


class ParticipationVouchers(ItemRecord):
    """DF03 EF19 参保凭证信息: the place says what a voucher is for (SSC §4.4)."""

    vouchers: tuple[ParticipationVoucher | None, ...] = items(
        0x79, Constructed(ParticipationVoucher), "参保凭证信息", "participation vouchers", count=4
    )

    VECTORS = (
        # SSC §9.3
        ("7927" "1803313130" "1903519900" "1A0420100101" "1B0420251231" "1C0401234567" "1D03313836" "1E0420260110"),
        ("7927" "1803313130" "1903999900" "1A0420100101" "1B0420251231" "1C0401234567" "1D03313836" "1E0420260110"
         "7927" "1803333130" "1903999900" "1A0420110301" "1B0420251231" "1C0400456700" "1D03313732" "1E0420260111"
         "7927" "1803323130" "1903999900" "1A0420120501" "1B0420241231" "1C0400012300" "1D03313532" "1E0420260112"
         "7927" "1803353130" "1903999900" "1A0420130701" "1B0420231231" "1C0400000000" "1D03313236" "1E0420260113"),
    )  # fmt: skip

    @property
    def pension(self) -> ParticipationVoucher | None:
        """The voucher in the first place."""
        return self._place(0)

    @property
    def medical(self) -> ParticipationVoucher | None:
        """The voucher in the second place."""
        return self._place(1)

    @property
    def unemployment(self) -> ParticipationVoucher | None:
        """The voucher in the third place."""
        return self._place(2)

    def _place(self, place: int) -> ParticipationVoucher | None:
        return self.vouchers[place] if place < len(self.vouchers) else None


EF05_UNEMPLOYMENT = FileDeclaration(
    0xEF05,
    0x05,
    "失业保险信息文件",
    "unemployment insurance",
    Structure.LINEAR_VARIABLE,
    UnemploymentInsurance,
    read=any_of(PIN, "RK2DF03"),
    update=any_of("UK1DF03"),
    source="SSC §3.1",
)
EF07_PENSION = FileDeclaration(
    0xEF07,
    0x07,
    "养老保险信息文件",
    "pension insurance",
    Structure.LINEAR_VARIABLE,
    PensionInsurance,
    read=any_of(PIN, "RK1DF03"),
    update=any_of("UK3DF03"),
    source="SSC §3.1",
)
EF16_MATERNITY = FileDeclaration(
    0xEF16,
    0x16,
    "生育保险信息文件",
    "maternity insurance",
    Structure.LINEAR_VARIABLE,
    MaternityInsurance,
    read=any_of(PIN, "RK1DF03"),
    update=any_of("UK5DF03"),
    source="SSC §3.1",
)
EF18_DEPENDANTS = FileDeclaration(
    0xEF18,
    0x18,
    "供养亲属信息文件",
    "dependant benefits",
    Structure.LINEAR_VARIABLE,
    DependantBenefits,
    read=any_of(PIN, "RK1DF03"),
    update=any_of("UK7DF03"),
    source="SSC §3.1",
)
EF19_VOUCHERS = FileDeclaration(
    0xEF19,
    0x19,
    "参保凭证信息文件",
    "participation vouchers",
    Structure.LINEAR_FIXED,
    ParticipationVouchers,
    read=any_of(PIN, "RK1DF03"),
    update=any_of("UK8DF03"),
    size=0x29,
    source="SSC §3.1",
)

DF03 = ApplicationDeclaration(
    0xDF03,
    "社会保险信息区1",
    "social insurance 1",
    (
        EF05_UNEMPLOYMENT,
        EF06_LABOUR_CAPACITY,
        EF07_PENSION,
        EF15_WORK_INJURY,
        EF16_MATERNITY,
        EF17_INJURY_DETERMINATION,
        EF18_DEPENDANTS,
        EF19_VOUCHERS,
    ),
    name=bytes.fromhex("D15600000502"),
    label="DF03",
    source="SSC §2",
)
