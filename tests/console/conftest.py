"""A daemon with its console, and a browser for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.console.desk import Desk, Screen

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--no-default-browser-check"),
]
SIZE = (1366, 768)

OpenScreen = Callable[..., Screen]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium, one for all tests of a file."""
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A counter with a card in each reader."""
    desk = Desk(tmp_path)
    yield desk
    desk.stop()


@pytest.fixture
def open_screen(browser: Browser, desk: Desk) -> Iterator[OpenScreen]:
    """Opens the console in browsers of their own, with nothing remembered; what must hold of each is checked."""
    opened: list[Screen] = []

    def open_one(size: tuple[int, int] = SIZE, **options: Any) -> Screen:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        screen = Screen(context.new_page(), desk)
        opened.append(screen)
        return screen

    yield open_one
    for screen in opened:
        screen.check()
        screen.page.context.close()


@pytest.fixture
def screen(open_screen: OpenScreen) -> Screen:
    """The console, logged in."""
    screen = open_screen()
    screen.log_in()
    return screen
