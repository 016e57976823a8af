"""`make soak`: 24 simulated hours of a busy counter with faults; its figures are in the last line."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.soak.day import GROWTH, live


def main() -> int:
    """Live through the day; 0 if the books balance and the daemon's memory did not grow."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--transactions", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cardio-soak-") as folder:
        lived = live(Path(folder), asked.transactions, asked.seed)
        books = lived.books()
    failures = books.failures
    if lived.memory.growth > GROWTH:
        failures.append(f"memory grew to {lived.memory.growth:.3f} of what it was; {GROWTH} is allowed")
    print(f"{lived.seconds:.0f} s; charged {books.charged_fen} fen, loaded {books.loaded_fen} fen")
    print("RSS by tenths, MiB:", " ".join(f"{tenth:.1f}" for tenth in lived.memory.tenths))
    for failure in failures:
        print(failure)
    print(f"{lived.told(books)}, {lived.memory.told}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
