"""Transactions: begun, asked about, cancelled, recovered, resolved, given back (OPS §4.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from cardio.engine.requests import DebitRequest, OnlineRequest
from cardio.errors import AmountInvalid, InputInvalid
from cardio.ledger import model
from cardio.ledger.document import transaction_document
from cardio.ledger.listing import PAGE, Filter
from cardio.ledger.model import Resolution, State, Transaction
from cardio.purse.operation import Operation, PurseKind
from cardio.transport.channel import Channel
from cardiod.api.answers import begun_by, document_response, in_time, transaction_response
from cardiod.api.dependencies import (
    CARD,
    STORE,
    CounterOf,
    IdempotencyKey,
    Identifier,
    KeyAskedFor,
    Known,
    Moving,
    Reading,
    Resolving,
    SpendingOf,
    answers,
    keyed,
)
from cardiod.api.operations import TRANSACTED
from cardiod.api.schemas import documents
from cardiod.api.schemas.requests import Nothing, RecoverBody, ResolveBody, TransactionBody, TransactionKind
from cardiod.api.times import Time
from cardiod.api.totals import total_document
from cardiod.counter import Counter
from cardiod.payments import Act
from cardiod.settings import Scope

router = APIRouter(prefix="/transactions", tags=["transactions"])

Begin = Callable[[], Transaction]
KIND_SCOPES = dict.fromkeys((TransactionKind.LOAD, TransactionKind.UNLOAD, TransactionKind.OVERDRAFT), Scope.LOAD)
"""Scopes that kinds need which are no debit."""
ONLINE = {
    TransactionKind.LOAD: Operation.LOAD,
    TransactionKind.UNLOAD: Operation.UNLOAD,
    TransactionKind.OVERDRAFT: Operation.OVERDRAFT,
}


@router.post("", status_code=201, responses=TRANSACTED)
async def begin(
    body: TransactionBody,
    counter: CounterOf,
    caller: Known,
    spending: SpendingOf,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Any money operation on one purse."""
    caller.need(KIND_SCOPES.get(body.kind, Scope.DEBIT))
    request = keyed(caller, idempotency_key, body.kind.value, body)
    begun, act = _ways(counter, request, body)
    work = spending.within(
        caller,
        request,
        body.amount_fen,
        lambda: counter.payments.transact(request, begun, act, body.reader, body.wait_s),
    )
    return transaction_response(await in_time(counter, work, body.wait_s, request))


@router.get("", responses=answers(documents.TransactionList, 404, *STORE))
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
    """Transactions, newest first; or the one that a key of yours began, whatever became of it."""
    if idempotency_key is not None:
        begun = await begun_by(counter, caller.name, idempotency_key, counter.engine.ledger.transaction)
        return JSONResponse({"transactions": [transaction_document(begun)], "totals": [], "next": None})
    listing = counter.engine.ledger.listing
    wanted = Filter(state, since, until, shift, reference)
    found = await counter.work.journal(listing.transactions, wanted, before=before, limit=limit)
    totals = await counter.work.journal(listing.totals, wanted)
    return JSONResponse(
        {
            "transactions": [transaction_document(one) for one in found],
            "totals": [total_document(total) for total in totals],
            "next": found[-1].id if len(found) == limit else None,
        }
    )


@router.get("/{identifier}", responses=answers(documents.Transaction, 404, *STORE))
async def transaction(identifier: Identifier, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """What became of a transaction, how far its notes on the card are, and what was given back of it."""
    return await _shown(counter, identifier)


@router.post("/{identifier}/cancel", responses=answers(documents.Transaction, 404, 409, *STORE))
async def cancel(identifier: Identifier, body: Nothing, counter: CounterOf, caller: Moving) -> Response:  # noqa: ARG001
    """Cancel a transaction that still waits for its card; from ARMED on nothing can be cancelled."""
    return document_response(await counter.awaited.cancel(identifier))


@router.post(
    "/{identifier}/recover",
    responses={**answers(documents.Transaction, *CARD, *STORE), 202: {"model": documents.Transaction}},
)
async def recover(identifier: Identifier, body: RecoverBody, counter: CounterOf, caller: Moving) -> Response:  # noqa: ARG001
    """Ask the presented card about a transaction whose outcome is open."""
    found = await counter.recovery.recover(identifier, body.reader, body.wait_s, body.secret_pin)
    return document_response(found, 200 if found.state.final else 202)


@router.post("/{identifier}/resolve", responses=answers(documents.Transaction, 404, 409, *STORE))
async def resolve(identifier: Identifier, body: ResolveBody, counter: CounterOf, caller: Resolving) -> Response:  # noqa: ARG001
    """End an open question that no card will answer any more, by the word of two persons."""
    resolution = Resolution(body.money, body.persons, body.reason)
    return document_response(await counter.work.journal(counter.engine.resolve, identifier, resolution))


# ---- inside --------------------------------------------------------------------------------------------------


def _ways(counter: Counter, request: model.Request, body: TransactionBody) -> tuple[Begin, Act]:
    """How a kind is begun, and how it is carried out on a card.

    Raises:
        CardioError: No card could do it.
    """
    engine, pin = counter.engine, body.secret_pin
    if body.lock is not None and body.kind is not TransactionKind.GREY_DEBIT:
        raise InputInvalid(f"lock: a {body.kind} frees none")

    def on_card(act: Callable[[Transaction, Channel, str | None], Transaction]) -> Act:
        return lambda transaction, channel: act(transaction, channel, pin)

    if body.kind in ONLINE:
        online = OnlineRequest(request, body.amount_fen, body.reference, body.operator, body.purse, ONLINE[body.kind])
        online.check()
        return lambda: engine.begin_online(online), on_card(engine.online)
    if body.purse is not PurseKind.WALLET:
        raise InputInvalid(f"{body.kind} is of a wallet; a medical account is settled")
    if body.kind is TransactionKind.DEBIT:
        debit = DebitRequest(request, body.amount_fen, body.reference, body.operator)
        debit.check()
        return lambda: engine.begin_debit(debit), on_card(engine.debit)
    if body.kind is TransactionKind.GREY_LOCK:
        if body.amount_fen:
            raise AmountInvalid("a grey lock takes nothing; its debit will")
        return lambda: engine.begin_grey_lock(request, body.reference, body.operator), on_card(engine.grey_lock)
    if not body.lock:
        raise InputInvalid("lock: name the transaction that locked the purse")
    lock = body.lock
    return (
        lambda: engine.begin_grey_debit(request, lock, body.amount_fen, body.reference, body.operator),
        on_card(engine.grey_debit),
    )


async def _shown(counter: Counter, identifier: str) -> Response:
    ledger = counter.engine.ledger
    found = await counter.work.journal(ledger.transaction, identifier)
    orders, loads = await counter.work.journal(ledger.reversals.of, identifier)
    if not (found.notes or orders or loads):
        return document_response(found)
    back = {"reversed_by": [*(order.id for order in orders), *loads]} if orders or loads else {}
    return JSONResponse({**transaction_document(found), **back})
