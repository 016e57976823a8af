"""Whether the daemon still answers while all its readers are at work."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.bench.clock import percentile99, seconds
from tests.bench.eight_readers import READERS, SAMS
from tests.bench.machine import journal_folder
from tests.bench.rows import Effort, Row, Subject, timed
from tests.bench.servers import SECRETS, Caller, free_port, service

PATHS = ("/healthz", "/v1/readers")
TURNS = 3

SUBJECT = Subject(
    "Requests while eight readers are busy",
    "Eight wallets are debited without a pause, each with a PSAM of its own, on cards and PSAMs that take the time of "
    "real ones; meanwhile one caller asks for `/healthz` and `/v1/readers`, one request after the other. The peer is "
    "the same daemon when nobody presents a card; idle and busy turns follow each other. A watchdog, a console or a "
    "ninth till must not have to wait for eight customers.",
    lambda effort: _rows(effort),
)


@dataclass
class Asked:
    """Seconds of the requests to each path, and of the turns as a whole."""

    taken: dict[str, list[float]] = field(default_factory=lambda: {path: [] for path in PATHS})
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return sum(map(len, self.taken.values())) / self.seconds


def _rows(effort: Effort) -> Iterator[Row]:
    idle, busy, debits, debit_seconds = Asked(), Asked(), 0, 0.0
    port = free_port()
    with journal_folder() as folder:
        command = [sys.executable, "-m", "tests.bench.eight_readers", str(folder / "journal.db"), str(port)]
        with service(command, port, **SECRETS), ThreadPoolExecutor(len(READERS)) as pool:
            caller = Caller(port)
            caller.wait_for_cards(READERS, sams=len(SAMS))
            caller.close()
            for turn in range(TURNS):
                _ask(port, idle, effort.some)
                stop = threading.Event()
                begin = time.perf_counter()
                running = [pool.submit(_debit, port, reader, turn, stop) for reader in READERS]
                _ask(port, busy, effort.some)
                stop.set()
                debits += sum(map(Future.result, running))
                debit_seconds += time.perf_counter() - begin
    for path in PATHS:
        mine, peer = busy.taken[path], idle.taken[path]
        yield timed(f"{path} while 8 readers debit, peer: idle, median", "ms", mine, peer)
        slowest, slowest_peer = percentile99(mine) * 1000, percentile99(peer) * 1000
        yield Row(f"{path} while 8 readers debit, peer: idle, p99", slowest, "ms", slowest_peer)
    yield Row("requests a second of one caller, peer: idle", busy.rate, "1/s", idle.rate, more_is_better=True)
    yield Row("debits a second meanwhile", debits / debit_seconds, "1/s", more_is_better=True)


def _ask(port: int, asked: Asked, rounds: int) -> None:
    """Ask for the paths in turn."""
    caller = Caller(port)
    begin = time.perf_counter()
    for _ in range(rounds):
        for path in PATHS:
            asked.taken[path].append(seconds(lambda: caller.get(path)))  # noqa: B023 (called at once)
    asked.seconds += time.perf_counter() - begin
    caller.close()


def _debit(port: int, reader: str, turn: int, stop: threading.Event) -> int:
    """Debit one reader's card until told to stop; how often."""
    caller = Caller(port)
    count = 0
    while not stop.is_set():
        caller.debit(reader, f"{reader}-{turn}-{count}")
        count += 1
    caller.close()
    return count
