"""Whether the daemon lives, whether it can take money, and its figures (OPS §4.13)."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from cardio.ledger.ledger import now
from cardiod.api.dependencies import STORE, CounterOf, MetricsOf, Reading, Watching, answers, problems
from cardiod.api.journal import head_document
from cardiod.api.schemas import documents
from cardiod.api.shifts import shift_document
from cardiod.metrics import MEDIA_TYPE
from cardiod.readiness import readiness

open_to_all = APIRouter(tags=["health"])
figures = APIRouter(tags=["health"])
status_route = APIRouter(tags=["health"])
METRICS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Prometheus text", "content": {"text/plain": {}}},
    **problems(*STORE),
}


@open_to_all.get("/healthz", responses=answers(documents.Health))
async def healthz() -> Response:
    """Whether the process lives; it asks nothing and nobody."""
    return JSONResponse({"status": "ok"})


@open_to_all.get("/readyz", responses={**answers(documents.Readiness, *STORE), 503: {"model": documents.Readiness}})
async def readyz(counter: CounterOf) -> Response:
    """Whether money can be taken, and if not, what is wrong."""
    found = await readiness(counter)
    return JSONResponse(found.document, 503 if found.down else 200)


@figures.get("/metrics", response_class=Response, responses=METRICS)
async def metrics(figures_of: MetricsOf, caller: Watching) -> Response:  # noqa: ARG001
    """Figures for Prometheus; no card and no person is among their labels."""
    return Response(await figures_of.exposition(), media_type=MEDIA_TYPE)


@status_route.get("/status", responses=answers(documents.Status, *STORE))
async def status(counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """The counter at a glance."""
    found = await readiness(counter)
    ledger = counter.engine.ledger

    def known() -> dict[str, Any]:
        shifts = [shift_document(shift) for shift in ledger.shifts.all(only_open=True)]
        return {"journal": head_document(ledger), "uncertain": ledger.uncertain, "shifts": shifts}

    document = {
        "version": version("cardio"),
        "time": now().isoformat(),
        **found.document,
        **await counter.work.journal(known),
        "load_host": counter.engine.host is not None,
    }
    return JSONResponse(document)
