"""A serial SAM box and a display for tests: the other end of a pty, with cards behind it and every fault of a cable.

It takes frames apart and builds them with code of its own, so that it and the driver can't agree on a mistake.
"""

from __future__ import annotations

import os
import select
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field

from cardio.errors import CardMute, CardRemoved
from cardio.transport.embedded import PoweredCard

OK, BAD_CHECKSUM = 0x00, 0xFF
NAK = bytes(11)
STARTS = {0x02: 1, 0x12: 2, 0x22: 3}


class Far:
    """The far end of a serial cable; `device` is the near one."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.device = os.ttyname(self._slave)
        self.heard = bytearray()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Unplug the cable."""
        self._stopped.set()

    def close(self) -> None:
        """End it."""
        self._stopped.set()
        self._thread.join()

    def hear(self, received: bytes) -> None:
        """Bytes arrived."""
        self.heard += received

    def say(self, data: bytes, gap: float = 0.0) -> None:
        """Send bytes, with a pause before each of them."""
        if not gap:
            os.write(self._master, data)
            return
        for byte in data:
            time.sleep(gap)
            os.write(self._master, bytes([byte]))

    def _run(self) -> None:
        while not self._stopped.is_set():
            ready, _, _ = select.select([self._master], [], [], 0.01)
            if ready:
                self.hear(os.read(self._master, 4096))
        os.close(self._slave)
        os.close(self._master)


@dataclass
class Faults:
    """What goes wrong, each so many times.

    Attributes:
        refuse: Messages that arrive damaged: the box says so and does nothing.
        damage: Answers of which a byte is changed on the way.
        shorten: Answers of which the second half is lost.
        lose_receipts: Receipts that are lost.
        lose_answers: Commands that are executed and not answered.
        cut_at: Commands after which the cable is cut, before the answer.
        garbage: Noise before every receipt and answer.
        gap: Seconds before every byte.
        extensions: Requests for more time before an answer.
    """

    refuse: int = 0
    damage: int = 0
    shorten: int = 0
    lose_receipts: int = 0
    lose_answers: int = 0
    cut_at: int = 0
    garbage: bytes = b""
    gap: float = 0.0
    extensions: int = 0

    def take(self, name: str) -> bool:
        """Whether this fault happens now."""
        left: int = getattr(self, name)
        setattr(self, name, max(0, left - 1))
        return left > 0


@dataclass
class Slot:
    """A slot of the box."""

    card: PoweredCard | None = None
    powered: bool = False


@dataclass
class Exchanged:
    """What cards were sent."""

    commands: list[bytes] = field(default_factory=list)
    naks: int = 0
    messages: int = 0


class SerialBox(Far):
    """A box of slots, by interface and number."""

    def __init__(self, cards: dict[tuple[int, int], PoweredCard | None]) -> None:
        self.slots = {place: Slot(card) for place, card in cards.items()}
        self.faults = Faults()
        self.seen = Exchanged()
        self.mute = False
        self.before_exchange: Callable[[], None] = lambda: None
        self._last = b""
        super().__init__()

    def insert(self, place: tuple[int, int], card: PoweredCard | None) -> None:
        """Put a card in, or take it out with None; it comes without power."""
        self.slots[place] = Slot(card)

    def hear(self, received: bytes) -> None:
        super().hear(received)
        while not self.mute and len(self.heard) >= 13:
            size = 13 + int.from_bytes(self.heard[2:6], "little")
            if len(self.heard) < size:
                return
            frame = bytes(self.heard[:size])
            del self.heard[:size]
            self._frame(frame)

    def _frame(self, frame: bytes) -> None:
        start, body, checksum, end = frame[0], frame[1:-2], frame[-2], frame[-1]
        assert start in STARTS
        assert end == start + 1
        if frame[1:-1] == NAK:
            self.seen.naks += 1
            self._answer(self._last)
            return
        self.seen.messages += 1
        found = 0
        for byte in body:
            found ^= byte
        assert found == checksum
        if self.faults.take("refuse"):
            self._receipt(start, BAD_CHECKSUM)
            return
        self._receipt(start, OK)
        kind, slot, sequence, data = body[0], body[5], body[6], body[10:]
        answer = self._work(kind, self.slots[STARTS[start], slot], data)
        if kind == 0x6F and self.faults.take("cut_at"):
            self.cut()
            return
        while self.faults.take("extensions"):
            time.sleep(0.3)
            self._answer(_framed(start, 0x80, slot, sequence, b"\x80\x01\x00", b""))
        status, content = answer
        self._last = _framed(start, 0x80 if kind in {0x62, 0x6F} else 0x81, slot, sequence, status, content)
        if not (kind == 0x6F and self.faults.take("lose_answers")):
            self._answer(self._last)

    def _work(self, kind: int, slot: Slot, data: bytes) -> tuple[bytes, bytes]:
        card = slot.card
        if card is None:
            return (b"\x02\x00\x00" if kind in {0x63, 0x65} else b"\x42\xfe\x00"), b""
        if kind == 0x62:
            card.power_on()
            slot.powered = True
            return bytes(3), card.atr
        if kind == 0x63:
            card.power_off()
            slot.powered = False
        if kind != 0x6F:
            return bytes([0 if slot.powered else 1, 0, 0]), b""
        self.before_exchange()
        if not slot.powered:
            return b"\x41\x00\x00", b""
        self.seen.commands.append(data)
        try:
            return bytes(3), card.transmit(data)
        except CardMute:
            return b"\x40\xfe\x00", b""
        except CardRemoved:
            slot.card = None
            return b"\x42\xfe\x00", b""

    def _receipt(self, start: int, code: int) -> None:
        if not self.faults.take("lose_receipts"):
            self.say(self.faults.garbage + bytes([start, code, code, start + 1]), self.faults.gap)

    def _answer(self, frame: bytes) -> None:
        if self.faults.take("damage"):
            place = len(frame) // 2
            frame = frame[:place] + bytes([frame[place] ^ 0x20]) + frame[place + 1 :]
        if self.faults.take("shorten"):
            frame = frame[: len(frame) // 2]
        self.say(self.faults.garbage + frame, self.faults.gap)


def _framed(start: int, kind: int, slot: int, sequence: int, parameters: bytes, content: bytes) -> bytes:
    body = bytes([kind]) + len(content).to_bytes(4, "little") + bytes([slot, sequence]) + parameters + content
    checksum = 0
    for byte in body:
        checksum ^= byte
    return bytes([start]) + body + bytes([checksum, start + 1])
