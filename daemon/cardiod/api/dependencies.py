"""What every route asks for, and what it says about its answers.

Dependencies are async like routes: FastAPI runs any other function in a thread of a pool, which costs a hop for each
and is not the thread that rates and limits belong to.
"""

from __future__ import annotations

import inspect
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request

from cardio.errors import (
    BodyTooLarge,
    BodyUnsupported,
    CardioError,
    ClientForbidden,
    ClientUnauthorised,
    HostForbidden,
    IdempotencyMissing,
    InputInvalid,
    InternalError,
    OriginForbidden,
    RateLimited,
    RequestTimeout,
)
from cardio.ledger import model
from cardiod.api.callers import Caller, authenticate
from cardiod.api.problems import MEDIA_TYPE, STATUS
from cardiod.api.schemas.documents import Document, Problem
from cardiod.api.schemas.requests import Body
from cardiod.api.spending import Spending
from cardiod.counter import Counter
from cardiod.metrics import Metrics
from cardiod.settings import Scope

IDEMPOTENCY_KEY = "Idempotency-Key"
IDENTIFIER = r"^[0-9A-Za-z-]{1,64}$"
GATE = (
    InputInvalid,
    ClientUnauthorised,
    ClientForbidden,
    OriginForbidden,
    RequestTimeout,
    BodyTooLarge,
    BodyUnsupported,
    HostForbidden,
    RateLimited,
    InternalError,
)
"""What the gate and the look at the caller may answer before any route, and a bug of ours in any."""
PROBLEM_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}, "required": True}},
    429: {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds", "required": True}},
}
MONEY_SCOPES = (Scope.DEBIT, Scope.LOAD, Scope.SETTLE, Scope.REVERSE, Scope.RESOLVE)
"""Who has one of these may also cancel what has not begun, and ask a card what became of its money."""
STORE = (503, 507)
CARD = (403, 404, 409, 422, 423, 503)
MONEY = (402, 409, 422)


async def _counter(request: Request) -> Counter:
    counter: Counter = request.app.state.counter
    return counter


async def _spending(request: Request) -> Spending:
    spending: Spending = request.app.state.spending
    return spending


async def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


def caller_with(*scopes: Scope) -> Any:
    """A dependency: the caller, who must have all these scopes."""

    async def caller(request: Request) -> Caller:
        found = authenticate(request)
        for scope in scopes:
            found.need(scope)
        return found

    return Depends(caller)


def caller_with_one_of(*scopes: Scope) -> Any:
    """A dependency: the caller, who must have at least one of these scopes."""

    async def caller(request: Request) -> Caller:
        found = authenticate(request)
        if not found.scopes & set(scopes):
            raise ClientForbidden(f"the caller lacks the scopes {', '.join(scopes)}: one of them would do")
        return found

    return Depends(caller)


CounterOf = Annotated[Counter, Depends(_counter)]
SpendingOf = Annotated[Spending, Depends(_spending)]
MetricsOf = Annotated[Metrics, Depends(_metrics)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=IDEMPOTENCY_KEY,
        max_length=255,
        description="Made by you and written down before you send: the same key always gets the same answer",
        examples=["0192f0c1-7c50-7c3e-8d60-2f1f8c0f5a11"],
    ),
]
KeyAskedFor = Annotated[
    str | None,
    Query(
        max_length=255, description="Only what this key of yours began; `404` if it never came, or began another kind"
    ),
]
Identifier = Annotated[str, Path(pattern=IDENTIFIER)]
Known = Annotated[Caller, caller_with()]
Reading = Annotated[Caller, caller_with(Scope.READ_CARD)]
Debiting = Annotated[Caller, caller_with(Scope.DEBIT)]
Loading = Annotated[Caller, caller_with(Scope.LOAD)]
Settling = Annotated[Caller, caller_with(Scope.SETTLE)]
Moving = Annotated[Caller, caller_with_one_of(*MONEY_SCOPES)]
Shifting = Annotated[Caller, caller_with(Scope.SHIFT)]
Batching = Annotated[Caller, caller_with(Scope.BATCH)]
Pinning = Annotated[Caller, caller_with(Scope.PIN)]
Governing = Annotated[Caller, caller_with(Scope.ADMIN)]
Watching = Annotated[Caller, caller_with(Scope.EVENTS)]
Resolving = Annotated[Caller, caller_with(Scope.RESOLVE)]
Reversing = Annotated[Caller, caller_with(Scope.REVERSE)]


def keyed(caller: Caller, key: str | None, operation: str, body: Body) -> model.Request:
    """A request under its key.

    Raises:
        IdempotencyMissing: There is none.
    """
    if not key:
        raise IdempotencyMissing
    return model.Request(caller.name, key, operation, body.fingerprint())


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem documents that a route may answer, beside those of the gate, for the description of the API."""
    gate = {STATUS[kind.code] for kind in GATE}
    return {status: _described(status, own=status in statuses) for status in sorted({*gate, *statuses})}


def answers(model: type[Document], *statuses: int, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The document that a route answers when all is well, and its problems."""
    return {status: {"model": model, "description": inspect.getdoc(model)}, **problems(*statuses)}


def _described(status: int, *, own: bool) -> dict[str, Any]:
    """A problem by its status: which errors it stands for, those of the route's own work included or not."""
    kinds = CardioError.catalogue.values() if own else GATE
    codes = ", ".join(f"`{kind.code}`" for kind in kinds if STATUS[kind.code] == status)
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    document: dict[str, Any] = {"description": codes, "content": {MEDIA_TYPE: {"schema": schema}}}
    headers = PROBLEM_HEADERS.get(status)
    return document if headers is None else {**document, "headers": headers}
