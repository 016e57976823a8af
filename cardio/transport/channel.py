"""The one seam to hardware: bytes in, bytes and status word out.

A `ReaderDriver` knows readers and what lies in them; a `Channel` is one powered card. Everything above this seam
runs on a real card, a virtual one or a replayed recording alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Flag, StrEnum
from typing import Protocol, TypeGuard, runtime_checkable


class Disclosure(Flag):
    """What of an exchange may be written down.

    A command declares it; recorders, tracers and logs obey it. Header, lengths and status word are always open;
    data are closed unless declared open, so a forgotten declaration hides too much and never shows too much.
    """

    HEADER = 0
    COMMAND = 1
    ANSWER = 2
    ALL = COMMAND | ANSWER


class CardProtocol(StrEnum):
    """Transmission protocol of a powered card; contactless cards are reported as T=1 by PC/SC."""

    T0 = "T=0"
    T1 = "T=1"


class Channel(Protocol):
    """One powered card in one reader."""

    @property
    def reader(self) -> str:
        """Name of the reader."""

    @property
    def atr(self) -> bytes:
        """Answer to reset, 2 to 33 bytes."""

    @property
    def protocol(self) -> CardProtocol:
        """Transmission protocol in use."""

    @property
    def virtual(self) -> bool:
        """Whether the card is known to be virtual: only such a card may meet test keys."""

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        """Send one command APDU (4 to 261 bytes, or extended) and return data ‖ SW1 SW2 (at least 2 bytes).

        Raises:
            ReaderError: The answer was lost; the card may or may not have executed the command.
        """

    def close(self) -> None:
        """Reset the card, so that no PIN or key stays presented, and give up the reader."""


class ChannelAround:
    """A channel around another one, for those that watch, count or write down what goes through it.

    Args:
        inner: The channel underneath.
    """

    def __init__(self, inner: Channel) -> None:
        self._inner = inner

    @property
    def reader(self) -> str:
        """Name of the reader."""
        return self._inner.reader

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self._inner.atr

    @property
    def protocol(self) -> CardProtocol:
        """Transmission protocol in use."""
        return self._inner.protocol

    @property
    def virtual(self) -> bool:
        """Whether the card is known to be virtual."""
        return self._inner.virtual

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        """Send one command APDU; raises as the channel underneath."""
        return self._inner.transmit(command, disclosure)

    def close(self) -> None:
        """Close the channel underneath."""
        self._inner.close()


@dataclass(frozen=True)
class PinPrompt:
    """What a PIN pad needs to build its VERIFY (PC/SC part 10, PIN_VERIFY).

    Attributes:
        header: CLA INS P1 P2 of the command that carries the PIN.
        min_digits: Shortest PIN.
        max_digits: Longest PIN.
    """

    header: bytes
    min_digits: int
    max_digits: int


@dataclass(frozen=True)
class PinChangePrompt:
    """What a PIN pad needs to build its CHANGE PIN (PC/SC part 10, PIN_MODIFY).

    Attributes:
        command: The whole command, header, Lc and data, with FF where the pad puts digits.
        digits: Digits of the PIN, of the old one and the new one alike: their places in the command are fixed.
        old_at: Byte of the data at which the old PIN begins; None for a card that has none yet.
        new_at: Byte of the data at which the new PIN begins.
    """

    command: bytes
    digits: int
    old_at: int | None
    new_at: int


@runtime_checkable
class PinPadChannel(Channel, Protocol):
    """A channel whose reader has a PIN pad: the PIN goes from the pad to the card and nowhere else."""

    def verify_pin(self, prompt: PinPrompt) -> bytes:
        """Let the holder type the PIN, present it to the card, and return the status word.

        6400 means time-out, 6401 cancelled, 6403 wrong length; nothing was sent to the card then.

        Raises:
            ReaderError: As in `transmit`.
        """

    def modify_pin(self, prompt: PinChangePrompt) -> bytes:
        """Let the holder type the old PIN and twice the new one, have the card change it, and return the status word.

        6400 means time-out, 6401 cancelled, 6402 not twice alike, 6403 wrong length; nothing was sent to the card then.

        Raises:
            PinPadMissing: The pad can verify PINs only.
            ReaderError: As in `transmit`.
        """


def has_pin_pad(channel: Channel) -> TypeGuard[PinPadChannel]:
    """Whether a channel's reader has a PIN pad.

    `isinstance` would evaluate every member of the protocol, 35 µs at each connection.
    """
    return hasattr(channel, "verify_pin")


@dataclass(frozen=True)
class SlotState:
    """What a reader says about its slot.

    Attributes:
        present: A card is there.
        events: Number of insertions and removals so far; another number means another presentation.
    """

    present: bool
    events: int = 0


class ReaderDriver(Protocol):
    """A family of readers: PC/SC, serial, or embedded virtual ones."""

    def readers(self) -> dict[str, SlotState]:
        """All readers that are connected now, by name.

        Raises:
            ReaderServiceStopped: The reader service does not run.
        """

    def wait(self, known: Mapping[str, SlotState], timeout: float) -> dict[str, SlotState]:
        """Block until the readers or slots differ from `known`, at most `timeout` seconds; return the new state.

        Raises:
            ReaderServiceStopped: The reader service does not run, or stopped meanwhile.
        """

    def connect(self, reader: str) -> Channel:
        """Power the card in `reader` for exclusive use by the calling thread.

        Raises:
            CardAbsent: No card in the reader.
            CardMultiple: Several cards lie in its field, and the driver can tell.
            ReaderBusy: Another program holds the card.
            ReaderUnavailable: No reader of that name.
        """

    def release(self) -> None:
        """Give up what the calling thread holds of the reader service; called when the thread ends its work."""


class DriverAround:
    """A driver around another one, for those that put something around every channel.

    Args:
        inner: The driver underneath.
    """

    def __init__(self, inner: ReaderDriver) -> None:
        self._inner = inner

    def readers(self) -> dict[str, SlotState]:
        """All readers, as the driver underneath knows them."""
        return self._inner.readers()

    def wait(self, known: Mapping[str, SlotState], timeout: float) -> dict[str, SlotState]:
        """Wait for a change, as the driver underneath does."""
        return self._inner.wait(known, timeout)

    def connect(self, reader: str) -> Channel:
        """Power the card, as the driver underneath does."""
        return self._inner.connect(reader)

    def release(self) -> None:
        """Give up what the thread holds, as the driver underneath does."""
        self._inner.release()
