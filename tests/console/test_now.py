"""The large state: it follows what the till does, without a reload."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest
from playwright.sync_api import expect

from cardio.transport.channel import CardProtocol, PinPrompt
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.cards import CITIZEN_ATR
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.filesystem import Directory
from tests.console.conftest import OpenScreen
from tests.console.desk import Desk, Screen
from tests.counter import tear

MARK = "window.never_reloaded = true"
MARKED = "window.never_reloaded"

Till = Callable[..., Future[httpx.Response]]


@pytest.fixture
def till(desk: Desk) -> Iterator[Till]:
    """A till that waits for its answer while the test goes on."""
    with ThreadPoolExecutor(1) as thread:
        yield lambda *arguments, **more: thread.submit(desk.debit, *arguments, **more)


def test_a_debit_of_the_till_shows_without_a_reload(screen: Screen) -> None:
    screen.page.evaluate(MARK)
    screen.shows("idle", "准备就绪")
    assert screen.desk.debit(1234, "SALE-1").status_code == 201
    screen.shows("completed", "收款成功", "¥12.34", "****0123", "市民卡电子钱包", "¥487.66", "SALE-1")
    expect(screen.view).to_contain_text("已收款 1 笔")
    assert screen.page.evaluate(MARKED)


def test_a_card_is_awaited_worked_on_and_done(screen: Screen, till: Till) -> None:
    card = screen.take_out(screen.desk.citizen)
    answer = till(1234, wait_s=30)
    screen.shows("waiting", "请放卡", "¥12.34")
    screen.desk.citizen.insert(card)
    screen.shows("completed", "收款成功")
    assert answer.result().status_code == 201


def test_a_card_that_does_not_come_is_told_with_nothing_charged(screen: Screen, till: Till) -> None:
    screen.take_out(screen.desk.citizen)
    screen.take_out(screen.desk.social)
    answer = till(1234, wait_s=1)
    screen.shows("declined", "未扣款", "请插卡或放卡")
    assert answer.result().status_code == 409


def test_waiting_can_be_stopped(screen: Screen, till: Till) -> None:
    screen.take_out(screen.desk.citizen)
    answer = till(1234, wait_s=60)
    screen.shows("waiting")
    screen.push("取消等待")
    screen.shows("cancelled", "已取消，未扣款")
    assert answer.result().json()["code"] == "transaction.cancelled"


def test_a_refusal_says_why_and_what_to_do(screen: Screen) -> None:
    assert screen.desk.debit(50001).status_code == 402
    screen.shows("declined", "未扣款", "¥500.01", "余额不足，未扣款", "请换一种支付方式")


def test_a_wrong_proof_of_the_card_is_no_ordinary_success(screen: Screen) -> None:
    screen.desk.wallet_card.faults = FaultPlan(Fault.WRONG_MAC2)
    screen.desk.debit(1234)
    screen.shows("not_genuine", "已扣款，但卡片校验异常", "请勿交付，立即报告主管")


def test_a_settled_bill_shows_its_parts_and_the_cash_to_take(screen: Screen) -> None:
    assert screen.desk.settle(10000, 6000, 2500, "cash").status_code == 201
    screen.shows("completed", "医保结算完成", "¥100.00", "另收现金 ¥15.00", "¥60.00", "¥25.00")
    assert screen.desk.settle(10000, 6000, 2500, "wallet").status_code == 201
    screen.shows("completed", "医保结算完成", "电子钱包")
    expect(screen.now).not_to_contain_text("另收现金")


def test_a_bill_waits_for_the_card_of_its_next_leg(screen: Screen) -> None:
    card = screen.take_out(screen.desk.citizen)
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(screen.desk.settle, 10000, 6000, 2500, "wallet")
        screen.shows("waiting", "请放卡", "¥100.00")
        screen.desk.citizen.insert(card)
        screen.shows("completed", "医保结算完成")
        assert answer.result().status_code == 201


def test_while_the_holder_types_the_pin_the_screen_says_so(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    typing, typed, type_pin = threading.Event(), threading.Event(), screen.desk.pad.verify

    def slowly(prompt: PinPrompt, send: Callable[[bytes], bytes]) -> bytes:
        typing.set()
        assert typed.wait(60)
        return type_pin(prompt, send)

    monkeypatch.setattr(screen.desk.pad, "verify", slowly)
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(screen.desk.settle, 10000, 6000, 2500, "cash")
        try:
            assert typing.wait(60)
            screen.shows("waiting", "请输入密码", "请持卡人在密码键盘上输入密码")
        finally:
            typed.set()
        assert answer.result().status_code == 201
    screen.shows("completed", "医保结算完成")


def test_a_result_makes_way_after_a_minute_but_an_unknown_one_stays(desk: Desk, open_screen: OpenScreen) -> None:
    screen = open_screen()
    screen.page.clock.install()
    screen.log_in()
    desk.debit(1234)
    screen.shows("completed")
    screen.page.clock.fast_forward(61_000)
    screen.shows("idle", "准备就绪", "¥12.34")
    tear(desk.wallet_card, Moment.AFTER_COMMIT)
    assert desk.debit(1000).status_code == 202
    screen.shows("uncertain")
    screen.page.clock.fast_forward(3_600_000)
    screen.shows("uncertain", "结果未知")


def test_whoever_logs_in_later_sees_how_it_stands(desk: Desk, open_screen: OpenScreen) -> None:
    tear(desk.wallet_card, Moment.AFTER_COMMIT)
    assert desk.debit(1000).status_code == 202
    assert desk.settle(500, 0, 500, "cash").status_code == 201
    screen = open_screen()
    screen.log_in()
    screen.shows("completed", "医保结算完成")
    expect(screen.view).to_contain_text("结果未知 1 笔")


def test_readers_and_their_cards_are_shown_without_names_or_whole_numbers(screen: Screen) -> None:
    readers = screen.page.get_by_role("complementary", name="读卡器与卡片")
    expect(readers).to_contain_text("市民卡电子钱包")
    expect(readers).to_contain_text("****0126")
    expect(readers).to_contain_text("999999000001")
    card = screen.take_out(screen.desk.citizen)
    screen.desk.social.insert(VirtualCard(CITIZEN_ATR, Directory(0x3F00), CardProtocol.T1))
    expect(readers).to_contain_text("不支持此类卡")
    screen.desk.citizen.insert(card)
    expect(readers).to_contain_text("****0123")
    assert "测试甲" not in screen.page.content()


def test_what_is_out_of_order_is_told_above_everything(screen: Screen) -> None:
    screen.desk.driver.unplug("sam")
    screen.shows("trouble", "暂不能收款", "未插入PSAM卡")
    expect(screen.page.get_by_role("banner")).to_contain_text("部分故障")
