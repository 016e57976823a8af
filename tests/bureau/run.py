"""A job on four readers by the program itself, killed on the way and started again until all cards are made."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cardio.personalize.card_data import CardData
from cardio.personalize.example_job import example_job
from cardio.personalize.jobs import job_lines
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.register import Register
from cardio.products.model import Product
from cardio.virtual.issuing_keys import issuing_test_keys
from cardio.virtual.pcscd import PrivatePcscd
from tests.bureau.feeder import FedCard, Feeder
from tests.soak.memory import Memory

PROGRAM = str(Path(sys.executable).with_name("cardio"))
READERS = 4
KILLS = (0.1, 0.2)
"""Parts of the cards after which the program is killed; what is left of the run then tells about its memory."""
MOST_KEYS = 12
"""Keys that may still be written before a kill."""
LOOK = 0.01
PATIENCE = 120.0
"""Seconds without a result after which the run has failed."""


class Killer:
    """Kills a process when a key has come to a card, before the card answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._keys = 0

    def await_keys(self, keys: int) -> None:
        """How many keys still come after `arm`; the last of them kills."""
        self._keys = keys

    def arm(self, process: subprocess.Popen[bytes]) -> None:
        """Begin to count."""
        with self._lock:
            self._process = process

    def at_key(self) -> None:
        """A key has come to a card."""
        with self._lock:
            if self._process is None:
                return
            self._keys -= 1
            if self._keys == 0:
                self._process.kill()
                self._process = None


@dataclass
class Run:
    """What a run left.

    Attributes:
        folder: With the job, the register and the results.
        rows: The rows of the job, by record.
        results: All lines of the result file.
        out: Cards that were taken out, and those that lay in the readers at the end.
        begun: After each kill, the cards that were begun and not finished, by ATR in hex.
        seconds: Time of the program, all starts together.
        memory: Of its last start.
    """

    folder: Path
    rows: Mapping[str, CardData]
    results: list[dict[str, Any]] = field(default_factory=list)
    out: list[FedCard] = field(default_factory=list)
    begun: list[set[str]] = field(default_factory=list)
    seconds: float = 0.0
    memory: Memory = field(init=False)

    @property
    def job(self) -> Path:
        """The job file."""
        return self.folder / "job.jsonl"

    @property
    def register(self) -> Path:
        """The register of cards."""
        return self.folder / "cards.db"

    @property
    def result_file(self) -> Path:
        """What the program says of every card in the hand."""
        return self.folder / "results.jsonl"

    @property
    def log(self) -> Path:
        """What the program printed; of all its starts."""
        return self.folder / "log"

    @property
    def finished(self) -> set[str]:
        """Records that the result file calls finished."""
        return {result["record"] for result in self.results if result["state"] == "finished"}


class _Bureau:
    """The readers, and the program that is started again and again."""

    def __init__(self, made: Run, product: Product, pcscd: PrivatePcscd, feeder: Feeder) -> None:
        self._made = made
        self._product = product
        self._environment = {**os.environ, **pcscd.environment()}
        self._feeder = feeder
        self._lines = _lines(made.result_file)

    def start(self) -> subprocess.Popen[bytes]:
        """The program, on all readers."""
        made = self._made
        files = ("--register", str(made.register), "--results", str(made.result_file))
        with made.log.open("ab") as log:
            return subprocess.Popen(
                [PROGRAM, "personalize", str(made.job), "--product", self._product.id, "--readers", "all", *files],
                stdout=log,
                stderr=log,
                env=self._environment,
            )

    def follow(self, process: subprocess.Popen[bytes], look: Callable[[int], None]) -> None:
        """Take cards out and put others in until the program has ended.

        Args:
            process: The program.
            look: Told after every result how many cards are finished.

        Raises:
            AssertionError: Nothing happens any more.
        """
        begun = heard = time.monotonic()
        running = True
        while running:
            running = process.poll() is None
            for result in next(self._lines):
                heard = time.monotonic()
                self._made.results.append(result)
                self._feeder.after(result)
                if running:
                    look(len(self._made.finished))
            assert time.monotonic() < heard + PATIENCE, "no card was made for a long time"
            time.sleep(LOOK)
        self._made.seconds += time.monotonic() - begun


def run(folder: Path, product: Product, cards: int, *, seed: int, timed: bool) -> Run:
    """Make all cards of an example job, and be killed twice on the way.

    Args:
        folder: An empty folder.
        product: What they are.
        cards: How many.
        seed: Of the moments at which the program is killed.
        timed: Whether the cards take the time of real ones.

    Raises:
        AssertionError: A start ended otherwise than it should.
    """
    maker = Personalizer(product, issuing_test_keys(product))
    head, rows = example_job(product, maker.layout, cards)
    made = Run(folder, {row.record: row for row in rows})
    made.job.write_text("\n".join(job_lines(head, rows)) + "\n", encoding="utf-8")
    killer, moments = Killer(), random.Random(seed)  # noqa: S311 (when a test kills is no secret)
    with PrivatePcscd(READERS) as pcscd:
        slots = [(reader, pcscd.port(slot)) for slot, reader in enumerate(pcscd.readers)]
        with Feeder(product, slots, killer.at_key, timed=timed) as feeder:
            bureau = _Bureau(made, product, pcscd, feeder)
            for part in KILLS:
                killer.await_keys(moments.randint(1, MOST_KEYS))
                process = bureau.start()
                bureau.follow(process, partial(_kill_after, killer, process, part * cards))
                assert process.returncode == -signal.SIGKILL, made.log.read_text()
                made.begun.append(_begun(made.register))
            process = bureau.start()
            made.memory, before = Memory(process.pid), len(made.finished)
            bureau.follow(process, partial(_sample, made.memory, before, cards))
            assert process.returncode == 0, made.log.read_text()
        made.out = [*feeder.out, *feeder.lying]
    return made


def _kill_after(killer: Killer, process: subprocess.Popen[bytes], cards: float, finished: int) -> None:
    """Have the program killed soon if enough cards are finished."""
    if finished >= cards:
        killer.arm(process)


def _sample(memory: Memory, before: int, cards: int, finished: int) -> None:
    """Look at the program's memory; after the last card it may have ended."""
    if finished < cards:
        memory.sample((finished - before) / (cards - before))


def _begun(file: Path) -> set[str]:
    """Cards that are begun and not finished."""
    register = Register(file)
    try:
        return {one.identity.split()[0] for one in register.attempts() if not one.state.final}
    finally:
        register.close()


def _lines(file: Path) -> Iterator[list[dict[str, Any]]]:
    """Results that came since the last look, for ever."""
    while not file.exists():
        yield []
    with file.open("rb") as results:
        rest = b""
        while True:
            *whole, rest = (rest + results.read()).split(b"\n")
            yield [json.loads(line) for line in whole]
