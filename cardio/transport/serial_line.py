"""One serial line to a reader or SAM box: a message out, its answer in.

The line can lose something in three ways, and each is told apart from the others:

* The reader says that a message did not arrive whole. It did nothing then, so the message goes out once more; but only
  if the conversation before ended in order, for otherwise what it says may be about that one.
* An answer arrives damaged. The reader is asked for the same answer again by a NAK, which the card does not hear.
* No answer comes. The card may have executed the command or not: that is an error, and nothing is ever repeated.

Answers carry the sequence number of their command, so that a late one is not taken for the answer of the next.
"""

from __future__ import annotations

import contextlib
import secrets
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import serial

from cardio.errors import LinkCorrupt, ReaderUnavailable
from cardio.transport.serial_frame import Kind, Message, Parser, Receipt, encode_nak

QUIET = 0.25
"""Seconds without a byte after which a frame that has begun is taken for cut off."""
MAX_RESENDS = 2
MAX_NAKS = 3
_TIME_EXTENSION = 0x80
"""bmCommandStatus 2: the card asks for more time, the answer is still to come (CCID 1.1 §6.2.6)."""
_ANSWERS = {
    Kind.POWER_ON: Kind.DATA,
    Kind.EXCHANGE: Kind.DATA,
    Kind.POWER_OFF: Kind.STATUS,
    Kind.SLOT_STATUS: Kind.STATUS,
}


@dataclass(frozen=True)
class LineSettings:
    """How a line is used; 8 data bits, no parity, 1 stop bit in any case.

    Attributes:
        baud: Bits per second.
        receipt_timeout: Seconds until the reader has said that a message arrived.
        answer_timeout: Seconds until its answer must have begun; each request for more time starts them anew.
        longest: Seconds after which not even that helps.
    """

    baud: int = 9600
    receipt_timeout: float = 1.0
    answer_timeout: float = 10.0
    longest: float = 60.0


class SerialLine:
    """A serial port; any thread may use it, they take turns. It is opened when it is first needed.

    Args:
        device: Path of the port; one under /dev/serial/by-id or by-path stays the same (PERS §4.5).
        settings: How it is used.
    """

    def __init__(self, device: str, settings: LineSettings | None = None) -> None:
        self.device = device
        self._settings = settings or LineSettings()
        self._turn = threading.Lock()
        self._port: serial.Serial | None = None
        self._sequence = secrets.randbelow(256)
        self._in_step = False

    @property
    def busy(self) -> bool:
        """Whether a message is under way."""
        return self._turn.locked()

    def open(self) -> None:
        """Open the port, if it is not open.

        Raises:
            ReaderUnavailable: There is none, or another program has it.
        """
        with self._turn, self._opened() as port:
            # A port that went away fails here; opening it anew is for the next call.
            _ = port.in_waiting

    def close(self) -> None:
        """Give the port back; it is opened anew when it is needed again."""
        with self._turn:
            self._close()

    def ask(self, kind: Kind, slot: int, data: bytes = b"", interface: int = 1) -> Message:
        """Send a message and return its answer.

        Raises:
            ReaderUnavailable: There is no such port, it went away, or nobody answers there.
            LinkCorrupt: The answer did not come or could not be read.
        """
        with self._turn, self._opened() as port:
            self._sequence = (self._sequence + 1) % 256
            asked = Message(kind, slot, self._sequence, data, interface=interface)
            talk = _Conversation(self.device, port, self._settings, asked, in_step=self._in_step)
            self._in_step = False
            answer = talk.answer()
            self._in_step = talk.naks == 0
            return answer

    @contextmanager
    def _opened(self) -> Iterator[serial.Serial]:
        try:
            if self._port is None:
                self._port = serial.Serial(self.device, self._settings.baud, timeout=QUIET, exclusive=True)
            yield self._port
        # pyserial's own errors are OSErrors, those of termios are not.
        except (OSError, termios.error) as error:
            self._close()
            raise ReaderUnavailable(f"{self.device}: {error}") from error

    def _close(self) -> None:
        port, self._port, self._in_step = self._port, None, False
        if port is not None:
            with contextlib.suppress(OSError, termios.error):
                port.close()


class _Conversation:
    """One message and all that is said about it."""

    def __init__(
        self, device: str, port: serial.Serial, settings: LineSettings, asked: Message, *, in_step: bool
    ) -> None:
        self._device = device
        self._port = port
        self._settings = settings
        self._asked = asked
        self._frame = asked.encode()
        self._parser = Parser()
        self._resends = MAX_RESENDS if in_step else 0
        self._accepted = False
        self.naks = 0

    def answer(self) -> Message:
        """Send the message; return its answer."""
        self._port.reset_input_buffer()
        self._limit = time.monotonic() + self._settings.longest
        self._send(self._frame)
        while True:
            found = self._receive()
            if isinstance(found, Receipt):
                self._receipt(found)
            elif found is None:
                self._nothing()
            elif self._is_answer(found):
                if not found.parameters[0] & _TIME_EXTENSION:
                    return found
                self._deadline = time.monotonic() + self._settings.answer_timeout

    def _is_answer(self, found: Message) -> bool:
        """Whether it is not a late answer to an earlier message."""
        asked = self._asked
        expected = (_ANSWERS[asked.kind], asked.interface, asked.slot, asked.sequence)
        return (found.kind, found.interface, found.slot, found.sequence) == expected

    def _receipt(self, receipt: Receipt) -> None:
        if receipt.interface != self._asked.interface or self._accepted or self.naks:
            return
        if receipt.accepted:
            self._accepted = True
            self._parser.dropped = 0
            self._deadline = time.monotonic() + self._settings.answer_timeout
        elif self._resends:
            self._resends -= 1
            self._send(self._frame)
        else:
            raise LinkCorrupt(f"{self._device}: the reader refused a message with {receipt.code:02X}")

    def _nothing(self) -> None:
        """The line fell quiet: ask for what was damaged, or give up."""
        if self._parser.dropped and self.naks < MAX_NAKS and time.monotonic() < self._limit:
            self.naks += 1
            self._parser.clear()
            self._send(encode_nak(self._asked.interface))
        elif self._accepted or self.naks:
            raise LinkCorrupt(f"{self._device}: the answer was lost")
        else:
            raise ReaderUnavailable(f"{self._device}: no answer")

    def _send(self, frame: bytes) -> None:
        self._port.write(frame)
        # Ten bits a byte; the port takes them faster than it sends them.
        on_the_way = len(frame) * 10 / self._settings.baud
        self._deadline = time.monotonic() + on_the_way + self._settings.receipt_timeout

    def _receive(self) -> Message | Receipt | None:
        """The next frame; None when the line falls quiet after damaged bytes, or its time is over."""
        frames = self._parser.feed(b"")
        while True:
            found = next(frames, None)
            if found is not None:
                return found
            received = self._port.read(max(1, self._port.in_waiting))
            now = time.monotonic()
            if now >= self._limit:
                return None
            if received:
                frames = self._parser.feed(received)
            elif self._parser.waiting:
                frames = self._parser.expire()
            elif self._parser.dropped or now >= self._deadline:
                return None
