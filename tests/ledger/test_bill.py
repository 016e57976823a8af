"""What the figures of a bill should make: checked, reported, never changed (OPS §1.4)."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio.applications.medical import CardMode
from cardio.errors import AmountInvalid, BillInconsistent, OperationUnsupported
from cardio.ledger.bill import Bill, BillCheck, BillDetails, FundShare, MutualAid, check_bill
from cardio.ledger.document import settlement_document
from cardio.ledger.model import Settlement, State, Tender
from cardio.ledger.read_only import read_only
from cardio.ledger.receipts.text import text
from cardio.ledger.voucher import voucher_of
from cardio.purse.operation import PurseKind
from cardio.virtual.cards import social_security_card
from tests.counter import TestCounter, account_of

BILL = Bill(total_fen=12000, fund_fen=6000, account_fen=2500, self_pay_fen=1500, hospital_fen=500, mutual_aid_fen=1500)
DETAILS = BillDetails(
    own_cost_fen=300,
    over_limit_fen=0,
    advance_self_pay_fen=200,
    in_scope_fen=11500,
    deductible_fen=1000,
    person_fen=5500,
    balance_fen=123456,
    funds=(FundShare("310100", 5500, in_scope_fen=11500, limit_fen=99999900), FundShare("330100", 500)),
    message="H99999900012026061510150000001",
    centre_settlement="9999000000012345",
)
FEN = st.integers(0, 10**9)


def paid(counter: TestCounter, bill: Bill = BILL, details: BillDetails | None = DETAILS) -> Settlement:
    """A bill settled on the social security card, the rest in cash."""
    return counter.settle(counter.begin_settlement(bill, Tender.CASH, details=details), counter.social)


# ---- sums ----------------------------------------------------------------------------------------------------


@given(FEN, FEN, FEN, FEN, FEN)
def test_a_family_members_part_may_stand_inside_the_accounts_or_beside_it(
    fund: int, account: int, pocket: int, hospital: int, aid: int
) -> None:
    total = fund + account + pocket + hospital
    inside = Bill(total, fund, account, pocket, hospital, aid)
    beside = replace(inside, total_fen=total + aid)
    assert inside.consistent
    assert beside.consistent
    assert inside.mutual_aid is (MutualAid.INSIDE if aid else None)
    assert beside.mutual_aid is (MutualAid.OUTSIDE if aid else None)
    assert inside.person_fen == total - fund - hospital
    assert beside.person_fen == inside.person_fen + aid


@given(FEN, FEN, FEN, FEN, FEN, st.integers(-(10**9), 10**9))
def test_any_other_sum_does_not_add_up(fund: int, account: int, pocket: int, hospital: int, aid: int, off: int) -> None:
    total = fund + account + pocket + hospital + off
    assert Bill(total, fund, account, pocket, hospital, aid).consistent is (off in {0, aid})


def test_identities_are_checked_where_their_figures_are_told() -> None:
    assert check_bill(BILL, None) == ()
    assert check_bill(BILL, BillDetails(own_cost_fen=1)) == ()
    assert check_bill(BILL, DETAILS) == (BillCheck("funds", 0), BillCheck("person", 0))
    wrong = replace(DETAILS, person_fen=5501, funds=(FundShare("310100", 6007),))
    assert check_bill(BILL, wrong) == (BillCheck("funds", 7), BillCheck("person", -1))
    assert not any(check.holds for check in check_bill(BILL, wrong))


@given(
    st.builds(
        BillDetails,
        own_cost_fen=st.none() | FEN,
        funds=st.lists(st.builds(FundShare, st.text(max_size=8), FEN, st.none() | FEN)).map(tuple),
        message=st.none() | st.text(max_size=30),
    )
)
def test_details_come_back_from_the_journal_as_they_were(details: BillDetails) -> None:
    assert BillDetails.decode(details.encode()) == details


# ---- settling ------------------------------------------------------------------------------------------------


def test_a_bill_with_its_details_is_kept_shown_and_printed(counter: TestCounter) -> None:
    settled = counter.ledger.settlement(paid(counter).id)
    assert (settled.state, settled.bill, settled.details) == (State.COMPLETED, BILL, DETAILS)
    assert account_of(counter.social_card).balance == 50000 - 2500
    shown = settlement_document(settled)
    assert (shown["bill"]["hospital_fen"], shown["bill"]["mutual_aid"]) == (500, "outside")
    assert shown["bill_details"] == asdict(DETAILS)
    assert [check["holds"] for check in shown["bill_checks"]] == [True, True]
    voucher = voucher_of(settled)
    assert voucher is not None
    assert f"""\
