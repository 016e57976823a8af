"""The outside of a terminal, reached from another process: cards and host outlive a terminal that is killed."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cardio.errors import CardioError
from cardio.security.load_host import HostGrant, HostRequest
from cardio.transport.channel import CardProtocol

READY = "ready"


class OutsideServer:
    """Serves the outside of a terminal on a socket; one thread for each connection.

    Args:
        targets: The cards, the host, and whatever else is reached, by the name that `Remote` has of it.
        folder: Where the socket is made.

    Attributes:
        pid: Process of the terminal that connected last; 0 if none did.
        ready: Set when that terminal says so, with the value that it says.
    """

    def __init__(self, targets: Mapping[str, object], folder: Path) -> None:
        self.address = str(folder / "outside")
        self.pid = 0
        self.ready = threading.Event()
        self.value: Any = None
        self._targets = dict(targets)
        self._serving: list[threading.Thread] = []
        self._closing = False
        self._listener = Listener(self.address, "AF_UNIX")
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        # Closing alone does not wake a thread that waits in accept.
        Client(self.address, "AF_UNIX").close()
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            connection = self._listener.accept()
            if self._closing:
                connection.close()
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._serving.append(thread)
            thread.start()

    def settle(self) -> None:
        """Wait until the cards have ended what they did for a terminal that is dead."""
        while self._serving:
            self._serving.pop().join()
        self.ready.clear()

    def _serve(self, connection: Connection[Any, Any]) -> None:
        # A terminal that is killed closes its end in the middle of anything.
        with suppress(EOFError, OSError), connection:
            while True:
                target, method, arguments = connection.recv()
                connection.send(self._call(target, method, arguments))

    def _call(self, target: str, method: str, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
        if target == READY:
            self.pid, self.value = arguments
            self.ready.set()
            return True, None
        found = getattr(self._targets[target], method)
        try:
            return True, found(*arguments) if callable(found) else found
        except CardioError as error:
            return False, (error.code, error.detail)


class Remote:
    """One thing of the outside, seen from the terminal's process."""

    def __init__(self, address: str, target: str) -> None:
        self._connection = Client(address, "AF_UNIX")
        self._target = target
        self._lock = threading.Lock()

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method there; its errors are raised here."""
        with self._lock:
            self._connection.send((self._target, method, arguments))
            good, value = self._connection.recv()
        if good:
            return value
        code, detail = value
        raise CardioError.catalogue[code](detail)


class RemoteCard(Remote):
    """A card in the other process, for an embedded reader here."""

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return bytes(self.call("atr"))

    @property
    def protocol(self) -> CardProtocol:
        """Transmission protocol."""
        return CardProtocol(self.call("protocol"))

    def power_on(self) -> None:
        """Begin a session."""
        self.call("power_on")

    def power_off(self) -> None:
        """End it."""
        self.call("power_off")

    def transmit(self, command: bytes) -> bytes:
        """Execute one command there."""
        return bytes(self.call("transmit", command))


class RemoteHost(Remote):
    """The load host in the other process."""

    @property
    def name(self) -> str:
        """As the host says."""
        return str(self.call("name"))

    @property
    def test(self) -> bool:
        """As the host says."""
        return bool(self.call("test"))

    def authorize(self, request: HostRequest) -> HostGrant:
        """Ask it."""
        grant: HostGrant = self.call("authorize", request)
        return grant

    def confirm(self, identifier: str, proof: bytes | None) -> None:
        """Tell it."""
        self.call("confirm", identifier, proof)

    def reverse(self, identifier: str) -> None:
        """Tell it."""
        self.call("reverse", identifier)


def say_ready(address: str, value: object = None) -> None:
    """Tell the outside which process the terminal is, and that it has begun."""
    Remote(address, READY).call("", os.getpid(), value)
