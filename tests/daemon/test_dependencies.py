"""What routes ask for runs in the event loop: nothing of ours goes through FastAPI's pool of threads."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.daemon.conftest import Daemon


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/readers", None),
        ("GET", "/v1/transactions", None),
        ("GET", "/metrics", None),
        ("POST", "/v1/logins", {"code": "unknown"}),
        ("POST", "/v1/debit", {"purse": "wallet", "amount_fen": 1, "reference": "sale"}),
    ],
)
def test_no_request_needs_a_thread_of_the_pool(daemon: Daemon, method: str, path: str, body: Any) -> None:
    """`Rates` and `Spending` are for the loop's thread alone, and a hop into the pool takes longer than they do."""
    before = set(threading.enumerate())
    daemon.http(method, path, json=body, headers={"Idempotency-Key": "k"})
    assert [new.name for new in set(threading.enumerate()) - before if new.name.startswith("AnyIO")] == []
