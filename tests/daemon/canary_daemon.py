"""The daemon of the canary test, as a process of its own: everything logs what it can, and every exchange is recorded.

    python -m tests.daemon.canary_daemon FOLDER

It is put together as `cardiod serve` does it, on virtual cards, with routes that break down as a bug would.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import Response

from cardio.engine.engine import Engine
from cardio.files.dates import encode_time
from cardio.ledger.ledger import Ledger, now
from cardio.products.catalogue import Catalogue
from cardio.security.keyring import Keyring
from cardio.security.software_load_host import SoftwareLoadHost
from cardio.transport.channel import Channel, SlotState
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.transport.recording import record
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.cards import psam
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.pin_pad import VirtualPinPad
from cardiod.counter import Counter
from cardiod.crashes import leave_nothing_behind
from cardiod.listening import listeners
from cardiod.logs import configure_logging
from cardiod.service import server
from cardiod.settings import load_settings
from tests.counter import tear
from tests.daemon.canaries import HOLDER, PIN, SECOND, maintenance_keys, social_card, wallet_card
from tests.faults.world import SHIPPED, roots

MESSAGE = f"PIN {PIN} of {HOLDER.name}, {HOLDER.number}"
"""What a careless exception says."""


class RecordingDriver:
    """Embedded readers whose exchanges are recorded, as a maintenance trace would be."""

    def __init__(self, inner: EmbeddedDriver, folder: Path) -> None:
        self._inner = inner
        self._folder = folder
        self._numbers = count(1)

    def readers(self) -> dict[str, SlotState]:
        return self._inner.readers()

    def wait(self, known: Mapping[str, SlotState], timeout: float) -> dict[str, SlotState]:
        return self._inner.wait(known, timeout)

    def connect(self, reader: str) -> Channel:
        channel = self._inner.connect(reader)
        sink = (self._folder / f"recording-{next(self._numbers)}.jsonl").open("w", encoding="utf-8", buffering=1)
        return record(channel, sink)

    def release(self) -> None:
        self._inner.release()


class Troubles:
    """Routes that let cards fail, and that break down as bugs do."""

    def __init__(
        self, counter: Counter, readers: Mapping[str, EmbeddedReader], cards: Mapping[str, VirtualCard]
    ) -> None:
        self._counter = counter
        self._readers = readers
        self._cards = cards

    def add_to(self, app: FastAPI) -> None:
        """Make the routes known."""
        app.add_api_route("/trouble/card/{what}/{reader}", self.with_card, methods=["GET"], include_in_schema=False)
        app.add_api_route("/trouble/bug/{where}", self.bug, methods=["GET"], include_in_schema=False)

    async def with_card(self, what: str, reader: str) -> Response:
        """Something happens to a card."""
        card = self._cards[reader]
        match what:
            case "tear":
                tear(card, Moment.AFTER_COMMIT)
            case "wrong-mac2":
                card.faults = FaultPlan(Fault.WRONG_MAC2)
            case "remove":
                self._readers[reader].remove()
            case "insert":
                self._readers[reader].insert(card)
        return Response()

    async def bug(self, where: str) -> Response:
        """A bug in one of the places where there can be one."""
        match where:
            case "route":
                _break_down()
            case "task":
                self._counter.work.spawn(_break_down_later())
            case "callback":
                asyncio.get_running_loop().call_soon(_break_down, MESSAGE)
            case "thread":
                threading.Thread(target=_break_down).start()
            case "reader":
                await self._counter.presence.on_card("social", _break_down)
            case "journal":
                await self._counter.work.journal(_break_down)
            case "finalizer":
                _Careless()
        return Response()


class _Careless:
    def __del__(self) -> None:
        _break_down()


async def _break_down_later() -> None:
    _break_down()


def _break_down(_: object = None) -> None:
    raise RuntimeError(MESSAGE)


def main(folder: Path) -> None:
    """Serve until a signal."""
    leave_nothing_behind()
    configure_logging("debug")
    cards = {"citizen": wallet_card(), "social": social_card(), "pad": social_card(SECOND), "sam": psam()}
    pads = {"pad": VirtualPinPad(PIN, PIN)}
    readers = {name: EmbeddedReader(name, card, pads.get(name)) for name, card in cards.items()}
    host = SoftwareLoadHost(Keyring("host", roots(SHIPPED["citizen-wallet"]), test=True), lambda: encode_time(now()))
    settings = load_settings()
    with listeners(settings) as bound:
        ledger = Ledger(settings.journal)
        engine = Engine(ledger, Catalogue.load(), None, host)
        driver = RecordingDriver(EmbeddedDriver(readers.values()), folder)
        counter = Counter(engine, driver, keys=[maintenance_keys()])
        http = server(counter, settings)
        Troubles(counter, readers, cards).add_to(http.config.app)  # type: ignore[arg-type]
        http.serve_on(bound)
        ledger.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
