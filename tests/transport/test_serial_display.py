"""Customer displays: what arrives at the far end of the cable, and displays that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from cardio.transport.serial_display import CustomerDisplay, PriceDisplay, Prompt, TextDisplay
from tests.counter import eventually
from tests.transport.serial_box import Far


class DisplaySimulator(Far):
    """A CD5220: keeps what its two lines show."""

    def __init__(self) -> None:
        self.lines = ["", ""]
        super().__init__()

    def hear(self, received: bytes) -> None:
        super().hear(received)
        while self.heard:
            if self.heard[:2] == b"\x1b@":
                del self.heard[:2]
            elif self.heard[0] == 0x0C:
                self.lines = ["", ""]
                del self.heard[0]
            elif bytes(self.heard[:3]) in {b"\x1bQA", b"\x1bQB"} and b"\r" in self.heard:
                text, _, rest = bytes(self.heard[3:]).partition(b"\r")
                assert len(text) <= 20
                self.lines[self.heard[2] - ord("A")] = text.decode("gbk")
                self.heard[:] = rest
            else:
                return


@pytest.fixture
def screen() -> Iterator[DisplaySimulator]:
    screen = DisplaySimulator()
    yield screen
    screen.close()


def shows(screen: DisplaySimulator, upper: str, lower: str) -> None:
    eventually(lambda: screen.lines == [upper, lower])


def test_amount_balance_and_prompts_are_seen_in_chinese(screen: DisplaySimulator) -> None:
    with closing(TextDisplay(screen.device)) as display:
        display.amount(1234)
        shows(screen, "金额           12.34", "请放卡")
        display.paid(1234, 8766)
        shows(screen, "已付           12.34", "余额           87.66")
        display.prompt(Prompt.REMOVE_CARD)
        shows(screen, "请取走卡片", "")
        assert display.working
    shows(screen, "", "")


def test_amount_balance_and_prompts_are_seen_in_english_on_a_display_without_chinese(screen: DisplaySimulator) -> None:
    with closing(TextDisplay(screen.device, language="en")) as display:
        display.amount(5, Prompt.ENTER_PIN)
        shows(screen, "Amount          0.05", "Enter your PIN")
        display.paid(0x7FFFFFFF, -5)
        shows(screen, "Paid     21474836.47", "Balance        -0.05")


@pytest.mark.parametrize("prompt", Prompt)
def test_every_prompt_fits_a_line_in_both_languages(prompt: Prompt) -> None:
    assert all(len(text.encode("gbk")) <= 20 for text in prompt.value)


def test_a_price_display_shows_what_is_to_be_paid_and_what_is_left() -> None:
    screen = Far()
    with closing(PriceDisplay(screen.device)) as display:
        display.prompt(Prompt.WAIT)
        display.amount(1234)
        display.paid(1234, 8766)
        eventually(lambda: screen.heard == b"\x1bs2\x1bQA12.34\r\x1bs0\x1bQA87.66\r")
    screen.close()


def test_a_display_that_is_not_there_never_stops_anything() -> None:
    for display in (TextDisplay("/dev/serial/by-id/none"), PriceDisplay("/dev/serial/by-id/none")):
        shown: CustomerDisplay = display
        shown.amount(100)
        shown.paid(100, 0)
        shown.prompt(Prompt.WAIT)
        assert not shown.working
        shown.close()


def test_a_display_that_is_unplugged_is_not_working(screen: DisplaySimulator) -> None:
    display = TextDisplay(screen.device)
    display.amount(100)
    assert display.working
    screen.close()

    def unplugged() -> bool:
        display.amount(100)
        return not display.working

    eventually(unplugged)
