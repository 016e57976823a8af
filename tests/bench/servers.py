"""HTTP services in processes of their own, and a caller that adds little time of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from cardiod.settings import hash_token

TOKEN = "bench"
SECRETS = {"CARDIO_TOKEN_SHA256": hash_token(TOKEN), "CARDIO_SOCKET": "", "CARDIO_RATE_PER_S": "1000000"}
"""No till calls as often as we do."""
PATIENCE = 30.0
POLL = 0.002


class Caller:
    """One connection to a service.

    Args:
        port: Its port on loopback.
    """

    def __init__(self, port: int) -> None:
        self._http = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def get(self, path: str) -> Any:
        """The JSON document at a path.

        Raises:
            RuntimeError: The service refuses.
        """
        return self._ask("GET", path, None, {})

    def debit(self, reader: str, key: str) -> None:
        """One fen from the wallet in a reader.

        Raises:
            RuntimeError: It was not debited.
        """
        body = {"purse": "wallet", "amount_fen": 1, "reference": "bench", "reader": reader, "wait_s": 20}
        self._ask("POST", "/v1/debit", json.dumps(body), {"Idempotency-Key": key})

    def wait_for_cards(self, readers: Collection[str], sams: int) -> None:
        """Until the cards in these readers are known, and so many PSAMs are in service.

        Raises:
            RuntimeError: They are not in time.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            known = {card["reader"] for card in self.get("/v1/cards")["cards"] if card["identified"]}
            if known.issuperset(readers) and len(self.get("/v1/sams")["sams"]) >= sams:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"the daemon knows no more cards than {sorted(known)}")
            time.sleep(POLL)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Any:
        known = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        self._http.request(method, path, body, {**known, **headers})
        answer = self._http.getresponse()
        content = answer.read()
        if answer.status not in {200, 201}:
            raise RuntimeError(f"{method} {path}: {answer.status} {content.decode()}")
        return json.loads(content)


class Service:
    """A process that serves HTTP.

    Args:
        command: What to run.
        port: Where it will listen.
        environment: Variables besides ours.

    Attributes:
        started_in: Seconds from the start of the process to its first answer.
    """

    def __init__(self, command: Sequence[str | Path], port: int, environment: Mapping[str, str]) -> None:
        self.port = port
        begin = time.perf_counter()
        self._process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        while not self._lives():
            if self._process.poll() is not None or time.perf_counter() - begin > PATIENCE:
                raise RuntimeError(f"{command} does not serve: {self.stop()}")
            time.sleep(POLL)
        self.started_in = time.perf_counter() - begin

    def resident_bytes(self) -> int:
        """Memory that the process has now."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("the process is gone")

    def stop(self) -> str:
        """End it; what it wrote to standard error."""
        self._process.terminate()
        return self._process.communicate()[1].decode()

    def _lives(self) -> bool:
        caller = Caller(self.port)
        try:
            with suppress(OSError, HTTPException):
                return bool(caller.get("/healthz"))
            return False
        finally:
            caller.close()


@contextmanager
def service(command: Sequence[str | Path], port: int, **environment: str) -> Iterator[Service]:
    """A service that runs until the end of the block, with variables of the environment besides ours."""
    running = Service(command, port, environment)
    try:
        yield running
    finally:
        running.stop()


def bare_command(port: int) -> list[str]:
    """The peer of the daemon."""
    return [sys.executable, "-m", "uvicorn", "tests.bench.bare:app", "--port", str(port), "--log-level", "error"]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
