"""The gate tap on the timing model, with the software's share by the clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cardio.products.catalogue import Catalogue
from cardio.security.keyring import Keyring
from cardio.virtual.cards import psam
from cardio.virtual.products import example_card
from cardio.virtual.sams import TERMINAL_NUMBER
from cardio.virtual.timing import PSAM_CHIP, Contact, Contactless, TimingModel
from tests.applications.lane import FARE, TUNION, Passage, single_ride
from tests.applications.test_tap_times import SLOW_PSAM, SPEEDS, WITH_KEYRING, WITH_PSAM, lane_at, modelled
from tests.bench import program
from tests.bench.clock import Sample
from tests.bench.counts import program_card
from tests.bench.keys import WALLET_PURCHASE, wallet_keyring
from tests.bench.machine import journal_folder
from tests.bench.rows import Effort, Row, Subject, timed
from tests.counter import wallet_of

TUNION_LEVELS = 2

SUBJECT = Subject(
    "Gate tap",
    "A single ride with a T-Union card until the card may be taken away. Card and PSAM take what they took on a bus "
    "where a ride was measured command by command (EW §6.1, §7), at each contactless speed; the software's share is "
    "wall time on this machine, its two synced writes included, and is added. The peer is that bus's own sequence of "
    "commands on the same model, which lets the card go after MAC2 was checked. A passenger walks through without a "
    "stop if a gate answers in 300 ms.",
    lambda effort: _rows(effort),
)


def _rows(effort: Effort) -> Iterator[Row]:
    rides = max(effort.some // 10, 2)
    kinds: tuple[tuple[str, Keyring | None, float], ...] = (
        ("PSAM", None, WITH_PSAM),
        ("keyring", wallet_keyring(TUNION_LEVELS), WITH_KEYRING),
    )
    with journal_folder() as folder:
        for told, keyring, bound in kinds:
            shares: list[float] = []
            for kbit in SPEEDS:
                passages = _ride(folder / f"{told}-{kbit}", kbit, keyring, rides)
                yield _row(f"gate tap, {told}, {kbit} kbit/s", passages, _peer(kbit, keyring), bound)
                shares += [passage.software_seconds for passage in passages]
            yield timed(f"gate tap, {told}, the software's share", "ms", shares)


def _row(name: str, passages: list[Passage], peer: float, bound: float) -> Row:
    """The modelled time, which is every ride's, and the software's beside it."""
    model = modelled(passages[0])
    software = Sample.of([passage.software_seconds for passage in passages], 1000)
    low, high = software.quartiles
    return Row(
        name,
        model + software.median,
        "ms",
        peer,
        bound,
        (model + low, model + high),
        parts={
            "card": passages[0].card_seconds * 1000,
            "PSAM": passages[0].sam_seconds * 1000,
            "software": software.median,
        },
    )


def _ride(folder: Path, kbit: int, keyring: Keyring | None, rides: int) -> list[Passage]:
    lane = lane_at(folder, kbit, keyring=keyring)
    wallet_of(lane.card).balance = FARE * (rides + 1)
    lane.tap(single_ride)
    passages = [lane.tap(single_ride) for _ in range(rides)]
    lane.close()
    return passages


def _peer(kbit: int, keyring: Keyring | None) -> float:
    """Milliseconds of the bus's ride on the model; it has a PSAM, or the key in its program."""
    card, sam = example_card(Catalogue.load()[TUNION]), psam()
    if keyring is None:
        keys: program.Keys = program.PsamKeys(program_card(sam), program.TUNION_SAM)
    else:
        keys = program.SoftwareKeys(WALLET_PURCHASE, TERMINAL_NUMBER.hex())
    timings = TimingModel(Contactless(kbit)), TimingModel(Contact(SLOW_PSAM), PSAM_CHIP)
    card.timing, sam.timing = timings
    program.ride(program_card(card), keys, FARE)
    return sum(timing.elapsed for timing in timings) * 1000
