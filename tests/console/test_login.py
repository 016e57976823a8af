"""Logging in by a one-time address, and out again."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.console.conftest import OpenScreen
from tests.console.desk import Desk, Screen

INVALID = "该登录地址已用过、已过期或不正确"
TOKEN = "sessionStorage.getItem('cardio.token')"


def test_an_address_logs_in_once_and_its_code_leaves_the_address_bar(desk: Desk, open_screen: OpenScreen) -> None:
    address = desk.address()
    first, second = open_screen(), open_screen()
    first.page.goto(address)
    expect(first.now).to_be_visible()
    assert "login" not in first.page.url
    second.page.goto(address)
    expect(second.page.get_by_role("alert")).to_contain_text(INVALID)
    assert "login" not in second.page.url
    assert second.page.evaluate(TOKEN) is None


def test_a_wrong_code_says_how_to_get_a_new_one(desk: Desk, open_screen: OpenScreen) -> None:
    screen = open_screen()
    screen.page.goto(f"{desk.url}/#login=wrong")
    expect(screen.page.get_by_role("alert")).to_contain_text(INVALID)
    expect(screen.page.locator("main")).to_contain_text("cardiod console")


def test_whoever_has_no_login_sees_nothing_of_the_counter(desk: Desk, open_screen: OpenScreen) -> None:
    screen = open_screen()
    screen.page.goto(f"{desk.url}/#today")
    expect(screen.page.get_by_role("alert")).to_contain_text("请用一次性地址登录")
    expect(screen.now).to_have_count(0)


def test_an_address_can_be_pasted_into_the_page(desk: Desk, open_screen: OpenScreen) -> None:
    screen = open_screen()
    screen.page.goto(desk.url)
    expect(screen.page.get_by_label("一次性地址")).to_be_focused()
    screen.type("nonsense")
    screen.strike("Enter")
    expect(screen.page.get_by_role("alert")).to_contain_text(INVALID)
    screen.fill("一次性地址", desk.address())
    screen.strike("Enter")
    expect(screen.now).to_be_visible()


def test_an_address_that_is_opened_in_the_same_tab_logs_in(desk: Desk, open_screen: OpenScreen) -> None:
    screen = open_screen()
    screen.page.goto(desk.url)
    expect(screen.page.get_by_role("alert")).to_be_visible()
    screen.page.goto(desk.address())
    expect(screen.now).to_be_visible()


def test_a_login_lives_in_its_tab_through_a_reload_and_in_no_other(screen: Screen) -> None:
    screen.page.reload()
    expect(screen.now).to_be_visible()
    other = Screen(screen.page.context.new_page(), screen.desk)
    other.page.goto(screen.desk.url)
    expect(other.page.get_by_role("alert")).to_contain_text("请用一次性地址登录")
    other.check()


def test_logging_out_ends_the_session_for_good(screen: Screen) -> None:
    token = screen.page.evaluate(TOKEN)
    screen.push("退出登录")
    expect(screen.page.get_by_role("alert")).to_contain_text("已退出登录")
    assert screen.page.evaluate(TOKEN) is None
    answer = screen.page.request.get(f"{screen.desk.url}/v1/status", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 401
    screen.page.reload()
    expect(screen.page.get_by_role("alert")).to_be_visible()


def test_the_language_is_switched_and_remembered(screen: Screen) -> None:
    expect(screen.page).to_have_title("收款终端控制台")
    assert screen.page.evaluate("document.documentElement.lang") == "zh-CN"
    screen.press("F9")
    screen.shows("idle", "Ready")
    expect(screen.page).to_have_title("Terminal console")
    assert screen.page.evaluate("document.documentElement.lang") == "en"
    screen.page.reload()
    screen.shows("idle", "Ready")
    chinese = re.compile(r"[\u4e00-\u9fff]")
    # The button for Chinese is in Chinese.
    assert chinese.sub("", screen.page.locator("body").inner_text().replace("中文", "")) == screen.page.locator(
        "body"
    ).inner_text().replace("中文", "")
