"""Whether the counter can take money: readers, keys, journal, clock, storage, each with its own word (OPS §4.13)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cardio.errors import (
    CardioError,
    ClockUntrusted,
    JournalBehind,
    ReaderPoisoned,
    ReaderUnavailable,
    SamAbsent,
    StorageLow,
    StorageUnavailable,
    error_document,
)
from cardio.ledger.ledger import now
from cardio.readers.owner import OwnerState
from cardiod.counter import Counter

VITAL = frozenset({"journal", "clock", "storage"})
"""Without these nothing can be done that is worth doing; without readers or keys the counter still answers."""
CLOCK_TOLERANCE = timedelta(seconds=5)
LEAST_FREE_BYTES = 200 * 1024 * 1024
LEAST_FREE_PART = 0.05


@dataclass(frozen=True)
class Readiness:
    """What was found.

    Attributes:
        errors: By the name of the check; None where all is well.
    """

    errors: dict[str, CardioError | None]

    @property
    def down(self) -> bool:
        """Whether something vital is wrong."""
        return any(self.errors[name] is not None for name in VITAL)

    @property
    def document(self) -> dict[str, Any]:
        """As callers get it."""
        healthy = not any(self.errors.values())
        return {
            "status": "ready" if healthy else "down" if self.down else "degraded",
            "checks": {
                name: {"ok": True} if error is None else {"ok": False, **error_document(error)}
                for name, error in self.errors.items()
            },
        }


async def readiness(counter: Counter) -> Readiness:
    """Look at everything once."""
    journal = await counter.work.journal(lambda: _journal(counter))
    return Readiness({"readers": _readers(counter), "sams": _sams(counter), **journal})


def _readers(counter: Counter) -> CardioError | None:
    presence = counter.presence
    if not presence.readers:
        return ReaderUnavailable()
    poisoned = [name for name in presence.readers if presence.states.get(name) is OwnerState.POISONED]
    return ReaderPoisoned(", ".join(poisoned)) if poisoned else None


def _sams(counter: Counter) -> CardioError | None:
    return None if counter.presence.keys.sources else SamAbsent()


def _journal(counter: Counter) -> dict[str, CardioError | None]:
    ledger = counter.engine.ledger
    storage = _storage(ledger.path.parent)
    try:
        behind = ledger.freshness.behind
        newest = ledger.newest_time
    except CardioError as error:
        return {"journal": error, "clock": None, "storage": storage}
    late = newest is not None and now() < newest - CLOCK_TOLERANCE
    return {
        "journal": JournalBehind() if behind else None,
        "clock": ClockUntrusted() if late else None,
        "storage": storage,
    }


def _storage(folder: Path) -> CardioError | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        return StorageUnavailable(f"{folder}: {error.strerror}")
    low = usage.free < LEAST_FREE_BYTES or usage.free < usage.total * LEAST_FREE_PART
    return StorageLow() if low else None
