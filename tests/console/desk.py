"""A counter with a running daemon, and its console in a real browser that is driven by the keyboard alone."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect

from cardio.applications.medical import CardMode
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.pin_pad import VirtualPinPad
from cardiod.listening import listeners
from cardiod.service import background, counter_on, login_address, server
from cardiod.settings import Scope, Settings, hash_token
from tests.counter import PIN

TOKEN = "the till's token"
OPERATOR = "收银员01"
MOST_STEPS = 80
"""Tabs after which a control counts as out of reach."""
_numbers = count(1)


@dataclass
class Desk:
    """A counter: a daemon on embedded readers, and a till that calls it."""

    folder: Path
    wallet_card: VirtualCard = field(default_factory=lambda: citizen_card(balance_fen=50000))
    social_card: VirtualCard = field(
        default_factory=lambda: social_security_card(mode=CardMode.OFFLINE, balance_fen=50000)
    )
    psam: VirtualCard = field(default_factory=psam)
    pad: VirtualPinPad = field(default_factory=lambda: VirtualPinPad(PIN))

    def __post_init__(self) -> None:
        self.citizen = EmbeddedReader("citizen", self.wallet_card)
        self.social = EmbeddedReader("social", self.social_card, self.pad)
        self.driver = EmbeddedDriver([self.citizen, self.social, EmbeddedReader("sam", self.psam)])
        self.port = 0
        self._stack = ExitStack()
        self.start()

    def start(self) -> None:
        """Start the daemon; again on the port that it had before."""
        self.settings = Settings(
            port=self.port,
            socket=None,
            journal=self.folder / "journal.db",
            token_sha256=hash_token(TOKEN),
            scopes=frozenset(Scope),
        )
        self._bound = self._stack.enter_context(listeners(self.settings))
        counter = self._stack.enter_context(counter_on(self.driver, self.settings))
        self._http = server(counter, self.settings)
        self.url = self._stack.enter_context(background(self._http, self._bound))
        self.port = httpx.URL(self.url).port or 0

    def stop(self) -> None:
        """Stop the daemon."""
        self._stack.close()

    def address(self) -> str:
        """A new one-time address of the console."""
        return login_address(self._http, self._bound)

    def call(self, method: str, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
        """A request of the till."""
        headers = {"Authorization": f"Bearer {TOKEN}", **({"Idempotency-Key": key} if key else {})}
        return httpx.request(method, f"{self.url}/v1/{path}", json=body, headers=headers, timeout=60, trust_env=False)

    def debit(self, amount_fen: int, reference: str = "SALE", **more: Any) -> httpx.Response:
        """A debit by the till, under a key of its own."""
        body = {"purse": "wallet", "amount_fen": amount_fen, "reference": reference, "operator": OPERATOR, **more}
        return self.call("POST", "debit", body, f"key-{next(_numbers)}")

    def settle(self, total: int, fund: int, account: int, tender: str, reference: str = "BILL") -> httpx.Response:
        """A settlement by the till."""
        self_pay = total - fund - account
        bill = {"total_fen": total, "fund_fen": fund, "account_fen": account, "self_pay_fen": self_pay}
        body = {"bill": bill, "tender": tender, "reference": reference, "operator": OPERATOR}
        return self.call("POST", "settle", body, f"key-{next(_numbers)}")


class Screen:
    """The console in a browser's tab. What must hold of every page is watched, and checked at the end."""

    def __init__(self, page: Page, desk: Desk) -> None:
        self.page = page
        self.desk = desk
        self._errors: list[str] = []
        self._requests: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._errors.append(str(error)))
        page.on("request", self._on_request)
        # A test has no printer: what goes to it is kept.
        page.add_init_script("window.prints = []; window.print = () => prints.push(paper.textContent)")

    # ---- the keyboard ----------------------------------------------------------------------------------------

    def log_in(self) -> None:
        """Open a new one-time address."""
        self.page.goto(self.desk.address())
        expect(self.now).to_be_visible()

    def press(self, *keys: str) -> None:
        """Press keys, each once the button that shows it is there."""
        for key in keys:
            expect(self.key(key)).to_be_enabled()
            self.strike(key)

    def strike(self, *keys: str) -> None:
        """Press keys that belong to no button."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.page.keyboard.type(text)

    def tab_to(self, control: Locator) -> None:
        """Go on by the Tab key until a control has the focus."""
        expect(control).to_be_enabled()
        for _ in range(MOST_STEPS):
            if control.evaluate("element => element === document.activeElement"):
                return
            self.strike("Tab")
        raise AssertionError(f"the Tab key does not reach {control}")

    def push(self, name: str) -> None:
        """Go to a button by the Tab key, and press it."""
        self.tab_to(self.button(name))
        self.strike("Enter")

    def fill(self, label: str, text: str) -> None:
        """Go to a field by the Tab key, and type."""
        self.tab_to(self.page.get_by_label(label))
        self.strike("Control+a")
        self.type(text)

    def take_out(self, reader: EmbeddedReader) -> VirtualCard:
        """The holder takes the card out of a reader, and the counter has seen it; returns the card."""
        card = reader.remove()
        assert isinstance(card, VirtualCard)
        expect(self.reader(reader)).to_contain_text("无卡")
        return card

    # ---- what is seen ----------------------------------------------------------------------------------------

    @property
    def now(self) -> Locator:
        """The large state."""
        return self.page.locator(".now")

    def reader(self, reader: EmbeddedReader) -> Locator:
        """What is said of a reader."""
        return self.page.locator(".readers li").filter(has_text=reader.name)

    @property
    def view(self) -> Locator:
        """The view beside or below it."""
        return self.page.locator(".stage")

    @property
    def dialog(self) -> Locator:
        """The question that is asked before something final."""
        return self.page.locator("dialog[open]")

    def button(self, name: str) -> Locator:
        """A button by its name."""
        return self.page.get_by_role("button", name=name).first

    def key(self, key: str) -> Locator:
        """The button that shows a key."""
        return self.page.locator(f"button[data-key={key}]:visible").last

    def shows(self, kind: str, *texts: str) -> None:
        """Wait for a large state, and for texts in it."""
        expect(self.page.locator(f".now--{kind}")).to_be_visible()
        for text in texts:
            expect(self.now).to_contain_text(text)

    @property
    def prints(self) -> list[str]:
        """What was printed."""
        printed: list[str] = self.page.evaluate("window.prints")
        return printed

    # ---- what must hold --------------------------------------------------------------------------------------

    def check(self) -> None:
        """Nothing left this origin, the browser had nothing to complain about, and there is no cookie."""
        origin = (f"{self.desk.url}/", f"blob:{self.desk.url}/")
        foreign = [url for url in self._requests if not url.startswith(origin)]
        cookies = self.page.context.cookies()
        assert not self._errors, self._errors
        assert not foreign, foreign
        assert not cookies, cookies

    def _on_console(self, message: ConsoleMessage) -> None:
        # The browser itself writes down when the daemon refuses, or is not there; files of the page must be there.
        missing = "404" in message.text and "/console/" in message.location.get("url", "")
        refused = message.text.startswith("Failed to load resource") and not missing
        if message.type in {"error", "warning"} and not refused:
            self._errors.append(message.text)

    def _on_request(self, request: Request) -> None:
        self._requests.append(request.url)
