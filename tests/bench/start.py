"""How long the daemon takes to start, and how much memory it has then and later."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.clock import Sample
from tests.bench.machine import journal_folder
from tests.bench.rows import Effort, Row, Subject, timed
from tests.bench.servers import SECRETS, Caller, bare_command, free_port, service
from tests.bench.slots import Slots

CARDIOD = Path(sys.executable).with_name("cardiod")
MEBIBYTE = 2**20


def subject(slots: Slots) -> Subject:
    """The subject."""
    return Subject(
        "Start and memory",
        "`cardiod serve` on a pcscd with six readers: from the start of its process to the first answer of "
        "`/healthz`, and until a wallet can be debited, its PSAM found among the other cards. Memory is what the "
        "process has in RAM then, and after debits. The peer is uvicorn with a FastAPI application of two routes. A "
        "restart takes a till out of service for as long as the second of these figures.",
        lambda effort: _rows(slots, effort),
    )


@dataclass
class Found:
    """What was measured of all starts: seconds, and mebibytes."""

    started: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    memory_later: list[float] = field(default_factory=list)


def _rows(slots: Slots, effort: Effort) -> Iterator[Row]:
    ours, bare = Found(), Found()
    for turn in range(effort.few):
        last = turn == effort.few - 1
        _start(slots, ours, effort.some if last else 0)
        _start_bare(bare, effort.some if last else 0)
    yield timed("start to the first answer, peer: bare FastAPI", "s", ours.started, bare.started)
    yield timed("start to the first possible debit", "s", ours.ready)
    yield _memory("memory after the start, peer: bare FastAPI", ours.memory, bare.memory)
    yield _memory(f"memory after {effort.some} debits, peer: as many requests", ours.memory_later, bare.memory_later)


def _memory(name: str, ours: list[float], peer: list[float]) -> Row:
    mine, theirs = Sample.of(ours), Sample.of(peer)
    return Row(name, mine.median, "MiB", theirs.median, spread=mine.quartiles, peer_spread=theirs.quartiles)


def _start(slots: Slots, found: Found, debits: int) -> None:
    """One start of the daemon."""
    port, reader = free_port(), slots.wallets[0]
    with journal_folder() as folder, ExitStack() as stack:
        environment = {**SECRETS, "CARDIO_PORT": str(port), "CARDIO_JOURNAL": str(folder / "journal.db")}
        begin = time.perf_counter()
        running = stack.enter_context(service([CARDIOD, "serve"], port, **environment))
        caller = Caller(port)
        stack.callback(caller.close)
        caller.wait_for_cards([reader], sams=1)
        found.started.append(running.started_in)
        found.ready.append(time.perf_counter() - begin)
        found.memory.append(running.resident_bytes() / MEBIBYTE)
        for number in range(debits):
            caller.debit(reader, f"key-{number}")
        if debits:
            found.memory_later.append(running.resident_bytes() / MEBIBYTE)


def _start_bare(found: Found, requests: int) -> None:
    """One start of the peer."""
    port = free_port()
    with service(bare_command(port), port) as running:
        found.started.append(running.started_in)
        found.memory.append(running.resident_bytes() / MEBIBYTE)
        caller = Caller(port)
        for number in range(requests):
            caller.debit("reader", f"key-{number}")
        caller.close()
        if requests:
            found.memory_later.append(running.resident_bytes() / MEBIBYTE)
