"""Settlements of bills: begun, asked about, cancelled (OPS §1.4, design §3)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from cardio.ledger.document import settlement_document
from cardio.ledger.listing import PAGE, Filter
from cardio.ledger.model import State
from cardiod.api.answers import begun_by, document_response
from cardiod.api.dependencies import (
    STORE,
    CounterOf,
    IdempotencyKey,
    Identifier,
    KeyAskedFor,
    Reading,
    Settling,
    SpendingOf,
    answers,
)
from cardiod.api.operations import SETTLED, settled
from cardiod.api.schemas import documents
from cardiod.api.schemas.requests import Nothing, SettleBody
from cardiod.api.times import Time

router = APIRouter(prefix="/settlements", tags=["settlements"])


@router.post("", status_code=201, responses=SETTLED)
async def begin(
    body: SettleBody,
    counter: CounterOf,
    caller: Settling,
    spending: SpendingOf,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Settle a bill; the same as `/v1/settle`."""
    return await settled(body, counter, caller, spending, idempotency_key)


@router.get("", responses=answers(documents.SettlementList, 404, *STORE))
async def find(
    counter: CounterOf,
    caller: Reading,
    idempotency_key: KeyAskedFor = None,
    state: State | None = None,
    since: Annotated[Time | None, Query(description="Begun at or after this time")] = None,
    until: Annotated[Time | None, Query(description="Begun before this time")] = None,
    shift: Annotated[str | None, Query(max_length=64)] = None,
    reference: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[str | None, Query(max_length=64, description="The `next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> Response:
    """Settlements, newest first; or the one that a key of yours began, whatever became of it."""
    if idempotency_key is not None:
        begun = await begun_by(counter, caller.name, idempotency_key, counter.engine.ledger.settlement)
        return JSONResponse({"settlements": [settlement_document(begun)], "next": None})
    wanted = Filter(state, since, until, shift, reference)
    listing = counter.engine.ledger.listing
    found = await counter.work.journal(listing.settlements, wanted, before=before, limit=limit)
    return JSONResponse(
        {
            "settlements": [settlement_document(one) for one in found],
            "next": found[-1].id if len(found) == limit else None,
        }
    )


@router.get("/{identifier}", responses=answers(documents.Settlement, 404, *STORE))
async def settlement(identifier: Identifier, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """What became of a settlement, and how far its notes on the card are."""
    found = await counter.work.journal(counter.engine.ledger.settlement, identifier)
    if any(leg.notes for leg in found.legs):
        return JSONResponse(settlement_document(found))
    return document_response(found)


@router.post("/{identifier}/cancel", responses=answers(documents.Settlement, 404, 409, *STORE))
async def cancel(identifier: Identifier, body: Nothing, counter: CounterOf, caller: Settling) -> Response:  # noqa: ARG001
    """Cancel what is not paid yet: without a paid leg the whole; else the wallet's part becomes due in cash."""
    return document_response(await counter.awaited.cancel_settlement(identifier))
