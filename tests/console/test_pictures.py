"""The pictures of docs/console.md: made anew by `CARDIO_PICTURES=1`, otherwise only looked at here."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from cardio.virtual.card import Moment
from tests.console.conftest import OpenScreen
from tests.console.desk import OPERATOR, Desk, Screen
from tests.counter import tear

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
COLOURS = 255
LARGEST = 150_000
"""Bytes of one picture."""
BLANK = 24
"""A page with nothing on it has fewer colours."""


def morning(desk: Desk) -> None:
    """What a counter has done when the pictures are taken."""
    assert desk.call("POST", "shifts", {"operator": OPERATOR, "lane": "3号窗"}).status_code == 201
    for number, amount in enumerate((1850, 4200, 960)):
        assert desk.debit(amount, f"YF-{21 + number:04d}").status_code == 201
    assert desk.debit(90000, "YF-0024").status_code == 402


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pictures_show_the_console(desk: Desk, open_screen: OpenScreen, tmp_path: Path, language: str) -> None:
    folder = FOLDER if os.environ.get("CARDIO_PICTURES") else tmp_path
    screen = open_screen()
    morning(desk)
    screen.log_in()
    if language == "en":
        screen.press("F9", "F2")

    def take(name: str) -> None:
        picture(screen, folder / f"console-{language}-{name}.png")

    assert desk.debit(2350, "YF-0025").status_code == 201
    screen.shows("completed", "¥23.50")
    take("overview")
    assert desk.settle(18850, 12000, 4000, "cash", "MZ-0107").status_code == 201
    screen.shows("completed", "¥188.50", "¥28.50")
    take("bill")
    tear(desk.wallet_card, Moment.AFTER_COMMIT)
    assert desk.debit(4560, "YF-0026").status_code == 202
    screen.shows("uncertain", "¥45.60")
    expect(screen.key("F3")).to_contain_text("1")
    take("uncertain")
    screen.press("R")
    expect(screen.view).to_contain_text("****0126")
    take("recover")
    desk.citizen.insert(desk.wallet_card)
    screen.shows("completed", "¥45.60")
    screen.press("F4")
    expect(screen.view.locator(".list button")).to_have_count(7)
    take("today")
    screen.press("D")
    expect(screen.view.locator(".voucher")).to_be_visible()
    take("sale")
    screen.press("F6")
    expect(screen.view).to_contain_text("3号窗")
    take("shift")


def picture(screen: Screen, file: Path) -> None:
    """Take one, with as many colours as it needs, and look whether there is anything on it."""
    taken = Image.open(io.BytesIO(screen.page.screenshot(animations="disabled"))).convert("RGB")
    assert len(taken.getcolors(1 << 24) or []) >= BLANK
    file.parent.mkdir(parents=True, exist_ok=True)
    taken.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(file, optimize=True)
    assert file.stat().st_size <= LARGEST
