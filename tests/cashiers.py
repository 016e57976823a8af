"""Cashier programs that ask for each sale under its key until they know its end, each in a thread of its own."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from cardio.ledger.model import State
from tests.daemon_process import DaemonProcess

PATIENCE = 60.0
"""Seconds until a cashier must know the end of a request, whatever happens meanwhile."""
PAUSE = 0.2
"""Seconds before a cashier asks again, if nothing else is said."""


@dataclass
class Told:
    """What a cashier was told at last about a request.

    Attributes:
        amount_fen: What was to be paid.
        document: The transaction or settlement in its final state.
        answers: How often the daemon gave an answer that was not the end.
    """

    amount_fen: int
    document: dict[str, Any]
    answers: int

    @property
    def completed(self) -> bool:
        """Whether it was paid."""
        return bool(self.document["state"] == State.COMPLETED)


def _pause() -> None:
    time.sleep(PAUSE)


def ask_until_final(
    daemon: DaemonProcess, path: str, body: dict[str, Any], key: str, again: Callable[[], None] = _pause
) -> Told:
    """Ask under one key until the answer is an end.

    Args:
        daemon: The daemon.
        path: Below `/v1`.
        body: The request; its `amount_fen` is kept, or 0 if it has none.
        key: Its Idempotency-Key.
        again: What the cashier does before asking again.
    """
    deadline = time.monotonic() + PATIENCE
    answers = 0
    while (document := story_of(answer := daemon.post(path, body, key))) is None:
        answers += 1
        assert time.monotonic() < deadline, f"{key} has no end after {answers} answers, at last {answer.text}"
        again()
    return Told(body.get("amount_fen", 0), document, answers)


def story_of(answer: httpx.Response) -> dict[str, Any] | None:
    """The final document of an answer, a refusal's included; None if the same key must be asked again."""
    document: dict[str, Any] = answer.json()
    if answer.is_error:
        document = document.get("transaction") or document.get("settlement") or {}
    return document if State(document.get("state", State.ACCEPTED)).final else None


@dataclass
class Cashier:
    """Sells on one reader, sale after sale, until it is told to stop.

    Attributes:
        daemon: The daemon.
        name: Beginning of its keys.
        reader: Where its customers put their cards.
        told: What it was told, by key.
    """

    daemon: DaemonProcess
    name: str
    reader: str
    told: dict[str, Told] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._closing = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=self.name)
        self._thread.start()

    def close(self) -> None:
        """Finish the sale at hand, and stop.

        Raises:
            BaseException: What went wrong on the way.
        """
        self._closing.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._sell()
        except BaseException as failure:  # noqa: BLE001 - it belongs to whoever closes the till
            self._failure = failure

    def _sell(self) -> None:
        chance = random.Random(self.name)  # noqa: S311 - the same amounts every time
        while not self._closing.is_set():
            key = f"{self.name}-{len(self.told)}"
            body = {"purse": "wallet", "amount_fen": chance.randrange(1, 1000), "reference": key}
            self.told[key] = ask_until_final(self.daemon, "debit", {**body, "reader": self.reader, "wait_s": 3}, key)
