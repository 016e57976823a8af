"""Destroys personal data when their time is over, once a day (T-17)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from cardio.errors import StoreError
from cardio.ledger.ledger import Ledger
from cardio.ledger.privacy import Retention

DAY = 86400.0
RETRY = 600.0
"""Seconds until the next try after one that failed: somebody reads the journal, or the disk is full."""

log = structlog.get_logger("cardiod.retention")


@contextmanager
def retained(ledger: Ledger, retention: Retention) -> Iterator[None]:
    """Destroy what is due now and every day until the block ends."""
    ended = threading.Event()

    def work() -> None:
        pause = 0.0
        while not ended.wait(pause):
            pause = DAY if _apply(ledger, retention) else RETRY

    thread = threading.Thread(target=work, name="retention")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _apply(ledger: Ledger, retention: Retention) -> bool:
    """Destroy what is due; return whether all of it could be."""
    try:
        count = ledger.privacy.apply(retention)
    except (StoreError, OSError) as error:
        log.warning("personal data are still to be destroyed", code=getattr(error, "code", type(error).__name__))
        return False
    if count:
        log.info("personal data destroyed", transactions=count)
    return True
