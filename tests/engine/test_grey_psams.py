"""A filling station with several PSAMs: the debit of a grey lock takes the PSAM that made the lock (EW §3.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cardio.errors import Money, ReaderBusy, SamAbsent, SamFailed
from cardio.ledger.model import State, Transaction
from cardio.readers.key_chain import KeyChain
from cardio.readers.owner import SamOwner
from cardio.security.derived_keys import Terminal
from cardio.security.keyring import Keyring
from cardio.security.psam import Psam
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.cards import citizen_card
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.received import Received
from cardio.virtual.sams import psam
from tests.counter import wallet_of
from tests.engine.conftest import worlds
from tests.engine.test_grey import DEBIT, debit, lock, purchase, purse
from tests.faults.scenarios import AMOUNT, BALANCE, Scenario
from tests.faults.world import World, roots

Made = Callable[[str], tuple[Scenario, World]]


@pytest.fixture
def world_of(tmp_path: Path) -> Iterator[Made]:
    yield from worlds(tmp_path)


class Station:
    """A filling station's PSAMs, each in a reader of its own, preferred by name; locks are made by those in service.

    Attributes:
        keys: All that are in service.
        commands: First two bytes of all commands to each PSAM, by its reader.
    """

    def __init__(self, world: World, *others: Keyring) -> None:
        self.keys = KeyChain(*others)
        self.commands: dict[str, list[str]] = {}
        self._in_service: dict[str, tuple[SamOwner, Psam]] = {}
        world.engine.keys = self.keys

    def put(self, reader: str, card: VirtualCard) -> None:
        """A PSAM is put into a reader and found there."""
        seen = self.commands.setdefault(reader, [])

        def hook(moment: Moment, command: Received) -> None:
            if moment is Moment.COMMAND:
                seen.append(bytes(command.instruction).hex().upper())

        card.hook = hook
        owner = SamOwner(reader, EmbeddedDriver([EmbeddedReader(reader, card)]), virtual=True)
        self._in_service[reader] = owner, Psam(owner)
        self.keys.add_psam(self._in_service[reader][1])

    def take(self, reader: str) -> None:
        """It is taken out, or its reader leaves."""
        owner, gone = self._in_service.pop(reader)
        self.keys.remove_psam(gone)
        owner.stop()

    def close(self) -> None:
        for reader in list(self._in_service):
            self.take(reader)


@pytest.fixture
def pumps(world_of: Made) -> Iterator[tuple[World, Station, VirtualCard, VirtualCard]]:
    """A world whose two PSAMs, `a` before `b`, serve together."""
    _, world = world_of("grey-lock-3des-psam")
    station = Station(world)
    a, b = (psam(terminal=bytes.fromhex(number), grey_lock=True) for number in ("99999900000a", "99999900000b"))
    station.put("a", a)
    station.put("b", b)
    yield world, station, a, b
    station.close()


Pumps = tuple[World, Station, VirtualCard, VirtualCard]


def locked_by(station: Station, world: World, reader: str) -> Transaction:
    """A lock that the PSAM in one reader made, because it alone was in service."""
    others = {name: station._in_service[name] for name in station._in_service if name != reader}
    for _, other in others.values():
        station.keys.remove_psam(other)
    locked = lock(world, f"lock by {reader}")
    assert locked.armed is not None
    assert (locked.state, locked.armed.key_source) == (State.COMPLETED, f"psam:{reader}")
    for _, other in others.values():
        station.keys.add_psam(other)
    return locked


@pytest.mark.parametrize("reader", ["a", "b"])
def test_the_debit_goes_to_the_psam_of_its_lock_whichever_is_preferred(pumps: Pumps, reader: str) -> None:
    world, station, _, _ = pumps
    locked = locked_by(station, world, reader)
    for commands in station.commands.values():
        commands.clear()
    charged = debit(world, locked, AMOUNT)
    assert (charged.state, purse(world)) == (State.COMPLETED, (BALANCE - AMOUNT, 1, False))
    assert charged.armed is not None
    assert charged.armed.key_source == f"psam:{reader}"
    assert {name for name, commands in station.commands.items() if "E044" in commands} == {reader}
    assert purchase(world).state is State.COMPLETED


def test_without_the_psam_of_the_lock_nothing_is_charged_and_the_key_can_be_used_again(pumps: Pumps) -> None:
    world, station, _, b = pumps
    locked = locked_by(station, world, "b")
    station.take("b")
    sent = world.outside.card.faults = FaultPlan(Fault.CUT_BEFORE, only=DEBIT)
    with pytest.raises(SamAbsent) as caught:
        debit(world, locked, AMOUNT)
    assert (caught.value.money, sent.seen) == (Money.NONE, 0)
    assert "99999900000b" in caught.value.detail
    assert purse(world) == (BALANCE, 0, True)
    assert world.ledger.open_locks == [locked]
    assert world.ledger.pending_purses() == set()
    world.outside.card.faults = None
    station.put("b", b)
    assert debit(world, locked, AMOUNT).state is State.COMPLETED


def test_the_psam_of_the_lock_is_found_again_in_another_reader(pumps: Pumps) -> None:
    """Names of readers change with the order in which they are plugged in; a terminal number stays."""
    world, station, a, b = pumps
    locked = locked_by(station, world, "b")
    station.take("a")
    station.take("b")
    station.put("a", b)
    station.put("b", a)
    charged = debit(world, locked, AMOUNT)
    assert charged.armed is not None
    assert (charged.state, charged.armed.key_source) == (State.COMPLETED, "psam:a")
    assert "E044" not in station.commands["b"]


def test_the_debit_waits_for_the_psam_of_its_lock_and_takes_no_other_meanwhile(
    pumps: Pumps, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, station, _, _ = pumps
    locked = locked_by(station, world, "b")
    with ThreadPoolExecutor(1) as pump:
        with station.keys.hold(terminal=bytes.fromhex("99999900000b")):
            with monkeypatch.context() as patch:
                patch.setattr(station.keys, "_patience", 0)
                with pytest.raises(ReaderBusy):
                    debit(world, locked, AMOUNT)
            assert purse(world) == (BALANCE, 0, True)
            waiting = pump.submit(debit, world, locked, AMOUNT)
        assert waiting.result(10).state is State.COMPLETED


def test_a_psam_that_failed_lately_still_gets_the_debit_of_its_lock(pumps: Pumps) -> None:
    world, station, _, _ = pumps
    locked = locked_by(station, world, "a")
    with pytest.raises(SamFailed), station.keys.hold(terminal=bytes.fromhex("99999900000a")):
        raise SamFailed("just now")
    charged = debit(world, locked, AMOUNT)
    assert charged.armed is not None
    assert charged.armed.key_source == "psam:a"


def test_keys_behind_the_psams_do_not_stand_in_for_the_psam_of_the_lock(world_of: Made) -> None:
    scenario, world = world_of("grey-lock-3des-psam")
    terminal = bytes.fromhex("99999900000b")
    station = Station(world, Keyring("spare", roots(scenario.product), test=True, terminal=Terminal(terminal)))
    station.put("b", psam(terminal=bytes.fromhex("99999900000c"), grey_lock=True))
    locked = lock(world)
    station.take("b")
    with pytest.raises(SamAbsent):
        debit(world, locked, AMOUNT)
    assert purse(world) == (BALANCE, 0, True)
    station.close()


def test_two_locks_of_two_psams_are_charged_each_by_its_own(pumps: Pumps) -> None:
    world, station, _, _ = pumps
    mine = world.outside.card
    first = locked_by(station, world, "b")
    world.outside.card = second_card = citizen_card(serial="00008600000000000777", balance_fen=BALANCE, grey_lock=True)
    second = locked_by(station, world, "a")
    for locked, card, key in ((first, mine, "first"), (second, second_card, "second")):
        assert debit(world, locked, AMOUNT, key, card).state is State.COMPLETED
        assert wallet_of(card).balance == BALANCE - AMOUNT
    assert world.ledger.open_locks == []
