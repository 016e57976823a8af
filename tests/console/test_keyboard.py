"""Everything can be reached and done by the keyboard; no test of the console has a mouse."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from cardio.virtual.card import Moment
from tests.console.desk import MOST_STEPS, Screen
from tests.counter import tear

VIEWS = {
    "F1": "帮助",
    "F2": "柜台",
    "F3": "结果未知的交易",
    "F4": "今日交易",
    "F6": "班次",
    "F7": "结批",
    "F8": "自检",
}
FOCUSED = """() => {
  const element = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  return [element === document.body, outlineStyle !== "none" && parseFloat(outlineWidth) >= 2];
}"""
CONTROLS = """() => [...document.querySelectorAll("button, input, select, textarea, pre")].filter(
  (element) => element.offsetParent !== null && !element.disabled && !(element.type === "radio" && element.tabIndex < 0)
).length"""
COUNT = """() => {
  document.activeElement.dataset.reached = "";
  return document.querySelectorAll("[data-reached]").length;
}"""
FORGET = "() => document.querySelectorAll('[data-reached]').forEach((element) => delete element.dataset.reached)"


def test_each_view_has_a_key_that_stands_on_its_button(screen: Screen) -> None:
    for key, title in VIEWS.items():
        screen.press(key)
        expect(screen.page.get_by_role("heading", level=1)).to_have_text(title)
        button = screen.page.locator(f"nav button[data-key={key}]")
        expect(button.locator("kbd")).to_have_text(key)
        expect(button).to_have_attribute("aria-keyshortcuts", key)
        expect(button).to_have_attribute("aria-current", "page")


def test_the_tab_key_reaches_every_control_and_shows_where_it_is(screen: Screen) -> None:
    screen.desk.debit(1234)
    screen.shows("completed")
    for key, title in VIEWS.items():
        screen.press(key)
        expect(screen.page.get_by_role("heading", level=1)).to_have_text(title)
        expect(screen.view).not_to_be_empty()
        assert unreached(screen) == 0, key


def unreached(screen: Screen) -> int:
    """Go once through the page by the Tab key; how many controls that leaves out."""
    screen.page.evaluate(FORGET)
    wanted = screen.page.evaluate(CONTROLS)
    reached = 0
    for _ in range(MOST_STEPS):
        screen.strike("Tab")
        outside, outlined = screen.page.evaluate(FOCUSED)
        assert outside or outlined
        reached = reached if outside else screen.page.evaluate(COUNT)
        if reached >= wanted:
            break
    return int(wanted - reached)


def test_letters_are_text_while_somebody_types(screen: Screen) -> None:
    tear(screen.desk.wallet_card, Moment.AFTER_COMMIT)
    screen.desk.debit(1234)
    screen.shows("uncertain")
    screen.press("F6")
    screen.fill("操作员", "rRzZqQ")
    expect(screen.page.get_by_label("操作员")).to_have_value("rRzZqQ")
    expect(screen.page.get_by_role("heading", level=1)).to_have_text("班次")
    screen.press("F4")
    expect(screen.page.get_by_role("heading", level=1)).to_have_text("今日交易")


def test_a_question_keeps_the_keys_to_itself(screen: Screen) -> None:
    screen.desk.debit(1234)
    screen.shows("completed")
    screen.press("F7", "J")
    expect(screen.dialog).to_be_visible()
    screen.strike("F4", "D")
    expect(screen.page.get_by_role("heading", level=1)).to_have_text("结批")
    screen.press("Escape")
    expect(screen.dialog).to_have_count(0)
    expect(screen.key("J")).to_be_focused()


def test_the_browsers_way_back_leads_through_the_views(screen: Screen) -> None:
    screen.press("F4", "F6")
    expect(screen.page.get_by_role("heading", level=1)).to_have_text("班次")
    screen.page.go_back()
    expect(screen.page.get_by_role("heading", level=1)).to_have_text("今日交易")


def test_no_test_of_the_console_uses_a_mouse() -> None:
    words = [f".{name}(" for name in ("click", "dblclick", "hover", "tap", "set_checked", "select_option")] + [".mouse"]
    for file in set(Path(__file__).parent.glob("*.py")) - {Path(__file__)}:
        text = file.read_text(encoding="utf-8")
        assert [word for word in words if word in text] == [], file.name
