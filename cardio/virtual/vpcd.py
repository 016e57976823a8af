"""The card's side of a virtual reader: a card object behind a vpcd slot of pcscd.

vpcd (vsmartcard's reader driver) listens on one TCP port per slot; whoever connects is the card.
Both ways a frame is a length (2 bytes, big-endian) and that many bytes. A frame of one byte from
vpcd is a control, any other a command APDU; only the request for the ATR and APDUs are answered.

Source: vsmartcard 3.3, virtualsmartcard/src/vpcd/vpcd.h.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from enum import IntEnum
from types import TracebackType
from typing import ClassVar, Self

from cardio.errors import CardMute, CardRemoved, CardUnpowered, ReaderUnavailable
from cardio.transport.embedded import PoweredCard

DEFAULT_PORT = 0x8C7B
"""Port of the first slot of the vpcd that Debian installs; the second slot listens on the next."""

CONNECT_TIMEOUT = 5.0
"""Seconds that an insertion may take."""

SETTLE_TIME = 0.5
"""Seconds that a slot stays empty before the next card goes in.

pcscd looks at a slot every 0.4 s. A card pulled in the middle of a command and back before that
look would never have been away for pcscd: it would go on talking to a card that lost its power and
its PIN state.
"""

POWER_LOSS_TIMEOUT = 1.0
"""Seconds that `VpcdLink.remove` waits for a command that is still running in the card."""

MAX_FRAME = 0xFFFF

NOTHING_HEARD = b"\x00"
"""What a mute card sends. vpcd has no time-out: without a frame it would wait for ever, and hold pcscd's reader; at an
empty one it ejects the card. An answer too short for a status word is lost for whoever sent the command.
"""


class Control(IntEnum):
    """One-byte frames that vpcd sends."""

    POWER_OFF = 0x00
    POWER_ON = 0x01
    RESET = 0x02
    ATR = 0x04


class VpcdLink:
    """Puts a card into a vpcd slot and takes it out again.

    The card is served by a daemon thread of the link. As a context manager, the link inserts and
    removes the card.

    Args:
        card: The card; it is called from one thread at a time.
        host: Host on which pcscd runs.
        port: TCP port of the slot.

    Attributes:
        failure: What the card raised, if it broke down by anything but `CardRemoved`; the link
            dropped then. `CardUnpowered` if a command came before power: the link's own complaint.
    """

    # Of slots, not of links: another card may go into the slot that the last one was pulled from.
    _emptied: ClassVar[dict[tuple[str, int], float]] = {}

    def __init__(self, card: PoweredCard, host: str = "127.0.0.1", port: int = DEFAULT_PORT) -> None:
        self.failure: Exception | None = None
        self._card = card
        self._address = (host, port)
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._powered = False

    @property
    def inserted(self) -> bool:
        """Whether the card lies in the slot; not so after vpcd or the card ended the link."""
        return self._socket is not None

    def insert(self) -> None:
        """Put the card into the slot; pcscd notices within 0.4 s. Without effect if it is there.

        Waits until the slot has been empty for `SETTLE_TIME`, and for the end of a command that
        still runs in the card.

        Raises:
            ReaderUnavailable: No vpcd listens on the port.
        """
        if self.inserted:
            return
        if self._thread is not None:
            self._thread.join()
        if (emptied := self._emptied.get(self._address)) is not None:
            time.sleep(max(0.0, emptied + SETTLE_TIME - time.monotonic()))
        try:
            link = socket.create_connection(self._address, CONNECT_TIMEOUT)
        except OSError as error:
            raise ReaderUnavailable(f"no vpcd on {self._address[0]}:{self._address[1]}") from error
        link.settimeout(None)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.failure = None
        self._socket = link
        self._thread = threading.Thread(target=self._serve, args=(link,), name=f"vpcd-{self._address[1]}", daemon=True)
        self._thread.start()

    def remove(self) -> None:
        """Pull the card out, also in the middle of a command; the card loses its power.

        A command that is still running goes on in the card, but its answer is lost. The card itself
        may call this from within `transmit`. Without effect if the card is not in the slot.
        """
        self._drop()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(POWER_LOSS_TIMEOUT)

    def __enter__(self) -> Self:
        self.insert()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def _drop(self) -> None:
        """Break the connection; the serving thread then ends by itself."""
        with self._lock:
            link, self._socket = self._socket, None
            if link is None:
                return
            self._emptied[self._address] = time.monotonic()
            # Not close(): the other thread may be blocked in recv on this socket, and only shutdown
            # wakes it.
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def _serve(self, link: socket.socket) -> None:
        self._call(self._converse, link)
        self._drop()
        link.close()
        self._call(self._switch_off)

    def _call(self, work: Callable[..., None], *arguments: object) -> None:
        """Run something that may call the card, and keep what the card raises."""
        try:
            work(*arguments)
        except CardRemoved:
            pass  # an empty slot is all that the reader shall see
        except Exception as error:  # noqa: BLE001 - a broken card must not hang the reader
            self.failure = error

    def _converse(self, link: socket.socket) -> None:
        while (frame := _receive_frame(link)) is not None:
            answer = self._answer(frame)
            if answer is not None:
                self._send(link, answer)

    def _send(self, link: socket.socket, answer: bytes) -> None:
        if len(answer) > MAX_FRAME:
            raise ValueError(f"an answer of {len(answer)} bytes does not fit a vpcd frame")
        # Under the lock: once remove() has returned, no answer may get through any more.
        with self._lock:
            if self._socket is link:
                with contextlib.suppress(OSError):  # vpcd is gone; the next receive ends the link
                    link.sendall(len(answer).to_bytes(2) + answer)

    def _answer(self, frame: bytes) -> bytes | None:
        if len(frame) != 1:
            if not self._powered:
                raise CardUnpowered("command to a virtual card that was never switched on")
            try:
                return self._card.transmit(frame)
            except CardMute:
                return NOTHING_HEARD
        match frame[0]:
            case Control.ATR:
                return self._card.atr
            case Control.POWER_OFF:
                self._switch_off()
            case Control.POWER_ON | Control.RESET:
                self._switch_off()
                self._card.power_on()
                self._powered = True
        return None

    def _switch_off(self) -> None:
        if self._powered:
            self._powered = False
            self._card.power_off()


def _receive_frame(link: socket.socket) -> bytes | None:
    """The next frame from vpcd, or None at the end of the link."""
    header = _receive_exactly(link, 2)
    return header and _receive_exactly(link, int.from_bytes(header))


def _receive_exactly(link: socket.socket, size: int) -> bytes | None:
    """Receive `size` bytes, or None if the link ends before."""
    data = b""
    while len(data) < size:
        try:
            part = link.recv(size - len(data))
        except OSError:
            return None
        if not part:
            return None
        # vpcd sends length and payload apart; Nagle's algorithm holds the payload until the length
        # is acknowledged, which the kernel puts off for 40 ms. It soon forgets this option.
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        data += part
    return data
