"""Terminals that die: real SIGKILLs at every command and every write to the disk, power losses, failing disks."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EIO, ENOSPC
from pathlib import Path

from cardio.errors import CardRemoved, StoreError
from cardio.ledger.model import Transaction
from cardio.virtual.faults import Fault, FaultPlan
from tests.faults.disk import DiskFaults, Event, Names, When
from tests.faults.forks import Forks
from tests.faults.injections import CREDIT
from tests.faults.judge import Unequal, Verdict, come_to_rest, judge, sequences_of, state_of
from tests.faults.loop import scratch
from tests.faults.remote import OutsideServer
from tests.faults.scenarios import Scenario
from tests.faults.world import World

Result = tuple[bool, Verdict, str]
"""Whether there was such a place, how it ended, and what was wrong."""


class Death:
    """Kills the terminal at the n-th command that reaches a card or the PSAM.

    Args:
        server: Knows the terminal's process.
        fault: Before the command is executed, or after.
        n: Which command, counted over card and PSAM.
    """

    def __init__(self, server: OutsideServer, fault: Fault, n: int) -> None:
        self._server = server
        self._fault = fault
        self.plan = FaultPlan(fault, n, action=self._kill)

    def _kill(self) -> None:
        os.kill(self._server.pid, signal.SIGKILL)
        if self._fault is Fault.CUT_BEFORE:
            raise CardRemoved("the terminal died before it had sent the command")


@dataclass(frozen=True)
class KillAtCommand:
    """SIGKILL of a process that runs the engine.

    Attributes:
        name: For people.
        fault: Where in the command.
        torn: Whether the card was torn out before, so that the process dies while it finds out.
    """

    name: str
    fault: Fault
    torn: Fault | None = None

    def run(self, scenario: Scenario, n: int, forks: Forks, disk: DiskFaults) -> Result:
        """One case."""
        disk.off()
        with case_of(scenario) as case:
            if self.torn is not None:
                case.put_on(FaultPlan(self.torn, only=CREDIT))
                forks.call("operate", str(scenario), str(case.world.folder), case.server.address)
                case.server.settle()
            death = Death(case.server, self.fault, n)
            case.put_on(death.plan)
            ended = forks.call("operate", str(scenario), str(case.world.folder), case.server.address)
            case.server.settle()
            case.put_on(None)
            if death.plan.fired and ended.status != -signal.SIGKILL:
                return True, Verdict.LOST, f"the terminal was not killed: {ended}"
            return death.plan.fired, *case.verdict()


@dataclass(frozen=True)
class OnDisk:
    """The n-th write, sync or name of the journal goes wrong.

    Attributes:
        name: For people.
        arm: Tells the disk what to do at the n-th event.
        power_loss: Whether what was not synced is lost then; a random part of it with a seed.
        seed: Of the random part; None loses all.
    """

    name: str
    arm: Callable[[DiskFaults, int], None]
    power_loss: bool = False
    seed: int | None = None

    def run(self, scenario: Scenario, n: int, forks: Forks, disk: DiskFaults) -> Result:
        """One case."""
        with case_of(scenario) as case:
            disk.watch(case.world.folder)
            disk.reset()
            if self.power_loss:
                disk.track()
            self.arm(disk, n)
            forks.call("operate", str(scenario), str(case.world.folder), case.server.address)
            case.server.settle()
            fired = disk.fired
            if fired and self.power_loss:
                rng = None if self.seed is None else random.Random(f"{self.seed}/{n}")  # noqa: S311
                disk.lose_unsynced(rng, names=Names.JOURNALLED)
            disk.off()
            return fired, *case.verdict()


ALL_EVENTS = set(Event)


def kills() -> Iterator[KillAtCommand | OnDisk]:
    """All kinds."""
    yield KillAtCommand("killed before a command", Fault.CUT_BEFORE)
    yield KillAtCommand("killed after a command", Fault.CUT_AFTER)
    yield KillAtCommand("killed inside a card's write, before its commit", Fault.CUT_BEFORE_COMMIT)
    yield KillAtCommand("killed inside a card's write, after its commit", Fault.CUT_AFTER_COMMIT)
    for torn in (Fault.CUT_BEFORE, Fault.CUT_AFTER):
        yield KillAtCommand(f"{torn}, then killed before a command of the recovery", Fault.CUT_BEFORE, torn)
        yield KillAtCommand(f"{torn}, then killed after a command of the recovery", Fault.CUT_AFTER, torn)
    yield OnDisk("a write fails", lambda disk, n: disk.fail_write(n, EIO))
    yield OnDisk("the disk is full from now on", lambda disk, n: disk.fail_write(n, ENOSPC, lasting=True))
    yield OnDisk("a short write", lambda disk, n: disk.short_write(n))
    yield OnDisk("a sync fails", lambda disk, n: disk.fail_sync(n))
    yield OnDisk("killed before a write", lambda disk, n: disk.kill(When.BEFORE, ALL_EVENTS, n))
    yield OnDisk("killed inside a write", lambda disk, n: disk.kill(When.INSIDE, {Event.WRITE}, n))
    yield OnDisk("killed after a write", lambda disk, n: disk.kill(When.AFTER, ALL_EVENTS, n))
    yield OnDisk("power lost before a write", lambda disk, n: disk.kill(When.BEFORE, ALL_EVENTS, n), power_loss=True)
    yield OnDisk("power lost after a write", lambda disk, n: disk.kill(When.AFTER, ALL_EVENTS, n), power_loss=True)
    yield OnDisk(
        "power lost, some writes kept", lambda disk, n: disk.kill(When.AFTER, ALL_EVENTS, n), power_loss=True, seed=1
    )


@dataclass
class Case:
    """One terminal process and its outside."""

    scenario: Scenario
    world: World
    server: OutsideServer

    def __post_init__(self) -> None:
        self._before = state_of(self.scenario, self.world), sequences_of(self.world)

    def put_on(self, plan: FaultPlan | None) -> None:
        """On card and PSAM; their events count together."""
        self.world.outside.card.faults = plan
        self.world.outside.sam.faults = plan

    def verdict(self) -> tuple[Verdict, str]:
        """Start the terminal again, ask until it is decided, and compare."""
        try:
            self.world.start()
        except StoreError as error:
            return Verdict.LOST, f"the journal cannot be opened: {error}"
        transaction = come_to_rest(self.scenario, self.world)
        return self._judge(transaction, repeats=True)

    def found_in_journal(self) -> tuple[Verdict, str]:
        """Start the terminal again, and compare what its journal says, without asking any card."""
        self.world.start()
        found = [one for one in self.world.ledger.transactions() if one.operation is self.scenario.operation]
        if len(found) != 1:
            return Verdict.LOST, f"{len(found)} transactions instead of 1"
        return self._judge(found[0], repeats=False)

    def _judge(self, transaction: Transaction | None, *, repeats: bool) -> tuple[Verdict, str]:
        try:
            return judge(self.scenario, self.world, self._before, transaction, repeats=repeats), ""
        except Unequal as unequal:
            return Verdict.LOST, str(unequal)


@contextmanager
def case_of(scenario: Scenario) -> Iterator[Case]:
    """A new world, not started, whose outside is served."""
    with scratch() as folder:
        state = folder / "state"
        state.mkdir()
        world = scenario.world(state)
        with OutsideServer(world.outside.targets, folder) as server:
            try:
                if not scenario.fresh_journal:
                    world.start()
                    world.stop()
                yield Case(scenario, world, server)
            finally:
                world.stop()


@contextmanager
def faulty_processes(folder: Path) -> Iterator[tuple[Forks, DiskFaults]]:
    """The process that forks a terminal for every case, on a disk that can fail.

    Args:
        folder: For the disk's records; on the file system of the cases.
    """
    disk = DiskFaults(folder / "disk", folder / "nothing")
    with Forks(disk, "tests.faults.inside") as forks:
        yield forks, disk
