"""Records the exchanges with a card, and plays them back.

What may be written down is declared with each command (`Disclosure`); the rest is masked byte by byte, so that
lengths stay visible. Recordings are JSON Lines: first the card, then one exchange a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

from cardio.errors import CardRemoved, InputInvalid
from cardio.transport.channel import (
    CardProtocol,
    Channel,
    ChannelAround,
    Disclosure,
    PinChangePrompt,
    PinPadChannel,
    PinPrompt,
    has_pin_pad,
)

T = TypeVar("T")

MASKED = "**"
HEADER_SIZE = 5
STATUS_SIZE = 2
_BYTES = re.compile(r"(?:[0-9A-F]{2}|\*\*)*")


@dataclass(frozen=True)
class Exchange:
    """One command and its answer in hex, masked bytes as `**`.

    Attributes:
        command: The command APDU.
        answer: Data ‖ SW1 SW2; empty if the answer was lost.
        time: When it was sent, if the recorder wrote that down; ours does not.
    """

    command: str
    answer: str
    time: str = ""


@dataclass(frozen=True)
class Recording:
    """A card and what was exchanged with it.

    Attributes:
        atr: Answer to reset.
        protocol: Transmission protocol.
        exchanges: In order.
    """

    atr: bytes
    protocol: CardProtocol
    exchanges: tuple[Exchange, ...]

    @classmethod
    def load(cls, file: Path) -> Recording:
        """Read a recording.

        Raises:
            InputInvalid: There is no such file, or it is not a recording.
        """
        lines = read_lines(file)
        if not lines:
            raise InputInvalid(f"{file} is not a recording: it is empty")
        atr, protocol = _parsed(file, 1, lines[0], _card)
        return cls(atr, protocol, tuple(_parsed(file, n, line, _exchange) for n, line in enumerate(lines[1:], 2)))


def read_lines(file: Path) -> list[str]:
    """The lines of a text file.

    Raises:
        InputInvalid: It is not there, cannot be read, or holds no UTF-8 text.
    """
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputInvalid(f"{file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputInvalid(f"{file}: byte {error.start} is no UTF-8 text") from error


def record(inner: Channel, sink: TextIO, *, reveal: bool = False) -> RecordingChannel:
    """A channel that writes down what passes through `inner`; it has a PIN pad if `inner` has one.

    Arguments and errors are those of `RecordingChannel`.
    """
    kind = RecordingPinPadChannel if has_pin_pad(inner) else RecordingChannel
    return kind(inner, sink, reveal=reveal)


class RecordingChannel(ChannelAround):
    """A channel that writes down what passes through it.

    A sink that fails ends the recording, never the exchange: the answer may be that of a debit.

    Args:
        inner: The channel underneath.
        sink: Where to write.
        reveal: Write everything in clear; only for virtual cards, whose holders do not exist.

    Raises:
        ValueError: `reveal` for a card that is not virtual.

    Attributes:
        failure: Why the recording ended early, if it did.
    """

    def __init__(self, inner: Channel, sink: TextIO, *, reveal: bool = False) -> None:
        if reveal and not inner.virtual:
            raise ValueError("only virtual cards may be recorded in clear")
        super().__init__(inner)
        self._sink = sink
        self._reveal = reveal
        self.failure: OSError | None = None
        self._write({"atr": inner.atr.hex().upper(), "protocol": inner.protocol.value})

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        """Pass a command on and write the exchange down, a lost answer too."""
        shown = Disclosure.ALL if self._reveal else disclosure
        answer = b""
        try:
            answer = self._inner.transmit(command, disclosure)
        finally:
            self._write({"command": _mask_command(command, shown), "answer": _mask_answer(answer, shown)})
        return answer

    def close(self) -> None:
        """Close the channel underneath."""
        self._inner.close()

    def _write(self, entry: dict[str, str]) -> None:
        if self.failure is None:
            try:
                self._sink.write(json.dumps(entry) + "\n")
            except OSError as error:
                self.failure = error


class RecordingPinPadChannel(RecordingChannel):
    """As `RecordingChannel`, over a reader with a PIN pad; what is typed there never comes by."""

    def verify_pin(self, prompt: PinPrompt) -> bytes:
        """Pass the prompt on; the recording gets the header and the status word."""
        return self._typed(prompt.header, self._pad().verify_pin(prompt))

    def modify_pin(self, prompt: PinChangePrompt) -> bytes:
        """Pass the prompt on; the recording gets the header and the status word."""
        return self._typed(prompt.command[: HEADER_SIZE - 1], self._pad().modify_pin(prompt))

    def _pad(self) -> PinPadChannel:
        if not has_pin_pad(self._inner):
            raise TypeError("the channel underneath has no PIN pad")
        return self._inner

    def _typed(self, header: bytes, answer: bytes) -> bytes:
        self._write({"command": header.hex().upper(), "answer": answer.hex().upper()})
        return answer


class ReplayChannel:
    """Answers as a recorded card did, to the same commands in the same order.

    Attributes:
        reader: Name of the reader.
        virtual: A recording is no real card.
    """

    reader = "recording"
    virtual = True

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._next = 0

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self._recording.atr

    @property
    def protocol(self) -> CardProtocol:
        """Protocol in use."""
        return self._recording.protocol

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:  # noqa: ARG002
        """Answer the next recorded command.

        Raises:
            InputInvalid: The command differs from the recorded one, or the recorded answer is masked.
            CardRemoved: The answer was lost in the recording, or the recording is over.
        """
        if self._next >= len(self._recording.exchanges):
            raise CardRemoved("the recording is over")
        exchange = self._recording.exchanges[self._next]
        self._next += 1
        if not _matches(command.hex().upper(), exchange.command):
            raise InputInvalid(f"exchange {self._next}: the recording has another command")
        if MASKED in exchange.answer:
            raise InputInvalid(f"exchange {self._next}: the recorded answer is masked")
        if not exchange.answer:
            raise CardRemoved(f"exchange {self._next}: the answer was lost")
        return bytes.fromhex(exchange.answer)

    def close(self) -> None:
        """Nothing to give up."""

    @property
    def finished(self) -> bool:
        """Whether every recorded exchange was played."""
        return self._next == len(self._recording.exchanges)


def _parsed(file: Path, number: int, line: str, parse: Callable[[Any], T]) -> T:
    try:
        return parse(json.loads(line))
    except KeyError as error:
        raise InputInvalid(f"{file} is not a recording: line {number}: {error} is missing") from error
    except (ValueError, TypeError) as error:
        raise InputInvalid(f"{file} is not a recording: line {number}: {error}") from error


def _card(entry: Any) -> tuple[bytes, CardProtocol]:
    return bytes.fromhex(entry["atr"]), CardProtocol(entry["protocol"])


def _exchange(entry: Any) -> Exchange:
    return Exchange(_checked(entry["command"]), _checked(entry["answer"]), str(entry.get("time", "")))


def _checked(recorded: str) -> str:
    if not _BYTES.fullmatch(recorded):
        raise ValueError("bytes are neither hexadecimal nor masked")
    return recorded


def _mask_command(command: bytes, disclosure: Disclosure) -> str:
    """Header and length stay; of an extended APDU only the header does."""
    if disclosure & Disclosure.COMMAND or len(command) <= HEADER_SIZE:
        return command.hex().upper()
    return command[:HEADER_SIZE].hex().upper() + MASKED * (len(command) - HEADER_SIZE)


def _mask_answer(answer: bytes, disclosure: Disclosure) -> str:
    if disclosure & Disclosure.ANSWER or len(answer) <= STATUS_SIZE:
        return answer.hex().upper()
    hidden = len(answer) - STATUS_SIZE
    return MASKED * hidden + answer[hidden:].hex().upper()


def _matches(command: str, recorded: str) -> bool:
    return len(command) == len(recorded) and all(
        known in {sent, "*"} for sent, known in zip(command, recorded, strict=True)
    )
