"""Subscribers of the event stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from httpx_sse import ServerSentEvent, connect_sse

from tests.daemon.conftest import TOKEN, Daemon

Stream = Iterator[ServerSentEvent]
PATIENCE = httpx.Timeout(60)


@contextmanager
def listening(daemon: Daemon, last: int | str | None = None) -> Iterator[Stream]:
    """Subscribe; `last` is the id of the event behind which to go on."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    if last is not None:
        headers["Last-Event-ID"] = str(last)
    with (
        httpx.Client(timeout=PATIENCE, trust_env=False) as client,
        connect_sse(client, "GET", daemon.url + "/v1/events", headers=headers) as source,
    ):
        source.response.raise_for_status()
        yield source.iter_sse()


def snapshot(stream: Stream) -> dict[str, Any]:
    """The first message of a stream."""
    first = next(stream)
    assert (first.event, first.id) == ("snapshot", "")
    document: dict[str, Any] = first.json()
    return document


def until(stream: Stream, kind: str, count: int = 1) -> list[dict[str, Any]]:
    """The events up to the n-th of a kind."""
    found: list[dict[str, Any]] = []
    for message in stream:
        document = message.json()
        assert (message.event, message.id) == (document["type"], str(document["id"]))
        found.append(document)
        count -= document["type"] == kind
        if not count:
            return found
    raise AssertionError(f"the stream ended before {kind}")


def kinds(events: list[dict[str, Any]], *areas: str) -> list[str]:
    """Types of events, of some areas only."""
    return [event["type"] for event in events if not areas or event["type"].startswith(areas)]
