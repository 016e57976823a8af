"""The gate tap on the timing model, beside the bounds of the design."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.applications.lane import single_ride, software_keys
from tests.applications.test_tap_times import SPEEDS, WITH_KEYRING, WITH_PSAM, lane_at, modelled
from tests.bench.rows import Row


def rows() -> Iterator[Row]:
    """A single ride until the card may go, and the software's share of it by the clock."""
    with tempfile.TemporaryDirectory(prefix="cardio-bench-") as name:
        folder = Path(name)
        for kbit in SPEEDS:
            for keys, bound in ((None, WITH_PSAM), (software_keys(), WITH_KEYRING)):
                told = "PSAM" if keys is None else "keyring"
                lane = lane_at(folder / f"{told}-{kbit}", kbit, keyring=keys)
                lane.tap(single_ride)
                ride = lane.tap(single_ride)
                lane.close()
                yield Row(f"gate tap, {kbit} kbit/s, {told}, timing model", modelled(ride), "ms", None, bound)
        yield Row("gate tap, the software's share besides", ride.software_seconds * 1000, "ms")
