"""The daemon of the soak, as a process of its own: embedded readers, cards and host in another process.

    python -m tests.soak.daemon ADDRESS CLOCK

Everything but the readers, the host and the clock is put together as `cardiod serve` does it.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from cardio.engine.engine import Engine
from cardio.ledger.ledger import Ledger
from cardio.products.catalogue import Catalogue
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.pin_pad import VirtualPinPad
from cardiod.counter import Counter
from cardiod.listening import listeners
from cardiod.logs import configure_logging
from cardiod.service import server
from cardiod.settings import load_settings
from tests.counter import PIN
from tests.faults.remote import RemoteCard, RemoteHost
from tests.soak.clock import SimulatedClock
from tests.soak.hands import obey
from tests.soak.outside import CARDS, PAD_LANE, READERS


def main(address: str, clock_file: Path) -> None:
    """Serve until SIGTERM."""
    configure_logging()
    clock = SimulatedClock(clock_file)
    readers = {name: EmbeddedReader(name, None, VirtualPinPad(PIN) if name == PAD_LANE else None) for name in READERS}
    driver = EmbeddedDriver(readers.values())
    cards = {name: RemoteCard(address, name) for name in CARDS}
    threading.Thread(target=obey, args=(address, driver, readers, cards), name="hands", daemon=True).start()
    settings = load_settings()
    with listeners(settings) as bound:
        ledger = Ledger(settings.journal, clock)
        ledger.note_start("cardio in a soak")
        engine = Engine(ledger, Catalogue.load(), None, RemoteHost(address, "host"), clock)
        server(Counter(engine, driver), settings).serve_on(bound)
        ledger.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
