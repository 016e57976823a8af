"""Cards that are pulled out in the instant between being seen and being powered: the caller goes on waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from cardio.transport.channel import Channel
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.cards import citizen_card
from tests.counter import eventually
from tests.daemon.conftest import Bench, Daemon, running_daemon
from tests.daemon.sales import debit, read, settle


class SnatchingReader(EmbeddedReader):
    """A reader whose card is pulled out, once, in the instant before it gets power.

    Attributes:
        snatched: The card, as soon as that has happened.
    """

    snatching = False
    snatched: Any = None

    def connect(self) -> Channel:
        """Power the card that is there."""
        if self.snatching:
            self.snatching = False
            self.snatched = self.remove()
        return super().connect()


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Daemon]:
    """A counter whose citizen card is snatched away from the next call."""
    reader = SnatchingReader("citizen", citizen_card(balance_fen=10000))
    with running_daemon(tmp_path, bench=Bench(citizen=reader)) as daemon:
        eventually(lambda: "citizen" in daemon.cards)
        yield daemon


def put_back_while(daemon: Daemon, ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer to a question whose card is snatched away, and put in again when the daemon has seen it go."""
    reader = daemon.citizen
    assert isinstance(reader, SnatchingReader)
    reader.snatching = True
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(ask)
        eventually(lambda: reader.snatched is not None)
        eventually(lambda: "citizen" not in daemon.cards)
        reader.insert(reader.snatched)
        return answer.result()


def test_a_debit_waits_on(counter: Daemon) -> None:
    answer = put_back_while(counter, lambda: debit(counter, reader="citizen", wait_s=30))
    assert (answer.status_code, answer.json()["balance_after_fen"]) == (201, 10000 - 1234)


def test_a_settlement_waits_on(counter: Daemon) -> None:
    answer = put_back_while(counter, lambda: settle(counter, pin="123456", wait_s=30))
    assert (answer.status_code, answer.json()["state"]) == (201, "completed")


def test_a_reading_waits_on(counter: Daemon) -> None:
    answer = put_back_while(counter, lambda: read(counter, "wallet", reader="citizen", wait_s=30))
    assert answer.status_code == 200
    assert answer.json()["groups"]["wallet"]["data"]["balance_fen"] == 10000


def test_who_waits_no_longer_is_told_that_there_is_no_card(counter: Daemon) -> None:
    reader = counter.citizen
    assert isinstance(reader, SnatchingReader)
    reader.snatching = True
    answer = debit(counter, reader="citizen", wait_s=0)
    assert (answer.status_code, answer.json()["code"], answer.json()["money"]) == (409, "card.absent", "none")
