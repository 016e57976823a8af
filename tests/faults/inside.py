"""What runs in the terminal's own process, which is killed: the engine alone, or the whole daemon.

Functions here are called by `tests.faults.forks` in a process that was forked for the case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi.responses import Response

from cardio.engine.engine import Engine
from cardio.errors import CardioError
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import State
from cardio.security.derived_keys import DerivedKeys
from cardio.transport.channel import Channel
from cardiod.counter import Counter
from cardiod.listening import listen
from cardiod.service import server
from cardiod.settings import Settings, hash_token
from tests.faults.disk import DiskFaults
from tests.faults.judge import KEY
from tests.faults.remote import RemoteCard, RemoteHost, say_ready
from tests.faults.scenarios import Scenario, scenarios
from tests.faults.world import Source, TerminalSide

TOKEN = "a token of the fault loop"
BY_NAME = {str(scenario): scenario for scenario in scenarios()}


def _terminal(scenario: Scenario, folder: str, address: str) -> TerminalSide:
    return TerminalSide(
        Path(folder), scenario.product, scenario.source, RemoteCard(address, "sam"), RemoteHost(address, "host")
    )


def operate(name: str, folder: str, address: str, disk: str = "") -> None:
    """The engine in a process of its own: open the journal, do the operation once.

    Args:
        name: The scenario.
        folder: Folder of the journal.
        address: Where the outside is.
        disk: `disk` if the disk's faults begin with the opening of the journal.
    """
    scenario = BY_NAME[name]
    terminal = _terminal(scenario, folder, address)
    card = RemoteCard(address, "card")
    say_ready(address)
    if disk:
        DiskFaults.inherited().reset()
    try:
        terminal.start()
        scenario.ask(terminal, card, KEY)
    except (CardioError, LookupError):
        # Refused, or the disk failed: what it is worth is seen afterwards.
        return


def serve_daemon(name: str, folder: str, address: str) -> None:
    """The whole daemon, with the card in its reader and the scenario's keys; its port goes to the outside."""
    scenario = BY_NAME[name]
    terminal = _terminal(scenario, folder, address)
    terminal.reader.insert(RemoteCard(address, "card"))
    settings = Settings(port=0, journal=terminal.journal, token_sha256=hash_token(TOKEN))
    software: list[DerivedKeys] = []
    if scenario.source is not Source.PSAM:
        terminal.sam_reader.remove()
        keys = terminal.keys()
        assert isinstance(keys, DerivedKeys)
        software.append(keys)
    ledger = Ledger(settings.journal)
    counter = Counter(Engine(ledger, terminal.catalogue, None, terminal.host), terminal.driver, keys=software)
    listener = listen(settings)
    http = server(counter, settings)
    http.config.app.add_api_route("/operate", _operate(counter, scenario), methods=["POST"])  # type: ignore[union-attr]
    say_ready(address, listener.getsockname()[1])
    http.run(sockets=[listener])
    ledger.close()


def _operate(counter: Counter, scenario: Scenario) -> Callable[[], Any]:
    """A route for operations that the daemon's API does not have (yet): through its owner thread, as all others."""

    async def operate() -> Response:
        deadline = asyncio.get_running_loop().time() + 10
        presented = await counter.waiting.present("card", scenario.purse, deadline)

        def job(channel: Channel) -> State:
            begun = scenario.begin(counter.engine, KEY)
            return (begun if begun.state.final else scenario.carry_out(counter.engine, begun, channel)).state

        return Response(await counter.presence.on_card(presented.reader, job))

    return operate
