"""The daemon: what it adds to a debit, and whether it still answers while eight readers are busy."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from cardio.ledger.database import Database
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, psam
from cardiod.listening import listeners
from cardiod.service import background, counter_on, server
from cardiod.settings import Settings, hash_token
from tests.bench.rows import Row, interleaved, milli, p99

TOKEN = "bench"
RICH = 50_000_000
MEDIAN_BOUND, P99_BOUND = 3.0, 10.0
READERS = 8


class Stopwatch:
    """Adds up the time that a function takes, over all threads."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed."""

        def timed(*arguments: Any, **named: Any) -> Any:
            begin = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                with self._lock:
                    self.seconds += time.perf_counter() - begin

        return timed


@contextmanager
def _daemon(cards: list[VirtualCard]) -> Iterator[httpx.Client]:
    """A daemon on embedded readers that has seen all cards and the PSAM."""
    readers = [EmbeddedReader(f"reader {number}", card) for number, card in enumerate(cards)]
    driver = EmbeddedDriver([*readers, EmbeddedReader("sam", psam())])
    with tempfile.TemporaryDirectory(prefix="cardio-bench-") as folder:
        settings = Settings(
            port=0,
            socket=None,
            journal=Path(folder) / "journal.db",
            token_sha256=hash_token(TOKEN),
            rate_per_s=1e6,  # no till is as busy as this
        )
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with (
            listeners(settings) as bound,
            counter_on(driver, settings) as counter,
            background(server(counter, settings), bound) as url,
            httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as http,
        ):
            while counter.engine.keys is None or len(counter.presence.cards) < len(cards):
                time.sleep(0.01)
            yield http


def _debit(http: httpx.Client, key: str, reader: str = "reader 0") -> float:
    body = {"purse": "wallet", "amount_fen": 1, "reference": "bench", "reader": reader, "wait_s": 20}
    begin = time.perf_counter()
    answer = http.post("/v1/debit", json=body, headers={"Idempotency-Key": key})
    taken = time.perf_counter() - begin
    answer.raise_for_status()
    return taken


def _debits(http: httpx.Client, reader: int, count: int) -> list[float]:
    return [_debit(http, f"{reader}-{number}", f"reader {reader}") for number in range(count)]


def debit_rows(rounds: int) -> Iterator[Row]:
    """Time of a debit over HTTP, less the cards' and the synced writes'."""
    card = citizen_card(balance_fen=RICH)
    watch = Stopwatch()
    write, Database.write = Database.write, watch.around(Database.write)  # type: ignore[method-assign]
    transmit, VirtualCard.transmit = VirtualCard.transmit, watch.around(VirtualCard.transmit)  # type: ignore[method-assign]
    above, whole = [], []
    try:
        with _daemon([card]) as http:
            for number in range(rounds):
                watch.seconds = 0.0
                taken = _debit(http, f"k{number}")
                whole.append(taken)
                above.append(taken - watch.seconds)
    finally:
        Database.write, VirtualCard.transmit = write, transmit  # type: ignore[method-assign]
    yield Row(
        "daemon's time of a debit above its APDUs and synced writes, median", milli(above), "ms", None, MEDIAN_BOUND
    )
    yield Row("daemon's time of a debit above its APDUs and synced writes, p99", p99(above), "ms", None, P99_BOUND)
    yield Row("a debit over HTTP on a card without a wire, median", milli(whole), "ms", None)


def busy_rows(rounds: int) -> Iterator[Row]:
    """/healthz while eight readers debit, against the idle daemon."""
    cards = [citizen_card(serial=f"000086000000000{n:05d}", balance_fen=RICH) for n in range(READERS)]
    with _daemon(cards) as http, ThreadPoolExecutor(READERS) as pool:
        idle = interleaved(rounds, lambda: http.get("/healthz").raise_for_status())[0]
        begin = time.perf_counter()
        jobs = [pool.submit(_debits, http, number, rounds // READERS + 1) for number in range(READERS)]
        busy: list[float] = []
        while not all(job.done() for job in jobs):
            busy += interleaved(1, lambda: http.get("/healthz").raise_for_status())[0]
        seconds = time.perf_counter() - begin
        debits = sum(len(job.result()) for job in jobs)
    yield Row("/healthz while 8 readers debit, p99, against the idle daemon", p99(busy), "ms", p99(idle), 100.0)
    yield Row("debits a second over 8 readers, one PSAM", debits / seconds, "1/s")


def start_rows() -> Iterator[Row]:
    """Start-up and memory of the daemon's process, against a bare Python that imports uvicorn and FastAPI."""
    program = "import fastapi, uvicorn, resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    ours = program.replace("fastapi, uvicorn,", "cardiod.main,")
    sizes: dict[str, list[float]] = {ours: [], program: []}

    def run(code: str) -> None:
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ)
        sizes[code].append(int(done.stdout) / 1024)

    mine, peer = interleaved(5, lambda: run(ours), lambda: run(program))
    yield Row("start-up until cardiod is imported, against FastAPI and uvicorn alone", milli(mine), "ms", milli(peer))
    yield Row("memory then, against FastAPI and uvicorn alone", min(sizes[ours]), "MiB", min(sizes[program]))
