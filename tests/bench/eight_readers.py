"""A daemon on eight readers whose cards and PSAMs take the time of real ones; run as a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, psam
from cardio.virtual.timing import PSAM_CHIP, USER_CHIP, Contact, Contactless, TimingModel
from cardiod.listening import listeners
from cardiod.logs import configure_logging
from cardiod.service import counter_on, server
from cardiod.settings import load_settings

READERS = tuple(f"reader {number}" for number in range(8))
SAMS = tuple(f"sam {number}" for number in range(8))
"""One for each reader, so that no card waits for another's: the most that eight readers can ask of the daemon."""
SERIALS = tuple(f"0000860000000000{number:04d}" for number in range(len(READERS)))
TERMINALS = tuple(bytes.fromhex(f"9999990000{number:02d}") for number in range(len(SAMS)))
FAST_PSAM = 38400
"""Baud (EW §6.1, step 0)."""


def slow(card: VirtualCard, wire: Contact | Contactless) -> VirtualCard:
    """The same card, taking its time."""
    card.timing = TimingModel(wire, PSAM_CHIP if isinstance(wire, Contact) else USER_CHIP, sleep=True)
    return card


def main(journal: Path, port: int) -> None:
    """Serve until a signal comes."""
    configure_logging("error")
    cards = [slow(citizen_card(serial=serial, balance_fen=1_000_000), Contactless(106)) for serial in SERIALS]
    sams = [slow(psam(terminal=terminal), Contact(FAST_PSAM)) for terminal in TERMINALS]
    driver = EmbeddedDriver(map(EmbeddedReader, READERS + SAMS, cards + sams))
    settings = load_settings().model_copy(update={"journal": journal, "port": port})
    with listeners(settings) as bound, counter_on(driver, settings) as counter:
        server(counter, settings).serve_on(bound)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
