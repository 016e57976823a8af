"""A daemon over HTTP on embedded readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cardio.applications.medical import CardMode
from cardio.security.load_host import LoadHost
from cardio.transport.embedded import EmbeddedCard, EmbeddedDriver, EmbeddedReader
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.pin_pad import VirtualPinPad
from cardiod.client import Client
from cardiod.listening import listeners
from cardiod.service import background, counter_on, server
from cardiod.settings import Settings, hash_token
from tests.counter import eventually
from tests.daemon.tills import Tills, opened

TOKEN = "a token of the tests"


@dataclass
class Daemon:
    """A running daemon and what lies in its readers."""

    url: str
    settings: Settings
    citizen: EmbeddedReader
    social: EmbeddedReader
    sam: EmbeddedReader
    pad: VirtualPinPad
    tls_port: int | None = None

    @property
    def client(self) -> Client:
        return Client(self.url, TOKEN)

    def take_citizen_out(self) -> EmbeddedCard:
        """Take the citizen card out; the daemon has seen it go."""
        card = self.citizen.remove()
        assert card is not None
        eventually(lambda: all(c["reader"] != "citizen" for c in self.http("GET", "/v1/cards").json()["cards"]))
        return card

    def http(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {TOKEN}", **arguments.pop("headers", {})}
        return httpx.request(method, self.url + path, headers=headers, timeout=30, trust_env=False, **arguments)


StartDaemon = Callable[..., Daemon]


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[StartDaemon]:
    """Starts daemons; each ends with the test."""
    with ExitStack() as stack:

        def start(host: LoadHost | None = None, **changes: Any) -> Daemon:
            values = {"port": 0, "socket": None, "journal": tmp_path / "journal.db", "token_sha256": hash_token(TOKEN)}
            settings = Settings(**{**values, **changes})
            pad = VirtualPinPad("123456")
            citizen = EmbeddedReader("citizen", citizen_card(balance_fen=10000))
            card = social_security_card(mode=CardMode.OFFLINE, balance_fen=50000)
            social = EmbeddedReader("social", card, pad)
            sam = EmbeddedReader("sam", psam())
            bound = stack.enter_context(listeners(settings))
            counter = stack.enter_context(counter_on(EmbeddedDriver([citizen, social, sam]), settings))
            counter.engine.host = host
            url = stack.enter_context(background(server(counter, settings), bound))
            tls_port = bound.tls[0].getsockname()[1] if bound.tls else None
            return Daemon(url, settings, citizen, social, sam, pad, tls_port)

        yield start


@pytest.fixture
def daemon(start_daemon: StartDaemon) -> Daemon:
    """A daemon with a card in each reader."""
    return start_daemon()


@pytest.fixture(params=["sync", "async"])
def till_of(request: pytest.FixtureRequest) -> Iterator[Tills]:
    """Opens clients of one kind; what holds for one holds for the other."""
    with ExitStack() as stack:
        yield lambda *given, **named: stack.enter_context(opened(request.param, *given, **named))
