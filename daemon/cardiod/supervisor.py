"""What systemd is told about the service: that it is ready, that it lives, that it stops (sd_notify(3), OPS §4.13)."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from cardio.errors import StoreError

BEATS = 3
"""Signs of life within the time that systemd waits for one, so that a slow moment ends nothing."""


class Supervisor:
    """systemd, or nobody.

    Args:
        address: Path of its datagram socket, or a name after `@` in the abstract namespace; empty if nobody listens.
        patience: Seconds without a sign of life after which it ends the process; None if it does not look.
    """

    def __init__(self, address: str = "", patience: float | None = None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._patience = patience

    @classmethod
    def from_environment(cls) -> Self:
        """As systemd says in `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`."""
        period = os.environ.get("WATCHDOG_USEC", "")
        meant = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        return cls(os.environ.get("NOTIFY_SOCKET", ""), int(period) / 1e6 if period.isdecimal() and meant else None)

    def ready(self) -> None:
        """Recovery is over and all sockets are open."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """The service ends, as soon as its cards are done."""
        self._tell("STOPPING=1")

    async def beat(self, answers: Callable[[], object]) -> None:
        """Show signs of life until cancelled; each only after `answers` came back, in a thread of its own.

        So a loop that stands still and a journal that hangs both end in silence, and systemd starts the service anew.
        """
        while self._patience is not None:
            # A disk that refuses is an answer, too: a new process would not mend it.
            with suppress(StoreError):
                await asyncio.to_thread(answers)
            self._tell("WATCHDOG=1")
            await asyncio.sleep(self._patience / BEATS)

    def _tell(self, message: str) -> None:
        """One datagram; whether anybody hears it changes nothing here."""
        if self._address:
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto(message.encode("ascii"), self._address)
