"""Whether it can be read: contrast, names, sizes, shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.card import Moment
from cardio.virtual.faults import Fault, FaultPlan
from tests.console.conftest import OpenScreen
from tests.console.desk import Desk, Screen
from tests.counter import tear

PLACES = [
    "counter",
    "uncertain",
    "today",
    "shift",
    "batches",
    "doctor",
    "help",
    "resolve/1",
    "refund/transactions/1",
    "standstill/journal.behind",
    "standstill/clock.untrusted",
]
SIZES = [(1024, 768), (1366, 768), (683, 384)]
"""Small, usual, and usual enlarged to 200 %."""

CONTRASTS = r"""() => {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const light = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const grounds = (element) => {
    for (let one = element; one !== null; one = one.parentElement) {
      const { backgroundColor, backgroundImage } = getComputedStyle(one);
      if (backgroundImage !== "none") {
        return backgroundImage.match(/rgba?\([^)]*\)/g).map(channels);
      }
      const ground = channels(backgroundColor);
      if (ground.length === 3 || ground[3] === 1) {
        return [ground];
      }
    }
    return [[255, 255, 255]];
  };
  const found = [];
  const walker = document.createTreeWalker(document.getElementById("page"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.textContent.trim() === "" || element.offsetParent === null) {
      continue;
    }
    const ink = light(channels(getComputedStyle(element).color));
    for (const ground of grounds(element).map(light)) {
      found.push([(Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05), element.textContent]);
    }
  }
  return found;
}"""
NAMELESS = """() => {
  const named = (element) => element.labels?.length || element.getAttribute("aria-label") || element.textContent.trim();
  const hidden = (element) => element.offsetParent === null;
  const controls = [...document.querySelectorAll("button, input, select, textarea, aside, nav, section.now")];
  return controls.filter((element) => !hidden(element) && !named(element)).map((element) => element.outerHTML);
}"""
LEVELS = "() => [...document.querySelectorAll('h1')].length"
WIDTHS = "() => [document.scrollingElement.scrollWidth, window.innerWidth]"
CUT = """() => {
  const lines = [...document.querySelectorAll("button, .now__words > *, h1:not(.hidden), h2")];
  const cut = ({ offsetParent, scrollWidth, clientWidth }) =>
    offsetParent !== null && clientWidth > 0 && scrollWidth > clientWidth + 1;
  return lines.filter(cut).map((element) => element.textContent);
}"""


def uncertain(desk: Desk) -> None:
    tear(desk.wallet_card, Moment.AFTER_COMMIT)
    desk.debit(1234, "TORN")


def not_genuine(desk: Desk) -> None:
    desk.wallet_card.faults = FaultPlan(Fault.WRONG_MAC2)
    desk.debit(1234)


def without_sam(desk: Desk) -> None:
    desk.driver.unplug("sam")


def with_sam(desk: Desk) -> None:
    desk.driver.plug(EmbeddedReader("sam", desk.psam))


STATES: tuple[tuple[str, Callable[[Desk], Any]], ...] = (
    ("trouble", without_sam),
    ("idle", with_sam),
    ("completed", lambda desk: desk.settle(1234567, 1000000, 25, "cash")),
    ("declined", lambda desk: desk.debit(90000)),
    ("not_genuine", not_genuine),
    ("uncertain", uncertain),
    ("offline", Desk.stop),
)
"""Large states in an order in which one can follow the other, and what leads to them."""
SHAPES = """async (names) => {
  const { symbol } = await import("/console/scripts/symbols.js");
  return names.map((name) => symbol(name).innerHTML);
}"""


def legible(screen: Screen) -> None:
    """All texts stand out, all controls have names, there is one main heading, nothing sticks out sideways."""
    weak = [(round(ratio, 2), text) for ratio, text in screen.page.evaluate(CONTRASTS) if ratio < 4.5]
    assert not weak
    assert not screen.page.evaluate(NAMELESS)
    assert screen.page.evaluate(LEVELS) == 1
    wide, window = screen.page.evaluate(WIDTHS)
    assert wide <= window
    assert not screen.page.evaluate(CUT)


@pytest.mark.parametrize("size", SIZES)
def test_every_view_is_legible_at_every_size_in_both_languages(
    desk: Desk, open_screen: OpenScreen, size: tuple[int, int]
) -> None:
    assert desk.call("POST", "shifts", {"operator": "收银员01", "lane": "3号窗"}).status_code == 201
    desk.debit(1234, "SALE")
    desk.call("POST", "batches", {})
    uncertain(desk)
    screen = open_screen(size)
    screen.log_in()
    places = [*PLACES, f"transaction/{desk.call('GET', 'transactions').json()['transactions'][1]['id']}"]
    places.append(f"recover/{desk.call('GET', 'transactions').json()['transactions'][0]['id']}")
    for _ in ("zh", "en"):
        for place in places:
            screen.page.goto(f"{desk.url}/#{place}")
            expect(screen.view.locator(":focus")).to_have_count(1)
            expect(screen.view.get_by_role("alert")).to_have_count(0)
            legible(screen)
        screen.press("F9")


def test_every_large_state_is_legible_and_told_to_those_who_do_not_see_it(screen: Screen) -> None:
    for kind, lead_to in STATES:
        lead_to(screen.desk)
        screen.shows(kind)
        legible(screen)
        expect(screen.now.get_by_role("heading")).not_to_be_empty()
        expect(screen.now.get_by_role("status")).to_have_attribute("aria-live", "assertive")


def test_every_large_state_has_a_shape_of_its_own_for_those_who_see_no_colours(screen: Screen) -> None:
    kinds = [kind for kind, _ in STATES] + ["waiting", "working", "not_debited", "cancelled", "resolved"]
    shapes = screen.page.evaluate(SHAPES, kinds)
    assert len(set(shapes)) == len(kinds)


def test_the_large_state_is_large(screen: Screen) -> None:
    screen.desk.debit(1234)
    screen.shows("completed")
    box = screen.now.locator(".now__amount").bounding_box()
    assert box is not None
    assert box["height"] >= 80


def test_the_login_is_legible_too(desk: Desk, open_screen: OpenScreen) -> None:
    for size in SIZES:
        screen = open_screen(size)
        screen.page.goto(desk.url)
        expect(screen.page.get_by_role("alert")).to_be_visible()
        legible(screen)
