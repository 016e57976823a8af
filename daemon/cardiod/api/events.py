"""Events as a stream, or asked for (OPS §4.10)."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse

from cardiod.api.cards import card_document
from cardiod.api.dependencies import STORE, CounterOf, Watching, problems
from cardiod.api.schemas import documents
from cardiod.counter import Counter
from cardiod.events import Event

router = APIRouter(tags=["events"])
STREAM = "text/event-stream"
LARGEST_ID = 2**53 - 1
NOTHING = ":\n\n"
"""A comment, which subscribers ignore."""
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": documents.EventList,
        "description": "A stream without `after`; a list with it",
        "content": {STREAM: {"schema": {"type": "string"}}},
    },
    **problems(*STORE),
}


@router.get("/events", response_class=Response, responses=EVENTS)
async def events(
    counter: CounterOf,
    caller: Watching,  # noqa: ARG001
    after: Annotated[
        int | None, Query(ge=0, le=LARGEST_ID, description="Answer at once, with a list of what came after this id")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    last_event_id: Annotated[
        int | None, Header(alias="Last-Event-ID", ge=0, le=LARGEST_ID, description="Go on behind this id")
    ] = None,
) -> Response:
    """What happens at the counter.

    A stream of server-sent events begins with a `snapshot` of readers and cards, which has no id; then come the events
    after `Last-Event-ID`, if it is given, and all new ones. Those about transactions come once they are on disk.
    """
    if after is None:
        return StreamingResponse(stream(counter, last_event_id), media_type=STREAM)
    found = await counter.events.after(after, limit)
    return JSONResponse(
        {"events": [_document(event) for event in found], "next": found[-1].id if found else counter.events.last}
    )


async def stream(counter: Counter, last: int | None) -> AsyncGenerator[str, None]:
    """The messages of a stream: the snapshot, what was missed since `last`, and what comes."""
    snapshot = await _snapshot(counter)
    yield _message("snapshot", snapshot)
    # What happens while the snapshot is on its way is not in it.
    since = snapshot["last"] if last is None else last
    async with aclosing(counter.events.stream(since)) as events_since:
        async for event in events_since:
            yield NOTHING if event is None else _message(event.type, _document(event), event.id)


async def _snapshot(counter: Counter) -> dict[str, Any]:
    """Who is there before anything changes: a card that lies in its reader already causes no event."""
    ledger = counter.engine.ledger
    uncertain = await counter.work.journal(lambda: ledger.uncertain)
    presence = counter.presence
    return {
        "readers": sorted(presence.readers),
        "sams": list(presence.sams.readers),
        "cards": [card_document(card) for card in presence.cards.values() if not card.released],
        "uncertain": uncertain,
        "last": counter.events.last,
    }


def _document(event: Event) -> dict[str, Any]:
    document = {name: value for name, value in asdict(event).items() if value is not None}
    return {**document, "time": event.time.isoformat()}


def _message(kind: str, data: dict[str, Any], identifier: int | None = None) -> str:
    head = "" if identifier is None else f"id: {identifier}\n"
    return f"{head}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
