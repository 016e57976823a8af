"""Settlement of a bill: legs, modes of the card, what is still due (design §3, SSC §7)."""

from __future__ import annotations

import pytest

from cardio.applications.medical import CardMode
from cardio.errors import AmountInvalid, BillInconsistent, OperationUnsupported, PinWrong
from cardio.ledger.bill import Bill
from cardio.ledger.model import State, Tender
from cardio.purse.operation import PurseKind
from cardio.virtual.card import Moment
from cardio.virtual.cards import social_security_card
from tests.counter import TestCounter, account_of, tear, wallet_of

BILL = Bill(total_fen=10000, fund_fen=6000, account_fen=2500, self_pay_fen=1500)


def test_an_off_line_card_gets_all_three_amounts(counter: TestCounter) -> None:
    settled = counter.settle(counter.begin_settlement(BILL, Tender.CASH), counter.social)
    assert (settled.state, settled.due_fen) == (State.COMPLETED, 1500)
    account = account_of(counter.social_card)
    assert (account.balance, account.self_paid, account.pool) == (47500, 1500, 6000)


def test_an_on_line_card_signs_account_zero_and_two_amounts_for_information(counter: TestCounter) -> None:
    card = social_security_card(mode=CardMode.ONLINE)
    counter.social.insert(card)
    settled = counter.settle(counter.begin_settlement(BILL, Tender.CASH), counter.social)
    assert settled.state is State.COMPLETED
    leg = settled.leg(PurseKind.MEDICAL)
    assert leg is not None
    assert leg.amounts == (0, 10000, 8500)
    account = account_of(card)
    assert (account.balance, account.self_paid, account.pool) == (0, 10000, 8500)


def test_the_wallet_pays_the_self_paid_part_from_another_card(counter: TestCounter) -> None:
    waiting = counter.settle(counter.begin_settlement(BILL), counter.social)
    assert (waiting.state, waiting.due_fen) == (State.AWAITING_CARD, 1500)
    settled = counter.settle(waiting, counter.citizen)
    assert (settled.state, settled.due_fen) == (State.COMPLETED, 0)
    assert [leg.purse for leg in settled.legs] == [PurseKind.MEDICAL, PurseKind.WALLET]
    assert all(leg.outcome.tac for leg in settled.legs)
    assert wallet_of(counter.wallet_card).balance == 8500
    assert account_of(counter.social_card).balance == 47500


def test_the_same_key_settles_once(counter: TestCounter) -> None:
    counter.settle(counter.begin_settlement(BILL, Tender.CASH, "k"), counter.social)
    again = counter.begin_settlement(BILL, Tender.CASH, "k")
    assert again.state is State.COMPLETED
    assert again.answer is not None
    assert account_of(counter.social_card).purchase_counter == 1


def test_the_medical_leg_comes_first(counter: TestCounter) -> None:
    with pytest.raises(OperationUnsupported):
        counter.settle(counter.begin_settlement(BILL), counter.citizen)
    assert wallet_of(counter.wallet_card).offline_counter == 0


def test_a_wallet_without_money_leaves_the_part_due_in_cash(counter: TestCounter) -> None:
    wallet_of(counter.wallet_card).balance = 100
    settled = counter.settle(counter.settle(counter.begin_settlement(BILL), counter.social), counter.citizen)
    assert (settled.state, settled.due_fen) == (State.COMPLETED, 1500)
    wallet = settled.leg(PurseKind.WALLET)
    assert wallet is not None
    assert (wallet.state, wallet.outcome.error) == (State.DECLINED, "funds.insufficient")


def test_an_account_without_money_declines_the_settlement_and_leaves_the_wallet_alone(counter: TestCounter) -> None:
    account_of(counter.social_card).balance = 100
    settled = counter.settle(counter.begin_settlement(BILL), counter.social)
    assert settled.state is State.DECLINED
    assert settled.leg(PurseKind.WALLET) is None


