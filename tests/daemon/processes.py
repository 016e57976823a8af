"""`cardiod serve` as a process of its own, as systemd would start it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.counter import eventually

CARDIOD = Path(sys.executable).with_name("cardiod")
PATIENCE = 60.0

# $1 descriptor to hand over as systemd does, $2 whom it is meant for, $3... the program.
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=sys.argv[2] or str(os.getpid()))
os.execv(sys.argv[3], sys.argv[3:])
"""


@contextmanager
def serving(
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    arguments: Sequence[str] = (),
    inherited: socket.socket | None = None,
    meant_for: str = "",
) -> Iterator[subprocess.Popen[str]]:
    """A daemon with its journal in `folder`, on any free port; ended with SIGTERM if it still runs.

    Args:
        folder: Where its files are.
        environment: More variables.
        arguments: Of the command.
        inherited: Socket that it is started with.
        meant_for: Process that the socket is for; the daemon itself if empty.
    """
    command = [str(CARDIOD), "serve", *arguments]
    if inherited is not None:
        command = [sys.executable, "-c", HAND_OVER, str(inherited.fileno()), meant_for, *command]
    given = {"CARDIO_PORT": "0", "CARDIO_JOURNAL": str(folder / "journal.db"), "CARDIO_SOCKET": str(folder / "socket")}
    process = subprocess.Popen(
        command,
        env={**os.environ, **given, **(environment or {})},
        pass_fds=() if inherited is None else (inherited.fileno(),),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        _, said = process.communicate(timeout=PATIENCE)
        sys.stderr.write(said)


def get(path: Path, resource: str = "/healthz") -> httpx.Response:
    """A question on a Unix socket; its owner's, so that no token is needed."""
    return _request(path, "GET", resource)


def post(path: Path, resource: str, body: Any, key: str) -> httpx.Response:
    """A money operation on a Unix socket, when the daemon is there."""
    wait_until_it_listens(path)
    return _request(path, "POST", resource, json=body, headers={"Idempotency-Key": key})


def _request(path: Path, method: str, resource: str, **more: Any) -> httpx.Response:
    transport = httpx.HTTPTransport(uds=str(path))
    with httpx.Client(transport=transport, base_url="http://cardio", timeout=PATIENCE) as client:
        return client.request(method, resource, **more)


def wait_until_it_listens(path: Path) -> None:
    """Wait for a daemon that tells nobody that it is ready."""

    def connects() -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(path)) == 0

    eventually(connects, PATIENCE)
