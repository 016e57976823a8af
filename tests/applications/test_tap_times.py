"""How long a gate tap takes on the timing model, at every contactless speed (design §6).

Only what the model says of card and PSAM is asserted; the software's wall time beside it is printed. What misses the
bound is printed too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest

from cardio.ledger.model import State
from cardio.security.keyring import Keyring
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.timing import CYCLES_PER_BIT, PSAM_CHIP, Contact, Contactless, TimingModel
from tests.applications.lane import Lane, Passage, enter, leave, single_ride, software_keys
from tests.counter import wallet_of
from tests.summary import SUMMARY

WITH_PSAM, WITH_KEYRING = 260, 135
"""Bounds of the design, ms."""
SLOW_PSAM, FAST_PSAM = 9600, 38400
"""Baud (EW §6.1, step 0); the ride of EW §6.1 was measured with the slow one."""
RIDES = 11
SPEEDS = sorted(CYCLES_PER_BIT)


@dataclass(frozen=True)
class Measured:
    """Milliseconds until the card was let go.

    Attributes:
        ride: Single ride.
        leave: Exit with a journey record.
        recovery: Single ride after a torn one whose proof answers.
        software: Wall times of the software in the rides.
    """

    ride: float
    leave: float
    recovery: float
    software: tuple[float, ...]


def lane_at(folder: Path, kbit: int, baud: int = SLOW_PSAM, keyring: Keyring | None = None) -> Lane:
    folder.mkdir()
    lane = Lane(folder, keyring=keyring)
    lane.card.timing = TimingModel(Contactless(kbit))
    lane.slot.sam.timing = TimingModel(Contact(baud), PSAM_CHIP)
    return lane


def modelled(passage: Passage) -> float:
    assert passage.transaction is not None
    assert passage.transaction.state is State.COMPLETED
    return (passage.card_seconds + passage.sam_seconds) * 1000


def measure(lane: Lane) -> Measured:
    rides = [lane.tap(single_ride) for _ in range(RIDES)]
    times = {round(modelled(ride), 6) for ride in rides}
    assert len(times) == 1, "the model gives every ride the same time"
    lane.tap(enter)
    end = lane.tap(leave)
    lane.card.faults = FaultPlan(Fault.CUT_AFTER, only="8054")
    lane.tap(single_ride)
    lane.card.faults = None
    recovered = lane.tap(single_ride)
    lane.close()
    software = tuple(ride.software_seconds * 1000 for ride in rides)
    return Measured(times.pop(), modelled(end), modelled(recovered), software)


@pytest.fixture(scope="module")
def taps(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, str], Measured]:
    """Every speed with each kind of keys, measured once."""
    folder = tmp_path_factory.mktemp("taps")
    found = {}
    for kbit in SPEEDS:
        found[kbit, "slow"] = measure(lane_at(folder / f"slow-{kbit}", kbit))
        found[kbit, "fast"] = measure(lane_at(folder / f"fast-{kbit}", kbit, FAST_PSAM))
        found[kbit, "keyring"] = measure(lane_at(folder / f"keyring-{kbit}", kbit, keyring=software_keys()))
    return found


@pytest.mark.parametrize("kbit", SPEEDS)
def test_a_gate_tap_holds_the_designs_bounds_at_every_speed(taps: dict[tuple[int, str], Measured], kbit: int) -> None:
    """All five card APDUs and 80 70; only 80 72 comes after the card was let go."""
    assert taps[kbit, "slow"].ride <= WITH_PSAM
    assert taps[kbit, "fast"].ride < taps[kbit, "slow"].ride
    assert taps[kbit, "keyring"].ride <= WITH_KEYRING


def test_faster_fields_save_time(taps: dict[tuple[int, str], Measured]) -> None:
    for keys in ("slow", "fast", "keyring"):
        rides = [taps[kbit, keys].ride for kbit in SPEEDS]
        assert rides == sorted(rides, reverse=True)


def test_the_times_are_printed(taps: dict[tuple[int, str], Measured], tmp_path: Path) -> None:
    elsewhere = {kbit: used_elsewhere(tmp_path / str(kbit), kbit) for kbit in SPEEDS}
    lines = [
        f"gate tap on the timing model until the card may go, ms (* above a ride's bound: {WITH_PSAM}, {WITH_KEYRING})",
        "        |    PSAM at 9600 baud      |    PSAM at 38400 baud     |               keyring",
        " kbit/s |  ride     exit   recovery |  ride     exit   recovery |  ride     exit   recovery   used elsewhere",
    ]
    for kbit in SPEEDS:
        cells = []
        for keys, bound in (("slow", WITH_PSAM), ("fast", WITH_PSAM), ("keyring", WITH_KEYRING)):
            one = taps[kbit, keys]
            cells.append(f"{cell(one.ride, bound)}  {cell(one.leave, bound)}   {cell(one.recovery, bound)}")
        lines.append(f" {kbit:6} | {' | '.join(cells)}   {cell(elsewhere[kbit], WITH_KEYRING)}")
    psam = [one for kbit in SPEEDS for one in taps[kbit, "slow"].software + taps[kbit, "fast"].software]
    keyring = [one for kbit in SPEEDS for one in taps[kbit, "keyring"].software]
    lines.append(
        f" the software besides, with its two synced writes, wall time on this machine: median {median(psam):.1f} ms "
        f"with a PSAM, {median(keyring):.1f} ms with a keyring ({len(psam)} and {len(keyring)} rides)"
    )
    SUMMARY["gate taps"] = "\n".join(lines)


def cell(milliseconds: float, bound: int) -> str:
    return f"{milliseconds:6.1f}{'*' if milliseconds > bound else ' '}"


def used_elsewhere(folder: Path, kbit: int) -> float:
    """A keyring lane that meets a card which was used elsewhere since: it reads the log back to what it knows."""
    lane = lane_at(folder, kbit, keyring=software_keys())
    function = wallet_of(lane.card)
    for _ in range(function.log.declaration.records or 0):
        lane.tap(single_ride)
    function.offline_counter += 1
    newest = bytearray(function.log.records[0])
    newest[0:2], newest[10:16] = function.offline_counter.to_bytes(2, "big"), bytes.fromhex("999999000077")
    function.log.append(bytes(newest))
    ride = lane.tap(single_ride)
    assert sum(header.startswith("00B2") for header in ride.card) == 2
    lane.close()
    return modelled(ride)
