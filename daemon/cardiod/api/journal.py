"""The chain of the journal: without personal data, for whoever keeps an eye on it (OPS §4.5)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from cardio.ledger.chain import ChainRow
from cardio.ledger.ledger import Ledger
from cardiod.api.dependencies import STORE, CounterOf, Governing, Resolving, answers, problems
from cardiod.api.schemas import documents
from cardiod.api.schemas.requests import Nothing, ReconcileBody

router = APIRouter(prefix="/journal", tags=["journal"])
LARGEST_SEQ = 2**53 - 1


@router.get("", responses=answers(documents.JournalPage, *STORE))
async def rows(
    counter: CounterOf,
    caller: Governing,  # noqa: ARG001
    after: Annotated[int, Query(ge=0, le=LARGEST_SEQ, description="Number of the last row that is known")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """Rows of the chain, oldest first."""
    ledger = counter.engine.ledger
    found = await counter.work.journal(ledger.rows, after, limit)
    head = await counter.work.journal(head_document, ledger)
    return JSONResponse({"rows": [_row_document(row) for row in found], "head": head})


@router.get("/head", responses=answers(documents.Head, *STORE))
async def head(counter: CounterOf, caller: Governing) -> Response:  # noqa: ARG001
    """The newest row: what is kept of it outside is the anchor of the chain."""
    ledger = counter.engine.ledger
    return JSONResponse(await counter.work.journal(head_document, ledger))


@router.post("/verify", responses=answers(documents.Verified, *STORE))
async def verify(body: Nothing, counter: CounterOf, caller: Governing) -> Response:  # noqa: ARG001
    """Check the whole chain."""
    ledger = counter.engine.ledger
    count = await counter.work.journal(ledger.verify_chain)
    return JSONResponse({"rows": count, "head": await counter.work.journal(head_document, ledger)})


@router.post("/reconcile", status_code=204, response_class=Response, responses=problems(*STORE))
async def reconcile(body: ReconcileBody, counter: CounterOf, caller: Resolving) -> Response:  # noqa: ARG001
    """Two persons have compared a journal that was behind with its cards and the centre: money may move again."""
    freshness = counter.engine.ledger.freshness
    await counter.work.journal(freshness.reconcile, body.persons, body.reason)
    return Response(status_code=204)


@router.post("/accept-clock", status_code=204, response_class=Response, responses=problems(*STORE))
async def accept_clock(body: ReconcileBody, counter: CounterOf, caller: Resolving) -> Response:  # noqa: ARG001
    """Two persons say that the clock is right now, and had been ahead: money may move again."""
    admission = counter.engine.ledger.admission
    await counter.work.journal(admission.accept_clock, body.persons, body.reason)
    return Response(status_code=204)


def head_document(ledger: Ledger) -> dict[str, Any]:
    """The newest row of a chain."""
    seq, digest = ledger.head
    return {"seq": seq, "hash": digest.hex()}


def _row_document(row: ChainRow) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "time": row.time.isoformat(),
        "kind": row.kind,
        "subject": row.subject,
        "payload": row.payload,
        "hash": row.hash.hex(),
    }
