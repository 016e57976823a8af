"""What runs in the bureau's own process, which is killed; called by `tests.faults.forks` in a forked process."""

from __future__ import annotations

from pathlib import Path

from tests.faults.remote import RemoteCard, say_ready
from tests.personalize.interruptions import LAYOUTS
from tests.personalize.workshop import Workshop

WORKSHOP = Workshop(*LAYOUTS[0])


def make(address: str, folder: str) -> None:
    """Open the register and make the card, or go on with it.

    Args:
        address: Where the card is.
        folder: Where the register is.
    """
    say_ready(address)
    with WORKSHOP.register(Path(folder)) as register:
        WORKSHOP.make(RemoteCard(address, "card"), register)
