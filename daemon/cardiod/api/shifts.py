"""Shifts and batches: the order of a working day (OPS §1.6, §5.2)."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, Response

from cardio.ledger.batches import Batch
from cardio.ledger.shifts import Shift
from cardiod.api.dependencies import (
    STORE,
    Batching,
    CounterOf,
    Identifier,
    Reading,
    Shifting,
    answers,
    problems,
)
from cardiod.api.schemas import documents
from cardiod.api.schemas.requests import BatchBody, CloseShiftBody, ShiftBody
from cardiod.api.totals import total_document

router = APIRouter()
LARGEST = 2**53 - 1
"""JavaScript counts so far exactly, and SQLite further."""
Number = Annotated[int, Path(ge=1, le=LARGEST)]
BATCH_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "Lines of JSON: header, records, hash", "content": {"application/x-ndjson": {}}},
    **problems(404, *STORE),
}


@router.post("/shifts", tags=["shifts"], status_code=201, responses=answers(documents.Shift, 409, *STORE, status=201))
async def open_shift(body: ShiftBody, counter: CounterOf, caller: Shifting) -> Response:  # noqa: ARG001
    """Open a shift: one for each operator and lane."""
    shifts = counter.engine.ledger.shifts
    terminals = [found.terminal_number for found in counter.presence.sams.found.values()]
    opened = await counter.work.journal(
        lambda: shifts.open(body.operator, body.lane, terminals, f"cardio {version('cardio')}")
    )
    return JSONResponse(shift_document(opened), 201)


@router.get("/shifts", tags=["shifts"], responses=answers(documents.ShiftList, *STORE))
async def list_shifts(
    counter: CounterOf,
    caller: Reading,  # noqa: ARG001
    only_open: Annotated[bool, Query(alias="open", description="Only those that are open")] = False,
) -> Response:
    """Shifts with their totals, newest first."""
    found = await counter.work.journal(counter.engine.ledger.shifts.all, only_open=only_open)
    return JSONResponse({"shifts": [shift_document(shift) for shift in found]})


@router.get("/shifts/{identifier}", tags=["shifts"], responses=answers(documents.Shift, 404, *STORE))
async def shift(identifier: Identifier, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """A shift with its totals."""
    found = await counter.work.journal(counter.engine.ledger.shifts.shift, identifier)
    return JSONResponse(shift_document(found))


@router.post("/shifts/{identifier}/close", tags=["shifts"], responses=answers(documents.Shift, 404, *STORE))
async def close_shift(
    identifier: Identifier,
    body: CloseShiftBody,
    counter: CounterOf,
    caller: Shifting,  # noqa: ARG001
) -> Response:
    """Close a shift; print its slip with the head of the chain, which is the anchor outside."""
    closed = await counter.work.journal(counter.engine.ledger.shifts.close, identifier, body.operator)
    return JSONResponse(shift_document(closed))


@router.post(
    "/batches", tags=["batches"], status_code=201, responses=answers(documents.Batch, 404, 409, *STORE, status=201)
)
async def close_batch(body: BatchBody, counter: CounterOf, caller: Batching) -> Response:  # noqa: ARG001
    """Close what was recorded since the last batch into a file that never changes."""
    closed = await counter.work.journal(counter.engine.ledger.batches.close, body.shift)
    return JSONResponse(_batch_document(closed), 201)


@router.get("/batches", tags=["batches"], responses=answers(documents.BatchList, *STORE))
async def list_batches(counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """Closed batches, newest first, and what waits for the next."""
    batches = counter.engine.ledger.batches
    found = await counter.work.journal(batches.all)
    waiting = await counter.work.journal(lambda: batches.waiting)
    return JSONResponse({"batches": [_batch_document(batch) for batch in found], "waiting": waiting})


@router.get("/batches/{number}", tags=["batches"], responses=answers(documents.Batch, 404, *STORE))
async def batch(number: Number, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """A closed batch."""
    return JSONResponse(_batch_document(await counter.work.journal(counter.engine.ledger.batches.batch, number)))


@router.get("/batches/{number}/file", tags=["batches"], response_class=Response, responses=BATCH_FILE)
async def batch_file(number: Number, counter: CounterOf, caller: Batching) -> Response:  # noqa: ARG001
    """The file of a batch; the same bytes whenever it is asked for."""
    text = await counter.work.journal(counter.engine.ledger.batches.file, number)
    return Response(text, media_type="application/x-ndjson")


def shift_document(shift: Shift) -> dict[str, Any]:
    """A shift, as callers get it."""
    closed = shift.closed_head
    return {
        "id": shift.id,
        "operator": shift.operator,
        "lane": shift.lane,
        "terminals": list(shift.terminals),
        "software": shift.software,
        "opened_at": shift.opened_at.isoformat(),
        "opened_head": {"seq": shift.opened_head.seq, "hash": shift.opened_head.hash},
        "closed_at": shift.closed_at.isoformat() if shift.closed_at else None,
        "closed_by": shift.closed_by,
        "closed_head": {"seq": closed.seq, "hash": closed.hash} if closed else None,
        "totals": [total_document(total) for total in shift.totals],
    }


def _batch_document(batch: Batch) -> dict[str, Any]:
    return {
        "number": batch.number,
        "state": "closed",
        "shift": batch.shift,
        "closed_at": batch.closed_at.isoformat(),
        "first_row": batch.first_row,
        "last_row": batch.last_row,
        **{name: batch.header[name] for name in ("records", "uncertain", "sums")},
        "previous_hash": batch.previous_hash,
        "hash": batch.hash,
    }
