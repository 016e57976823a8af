"""`make bureau`: 1 000 cards on four virtual readers, the program killed twice on the way; its figures come last."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from cardio.products.catalogue import Catalogue
from tests.bureau.account import account
from tests.bureau.run import READERS, run

GROWTH = 1.1
"""Most that the memory of the last tenth may be, in parts of that of the second."""


def main() -> int:
    """Make the cards; 0 if every card is accounted for and the program's memory did not grow."""
    parser = argparse.ArgumentParser(prog="python -m tests.bureau", description=__doc__)
    parser.add_argument("--cards", type=int, default=1000)
    parser.add_argument("--product", default="citizen-wallet")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fast", action="store_true", help="cards take no time but their program's")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cardio-bureau-") as folder:
        made = run(Path(folder), Catalogue.load()[asked.product], asked.cards, seed=asked.seed, timed=not asked.fast)
        found = account(made)
    failures = found.failures
    if made.memory.growth > GROWTH:
        failures.append(f"memory grew; {GROWTH} is allowed")
    for failure in failures:
        print(failure)
    print("RSS by tenths, MiB:", " ".join(f"{tenth:.1f}" for tenth in made.memory.tenths))
    print(f"{found.outside:.1%} of the time from taking a card to finishing it was spent outside of the card")
    print(f"{READERS} readers, {found.told(made)}, {made.memory.told}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
