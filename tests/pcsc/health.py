"""Asks a daemon for its health again and again, in a process of its own: what else a test does must not count.

    python -m tests.pcsc.health PORT

It asks at least `LEAST` times, and until its standard input ends, then prints the seconds that each answer took as one
line of JSON.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PAUSE = 0.02
LEAST = 100


@contextmanager
def asked(port: int) -> Iterator[list[float]]:
    """Ask while the block runs; the list has the seconds of each answer afterwards, sorted."""
    probe = subprocess.Popen(
        [sys.executable, "-m", __name__, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    taken: list[float] = []
    try:
        yield taken
    finally:
        said, _ = probe.communicate(timeout=30)
    taken += sorted(json.loads(said))


def told(seconds: list[float]) -> str:
    """What `asked` found, for people."""
    median, nine_tenths = (seconds[int(len(seconds) * part)] * 1000 for part in (0.5, 0.9))
    return f"median {median:.1f} ms, 90 % within {nine_tenths:.1f} ms, longest {seconds[-1] * 1000:.0f} ms"


def main(port: int) -> None:
    """Ask until told to end."""
    ended = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    taken: list[float] = []
    while not ended.wait(PAUSE) or len(taken) < LEAST:
        begun = time.perf_counter()
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"/healthz answered {answer.status}")
        taken.append(time.perf_counter() - begun)
    print(json.dumps(taken))


if __name__ == "__main__":
    main(int(sys.argv[1]))