费用总额                 ¥120.00
基金支付                  ¥60.00
个人账户支付              ¥25.00
家庭共济支付              ¥15.00
个人自付                  ¥15.00
医院负担                   ¥5.00
-- 费用明细 --------------------
全自费                     ¥3.00
超限价自费                 ¥0.00
先行自付                   ¥2.00
符合政策范围             ¥115.00
起付线                    ¥10.00
个人负担总额              ¥55.00
基金               310100 ¥55.00
基金                330100 ¥5.00
中心账户余额            ¥1234.56
中心结算号      9999000000012345
报文号
{DETAILS.message:>32}
-- 医疗账户 --------------------""" in text(voucher, "zh", 32)


def test_details_that_do_not_add_up_are_reported_and_nothing_is_corrected(counter: TestCounter) -> None:
    wrong = replace(DETAILS, person_fen=5400)
    settled = counter.ledger.settlement(paid(counter, details=wrong).id)
    assert (settled.state, settled.bill, settled.details) == (State.COMPLETED, BILL, wrong)
    checks = settlement_document(settled)["bill_checks"]
    assert checks[1] == {"identity": "person", "holds": False, "difference_fen": 100}
    voucher = voucher_of(settled)
    assert voucher is not None
    assert "明细与合计不符，请核对" in text(voucher, "zh", 32)
    assert "DETAILS AND SUM DIFFER, CHECK" in text(voucher, "en", 32)


def test_what_funds_pay_stays_out_of_the_chain_and_of_what_is_signed_for_ever(counter: TestCounter) -> None:
    settled = paid(counter)
    with read_only(counter.journal) as db:
        (signed,) = db.execute("SELECT document FROM vouchers WHERE subject = ?", (settled.id,)).fetchone()
        chain = [payload for (payload,) in db.execute("SELECT payload FROM journal")]
    assert json.loads(signed)["settlement"]["bill"]["hospital_fen"] == 500
    for kept in (signed, *chain):
        assert "310100" not in kept
        assert "9999000000012345" not in kept


@pytest.mark.parametrize(
    ("bill", "details", "refusal"),
    [
        (replace(BILL, hospital_fen=501), None, BillInconsistent),
        (replace(BILL, hospital_fen=-1500, total_fen=10000), None, AmountInvalid),
        (replace(BILL, mutual_aid_fen=2501, total_fen=10500), None, BillInconsistent),
        (BILL, replace(DETAILS, own_cost_fen=-1), AmountInvalid),
        (BILL, replace(DETAILS, funds=(FundShare("310100", 6001), FundShare("1", -1))), AmountInvalid),
    ],
)
def test_what_cannot_be_a_bill_is_refused(
    counter: TestCounter, bill: Bill, details: BillDetails | None, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        counter.begin_settlement(bill, Tender.CASH, details=details)


INSIDE = replace(BILL, total_fen=10500)


def test_an_off_line_card_is_not_charged_what_a_family_member_pays(counter: TestCounter) -> None:
    assert INSIDE.mutual_aid is MutualAid.INSIDE
    with pytest.raises(OperationUnsupported):
        paid(counter, INSIDE, None)
    assert account_of(counter.social_card).purchase_counter == 0


def test_an_on_line_card_signs_a_bill_with_a_family_members_part_inside(counter: TestCounter) -> None:
    counter.social.insert(social_security_card(mode=CardMode.ONLINE))
    settled = paid(counter, INSIDE, None)
    leg = settled.leg(PurseKind.MEDICAL)
    assert leg is not None
    assert (settled.state, leg.amounts) == (State.COMPLETED, (0, 10500, 8500))
