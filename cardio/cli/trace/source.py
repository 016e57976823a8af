"""Traces as files: recordings of `cardio.transport.recording`, and plain text with one APDU a line.

    ATR: 3B6D00000081008843866533010100ABCD
    > 00B2012812            # a command; the sign may be an arrow, and hidden bytes are **
    < 0110 330100D1 ... 9000

`> reset` with the ATR as its answer is a reset too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cardio.errors import InputInvalid
from cardio.transport.recording import Exchange, Recording, read_lines

COMMAND_SIGNS = (">", "→")
ANSWER_SIGNS = ("<", "←")
RESET = "reset"
_ATR = re.compile(r"ATR\s*[:：]", re.IGNORECASE)
_BYTES = re.compile(r"(?:[0-9A-F]{2}|\*\*)*")


@dataclass(frozen=True)
class Reset:
    """The card was powered.

    Attributes:
        atr: Its answer to reset; empty if the trace does not have it.
    """

    atr: bytes


Event = Reset | Exchange


def load(file: Path) -> list[Event]:
    """The events of a trace.

    Raises:
        InputInvalid: The file is not there, or a line of it is wrong.
    """
    lines = read_lines(file)
    if next((line for line in lines if line.strip()), "").lstrip().startswith("{"):
        recording = Recording.load(file)
        return [Reset(recording.atr), *recording.exchanges]
    return parse(lines, str(file))


def parse(lines: list[str], name: str) -> list[Event]:
    """The events of a plain text.

    Args:
        lines: The text.
        name: Name of the file, for errors.

    Raises:
        InputInvalid: A line is wrong.
    """
    reader = _Reader()
    for number, line in enumerate(lines, 1):
        text = line.split("#", 1)[0].strip()
        if not text:
            continue
        try:
            reader.take(text)
        except ValueError as error:
            raise InputInvalid(f"{name}, line {number}: {error}") from error
    return reader.finish()


class _Reader:
    """Pairs commands with answers; a command without an answer lost it."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._command: str | None = None

    def take(self, text: str) -> None:
        atr = _ATR.match(text)
        if atr:
            self._flush()
            self._events.append(Reset(_known(text[atr.end() :])))
        elif text.startswith(COMMAND_SIGNS):
            self._flush()
            command = text[1:].strip()
            self._command = RESET if command.lower() == RESET else _hex(command)
            if not self._command:
                raise ValueError("a command without bytes")
        elif text.startswith(ANSWER_SIGNS):
            self._answer(text[1:])
        else:
            raise ValueError("a line begins with > for a command, < for an answer, ATR: or #")

    def finish(self) -> list[Event]:
        self._flush()
        return self._events

    def _answer(self, text: str) -> None:
        if self._command is None:
            raise ValueError("an answer without a command")
        self._events.append(Reset(_known(text)) if self._command == RESET else Exchange(self._command, _hex(text)))
        self._command = None

    def _flush(self) -> None:
        if self._command is not None:
            self._events.append(Reset(b"") if self._command == RESET else Exchange(self._command, ""))
        self._command = None


def _hex(text: str) -> str:
    joined = "".join(text.split()).upper()
    if not _BYTES.fullmatch(joined):
        raise ValueError("bytes are two hexadecimal digits each, or ** where they are hidden")
    return joined


def _known(text: str) -> bytes:
    try:
        return bytes.fromhex("".join(text.split()))
    except ValueError:
        raise ValueError("an ATR is hexadecimal") from None
