"""Puts a daemon together: readers, PSAM, journal, engine, application; and serves it."""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import uvicorn

from cardio.engine.engine import Engine
from cardio.errors import ServiceUnavailable, StorageUnavailable
from cardio.ledger.ledger import Ledger
from cardio.ledger.signed_vouchers import software
from cardio.products.catalogue import Catalogue
from cardio.readers.watch import CALL_LIMIT, PIN_ENTRY
from cardio.transport.channel import ReaderDriver
from cardiod.api.app import create_app
from cardiod.api.callers import Callers
from cardiod.connection import Connection
from cardiod.counter import Counter
from cardiod.crashes import on_loop_error
from cardiod.equipment import customer_display, key_sources, load_host
from cardiod.listening import Listeners, tls_context
from cardiod.logins import console_address
from cardiod.retention import retained
from cardiod.settings import Settings, hash_token
from cardiod.supervisor import Supervisor

START_TIMEOUT = 15.0
HANDSHAKE_TIMEOUT = 10.0
"""Seconds that a program on the LAN has to show its certificate."""
SHUTDOWN_TIMEOUT = int(PIN_ENTRY + 2 * CALL_LIMIT)
"""Seconds that callers get for their answers at a stop: longer than a card can keep anybody waiting, with a PIN being
typed and then a command that hangs. Whoever is cut off gets a 500 of the server, which says nothing of the money."""


@contextmanager
def counter_on(driver: ReaderDriver, settings: Settings) -> Iterator[Counter]:
    """A counter over `driver` with its journal, keys and load host open; all are closed at the end.

    Raises:
        JournalLocked: Another process works with the journal.
        JournalBroken: The journal is damaged.
        ProductInvalid: A product file is wrong.
        InputInvalid: A file with a secret, or the load host, cannot be used.
        SamError: HSM or keyring cannot be opened.
    """
    with ExitStack() as stack:
        ledger = Ledger(settings.journal, limits=settings.limits)
        stack.callback(ledger.close)
        keys = stack.enter_context(key_sources(settings))
        engine = Engine(ledger, Catalogue.load(*settings.profiles), None, load_host(settings))
        ledger.note_start(software())
        stack.enter_context(retained(ledger, settings.retention))
        yield Counter(engine, driver, settings.sam, keys=keys, display=customer_display(settings.display))


def token_file(settings: Settings) -> Path:
    """Where the token of a run is left when none is configured."""
    return settings.journal.with_name("token")


@contextmanager
def run_token(settings: Settings) -> Iterator[Settings]:
    """Settings with a token: the configured one, or one for this run, in a file that only the owner can read.

    Raises:
        StorageUnavailable: The file cannot be written.
    """
    if settings.token_sha256:
        yield settings
        return
    token = secrets.token_urlsafe(24)
    file = token_file(settings)
    try:
        file.unlink(missing_ok=True)
        file.touch(0o600)
        file.write_text(token + "\n", encoding="ascii")
    except OSError as error:
        raise StorageUnavailable(f"{file}: {error.strerror}") from error
    try:
        yield settings.model_copy(update={"token_sha256": hash_token(token)})
    finally:
        file.unlink(missing_ok=True)


class GracefulServer(uvicorn.Server):
    """Ends on SIGTERM and SIGINT after its running work, and returns; a second signal does not hurry it.

    Args:
        config: Configuration of uvicorn.
        counter: Whose waiting callers are told at once.
        tls: What the sockets on the LAN speak.
        supervisor: Who is told how the service is.
    """

    def __init__(
        self, config: uvicorn.Config, counter: Counter, tls: ssl.SSLContext | None, supervisor: Supervisor
    ) -> None:
        super().__init__(config)
        self._counter = counter
        self._tls = tls
        self._supervisor = supervisor
        self._beating: asyncio.Task[None] | None = None
        self._tls_sockets: tuple[socket.socket, ...] = ()

    def serve_on(self, listeners: Listeners) -> None:
        """Serve on these sockets until the end."""
        self._tls_sockets = listeners.tls
        self.run(sockets=list(listeners.plain))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start on all sockets; uvicorn would speak TLS on each of them or on none."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(on_loop_error)
        await super().startup(sockets)
        for listener in self._tls_sockets:
            server = await loop.create_server(
                lambda: Connection(self.config, self.server_state, self.lifespan.state),
                sock=listener,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
                backlog=self.config.backlog,
            )
            self.servers.append(server)
        if not self.should_exit:
            self._supervisor.ready()
            freshness = self._counter.engine.ledger.freshness
            # Any question will do whose answer comes from the journal's own thread.
            self._beating = loop.create_task(self._supervisor.beat(lambda: freshness.behind))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the running work; signs of life go on until it is finished."""
        await super().shutdown(sockets)
        if self._beating is not None:
            self._beating.cancel()

    def stop(self) -> None:
        """End as soon as the running work is done."""
        self.should_exit = True
        self._supervisor.stopping()
        self._counter.release_waiting()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Ask for the end; uvicorn's own would cut running operations at the second Ctrl-C."""
        self.stop()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals while serving; uvicorn's own would raise them again, before the journal is closed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in former.items():
                signal.signal(sig, handler)


def server(counter: Counter, settings: Settings, supervisor: Supervisor | None = None) -> GracefulServer:
    """The HTTP server of a counter.

    Args:
        counter: The counter.
        settings: Its configuration.
        supervisor: Who is told how the service is; None for nobody.

    Raises:
        InputInvalid: A file for TLS is missing or wrong.
    """
    config = uvicorn.Config(
        create_app(counter, settings),
        http=Connection,
        ws="none",
        proxy_headers=False,  # nobody stands before us, and whoever says so could say anything
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
    )
    return GracefulServer(config, counter, tls_context(settings), supervisor or Supervisor())


def login_address(http: GracefulServer, listeners: Listeners) -> str:
    """A new one-time address of a server's console."""
    callers: Callers = http.config.app.state.callers  # type: ignore[union-attr]
    return console_address(listeners.url, callers.logins.new_code())


@contextmanager
def background(http: GracefulServer, listeners: Listeners) -> Iterator[str]:
    """Run a server in a thread of its own; yields its base address on loopback.

    Raises:
        ServiceUnavailable: It does not come up.
    """
    thread = threading.Thread(target=http.serve_on, args=[listeners], name="http")
    thread.start()
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while not http.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise ServiceUnavailable("the server does not start")
            time.sleep(0.01)
        yield listeners.url
    finally:
        http.stop()
        thread.join()
