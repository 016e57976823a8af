"""What whoever watches the counter is told beyond the journal: that a card is awaited, and why nothing was begun."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.counter import eventually
from tests.daemon.conftest import TOKEN, Daemon
from tests.daemon.sales import debit, settle


def told(daemon: Daemon, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
    """Events of some kinds, with what they say."""
    events = daemon.http("GET", "/v1/events?after=0").json()["events"]
    return [(event["type"], event["data"]) for event in events if event["type"] in kinds]


def begun(daemon: Daemon, kind: str) -> str:
    """Id of the newest transaction or settlement."""
    return str(daemon.http("GET", f"/v1/{kind}s").json()[f"{kind}s"][0]["id"])


def test_a_debit_tells_that_it_waits_and_why_it_gave_up(daemon: Daemon) -> None:
    daemon.take_citizen_out()
    daemon.social.remove()
    assert debit(daemon, wait_s=0.1).status_code == 409
    assert told(daemon, "transaction.waiting", "transaction.refused") == [
        ("transaction.waiting", {"purse": "wallet"}),
        ("transaction.refused", {"error": "card.absent"}),
    ]
    events = daemon.http("GET", "/v1/events?after=0").json()["events"]
    about = {event["transaction"] for event in events if event["type"].startswith("transaction.")}
    assert about == {begun(daemon, "transaction")}


def test_a_refusal_by_the_card_before_anything_could_move_is_told(daemon: Daemon) -> None:
    assert debit(daemon, amount_fen=100001).json()["code"] == "amount.limit"
    assert told(daemon, "transaction.refused") == [("transaction.refused", {"error": "amount.limit"})]


def test_a_debit_whose_card_is_there_is_told_by_the_journal_alone(daemon: Daemon) -> None:
    assert daemon.http("POST", "/v1/cards/wait", json={"purse": "wallet"}).status_code == 200
    assert debit(daemon).status_code == 201
    assert told(daemon, "transaction.waiting", "transaction.refused") == []


def test_a_settlement_tells_which_purse_it_waits_for(daemon: Daemon) -> None:
    card = daemon.take_citizen_out()
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(settle, daemon, pin="123456", wait_s=30)
        eventually(lambda: told(daemon, "settlement.waiting") == [("settlement.waiting", {"purse": "wallet"})])
        daemon.citizen.insert(card)
        assert answer.result().status_code == 201
    assert told(daemon, "settlement.refused") == []


def test_a_wallet_that_does_not_come_to_a_settlement_is_told_though_the_answer_is_202(daemon: Daemon) -> None:
    daemon.take_citizen_out()
    assert settle(daemon, pin="123456", wait_s=0.5).status_code == 202
    assert told(daemon, "settlement.refused") == [("settlement.refused", {"error": "operation.unsupported"})]


@pytest.fixture
def stream(daemon: Daemon) -> Iterator[Iterator[str]]:
    """The lines of an event stream that has just been opened."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        httpx.Client(trust_env=False, timeout=30) as client,
        client.stream("GET", f"{daemon.url}/v1/events", headers=headers) as answer,
    ):
        yield answer.iter_lines()


def test_nothing_is_lost_between_the_snapshot_and_the_stream(daemon: Daemon, stream: Iterator[str]) -> None:
    assert next(stream) == "event: snapshot"
    last = json.loads(next(stream).removeprefix("data: "))["last"]
    assert debit(daemon).status_code == 201
    ids = []
    for line in stream:
        if line.startswith("id: "):
            ids.append(int(line.removeprefix("id: ")))
        if line == "event: transaction.completed":
            break
    missed = daemon.http("GET", f"/v1/events?after={last}").json()["events"]
    assert ids == [event["id"] for event in missed][: len(ids)]


def test_products_are_named_for_people(daemon: Daemon) -> None:
    products = {one["id"]: one for one in daemon.http("GET", "/v1/products").json()["products"]}
    assert products["citizen-wallet"] == {"id": "citizen-wallet", "zh": "市民卡电子钱包", "en": "citizen card wallet"}
    card = next(card for card in daemon.http("GET", "/v1/cards").json()["cards"] if card["reader"] == "social")
    assert set(card["products"]) <= set(products)
