"""The bureau's process dies, its disk fails, its power is lost: cards are finished by the next process (PERS §3.2)."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cardio.virtual.card import VirtualCard
from cardio.virtual.faults import Fault
from tests.faults.disk import DiskFaults, Names
from tests.faults.forks import Forks
from tests.faults.loop import scratch
from tests.faults.processes import Death, OnDisk, kills
from tests.faults.remote import OutsideServer
from tests.personalize.inside import WORKSHOP
from tests.personalize.interruptions import INTERRUPTIONS, Loop, Witness, judge, memory

COMMANDS, EVENTS = 60, 150
"""About how many commands a card takes, and how many events the disk of its register has."""
CASES = 3
SEED = "CARDIO_BUREAU_SEED"
DISKS = [kind for kind in kills() if isinstance(kind, OnDisk)]


@pytest.fixture(scope="module")
def expected() -> str:
    """Memory of a card that nothing happened to."""
    return Loop(WORKSHOP, INTERRUPTIONS[0]).expected()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> DiskFaults:
    folder = tmp_path_factory.mktemp("bureau")
    return DiskFaults(folder / "disk", folder / "nothing")


@pytest.fixture(scope="module")
def forks(disk: DiskFaults) -> Iterator[Forks]:
    with Forks(disk, "tests.personalize.inside") as forks:
        yield forks


@pytest.fixture
def places(request: pytest.FixtureRequest) -> random.Random:
    """Random places; the seed is printed if the test fails."""
    seed = os.environ.get(SEED) or str(random.SystemRandom().randrange(2**32))
    print(f"{SEED}={seed}")
    return random.Random(f"{seed} {request.node.name}")  # noqa: S311 - a sample


class Case:
    """One card, reached from the bureau's process, and its register."""

    def __init__(self, folder: Path, server: OutsideServer, card: VirtualCard) -> None:
        self.folder, self.server, self.card = folder, server, card
        self.witness = Witness(card)

    def make(self, forks: Forks) -> int:
        """Run the bureau once; returns how its process ended."""
        ended = forks.call("make", self.server.address, str(self.folder))
        self.server.settle()
        return ended.status

    def judge(self, forks: Forks, expected: str) -> None:
        """The next process finishes the card."""
        # A card that was finished in the very last moment is not blank any more, and stays as it is.
        self.make(forks)
        assert memory(self.card, self.folder) == expected
        judge(WORKSHOP, self.card, self.witness, self.folder)


@contextmanager
def one_case() -> Iterator[Case]:
    card = WORKSHOP.blank()
    with scratch() as folder, OutsideServer({"card": card}, folder) as server:
        register = folder / "register"
        register.mkdir()
        yield Case(register, server, card)


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
def test_a_process_that_is_killed_at_a_command_leaves_a_card_that_is_finished(
    forks: Forks, disk: DiskFaults, expected: str, places: random.Random, fault: Fault
) -> None:
    disk.off()
    for n in places.sample(range(1, COMMANDS), CASES):
        with one_case() as case:
            case.card.faults = Death(case.server, fault, n).plan
            assert case.make(forks) == -signal.SIGKILL
            case.card.faults = None
            case.judge(forks, expected)


@pytest.mark.parametrize("kind", DISKS, ids=lambda kind: kind.name)
def test_a_disk_that_fails_leaves_a_card_that_is_finished(
    forks: Forks, disk: DiskFaults, expected: str, places: random.Random, kind: OnDisk
) -> None:
    for n in places.sample(range(1, EVENTS), CASES):
        with one_case() as case:
            disk.watch(case.folder)
            disk.reset()
            if kind.power_loss:
                disk.track()
            kind.arm(disk, n)
            ended = case.make(forks)
            fired = disk.fired
            if fired and kind.power_loss:
                rng = None if kind.seed is None else random.Random(f"{kind.seed}/{n}")  # noqa: S311
                disk.lose_unsynced(rng, names=Names.JOURNALLED)
            disk.off()
            assert fired or ended == 0
            if ended != 0:
                case.judge(forks, expected)
            else:
                assert memory(case.card, case.folder) == expected
