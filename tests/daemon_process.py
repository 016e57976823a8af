"""A daemon as a process of its own, over HTTP and with signals."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from cardiod.settings import hash_token

TOKEN = "a token of the tests"
SERVE = (str(Path(sys.executable).with_name("cardiod")), "serve")
START_PATIENCE = 60.0
STOP_PATIENCE = 30.0
ANSWER_PATIENCE = 60.0
MANY = httpx.Limits(max_connections=200, max_keepalive_connections=200)


class DaemonProcess:
    """A daemon that is started, asked, killed and started again.

    Args:
        folder: Where its journal and its log are.
        port: Its port.
        command: The program; `cardiod serve` as it is installed, or one that puts the same parts together for a test.
        environment: Variables beside ours.
        token: Its bearer token.

    Attributes:
        port: Its port.
        url: Its address.
        journal: File of the journal.
        log: What it printed; of all its starts.
        http: With the token, below the daemon's address; for any number of threads.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        command: Sequence[str] = SERVE,
        environment: Mapping[str, str] | None = None,
        token: str = TOKEN,
    ) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.journal = folder / "journal.db"
        self.log = folder / "log"
        self._command = command
        self._environment = {
            **os.environ,
            "CARDIO_PORT": str(port),
            "CARDIO_JOURNAL": str(self.journal),
            "CARDIO_TOKEN_SHA256": hash_token(token),
            "CARDIO_SOCKET": "",
            **(environment or {}),
        }
        self.http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=ANSWER_PATIENCE,
            limits=MANY,
        )
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)
        deadline = time.monotonic() + START_PATIENCE
        while True:
            try:
                self.http.get("/healthz")
            except httpx.HTTPError:
                assert time.monotonic() < deadline, "the daemon does not start"
                assert self.process.poll() is None, f"the daemon ended: {self.log.read_text()[-2000:]}"
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End it as a power loss would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """End it politely; its exit code."""
        self.process.terminate()
        return self.process.wait(STOP_PATIENCE)

    def post(
        self, path: str, body: dict[str, Any], key: str | None = None, timeout: float = ANSWER_PATIENCE
    ) -> httpx.Response:
        """POST below `/v1`."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.http.post(f"/v1/{path}", json=body, headers=headers, timeout=timeout)

    def get(self, path: str) -> dict[str, Any]:
        """GET below `/v1`."""
        return dict(self.http.get(f"/v1/{path}").json())

    def rows(self) -> list[tuple[str, str]]:
        """Id and state of every transaction, from the file."""
        return self._select("SELECT id, state FROM transactions")

    def requests(self) -> list[tuple[str, str]]:
        """Key and subject of every request that was written down, from the file."""
        return self._select("SELECT key, subject FROM requests")

    def _select(self, query: str) -> list[tuple[str, str]]:
        connection = sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


@contextmanager
def running(
    folder: Path,
    command: Sequence[str] = SERVE,
    environment: Mapping[str, str] | None = None,
    token: str = TOKEN,
) -> Iterator[DaemonProcess]:
    """A daemon on a free port, stopped at the end if it still runs; arguments as of `DaemonProcess`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    daemon = DaemonProcess(folder, port, command, environment, token)
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.stop()
        daemon.http.close()
