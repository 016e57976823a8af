"""What the customer sees: amount, balance and prompts on a display at a serial port (PERS §4.7).

A display shows what is going on and decides nothing: one that is missing or broken never stops a sale, so nothing here
raises for it. It gets no personal data.
"""

from __future__ import annotations

import contextlib
import termios
from enum import Enum
from typing import Protocol

import serial

_ESC = b"\x1b"
WRITE_TIMEOUT = 1.0
"""Seconds after which a display that takes nothing is given up."""


class Prompt(Enum):
    """What the customer is asked or told, in Chinese and English; at most 20 columns."""

    WELCOME = ("欢迎光临", "Welcome")
    PRESENT_CARD = ("请放卡", "Present your card")
    PRESENT_SAME_CARD = ("请放回原卡", "Same card again")
    ENTER_PIN = ("请输入密码", "Enter your PIN")
    WAIT = ("处理中，请勿移开卡", "Hold card, wait")
    REMOVE_CARD = ("请取走卡片", "Take your card")
    DECLINED = ("未扣款", "Nothing charged")
    CALL_SUPERVISOR = ("请稍候，联系主管", "Supervisor called")


_AMOUNT = ("金额", "Amount")
_PAID = ("已付", "Paid")
_BALANCE = ("余额", "Balance")


class CustomerDisplay(Protocol):
    """A display of any kind; amounts in fen."""

    @property
    def working(self) -> bool:
        """Whether the last thing to show went out."""

    def amount(self, fen: int, prompt: Prompt = Prompt.PRESENT_CARD) -> None:
        """What is to be paid."""

    def paid(self, fen: int, balance_fen: int) -> None:
        """What was paid, and what is left on the card."""

    def prompt(self, prompt: Prompt) -> None:
        """A prompt alone."""

    def close(self) -> None:
        """Clear it and give the port back."""


class _Output:
    """A port that takes bytes, or not."""

    def __init__(self, device: str, baud: int) -> None:
        self.working = True
        self._device = device
        self._baud = baud
        self._port: serial.Serial | None = None

    def write(self, data: bytes) -> None:
        try:
            if self._port is None:
                self._port = serial.Serial(self._device, self._baud, write_timeout=WRITE_TIMEOUT, exclusive=True)
            self._port.write(data)
            self.working = True
        except (OSError, termios.error):
            self.working = False
            self.close()

    def close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(OSError, termios.error):
                port.close()


class TextDisplay:
    """Two lines of text with the commands of the CD5220, which most displays of this kind understand.

    Source: CD5220 manual (PERS §4.7): ESC @ begins anew, FF clears, ESC Q A and ESC Q B write a line up to CR.

    Args:
        device: Path of the port.
        language: `zh` needs a display with a Chinese font, which takes GBK; `en` any.
        baud: Bits per second.
        columns: Columns of a line; a Chinese character takes two.
    """

    def __init__(self, device: str, *, language: str = "zh", baud: int = 9600, columns: int = 20) -> None:
        self._output = _Output(device, baud)
        self._language = 0 if language == "zh" else 1
        self._columns = columns
        self._output.write(_ESC + b"@")

    @property
    def working(self) -> bool:
        """Whether the last thing to show went out."""
        return self._output.working

    def amount(self, fen: int, prompt: Prompt = Prompt.PRESENT_CARD) -> None:
        """What is to be paid."""
        self._show(self._pair(_AMOUNT, fen), self._text(prompt.value))

    def paid(self, fen: int, balance_fen: int) -> None:
        """What was paid, and what is left on the card."""
        self._show(self._pair(_PAID, fen), self._pair(_BALANCE, balance_fen))

    def prompt(self, prompt: Prompt) -> None:
        """A prompt alone."""
        self._show(self._text(prompt.value), b"")

    def close(self) -> None:
        """Clear it and give the port back."""
        self._output.write(b"\x0c")
        self._output.close()

    def _text(self, texts: tuple[str, str]) -> bytes:
        # In GBK a character has as many bytes as it takes columns.
        return texts[self._language].encode("gbk")

    def _pair(self, label: tuple[str, str], fen: int) -> bytes:
        text = self._text(label)
        return text + _yuan(fen).rjust(self._columns - len(text)).encode("ascii")

    def _show(self, upper: bytes, lower: bytes) -> None:
        lines = zip((b"QA", b"QB"), (upper, lower), strict=True)
        self._output.write(b"\x0c" + b"".join(_ESC + line + text[: self._columns] + b"\r" for line, text in lines))


class PriceDisplay:
    """Eight digits with a lamp for what they mean, the LED8 of Chinese counters; it has no words for prompts.

    Source: https://bbs.bccn.net thread 471533 (PERS §4.7): ESC s n lights a lamp, 0 none, 2 total; ESC Q A digits CR.

    Args:
        device: Path of the port.
        baud: Bits per second.
    """

    _NO_LAMP = b"0"
    _TOTAL = b"2"

    def __init__(self, device: str, *, baud: int = 2400) -> None:
        self._output = _Output(device, baud)

    @property
    def working(self) -> bool:
        """Whether the last thing to show went out."""
        return self._output.working

    def amount(self, fen: int, prompt: Prompt = Prompt.PRESENT_CARD) -> None:  # noqa: ARG002
        """What is to be paid."""
        self._show(self._TOTAL, fen)

    def paid(self, fen: int, balance_fen: int) -> None:  # noqa: ARG002 - there is one row of digits
        """What is left on the card."""
        self._show(self._NO_LAMP, balance_fen)

    def prompt(self, prompt: Prompt) -> None:
        """Nothing: the digits stay."""

    def close(self) -> None:
        """Show zero and give the port back."""
        self._show(self._NO_LAMP, 0)
        self._output.close()

    def _show(self, lamp: bytes, fen: int) -> None:
        self._output.write(_ESC + b"s" + lamp + _ESC + b"QA" + _yuan(fen).encode("ascii") + b"\r")


def _yuan(fen: int) -> str:
    """Fen as yuan without the sign of the currency, which displays do not have."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"
