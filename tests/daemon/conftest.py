"""A daemon over HTTP on embedded readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from cardio.applications.medical import CardMode
from cardio.applications.pin import encode_pin
from cardio.files.dates import encode_time
from cardio.ledger.ledger import now
from cardio.security.load_host import LoadHost
from cardio.transport.embedded import EmbeddedCard, EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import CardPin, VirtualCard
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.hosts import load_host
from cardio.virtual.issuing_keys import issuer_test_keyring
from cardio.virtual.pin_pad import VirtualPinPad
from cardiod.client import Client
from cardiod.counter import Counter
from cardiod.listening import listeners
from cardiod.sections import KeyringSection
from cardiod.service import background, counter_on, server
from cardiod.settings import Scope, Settings, hash_token
from tests.counter import account_of, eventually
from tests.daemon.conforming import api_document
from tests.daemon.tills import Tills, opened

TOKEN = "a token of the tests"
PASSPHRASE = "a passphrase of the tests"
HTTP = httpx.Client(timeout=30, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
"""Makes requests on connections of their own; one for all tests, because it reads all root certificates first."""


PIN = "123456"
WALLET_FEN = 10000
ACCOUNT_FEN = 50000
_serials = count(124)


@dataclass
class Bench:
    """The readers of a counter, and what lies in them."""

    pad: VirtualPinPad = field(default_factory=lambda: VirtualPinPad(PIN, PIN))
    citizen: EmbeddedReader = field(
        default_factory=lambda: EmbeddedReader("citizen", citizen_card(balance_fen=WALLET_FEN))
    )
    sam: EmbeddedReader = field(default_factory=lambda: EmbeddedReader("sam", psam()))

    def __post_init__(self) -> None:
        self.patient = social_security_card(mode=CardMode.OFFLINE, balance_fen=ACCOUNT_FEN)
        self.social = EmbeddedReader("social", self.patient, self.pad)
        self.driver = EmbeddedDriver([self.citizen, self.social, self.sam])

    def restore(self) -> tuple[VirtualCard, VirtualCard]:
        """A citizen card that nobody has seen, and the social security card as it was at first."""
        self.pad.typed = self.pad.new = PIN
        self.pad.again = None
        self.patient.pin = CardPin(encode_pin(PIN))
        self.patient.hook = None
        account_of(self.patient).balance = ACCOUNT_FEN
        return citizen_card(serial=f"{next(_serials):020}", balance_fen=WALLET_FEN), self.patient


@dataclass
class Daemon:
    """A running daemon and what lies in its readers."""

    url: str
    settings: Settings
    bench: Bench
    counter: Counter
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

    def take_citizen_out(self) -> EmbeddedCard:
        """Take the citizen card out; the daemon has seen it go."""
        card = self.citizen.card
        assert card is not None
        self.empty_citizen()
        return card

    def empty_citizen(self) -> None:
        """Leave no citizen card in its reader, whether one is there or was torn out; the daemon has seen it go."""
        self.citizen.remove()
        eventually(lambda: all(c["reader"] != "citizen" for c in self.http("GET", "/v1/cards").json()["cards"]))

    def http(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """A request with the token of the tests; the answer must be as the OpenAPI document says."""
        headers = {"Authorization": f"Bearer {TOKEN}", **arguments.pop("headers", {})}
        answer = HTTP.request(method, self.url + path, headers=headers, **arguments)
        api_document().check(method, answer.request.url.path, answer)
        return answer

    @property
    def cards(self) -> dict[str, dict[str, Any]]:
        """Documents of the cards that are known, by the names of their readers."""
        cards = self.http("GET", "/v1/cards").json()["cards"]
        return {card["reader"]: card for card in cards if card["identified"]}

    def take_out(self, reader: EmbeddedReader) -> VirtualCard:
        """Take the card out of a reader, and wait until that is known."""
        card: Any = reader.remove()
        eventually(lambda: reader.name not in self.cards)
        return cast("VirtualCard", card)

    def put_in(self, *cards: tuple[EmbeddedReader, VirtualCard]) -> list[str]:
        """Put cards into readers, and wait until they are known; their handles."""
        before = {card["handle"] for card in self.cards.values()}
        names = [reader.name for reader, _ in cards]
        for reader, card in cards:
            reader.insert(card)
        eventually(lambda: all(self.cards.get(name, {}).get("handle", "") not in {*before, ""} for name in names))
        known = self.cards
        return [known[name]["handle"] for name in names]


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
        yield Daemon(url, settings, bench, counter, tls_port)


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[StartDaemon]:
    """Starts daemons; each ends with the test."""
    with ExitStack() as stack:
        yield lambda **changes: stack.enter_context(running_daemon(tmp_path, **changes))


@contextmanager
def everything_allowed(folder: Path, **changes: Any) -> Iterator[Daemon]:
    """A daemon with a load host, whose token may do everything, as often as it likes."""
    host = load_host(lambda: encode_time(now()))
    with running_daemon(folder, host, scopes=frozenset(Scope), rate_per_s=1e6, rate_burst=10**6, **changes) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def lasting_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon for all tests of a module; see `everything_allowed`."""
    with everything_allowed(tmp_path_factory.mktemp("daemon")) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def issuing_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """As `lasting_daemon`, with the issuer's keys in a keyring beside the PSAM."""
    folder = tmp_path_factory.mktemp("daemon")
    passphrase = folder / "passphrase"
    passphrase.write_text(PASSPHRASE)
    passphrase.chmod(0o600)
    issuer_test_keyring().save(folder / "issuer.keys", PASSPHRASE)
    keyring = KeyringSection(file=folder / "issuer.keys", passphrase_file=str(passphrase))
    with everything_allowed(folder, keyring=keyring) as daemon:
        yield daemon


@pytest.fixture
def shared(lasting_daemon: Daemon) -> Daemon:
    """The daemon of the module, with cards in its readers that it knows and nobody has used."""
    citizen, patient = lasting_daemon.bench.restore()
    lasting_daemon.put_in((lasting_daemon.citizen, citizen), (lasting_daemon.social, patient))
    return lasting_daemon


@pytest.fixture
def daemon(start_daemon: StartDaemon) -> Daemon:
    """A daemon with a card in each reader."""
    return start_daemon()


@pytest.fixture(params=["sync", "async"])
def till_of(request: pytest.FixtureRequest) -> Iterator[Tills]:
    """Opens clients of one kind; what holds for one holds for the other."""
    with ExitStack() as stack:
        yield lambda *given, **named: stack.enter_context(opened(request.param, *given, **named))