def test_nothing_is_due_from_a_wallet_that_may_have_paid(counter: TestCounter) -> None:
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    waiting = counter.settle(counter.begin_settlement(BILL), counter.social)
    torn = counter.settle(waiting, counter.citizen)
    assert (torn.state, torn.due_fen) == (State.UNCERTAIN, 0)
    counter.recover()
    settled = counter.ledger.settlement(torn.id)
    assert (settled.state, settled.due_fen) == (State.COMPLETED, 0)
    assert settled.answer is not None


def test_a_wallet_that_turns_out_not_debited_leaves_its_part_due(counter: TestCounter) -> None:
    tear(counter.wallet_card, Moment.COMMAND)
    torn = counter.settle(counter.settle(counter.begin_settlement(BILL), counter.social), counter.citizen)
    counter.recover()
    settled = counter.ledger.settlement(torn.id)
    assert (settled.state, settled.due_fen) == (State.COMPLETED, 1500)


def test_a_torn_medical_leg_is_resolved_before_the_wallet_is_asked(counter: TestCounter) -> None:
    tear(counter.social_card, Moment.AFTER_COMMIT)
    begun = counter.begin_settlement(BILL)
    torn = counter.settle(begun, counter.social)
    assert torn.state is State.UNCERTAIN
    counter.social.insert(counter.social_card)
    waiting = counter.settle(torn, counter.social)
    assert waiting.state is State.AWAITING_CARD
    assert counter.settle(waiting, counter.citizen).state is State.COMPLETED
    assert account_of(counter.social_card).balance == 47500
    assert account_of(counter.social_card).purchase_counter == 1


def test_a_wrong_pin_debits_nothing_and_does_not_use_up_the_key(counter: TestCounter) -> None:
    counter.pad.typed = "000000"
    begun = counter.begin_settlement(BILL, Tender.CASH, "k")
    with pytest.raises(PinWrong) as refused:
        counter.settle(begun, counter.social)
    assert refused.value.values == {"tries_left": 5}
    counter.pad.typed = "123456"
    assert counter.settle(counter.begin_settlement(BILL, Tender.CASH, "k"), counter.social).state is State.COMPLETED


def test_a_pin_from_the_caller_spares_the_pad(counter: TestCounter) -> None:
    begun = counter.begin_settlement(BILL, Tender.CASH)
    assert counter.settle(begun, counter.social, pin="123456").state is State.COMPLETED
    assert counter.pad.entries == 0


def test_a_leg_that_was_never_armed_takes_the_amounts_of_the_card_that_pays(counter: TestCounter) -> None:
    """First an on-line card is pulled before anything moved, then an off-line one settles the same bill."""
    online = social_security_card(mode=CardMode.ONLINE)
    counter.social.insert(online)
    tear(online, Moment.COMMAND, {(0xB0, 0x28)})
    begun = counter.begin_settlement(BILL, Tender.CASH)
    with pytest.raises(Exception, match=r"card\.removed"):
        counter.settle(begun, counter.social)
    counter.social.insert(counter.social_card)
    settled = counter.settle(counter.ledger.settlement(begun.id), counter.social)
    leg = settled.leg(PurseKind.MEDICAL)
    assert leg is not None
    assert leg.amounts == (2500, 1500, 6000)


@pytest.mark.parametrize(
    ("bill", "error"),
    [
        (Bill(10000, 6000, 2500, 1499), BillInconsistent),
        (Bill(0, 0, 0, 0), AmountInvalid),
        (Bill(100, 200, -100, 0), AmountInvalid),
        (Bill(0xFFFFFFFF, 0xFFFFFFFF, 0, 0), AmountInvalid),
        (Bill(0x80000000, 0, 0, 0x80000000), AmountInvalid),
    ],
)
def test_a_bill_that_cannot_be_is_refused_and_never_corrected(
    counter: TestCounter, bill: Bill, error: type[Exception]
) -> None:
    with pytest.raises(error):
        counter.begin_settlement(bill)
