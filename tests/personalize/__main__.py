"""Part of `make faults`: every interruption at every place of every product's personalization."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.personalize.interruptions import loops, whole_loop


def run(number: int) -> tuple[str, int, str, float]:
    """One loop, in a process of its own: its name, its places, what was wrong, and seconds."""
    loop, started = loops()[number], time.monotonic()
    try:
        places, wrong = whole_loop(loop), ""
    except AssertionError as error:
        places, wrong = 0, str(error)
    return str(loop), places, wrong, time.monotonic() - started


def main() -> int:
    """Run everything; 0 if every card was finished as it should be."""
    wanted = [
        n for n, loop in enumerate(loops()) if not sys.argv[1:] or any(part in str(loop) for part in sys.argv[1:])
    ]
    cases, failures = 0, 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for done, future in enumerate(as_completed([pool.submit(run, n) for n in wanted]), 1):
            name, places, wrong, seconds = future.result()
            cases, failures = cases + places, failures + bool(wrong)
            print(f"{done:3} of {len(wanted)}  {name:66} {wrong or f'{places} places'}  ({seconds:.0f} s)", flush=True)
    print(f"{cases} interrupted personalizations, {failures} loops ended wrong")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
