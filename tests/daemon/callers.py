"""What the tests of callers share: tokens, raw connections, and what a refusal looks like."""

from __future__ import annotations

import json
import socket
import sqlite3
from typing import Any

import httpx

from cardio.ledger.ledger import now
from cardiod.settings import CASHIER, hash_token
from cardiod.tokens import Token, TokenFile, new_token
from tests.daemon.conftest import HTTP, Daemon

DEBIT = {"purse": "wallet", "amount_fen": 100, "reference": "sale"}


def make_token(daemon: Daemon, name: str = "till", **changes: Any) -> str:
    """A token in the daemon's file, as `cardiod token create` makes it."""
    secret = new_token()
    values = {"name": name, "sha256": hash_token(secret), "scopes": CASHIER, "created": now(), **changes}
    TokenFile(daemon.settings.tokens_file).add(Token(**values))
    return secret


def call(
    daemon: Daemon, token: str | None, method: str = "GET", path: str = "/v1/cards", **more: Any
) -> httpx.Response:
    """A request with a token, or without."""
    given = {} if token is None else {"Authorization": f"Bearer {token}"}
    headers = {**given, **more.pop("headers", {})}
    return HTTP.request(method, daemon.url + path, headers=headers, **more)


def debit(daemon: Daemon, token: str, key: str, **changes: Any) -> httpx.Response:
    """A debit with a token."""
    body = {**DEBIT, **changes}
    return call(daemon, token, "POST", "/v1/debit", json=body, headers={"Idempotency-Key": key})


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of a refusal that moved nothing."""
    document: dict[str, Any] = answer.json()
    assert (answer.status_code, document.get("code"), document.get("status")) == (status, code, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["money"] == "none"
    assert document["title"]
    assert document["title_en"]
    return document


def clients(daemon: Daemon) -> list[str]:
    """Under which names the journal has transactions, oldest first."""
    connection = sqlite3.connect(f"file:{daemon.settings.journal}?mode=ro", uri=True)
    try:
        return [row[0] for row in connection.execute("SELECT client FROM transactions ORDER BY id")]
    finally:
        connection.close()


def connect(daemon: Daemon) -> socket.socket:
    """A bare connection to the loopback port."""
    url = httpx.URL(daemon.url)
    return socket.create_connection((url.host, url.port or 0), timeout=20)


def read_all(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """Status and problem document of an answer; the daemon has closed the connection after it."""
    with connection.makefile("rb") as stream:
        head, _, body = stream.read().partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)
