"""Readers and SAM boxes on serial lines, behind the same interface as all others (PERS §4.7, OPS §4.11).

Each slot of a box is a reader of its own. A box does not tell by itself when cards come and go, so its slots are asked;
but not while a card is in use, whose commands tell, and not while the line is busy. A card that is swapped between two
questions is not seen to leave unless it was in use: then the slot has lost its power.

The box works on whole APDUs and keeps the transmission protocol to itself. That of the card is taken from its ATR.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cardio.errors import (
    CardAbsent,
    CardMute,
    CardRemoved,
    CardUnpowered,
    LinkCorrupt,
    OperationUnsupported,
    ReaderBusy,
    ReaderError,
    ReaderUnavailable,
    Source,
)
from cardio.transport.channel import CardProtocol, Disclosure, SlotState
from cardio.transport.serial_frame import MAX_DATA, Kind, Message
from cardio.transport.serial_line import SerialLine

POLL = 0.25
"""Seconds between two rounds of questions (OPS §4.11)."""
RETRY = 2.0
"""Seconds until a line that did not answer is tried again."""
_FAILED = 0x40
"""bmCommandStatus 1."""
_ICC = 0x03
_ICC_ACTIVE = 0
_ICC_ABSENT = 2
_ICC_MUTE = 0xFE
_STATUS_WORD = 2
_SHORTEST_ATR = 2
_CONTACTLESS = bytes.fromhex("8001")
"""TD1 and TD2 of the ATR that readers make up for contactless cards, which PC/SC part 3 counts as T=1."""


@dataclass(frozen=True)
class SerialSlot:
    """A slot of a box.

    Attributes:
        name: Name of the reader that it is.
        slot: Its number in the box.
        interface: 1, or 2 and 3 for the further SAM interfaces of an ACR122L.
        polled: Whether the box is asked what lies in it. A SAM slot of a box that has no such question, as of the
            ACR122S and ACR122L, counts as occupied while the port is there.
    """

    name: str
    slot: int = 0
    interface: int = 1
    polled: bool = True


class _Watched:
    """A slot and what is known of it."""

    def __init__(self, line: SerialLine, slot: SerialSlot) -> None:
        self.line = line
        self.slot = slot
        self.state = SlotState(False)
        self.user: SerialChannel | None = None
        self._lock = threading.Lock()

    def ask(self, kind: Kind, data: bytes = b"") -> Message:
        return self.line.ask(kind, self.slot.slot, data, self.slot.interface)

    def question(self) -> None:
        """Ask what lies in the slot.

        Raises:
            ReaderError: The line does not answer.
        """
        if self.slot.polled:
            self.see(present=self.ask(Kind.SLOT_STATUS).parameters[0] & _ICC != _ICC_ABSENT)
        else:
            self.line.open()
            self.see(present=True)

    def see(self, *, present: bool) -> None:
        """Count a card that came or went."""
        with self._lock:
            if present is not self.state.present:
                self.state = SlotState(present, self.state.events + 1)

    def claim(self, user: SerialChannel) -> None:
        """Give the slot to a channel.

        Raises:
            ReaderBusy: Another has it.
        """
        with self._lock:
            if self.user is not None:
                raise ReaderBusy(self.slot.name)
            self.user = user


@dataclass
class _Box:
    """A line with its slots."""

    slots: list[_Watched] = field(default_factory=list)
    silent_until: float = 0.0
    """Until when a line that did not answer is left alone; 0 while it answers."""


class SerialDriver:
    """Serial readers; a `ReaderDriver`. Any thread may use it.

    Args:
        boxes: Lines, each with its slots.
    """

    def __init__(self, boxes: Iterable[tuple[SerialLine, Iterable[SerialSlot]]]) -> None:
        self._lock = threading.Lock()
        self._boxes = [_Box([_Watched(line, slot) for slot in slots]) for line, slots in boxes]
        self._asked = 0.0

    def readers(self) -> dict[str, SlotState]:
        """The slots of all lines that answer, by name."""
        with self._lock:
            self._asked = time.monotonic()
            for box in self._boxes:
                self._look(box)
            return {
                watched.slot.name: watched.state for box in self._boxes if not box.silent_until for watched in box.slots
            }

    def wait(self, known: Mapping[str, SlotState], timeout: float) -> dict[str, SlotState]:
        """Ask the slots again and again until something changes."""
        deadline = time.monotonic() + timeout
        while True:
            rest = self._asked + POLL - time.monotonic()
            left = deadline - time.monotonic()
            time.sleep(max(0.0, min(rest, left)))
            now = self.readers()
            if now != dict(known) or time.monotonic() >= deadline:
                return now

    def connect(self, reader: str) -> SerialChannel:
        """Power the card in a slot.

        Raises:
            CardAbsent: There is none.
            CardMute: It gives no answer to reset.
            CardUnpowered: The box could not power it.
            ReaderBusy: It is in use.
            ReaderUnavailable: No reader of that name, or its line does not answer.
            LinkCorrupt: The answer of the box was lost.
        """
        found = [watched for box in self._boxes for watched in box.slots if watched.slot.name == reader]
        if not found:
            raise ReaderUnavailable(reader)
        return SerialChannel(found[0])

    def release(self) -> None:
        """Serial readers hold nothing for a thread."""

    def close(self) -> None:
        """Give up all ports."""
        for box in self._boxes:
            for watched in box.slots:
                watched.line.close()

    def _look(self, box: _Box) -> None:
        now = time.monotonic()
        if now < box.silent_until:
            return
        try:
            for watched in box.slots:
                if watched.user is None and not watched.line.busy:
                    watched.question()
            box.silent_until = 0.0
        except ReaderError:
            box.silent_until = now + RETRY
            for watched in box.slots:
                watched.see(present=False)


class SerialChannel:
    """A powered card in a slot of a serial box; a `Channel`. Made by `SerialDriver.connect`."""

    virtual = False
    """What lies behind a cable is never known to be virtual."""

    def __init__(self, watched: _Watched) -> None:
        self._watched = watched
        watched.claim(self)
        try:
            answer = watched.ask(Kind.POWER_ON)
            self._check(answer, CardAbsent, _SHORTEST_ATR)
        except BaseException:
            self.close()
            raise
        watched.see(present=True)
        self._atr = answer.data

    @property
    def reader(self) -> str:
        """Name of the reader."""
        return self._watched.slot.name

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self._atr

    @property
    def protocol(self) -> CardProtocol:
        """The protocol that the card offers first; T=1 for contactless cards."""
        return _protocol(self._atr)

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:  # noqa: ARG002
        """Send one command APDU of at most 261 bytes, once, and return data ‖ SW1 SW2.

        Raises:
            CardRemoved: The card is gone, or was gone meanwhile.
            CardMute: It does not answer.
            LinkCorrupt: The answer was lost.
            ReaderUnavailable: The line is gone, or the channel is closed.
            OperationUnsupported: The command is longer than the box can take; it was not sent.
        """
        if self._watched.user is not self:
            raise ReaderUnavailable(f"{self.reader}: the channel is closed")
        if len(command) > MAX_DATA:
            raise OperationUnsupported(f"{self.reader}: a command of {len(command)} bytes")
        answer = self._watched.ask(Kind.EXCHANGE, command)
        self._check(answer, CardRemoved, _STATUS_WORD)
        return answer.data

    def close(self) -> None:
        """Power the card down, so that no PIN or key stays presented; never raises."""
        if self._watched.user is self:
            # If that fails the line is gone, and the next use begins with a reset in any case.
            with contextlib.suppress(ReaderError):
                self._watched.ask(Kind.POWER_OFF)
            self._watched.user = None

    def _check(self, answer: Message, absent: type[ReaderError], shortest: int) -> None:
        """Raise what the slot status of an answer says (CCID 1.1 §6.2.6), or for an answer that is too short.

        Args:
            answer: An answer of the box.
            absent: The error for a card that is not there.
            shortest: Bytes that an answer must have.
        """
        status, error, _ = answer.parameters
        if not status & _FAILED:
            if len(answer.data) < shortest:
                raise LinkCorrupt(f"{self.reader}: an answer of {len(answer.data)} bytes")
            return
        source = Source("serial", answer.kind.name, f"{status:02X}{error:02X}")
        icc = status & _ICC
        if icc == _ICC_ABSENT:
            if self._watched.slot.polled:
                self._watched.see(present=False)
            raise absent(self.reader, source=source)
        if error == _ICC_MUTE:
            raise CardMute(self.reader, source=source)
        if absent is CardRemoved and icc != _ICC_ACTIVE:
            # It is there, but without the power that it was given: it was taken out and put back.
            self._watched.see(present=False)
            self._watched.see(present=True)
            raise CardRemoved(self.reader, source=source)
        kind = LinkCorrupt if absent is CardRemoved else CardUnpowered
        raise kind(self.reader, source=source)


def _protocol(atr: bytes) -> CardProtocol:
    """T=0 if TD1 says so or is absent (ISO 7816-3 §8.2.3)."""
    if atr[2:4] == _CONTACTLESS:
        return CardProtocol.T1
    present = atr[1] >> 4
    if not present & 0x8:
        return CardProtocol.T0
    position = 2 + (present & 0x7).bit_count()
    return CardProtocol.T1 if atr[position : position + 1].hex()[1:] == "1" else CardProtocol.T0
