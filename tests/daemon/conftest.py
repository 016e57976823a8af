"""A daemon over HTTP on embedded readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from cardio.applications.medical import CardMode
from cardio.security.load_host import LoadHost
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.pin_pad import VirtualPinPad
from cardiod.client import Client
from cardiod.listening import listeners
from cardiod.service import background, counter_on, server
from cardiod.settings import Settings, hash_token

TOKEN = "a token of the tests"


@dataclass
class Bench:
    """The readers of a counter, and what lies in them."""

    pad: VirtualPinPad = field(default_factory=lambda: VirtualPinPad("123456"))
    citizen: EmbeddedReader = field(default_factory=lambda: EmbeddedReader("citizen", citizen_card(balance_fen=10000)))
    sam: EmbeddedReader = field(default_factory=lambda: EmbeddedReader("sam", psam()))

    def __post_init__(self) -> None:
        card = social_security_card(mode=CardMode.OFFLINE, balance_fen=50000)
        self.social = EmbeddedReader("social", card, self.pad)
        self.driver = EmbeddedDriver([self.citizen, self.social, self.sam])


@dataclass
class Daemon:
    """A running daemon and what lies in its readers."""

    url: str
    settings: Settings
    bench: Bench
    tls_port: int | None = None

    @property
    def citizen(self) -> EmbeddedReader:
        return self.bench.citizen

    @property
    def social(self) -> EmbeddedReader:
        return self.bench.social

    @property
    def sam(self) -> EmbeddedReader:
        return self.bench.sam

    @property
    def pad(self) -> VirtualPinPad:
        return self.bench.pad

    @property
    def client(self) -> Client:
        return Client(self.url, TOKEN)

    def http(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {TOKEN}", **arguments.pop("headers", {})}
        return httpx.request(method, self.url + path, headers=headers, timeout=30, trust_env=False, **arguments)


StartDaemon = Callable[..., Daemon]


@contextmanager
def running_daemon(
    folder: Path, host: LoadHost | None = None, bench: Bench | None = None, **changes: Any
) -> Iterator[Daemon]:
    """A daemon with its journal in a folder.

    Args:
        folder: Where the journal is, or will be.
        host: Its load host.
        bench: Its readers; new ones with a card in each if missing.
        changes: Settings that are not those of the tests.
    """
    values = {"port": 0, "socket": None, "journal": folder / "journal.db", "token_sha256": hash_token(TOKEN)}
    settings = Settings(**{**values, **changes})
    bench = bench or Bench()
    with ExitStack() as stack:
        bound = stack.enter_context(listeners(settings))
        counter = stack.enter_context(counter_on(bench.driver, settings))
        counter.engine.host = host
        url = stack.enter_context(background(server(counter, settings), bound))
        tls_port = bound.tls[0].getsockname()[1] if bound.tls else None
        yield Daemon(url, settings, bench, tls_port)


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[StartDaemon]:
    """Starts daemons; each ends with the test."""
    with ExitStack() as stack:
        yield lambda **changes: stack.enter_context(running_daemon(tmp_path, **changes))


@pytest.fixture
def daemon(start_daemon: StartDaemon) -> Daemon:
    """A daemon with a card in each reader."""
    return start_daemon()
