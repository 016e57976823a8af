"""`make faults`: the whole fault loop of the design's section 7, with its tally in the last line."""

from __future__ import annotations

import atexit
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack

from tests.faults.hsm_token import own_token
from tests.faults.loop import Tally, scratch
from tests.faults.matrix import loops
from tests.faults.processes import faulty_processes
from tests.faults.scenarios import scenarios

SCENARIOS = {str(scenario): scenario for scenario in scenarios()}


def run_scenario(name: str) -> tuple[str, Tally, float]:
    """All loops of one operation, in a process of its own."""
    tally, started = Tally(), time.monotonic()
    with scratch() as folder, faulty_processes(folder) as (forks, disk):
        for loop in loops(SCENARIOS[name]):
            loop.run(tally, forks, disk)
    return name, tally, time.monotonic() - started


def make_own_token() -> None:
    """A token for each worker: SoftHSM2 fails when two processes log in to one at the same time."""
    held = ExitStack()
    folder = held.enter_context(scratch())
    held.enter_context(own_token(folder))
    atexit.register(held.close)


def main() -> int:
    """Run everything, one operation to a processor; 0 if nothing was lost, doubled or left unresolved."""
    wanted = [name for name in SCENARIOS if not sys.argv[1:] or any(part in name for part in sys.argv[1:])]
    whole = Tally()
    with ProcessPoolExecutor(os.cpu_count(), initializer=make_own_token) as pool:
        running = [pool.submit(run_scenario, name) for name in wanted]
        for done, future in enumerate(as_completed(running), 1):
            name, tally, seconds = future.result()
            whole.merge(tally)
            print(f"{done:3} of {len(wanted)}  {name:28} {tally}  ({seconds:.0f} s)", flush=True)
    for failure in whole.failures:
        print(failure)
    print(whole)
    return 1 if whole.failures else 0


if __name__ == "__main__":
    sys.exit(main())
