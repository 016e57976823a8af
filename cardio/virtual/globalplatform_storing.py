"""STORE DATA as a virtual JavaCard takes it: blocks in order, for the application that was named before (PERS §2.5)."""

from __future__ import annotations

from cardio.crypto.globalplatform.session import Session
from cardio.virtual.globalplatform_registry import Application
from cardio.virtual.received import Received, Status

LAST, ENCRYPTED, DGI_FORMAT = 0x80, 0x60, 0x08


class Storing:
    """The personalization of one application, from INSTALL [for personalization] to the last block.

    Args:
        target: The application.
        session: The channel, whose DEK encrypts values.
    """

    def __init__(self, target: Application, session: Session) -> None:
        self._target = target
        self._session = session
        self._next = 0

    def take(self, command: Received) -> bool:
        """Take a STORE DATA; whether more may come.

        Raises:
            Status: 6A86 P1 or block number; or what the application refuses with.
        """
        kind = command.p1 & ~LAST
        if command.p2 != self._next or kind not in {DGI_FORMAT, DGI_FORMAT | ENCRYPTED}:
            raise Status(0x6A86)
        last = bool(command.p1 & LAST)
        decrypt = self._decrypt if kind & ENCRYPTED else None
        self._target.applet.store(command.data, first=self._next == 0, last=last, decrypt=decrypt)
        self._next += 1
        return not last

    def _decrypt(self, value: bytes) -> bytes:
        if len(value) % self._session.block:
            raise Status(0x6A80)
        return self._session.decrypt_key(value)
