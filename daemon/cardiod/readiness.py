"""Whether the counter can take money: readers, keys, journal, clock, storage, each with its own word (OPS §4.13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cardio.errors import (
    CardioError,
    JournalBehind,
    ReaderPoisoned,
    ReaderUnavailable,
    SamAbsent,
    error_document,
)
from cardio.readers.owner import OwnerState
from cardiod.counter import Counter

VITAL = frozenset({"journal", "clock", "storage"})
"""Without these nothing can be done that is worth doing; without readers or keys the counter still answers."""


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
    try:
        behind = ledger.freshness.behind
    except CardioError as error:
        return {"journal": error, "clock": None, "storage": _refusal(ledger.admission.check_storage)}
    return {
        "journal": JournalBehind() if behind else None,
        "clock": _refusal(ledger.admission.check_clock),
        "storage": _refusal(ledger.admission.check_storage),
    }


def _refusal(check: Callable[[], None]) -> CardioError | None:
    """Why the journal would take nothing new."""
    try:
        check()
    except CardioError as error:
        return error
    return None
