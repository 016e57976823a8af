"""Events: nothing is missed, nothing comes twice, nothing tells of a person."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.cards import PERSON_A, citizen_card
from cardiod.api import events as events_api
from cardiod.settings import Scope
from tests.counter import eventually
from tests.daemon.callers import call, make_token, refused
from tests.daemon.conftest import PIN, TOKEN, Bench, Daemon, StartDaemon, running_daemon
from tests.daemon.listening import kinds, listening, snapshot, until
from tests.daemon.sales import debit, new_key, read, settled, sold, torn

SALE = ["transaction.accepted", "transaction.armed", "transaction.completed"]


def poll(daemon: Daemon, after: int, **more: Any) -> dict[str, Any]:
    answer = daemon.http("GET", "/v1/events", params={"after": after, **more})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def now_at(daemon: Daemon) -> int:
    """Id of the newest event."""
    return int(poll(daemon, 2**53 - 1)["next"])


# ---- the stream ----------------------------------------------------------------------------------------------


def test_a_stream_begins_with_what_is_there(shared: Daemon) -> None:
    with listening(shared) as stream:
        found = snapshot(stream)
    assert {card["reader"]: card for card in found["cards"]} == shared.cards
    assert (found["readers"], found["sams"]) == (["citizen", "social"], ["sam"])
    assert found["uncertain"] == shared.http("GET", "/v1/status").json()["uncertain"]
    assert found["last"] == now_at(shared)


def test_a_card_that_lies_there_at_the_start_is_in_the_first_snapshot(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    with listening(daemon) as stream:
        found = snapshot(stream)
        known = {card["reader"] for card in found["cards"]}
        for event in poll(daemon, found["last"])["events"]:
            if event["type"] == "card.inserted":
                known.add(event["reader"])
    assert known >= {"citizen", "social"}


def test_a_sale_is_told_in_its_order_once_it_is_on_disk(shared: Daemon) -> None:
    with listening(shared) as stream:
        last = snapshot(stream)["last"]
        sale = sold(shared)
        told = until(stream, "transaction.completed")
    assert kinds(told) == SALE
    assert {event["transaction"] for event in told} == {sale["id"]}
    ids = [event["id"] for event in told]
    assert ids == sorted(ids)
    assert ids[0] > last
    assert told[-1]["data"] == {
        "purse": "wallet",
        "operation": "purchase",
        "amount_fen": 1234,
        "recovered": False,
        "mac2": "ok",
    }
    rows = shared.http("GET", "/v1/journal", params={"after": told[0]["id"] // 2**20 - 1}).json()["rows"]
    assert [row["kind"] for row in rows[:3]] == SALE


def test_cards_and_readers_are_told_as_they_come_and_go(shared: Daemon) -> None:
    card: Any = shared.citizen.card
    handle = shared.cards["citizen"]["handle"]
    with listening(shared) as stream:
        snapshot(stream)
        shared.citizen.remove()
        (removed,) = until(stream, "card.removed")
        (again,) = shared.put_in((shared.citizen, card))
        inserted, identified = until(stream, "card.identified")
        assert (removed["reader"], removed["card"]) == ("citizen", handle)
        assert [(event["type"], event["card"]) for event in (inserted, identified)] == [
            ("card.inserted", again),
            ("card.identified", again),
        ]
        shared.http("DELETE", f"/v1/cards/{again}")
        (released,) = until(stream, "card.released")
        assert released["card"] == again
        shared.http("POST", "/v1/readers/citizen/reset", json={})
        assert kinds(until(stream, "card.identified")) == ["card.removed", "card.inserted", "card.identified"]
        shared.bench.driver.plug(EmbeddedReader("another", citizen_card(serial=f"{5:020}")))
        assert kinds(until(stream, "card.identified")) == ["reader.attached", "card.inserted", "card.identified"]
        shared.bench.driver.unplug("another")
        assert kinds(until(stream, "reader.detached")) == ["card.removed", "reader.detached"]
        sam: Any = shared.sam.remove()
        (missing,) = until(stream, "sam.missing")
        assert missing["data"] == {"terminal_number": "999999000001"}
        shared.sam.insert(sam)
        assert kinds(until(stream, "sam.ok")) == ["card.inserted", "sam.ok"]


def test_refusals_and_bad_cards_are_told(shared: Daemon) -> None:
    with listening(shared) as stream:
        snapshot(stream)
        debit(shared, new_key(), amount_fen=99999, reader="citizen")
        told = until(stream, "transaction.declined")
        assert told[-1]["data"]["error"] == "funds.insufficient"
        shared.http("POST", "/v1/shifts", json={"operator": new_key(), "lane": "A"})
        (opened,) = until(stream, "shift.opened")
        assert opened["data"] == {"lane": "A"}


def test_many_subscribers_get_the_same(shared: Daemon) -> None:
    with ExitStack() as stack:
        streams = [stack.enter_context(listening(shared)) for _ in range(40)]
        for stream in streams:
            snapshot(stream)
        sold(shared)
        card: Any = shared.citizen.card
        shared.put_in((shared.citizen, card))
        told = [until(stream, "card.identified") for stream in streams]
    assert kinds(told[0]) == [*SALE, "card.removed", "card.inserted", "card.identified"]
    assert all(events == told[0] for events in told)


def test_a_stream_is_no_page_and_no_file(shared: Daemon) -> None:
    with httpx.stream(
        "GET", shared.url + "/v1/events", headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-request-id"]


def test_a_subscriber_that_leaves_is_forgotten(shared: Daemon) -> None:
    before = shared.counter.events.subscribers
    with listening(shared) as stream:
        snapshot(stream)
        eventually(lambda: shared.counter.events.subscribers == before + 1)
    eventually(lambda: shared.counter.events.subscribers == before)


def test_a_stream_without_events_shows_that_it_lives(shared: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cardiod.events.HEARTBEAT", 0.05)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.stream("GET", shared.url + "/v1/events", headers=headers, timeout=60, trust_env=False) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: snapshot"
        assert [line for line in (next(lines) for _ in range(6)) if line.startswith(":")]


def test_nothing_is_lost_between_the_snapshot_and_what_follows(shared: Daemon) -> None:
    """A slow subscriber has not taken the snapshot yet when something happens."""

    async def first_two() -> list[str]:
        stream = events_api.stream(shared.counter, None)
        head = await anext(stream)
        shared.counter.events.publish("card.inserted", reader="citizen", card="h")
        following = await anext(stream)
        await stream.aclose()
        return [head, following]

    head, following = in_loop(shared, first_two())
    assert head.startswith("event: snapshot")
    assert "event: card.inserted" in following


def in_loop(daemon: Daemon, work: Any) -> Any:
    """The result of a coroutine in the event loop of a daemon."""
    done, result = threading.Event(), []

    async def run() -> None:
        try:
            result.append(await work)
        finally:
            done.set()

    daemon.counter.work.from_elsewhere(lambda: daemon.counter.work.start(run()))
    assert done.wait(60)
    return result[0]


# ---- coming back ---------------------------------------------------------------------------------------------


def test_who_comes_back_gets_exactly_what_was_missed(shared: Daemon) -> None:
    with listening(shared) as stream:
        snapshot(stream)
        sold(shared)
        seen = until(stream, "transaction.completed")
    card: Any = shared.citizen.card
    shared.put_in((shared.citizen, card))
    sold(shared)
    with listening(shared, seen[-1]["id"]) as stream:
        snapshot(stream)
        missed = until(stream, "transaction.completed")
        assert kinds(missed) == ["card.removed", "card.inserted", "card.identified", *SALE]
        sold(shared)
        assert kinds(until(stream, "transaction.completed")) == SALE
    with listening(shared, missed[1]["id"]) as stream:
        snapshot(stream)
        assert until(stream, "transaction.completed") == missed[2:]


def test_over_a_restart_what_the_journal_keeps_is_not_lost_and_no_id_comes_twice(tmp_path: Path) -> None:
    bench = Bench()
    with running_daemon(tmp_path, bench=bench) as daemon:
        eventually(lambda: len(daemon.cards) == 2)
        with listening(daemon) as stream:
            snapshot(stream)
            sold(daemon)
            seen = until(stream, "transaction.completed")
        card: Any = bench.citizen.card
        daemon.put_in((bench.citizen, card))
        newest = now_at(daemon)
        sold(daemon)
    with running_daemon(tmp_path, bench=bench) as daemon, listening(daemon, seen[-1]["id"]) as stream:
        snapshot(stream)
        missed = until(stream, "card.identified", 2)
        assert kinds(missed, "transaction.", "service.") == [*SALE, "service.started"]
        ids = [event["id"] for event in missed]
        assert ids == sorted(set(ids))
        assert min(ids) > newest, "events that only memory knew are gone, and their ids are not used again"
        sold(daemon)
        assert kinds(until(stream, "transaction.completed"), "transaction.") == SALE


def test_who_has_seen_more_than_there_is_gets_what_comes_from_now_on(shared: Daemon) -> None:
    """The journal was put back from a backup."""
    with listening(shared, 2**53 - 1) as stream:
        snapshot(stream)
        sold(shared)
        assert kinds(until(stream, "transaction.completed")) == SALE


@pytest.mark.parametrize("last", ["", "x", "-1", "1.5", str(2**53), "null"])
def test_an_id_that_there_cannot_be_is_400(lasting_daemon: Daemon, last: str) -> None:
    answer = lasting_daemon.http("GET", "/v1/events", params={"after": 0}, headers={"Last-Event-ID": last})
    refused(answer, 400, "input.invalid")


# ---- asked for -----------------------------------------------------------------------------------------------


def test_who_asks_gets_the_same_events_page_by_page(shared: Daemon) -> None:
    with listening(shared) as stream:
        start = snapshot(stream)["last"]
        sold(shared)
        card: Any = shared.citizen.card
        shared.put_in((shared.citizen, card))
        sold(shared)
        streamed = until(stream, "transaction.completed", 2)
    asked: list[dict[str, Any]] = []
    at = start
    while page := poll(shared, at, limit=4)["events"]:
        assert len(page) <= 4
        asked += page
        at = page[-1]["id"]
    assert asked == streamed
    assert poll(shared, at) == {"events": [], "next": at}


def test_the_beginning_of_the_journal_can_be_asked_for(shared: Daemon) -> None:
    key, start = poll(shared, 0, limit=2)["events"]
    assert (key["type"], start["type"]) == ("journal.key", "service.started")
    assert start["data"]["software"].startswith("cardio ")


@pytest.mark.parametrize(
    "wrong", [{"after": -1}, {"after": "x"}, {"after": 2**53}, {"after": 0, "limit": 0}, {"limit": 1001}]
)
def test_a_question_of_the_wrong_form_is_400(lasting_daemon: Daemon, wrong: dict[str, Any]) -> None:
    refused(lasting_daemon.http("GET", "/v1/events", params=wrong), 400, "input.invalid")


def test_events_are_for_whoever_watches(lasting_daemon: Daemon) -> None:
    token = make_token(lasting_daemon, new_key(), scopes=frozenset(Scope) - {Scope.EVENTS})
    for params in ({}, {"after": 0}):
        refused(call(lasting_daemon, token, path="/v1/events", params=params), 403, "client.forbidden")


# ---- no person -----------------------------------------------------------------------------------------------


def test_no_event_and_no_snapshot_tells_of_a_person(shared: Daemon) -> None:
    start = now_at(shared)
    read(shared, "holder", "card", "medical", reader="social", pin=PIN, purpose="canary purpose")
    settled(shared, operator="canary operator", reference="canary reference")
    identifier, _ = torn(shared)
    persons = {"money": "none", "persons": ["canary one", "canary two"], "reason": "canary reason"}
    shared.http("POST", f"/v1/transactions/{identifier}/resolve", json=persons)
    shared.http("POST", "/v1/journal/reconcile", json={"persons": persons["persons"], "reason": "canary reason"})
    shift = shared.http("POST", "/v1/shifts", json={"operator": "canary operator"}).json()["id"]
    shared.http("POST", f"/v1/shifts/{shift}/close", json={"operator": "canary operator"})
    shared.put_in((shared.citizen, citizen_card(serial=f"{6:020}")))
    sale = sold(shared)
    with listening(shared) as stream:
        told = json.dumps([snapshot(stream), poll(shared, start)], ensure_ascii=False)
    assert "transaction.resolved" in told
    for secret in (PERSON_A.name, PERSON_A.number, "A00000126", PIN, "canary"):
        assert secret not in told, secret
    assert sale["tac"] not in told


# ---- slow ones, and the end ----------------------------------------------------------------------------------


def bare_subscriber(daemon: Daemon) -> socket.socket:
    """Somebody who has subscribed, and has not read anything yet."""
    url = httpx.URL(daemon.url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((url.host, url.port or 0))
    connection.settimeout(60)
    connection.sendall(
        f"GET /v1/events HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode("ascii")
    )
    eventually(lambda: daemon.counter.events.subscribers == 1)
    return connection


def publish(daemon: Daemon, count: int) -> None:
    """Events that fill every buffer on their way."""

    async def publishing() -> None:
        for _ in range(count):
            daemon.counter.events.publish("test.large", text="x" * 100_000)

    in_loop(daemon, publishing())


def test_a_subscriber_that_is_too_slow_is_cut_off_and_gets_the_rest_when_it_comes_back(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cardiod.events.BACKLOG", 20)
    start = now_at(daemon)
    with bare_subscriber(daemon) as slow:
        for _ in range(10):
            publish(daemon, 20)
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            more = slow.recv(2**20)
            assert more, "cut off in the middle"
            received += more
    told = [int(line[4:]) for line in received.replace(b"\r\n", b"\n").split(b"\n") if line.startswith(b"id: ")]
    everything = [event["id"] for event in poll(daemon, start, limit=1000)["events"] if event["type"] == "test.large"]
    assert len(everything) == 200
    told = [one for one in told if one in everything]
    assert told == everything[: len(told)]
    assert len(told) < 200
    with listening(daemon, told[-1]) as stream:
        snapshot(stream)
        rest = until(stream, "test.large", 200 - len(told))
    assert [event["id"] for event in rest if event["type"] == "test.large"] == everything[len(told) :]


def test_all_streams_end_when_the_daemon_stops(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with running_daemon(tmp_path) as daemon:
            streams = [stack.enter_context(listening(daemon)) for _ in range(5)]
            for stream in streams:
                snapshot(stream)
        for stream in streams:
            assert not [event for event in stream if event.event not in {"card.inserted", "card.identified", "sam.ok"}]


def test_somebody_who_reads_nothing_does_not_keep_the_daemon_from_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cardiod.connection.STALLED_SECONDS", 0.2)
    monkeypatch.setattr("cardiod.service.SHUTDOWN_TIMEOUT", 3600)
    with ExitStack() as stack, running_daemon(tmp_path) as daemon:
        stack.enter_context(bare_subscriber(daemon))
        publish(daemon, 200)
        eventually(lambda: daemon.counter.events.subscribers == 0)
        stack.enter_context(bare_subscriber(daemon))
        publish(daemon, 200)
