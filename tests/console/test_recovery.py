"""The way out of an unknown outcome: the same card, or two persons."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from cardio.ledger.ledger import Ledger, now
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.cards import citizen_card
from tests.console.conftest import OpenScreen
from tests.console.desk import Desk, Screen
from tests.counter import PIN, account_of, eventually, tear, wallet_of


@pytest.fixture
def torn(screen: Screen) -> str:
    """A debit whose card left after it had paid; the id of its transaction."""
    return tear_out(screen.desk, Moment.AFTER_COMMIT)


def tear_out(desk: Desk, moment: Moment) -> str:
    tear(desk.wallet_card, moment)
    answer = desk.debit(1234, "TORN")
    assert answer.status_code == 202
    return str(answer.json()["id"])


def another_card() -> VirtualCard:
    return citizen_card(serial="00008600000000009999", balance_fen=5000)


def state(desk: Desk, transaction: str) -> str:
    return str(desk.call("GET", f"transactions/{transaction}").json()["state"])


def test_a_torn_card_is_unknown_and_answers_when_it_is_back(screen: Screen, torn: str) -> None:
    desk = screen.desk
    screen.shows("uncertain", "结果未知", "请勿重复收款，请放回同一张卡", "¥12.34")
    screen.press("R")
    expect(screen.view).to_contain_text("请持卡人放回同一张卡")
    expect(screen.view).to_contain_text("不是这张卡：****0126")
    desk.citizen.insert(desk.wallet_card)
    expect(screen.view).to_contain_text("已确认：已扣款，收款成立，不要再收")
    screen.shows("completed", "经卡片确认")
    assert wallet_of(desk.wallet_card).balance == 50000 - 1234
    screen.press("D")
    expect(screen.view).to_contain_text("电子钱包消费凭证")


def test_a_card_that_was_not_charged_says_so(screen: Screen) -> None:
    transaction = tear_out(screen.desk, Moment.BEFORE_COMMIT)
    screen.shows("uncertain")
    screen.press("F3", "R")
    screen.desk.citizen.insert(screen.desk.wallet_card)
    expect(screen.view).to_contain_text("已确认：未扣款")
    screen.shows("not_debited", "确认未扣款", "重新开单")
    assert state(screen.desk, transaction) == "not_debited"


def test_another_card_answers_nothing(screen: Screen, torn: str) -> None:
    screen.press("R")
    screen.desk.citizen.insert(another_card())
    expect(screen.view).to_contain_text("不是这张卡：****9999")
    screen.press("Q")
    expect(screen.view.get_by_role("alert")).to_contain_text("卡片已更换，请放回原卡")
    expect(screen.view.get_by_role("alert")).to_contain_text("资金是否变动尚不知道")
    assert state(screen.desk, torn) == "uncertain"


def test_a_medical_account_answers_after_its_pin(screen: Screen) -> None:
    desk = screen.desk
    tear(desk.social_card, Moment.AFTER_COMMIT)
    assert desk.settle(500, 0, 500, "cash").status_code == 202
    screen.shows("uncertain", "结果未知")
    screen.press("R")
    expect(screen.view).to_contain_text("医疗账户需要密码")
    # The holder does not type when the card is back, only when they are asked to.
    desk.pad.typed, asked_before = None, desk.pad.entries
    desk.social.insert(desk.social_card)
    expect(screen.view).to_contain_text("卡号尾号相符：****0126")
    eventually(lambda: desk.pad.entries > asked_before)
    desk.pad.typed = PIN
    screen.press("Q")
    expect(screen.view).to_contain_text("已确认：已扣款")
    screen.shows("completed", "医保结算完成")
    assert account_of(desk.social_card).balance == 50000 - 500


def test_two_persons_decide_when_the_card_does_not_come_back(screen: Screen, torn: str) -> None:
    screen.press("R", "Z")
    expect(screen.page.get_by_label("已扣款")).to_be_focused()
    screen.strike("Space")
    screen.fill("第一人", "王主管")
    screen.fill("第二人", "李会计")
    screen.fill("理由", "发卡机构查询：已扣款")
    screen.push("认定")
    expect(screen.dialog).to_contain_text("具名：王主管、李会计")
    expect(screen.dialog.get_by_role("button", name="返回，不执行")).to_be_focused()
    screen.press("Escape")
    expect(screen.dialog).to_have_count(0)
    assert state(screen.desk, torn) == "uncertain"
    screen.push("认定")
    screen.strike("Shift+Tab", "Enter")
    screen.shows("resolved", "已由两人认定", "认定为：已扣款")
    expect(screen.view).to_contain_text("王主管、李会计")
    assert screen.desk.call("GET", f"transactions/{torn}").json()["resolution"] == {
        "money": "moved",
        "persons": ["王主管", "李会计"],
        "reason": "发卡机构查询：已扣款",
    }


def test_the_same_person_twice_is_refused(screen: Screen, torn: str) -> None:
    screen.press("R", "Z")
    expect(screen.view.get_by_role("radio").first).to_be_focused()
    screen.strike("Space")
    screen.fill("第一人", "wang01")
    screen.fill("第二人", " WANG01 ")
    screen.fill("理由", "没有理由")
    screen.push("认定")
    expect(screen.view.get_by_role("alert")).to_contain_text("必须是两位不同的人员")
    expect(screen.dialog).to_have_count(0)
    assert state(screen.desk, torn) == "uncertain"


def test_a_journal_from_an_old_backup_is_compared_by_two_persons_before_money_moves_again(
    desk: Desk, open_screen: OpenScreen
) -> None:
    backup = desk.settings.journal.with_name("backup")
    assert desk.debit(100).status_code == 201
    desk.stop()
    shutil.copy(desk.settings.journal, backup)
    desk.start()
    assert desk.debit(200).status_code == 201
    desk.stop()
    shutil.copy(backup, desk.settings.journal)
    desk.start()
    assert desk.debit(300).json()["code"] == "journal.behind"
    screen = open_screen()
    screen.log_in()
    expect(screen.page.get_by_role("banner")).to_contain_text("不能收款")
    screen.press("F8", "Z")
    screen.fill("第一人", "王主管")
    screen.fill("第二人", "王主管")
    screen.fill("理由", "与PSAM、结算中心核对无误")
    screen.push("恢复收款")
    expect(screen.view.get_by_role("alert")).to_contain_text("必须是两位不同的人员")
    screen.fill("第二人", "李会计")
    screen.push("恢复收款")
    screen.strike("Shift+Tab", "Enter")
    expect(screen.page.get_by_role("banner")).to_contain_text("正常")
    assert desk.debit(300).status_code == 201


def test_a_clock_that_had_been_fast_is_accepted_by_two_persons(desk: Desk, open_screen: OpenScreen) -> None:
    desk.stop()
    fast = Ledger(desk.settings.journal, clock=lambda: now() + timedelta(hours=1))
    fast.note_start("of a day with a fast clock")
    fast.close()
    desk.start()
    assert desk.debit(100).json()["code"] == "clock.untrusted"
    screen = open_screen()
    screen.log_in()
    screen.shows("trouble", "终端时间异常")
    screen.press("F8", "Z")
    expect(screen.view).to_contain_text("本机时间早于流水")
    screen.fill("第一人", "王主管")
    screen.fill("第二人", "李会计")
    screen.fill("理由", "时间已校准")
    screen.push("恢复收款")
    screen.strike("Shift+Tab", "Enter")
    expect(screen.page.get_by_role("banner")).to_contain_text("正常")
    assert desk.debit(100).status_code == 201


def test_an_unknown_result_stays_in_sight_beside_the_next_sales(screen: Screen, torn: str) -> None:
    desk = screen.desk
    desk.citizen.insert(another_card())
    assert desk.debit(100, "NEXT").status_code == 201
    screen.shows("completed", "NEXT")
    expect(screen.button("结果未知")).to_contain_text("1")
    expect(screen.view).to_contain_text("结果未知 1 笔")
    screen.press("F3")
    expect(screen.view).to_contain_text("TORN")
