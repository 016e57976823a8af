"""A canary: a known PIN, ID number and name go through every operation, and none of them is left behind (OPS §4.8)."""

from __future__ import annotations

from typing import Any

import pytest
import structlog

from cardio.virtual.card import Moment
from cardio.virtual.cards import PERSON_A
from cardiod.service import configure_logging
from tests.counter import tear
from tests.daemon.conftest import Daemon, StartDaemon
from tests.daemon.sales import BILL, debit, read, settle

PIN = "123456"


def work(daemon: Daemon) -> None:
    """Everything that the API can do, refusals and a torn card included."""
    read(daemon, "card", "holder", "medical", "medical_log", reader="social", pin=PIN)
    read(daemon, "card", "wallet", "wallet_log", reader="citizen", pin=PIN)
    debit(daemon)
    settle(daemon, pin=PIN)
    settle(daemon, key="wrong", pin="654321")
    settle(daemon, key="bad", pin=PIN, colour="red")
    settle(daemon, key="uneven", pin=PIN, bill={**BILL, "total_fen": 1})
    card: Any = daemon.social.card
    tear(card, Moment.AFTER_COMMIT)
    settle(daemon, key="torn", pin=PIN)
    daemon.social.insert(card)
    settle(daemon, key="torn", pin=PIN)
    for path in ("/v1/cards", "/v1/readers", "/healthz"):
        daemon.http("GET", path)


@pytest.mark.parametrize(
    "canary",
    [PERSON_A.name, PERSON_A.number, PIN, PERSON_A.born.first.strftime("%Y%m%d")],
    ids=["name", "number", "pin", "birth"],
)
def test_neither_journal_nor_log_holds_what_it_has_no_business_with(
    start_daemon: StartDaemon, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest, canary: str
) -> None:
    configure_logging()
    request.addfinalizer(structlog.reset_defaults)
    daemon = start_daemon()
    work(daemon)
    captured = capfd.readouterr()
    assert "card inserted" in captured.err
    written = {"log": (captured.out + captured.err).encode()}
    for file in daemon.settings.journal.parent.iterdir():
        written[file.name] = file.read_bytes()
    assert len(written["journal.db-wal"]) + len(written["journal.db"]) > 10000
    for name, content in written.items():
        for encoding in ("utf-8", "gbk"):
            assert canary.encode(encoding) not in content, name
        if canary.isdecimal():
            assert bytes.fromhex(canary + "0" * (len(canary) % 2)) not in content, name
