"""A TCP proxy between a till and the daemon that has troubles, one after the other."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from enum import Enum, auto
from io import BufferedReader

import httpx

MISSING = 10
"""Bytes at the end of an answer that is cut."""


class Trouble(Enum):
    """What happens to one request and its answer."""

    LOST = auto()
    """The daemon answers; the connection ends before the first byte of it."""
    CUT = auto()
    """The daemon answers; the connection ends in the middle of it."""
    HUNG_UP = auto()
    """The connection ends as soon as the daemon has got the request."""
    LATE = auto()
    """The daemon answers; the answer never comes, and the connection stays."""


class FaultProxy:
    """Passes requests on; the next ones meet the troubles of `plan`, each one.

    Args:
        upstream: Base address of the daemon.

    Attributes:
        url: Base address of the proxy.
        plan: Troubles to come.
        keys: Idempotency-Keys of the requests that came through, in order; empty text for those without.
    """

    def __init__(self, upstream: str) -> None:
        where = httpx.URL(upstream)
        self._upstream = (where.host, where.port or 0)
        self._listener: socket.socket | None = None
        self._address = ("127.0.0.1", 0)
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []
        self.plan: deque[Trouble] = deque()
        self.keys: list[str] = []
        self.up()

    @property
    def url(self) -> str:
        host, port = self._address
        return f"http://{host}:{port}"

    def up(self) -> None:
        """Listen, always on the same port."""
        self._listener = socket.create_server(self._address)
        self._address = self._listener.getsockname()
        self._start(self._accept, self._listener)

    def down(self) -> None:
        """Refuse connections, and end those that are there."""
        if self._listener is not None:
            # A plain close would not wake up who waits in accept.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._connections.clear()

    def _start(self, work: Callable[[socket.socket], None], connection: socket.socket) -> None:
        thread = threading.Thread(target=work, args=[connection])
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._connections.append(connection)
                self._start(self._serve, connection)

    def _serve(self, till: socket.socket) -> None:
        """All requests of one connection."""
        with suppress(OSError, EOFError), closing(till), till.makefile("rb") as requests, ExitStack() as stack:
            while True:
                request = _message(requests)
                self.keys.append(_header(request, "idempotency-key"))
                trouble = self.plan.popleft() if self.plan else None
                daemon = stack.enter_context(socket.create_connection(self._upstream))
                self._connections.append(daemon)
                daemon.sendall(request)
                if trouble is Trouble.HUNG_UP:
                    # The daemon goes on; nobody reads what it says.
                    till.shutdown(socket.SHUT_RDWR)
                answers = stack.enter_context(daemon.makefile("rb"))
                answer = _message(answers)
                match trouble:
                    case None:
                        till.sendall(answer)
                        if _header(answer, "transfer-encoding"):
                            _pass_on(answers, till)
                    case Trouble.CUT:
                        till.sendall(answer[:-MISSING])
                        return
                    case Trouble.LATE:
                        requests.read(1)
                    case _:
                        return


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A proxy for a test."""
    proxy = FaultProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.down()


def _pass_on(stream: BufferedReader, till: socket.socket) -> None:
    """Pass a stream on, to its end, piece by piece as it comes."""
    while piece := stream.read1():
        till.sendall(piece)


def _message(stream: BufferedReader) -> bytes:
    """One whole message of HTTP, with the length that its header names; of a stream only the header.

    Raises:
        EOFError: The other side has ended the connection.
    """
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            raise EOFError
        head += line
    return head + stream.read(int(_header(head, "content-length") or 0))


def _header(message: bytes, name: str) -> str:
    """A header of a message; empty if it is not there."""
    for line in message.partition(b"\r\n\r\n")[0].decode("latin-1").splitlines()[1:]:
        key, _, value = line.partition(":")
        if key.strip().lower() == name:
            return value.strip()
    return ""
