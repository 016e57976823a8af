"""The page of the API in a browser: it works on a terminal without internet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.daemon.conforming import api_document
from tests.daemon.conftest import TOKEN, Daemon

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser that knows nothing yet."""
    context = browser.new_context()
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    context.close()


def test_it_shows_every_operation_and_asks_nobody_but_us(page: Page, daemon: Daemon) -> None:
    # Made before the daemon makes its own: pydantic does not do it in two threads at a time.
    operations = api_document().operations
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: complaints.append(f"{request.url}: {request.failure}"))
    page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= 400 else None)
    page.on("pageerror", lambda error: complaints.append(error.message))
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.goto(daemon.url + "/docs")
    shown = page.locator(".opblock")
    expect(shown).to_have_count(len(operations), timeout=PATIENCE_MS)
    for operation in ("POST /v1/debit", "GET /v1/events"):
        method, path = operation.split()
        block = page.locator(f".opblock-{method.lower()}", has=page.locator(f'[data-path="{path}"]'))
        block.locator(".opblock-summary-control").click()
        expect(block.locator(".opblock-body")).to_be_visible(timeout=PATIENCE_MS)
    assert {url for url in asked if not url.startswith((daemon.url + "/", "data:"))} == set()
    assert len(asked) >= 4
    assert complaints == []


def test_a_request_can_be_tried_out_with_a_token(page: Page, daemon: Daemon) -> None:
    page.goto(daemon.url + "/docs")
    page.locator(".auth-wrapper .authorize").first.click()
    page.locator('input[aria-label="auth-bearer-value"]').fill(TOKEN)
    page.locator(".auth-btn-wrapper .authorize").click()
    page.locator(".auth-btn-wrapper .btn-done").click()
    block = page.locator(".opblock-get", has=page.locator('[data-path="/v1/cards"]'))
    block.locator(".opblock-summary-control").click()
    block.locator(".try-out__btn").click()
    block.locator(".execute").click()
    answer = block.locator(".live-responses-table .response-col_status").nth(1)
    expect(answer).to_contain_text("200", timeout=PATIENCE_MS)
