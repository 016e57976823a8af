"""Runs one function again and again under the faulty disk, each time in a fresh process: forked, because starting
Python and importing the program anew for every n would be most of the time."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.faults.disk import DiskFaults


@dataclass(frozen=True)
class Outcome:
    """How a forked process ended, and what it had said."""

    status: int  # exit code, or negative the signal that killed it
    said: tuple[str, ...]


class Forks:
    """A process under the disk of `faults`, which forks itself for every call.

    Args:
        faults: The disk.
        module: What it imports before, so that the forked ones need not; the functions it calls are there.
    """

    def __init__(self, faults: DiskFaults, module: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | faults.environment(),
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def call(self, function: str, *arguments: str) -> Outcome:
        """Call a function in a forked process and wait for its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([function, *arguments]) + "\n")
        self._process.stdin.flush()
        status, *said = json.loads(self._process.stdout.readline())
        return Outcome(status, tuple(said))


def say(line: str) -> None:
    """Tell the caller something that stays told if the process is killed right after."""
    os.write(1, f"{line}\n".encode())


def _serve(module_name: str) -> None:
    module = importlib.import_module(module_name)
    for line in sys.stdin:
        function, *arguments = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(writing, 1)
            os.close(reading)
            os.close(writing)
            try:
                getattr(module, function)(*arguments)
            except BaseException:  # noqa: BLE001 - nothing may get from the forked process into this loop
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            # Not the end of an ordinary Python: what the process has open is left as a crash leaves it.
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read().splitlines()
        _, ended = os.waitpid(child, 0)
        print(json.dumps([os.waitstatus_to_exitcode(ended), *said]), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
