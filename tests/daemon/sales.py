"""What a cashier's program does all day, and how it comes to the states that are rarer."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx

from cardio.virtual.card import Moment, VirtualCard
from tests.counter import tear
from tests.daemon.conftest import Daemon

DEBIT = {"purse": "wallet", "amount_fen": 1234, "reference": "sale"}
BILL = {"total_fen": 10000, "fund_fen": 6000, "account_fen": 2500, "self_pay_fen": 1500}
SETTLE = {"bill": BILL, "tender": "wallet", "reference": "bill"}
_keys = count(1)


def new_key() -> str:
    """A key that was never used."""
    return f"key-{next(_keys)}"


def money(daemon: Daemon, path: str, body: dict[str, Any], key: str | None = None) -> httpx.Response:
    """A money request below `/v1`; without a key it is refused."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return daemon.http("POST", f"/v1/{path}", json=body, headers=headers)


def debit(daemon: Daemon, key: str | None = "k", **changes: Any) -> httpx.Response:
    """A debit of the wallet."""
    return money(daemon, "debit", {**DEBIT, **changes}, key)


def settle(daemon: Daemon, key: str | None = "s", **changes: Any) -> httpx.Response:
    """The settlement of a bill."""
    return money(daemon, "settle", {**SETTLE, **changes}, key)


def read(daemon: Daemon, *fields: str, **changes: Any) -> httpx.Response:
    """A reading."""
    body = {"purpose": "test", "fields": list(fields), "wait_s": 0, **changes}
    return daemon.http("POST", "/v1/read", json=body)


def sold(daemon: Daemon, **changes: Any) -> dict[str, Any]:
    """A completed debit of the card in the citizen reader."""
    answer = debit(daemon, new_key(), reader="citizen", **changes)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def settled(daemon: Daemon, **changes: Any) -> dict[str, Any]:
    """A completed settlement."""
    answer = settle(daemon, new_key(), **changes)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def accepted(daemon: Daemon, key: str | None = None, **changes: Any) -> str:
    """Id of a debit for which no card came; the reader is empty afterwards."""
    daemon.empty_citizen()
    key = key or new_key()
    assert debit(daemon, key, reader="citizen", wait_s=0, **changes).json()["code"] == "card.absent"
    return begun_by(daemon, key)


def begun_by(daemon: Daemon, key: str, kind: str = "transactions") -> str:
    """Id of what a key began."""
    (found,) = daemon.http("GET", f"/v1/{kind}", params={"idempotency_key": key}).json()[kind]
    return str(found["id"])


def torn(daemon: Daemon, moment: Moment = Moment.AFTER_COMMIT, key: str | None = None) -> tuple[str, VirtualCard]:
    """Id of an uncertain debit, and the card that was torn out of the reader."""
    card: Any = daemon.citizen.card
    tear(card, moment)
    answer = debit(daemon, key or new_key(), reader="citizen")
    assert (answer.status_code, answer.json()["state"]) == (202, "uncertain"), answer.text
    return answer.json()["id"], card
