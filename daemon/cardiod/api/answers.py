"""Answers about transactions and settlements: which status, which bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi.responses import JSONResponse, Response

from cardio.errors import CardioError, IdempotencyInProgress, Money, TransactionUnknown
from cardio.ledger.document import settlement_document, transaction_document
from cardio.ledger.model import Request, Settlement, State, Transaction
from cardiod.api.problems import from_code, problem_response
from cardiod.counter import Counter

T = TypeVar("T")
GRACE = 5.0
"""Seconds beyond `wait_s` that a card may need before the caller is told that the work goes on."""


async def in_time(counter: Counter, operation: Coroutine[Any, Any, T], wait_s: float, request: Request) -> T:
    """Answer within the caller's time; the work goes on and its key tells the rest.

    Args:
        counter: Where it runs.
        operation: The work.
        wait_s: What the caller waits for its card.
        request: Key and caller.

    Raises:
        IdempotencyInProgress: It is not done in time, or is being done for an earlier request.
        CardioError: What the work raises.
    """
    task = counter.work.spawn(operation)
    done, _ = await asyncio.wait({task}, timeout=wait_s + GRACE)
    if done and not isinstance(task.exception(), IdempotencyInProgress):
        return task.result()
    counter.work.leave(task)
    listing = counter.engine.ledger.listing
    begun = await counter.work.journal(listing.begun_by, request.client, request.key)
    raise IdempotencyInProgress(f"it is {begun}" if begun else "", money=Money.UNKNOWN)


async def begun_by(counter: Counter, client: str, key: str, find: Callable[[str], T]) -> T:
    """What became of a key, running or ended (the nexo question, OPS §3.2).

    Args:
        counter: Where it came.
        client: Whose key it is; keys of others are nobody's business.
        key: The key.
        find: Finds a transaction, or a settlement, by its id.

    Raises:
        TransactionUnknown: The key never came, or it began something of another kind.
    """
    ledger = counter.engine.ledger
    identifier = await counter.work.journal(ledger.listing.begun_by, client, key)
    if identifier is None:
        raise TransactionUnknown("this key never came")
    try:
        return await counter.work.journal(find, identifier)
    except TransactionUnknown:
        raise TransactionUnknown("this key came, and began something of another kind") from None


def transaction_response(found: Transaction) -> Response:
    """201 completed, 202 uncertain, 200 resolved; everything else is a problem that holds the whole story."""
    if found.state is State.COMPLETED:
        return document_response(found, 201)
    if found.state in {State.ARMED, State.UNCERTAIN}:
        return document_response(found, 202)
    if found.state is State.RESOLVED:
        return document_response(found, 200)
    return _refused(found, transaction_document(found), found.outcome.error)


def settlement_response(found: Settlement) -> Response:
    """201 completed, 202 uncertain or awaiting a card; everything else is a problem that holds the whole story."""
    if found.state is State.COMPLETED:
        return document_response(found, 201)
    if found.state in {State.UNCERTAIN, State.AWAITING_CARD}:
        return document_response(found, 202)
    if found.state is State.CANCELLED:
        return _refused(found, settlement_document(found), "transaction.cancelled")
    medical = found.legs[0].outcome.error if found.legs else None
    errors = [leg.outcome.error for leg in found.legs if leg.state is found.state]
    return _refused(found, settlement_document(found), next(iter(errors), medical))


def document_response(found: Transaction | Settlement, status: int = 200) -> Response:
    """The document; in a final state the very bytes that the journal froze."""
    if found.answer is not None:
        return Response(found.answer, status, media_type="application/json")
    document = transaction_document(found) if isinstance(found, Transaction) else settlement_document(found)
    return JSONResponse(document, status)


def _refused(found: Transaction | Settlement, document: dict[str, Any], code: str | None) -> Response:
    """A final state in which the caller did not get what it wanted."""
    error: CardioError = from_code(code or "transaction.not-debited")
    error.money = found.money if isinstance(found, Transaction) else found.state.money
    name = "transaction" if isinstance(found, Transaction) else "settlement"
    # Not the id of this request: the same key gets the same bytes.
    return problem_response(error, instance=f"/v1/{name}s/{found.id}", **{name: document})
