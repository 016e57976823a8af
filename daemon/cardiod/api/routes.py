"""Routes of the API (design §5)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse, Response

from cardio.engine.requests import DebitRequest, OnlineRequest, SettleRequest
from cardio.errors import CardioError, IdempotencyInProgress, IdempotencyMissing, Money
from cardio.ledger import model
from cardio.ledger.document import settlement_document, transaction_document
from cardio.ledger.model import Bill, Settlement, State, Transaction
from cardio.products.group_reading import GroupReading
from cardio.products.groups import PERSONAL_GROUPS
from cardiod.api.callers import Caller, authenticate
from cardiod.api.problems import from_code, problem, problem_response
from cardiod.api.schemas import Body, DebitBody, LoadBody, ReadBody, SettleBody
from cardiod.api.spending import Spending, settled_fen
from cardiod.counter import Counter, Presentation
from cardiod.settings import Scope

health = APIRouter()
router = APIRouter()
GRACE = 5.0
"""Seconds beyond `wait_s` that a card may need before the caller is told that the work goes on."""


def _counter(request: Request) -> Counter:
    counter: Counter = request.app.state.counter
    return counter


def _caller(request: Request) -> Caller:
    return authenticate(request)


def _spending(request: Request) -> Spending:
    spending: Spending = request.app.state.spending
    return spending


CounterOf = Annotated[Counter, Depends(_counter)]
CallerOf = Annotated[Caller, Depends(_caller)]
SpendingOf = Annotated[Spending, Depends(_spending)]
IdempotencyKey = Annotated[str | None, Header(max_length=255)]


@health.get("/healthz")
async def healthz() -> dict[str, str]:
    """Whether the process lives."""
    return {"status": "ok"}


# ---- operations ----------------------------------------------------------------------------------------------


@router.post("/read")
async def read(body: ReadBody, counter: CounterOf, caller: CallerOf) -> dict[str, Any]:
    """Read groups of data from the presented card."""
    caller.need(Scope.READ_CARD)
    full = Scope.READ_PERSON in caller.scopes
    pin = body.pin.get_secret_value() if body.pin else None
    card, readings = await counter.read(body.fields, body.reader, body.wait_s, pin=pin, masked=not full)
    personal = sorted(group.value for group in readings if group in PERSONAL_GROUPS)
    if full and personal:
        await counter.journal(lambda: counter.engine.ledger.note_access(caller.name, body.purpose, personal))
    groups = {group.value: _group(reading) for group, reading in readings.items()}
    return {"reader": card.reader, "card": card.handle, "masked": not full, "groups": groups}


def _group(reading: GroupReading) -> dict[str, Any]:
    """What was read of a group, and what kept it or the rest of it from being read."""
    document: dict[str, Any] = {} if reading.content is None else {"data": reading.content}
    return document if reading.error is None else {**document, "error": problem(reading.error)}


@router.post("/debit")
async def debit(
    body: DebitBody,
    counter: CounterOf,
    caller: CallerOf,
    spending: SpendingOf,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Debit the presented wallet."""
    caller.need(Scope.DEBIT)
    request = DebitRequest(
        _request(caller, idempotency_key, "debit", body),
        body.amount_fen,
        body.reference,
        body.operator,
    )
    request.check()
    work = spending.within(
        caller, request.request, body.amount_fen, lambda: counter.debit(request, body.reader, body.wait_s)
    )
    return _transaction_response(await _answer(counter, work, body.wait_s))


@router.post("/load")
async def load(
    body: LoadBody,
    counter: CounterOf,
    caller: CallerOf,
    spending: SpendingOf,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Load the presented card through the load host."""
    caller.need(Scope.LOAD)
    request = OnlineRequest(
        _request(caller, idempotency_key, "load", body),
        body.amount_fen,
        body.reference,
        body.operator,
        body.purse,
    )
    request.check()
    pin = body.pin.get_secret_value() if body.pin else None
    work = spending.within(
        caller, request.request, body.amount_fen, lambda: counter.load(request, body.reader, body.wait_s, pin)
    )
    return _transaction_response(await _answer(counter, work, body.wait_s))


@router.post("/settle")
async def settle(
    body: SettleBody,
    counter: CounterOf,
    caller: CallerOf,
    spending: SpendingOf,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Settle a bill: the medical account, then the self-paid part."""
    caller.need(Scope.SETTLE)
    bill = Bill(**body.bill.model_dump())
    request = SettleRequest(
        _request(caller, idempotency_key, "settle", body),
        bill,
        body.tender,
        body.reference,
        body.operator,
        body.settlement_class,
        body.temporary_offline,
    )
    request.check()
    pin = body.pin.get_secret_value() if body.pin else None
    work = spending.within(
        caller,
        request.request,
        settled_fen(bill, body.tender),
        lambda: counter.settle(request, body.reader, body.wait_s, pin),
    )
    return _settlement_response(await _answer(counter, work, body.wait_s))


# ---- resources -----------------------------------------------------------------------------------------------


@router.get("/transactions/{identifier}")
async def transaction(identifier: str, counter: CounterOf, caller: CallerOf) -> Response:
    """What became of a transaction, and how far its notes on the card are."""
    caller.need(Scope.READ_CARD)
    found = await counter.journal(lambda: counter.engine.ledger.transaction(identifier))
    return JSONResponse(transaction_document(found)) if found.notes else _document(found, 200)


@router.get("/settlements/{identifier}")
async def settlement(identifier: str, counter: CounterOf, caller: CallerOf) -> Response:
    """What became of a settlement, and how far its notes on the card are."""
    caller.need(Scope.READ_CARD)
    found = await counter.journal(lambda: counter.engine.ledger.settlement(identifier))
    noted = any(leg.notes for leg in found.legs)
    return JSONResponse(settlement_document(found)) if noted else _document(found, 200)


@router.get("/readers")
async def readers(counter: CounterOf, caller: CallerOf) -> dict[str, Any]:
    """The readers of this counter."""
    caller.need(Scope.READ_CARD)
    return {
        "readers": [{"name": name, "card_present": state.present} for name, state in counter.readers.items()],
        "sam": counter.sam_reader,
    }


@router.get("/cards")
async def cards(counter: CounterOf, caller: CallerOf) -> dict[str, Any]:
    """The cards that are presented now."""
    caller.need(Scope.READ_CARD)
    return {"cards": [_card(card) for card in counter.presentations.values()]}


# ---- inside --------------------------------------------------------------------------------------------------


def _request(caller: Caller, key: str | None, operation: str, body: Body) -> model.Request:
    if not key:
        raise IdempotencyMissing
    return model.Request(caller.name, key, operation, body.fingerprint())


async def _answer(counter: Counter, operation: Coroutine[Any, Any, Any], wait_s: float) -> Any:
    """Answer within the caller's time; the work goes on and its key tells the rest."""
    task = counter.spawn(operation)
    done, _ = await asyncio.wait({task}, timeout=wait_s + GRACE)
    if not done:
        raise IdempotencyInProgress(money=Money.UNKNOWN)
    return task.result()


def _transaction_response(found: Transaction) -> Response:
    if found.state is State.COMPLETED:
        return _document(found, 201)
    if found.state is State.UNCERTAIN:
        return _document(found, 202)
    if found.state is State.RESOLVED:
        return _document(found, 200)
    return _refused(found, transaction_document(found), found.outcome.error)


def _settlement_response(found: Settlement) -> Response:
    if found.state is State.COMPLETED:
        return _document(found, 201)
    if found.state in {State.UNCERTAIN, State.AWAITING_CARD}:
        return _document(found, 202)
    medical = found.legs[0].outcome.error if found.legs else None
    errors = [leg.outcome.error for leg in found.legs if leg.state is found.state]
    return _refused(found, settlement_document(found), next(iter(errors), medical))


def _refused(found: Transaction | Settlement, document: dict[str, Any], code: str | None) -> Response:
    """A final state in which the caller did not get what it wanted: a problem that holds the whole story."""
    error: CardioError = from_code(code or "transaction.not-debited")
    error.money = found.money if isinstance(found, Transaction) else found.state.money
    name = "transaction" if isinstance(found, Transaction) else "settlement"
    return problem_response(error, **{name: document})


def _document(found: Transaction | Settlement, status: int) -> Response:
    """The document; in a final state the very bytes that the journal froze."""
    if found.answer is not None:
        return Response(found.answer, status, media_type="application/json")
    document = transaction_document(found) if isinstance(found, Transaction) else settlement_document(found)
    return JSONResponse(document, status)


def _card(card: Presentation) -> dict[str, Any]:
    document: dict[str, Any] = {
        "handle": card.handle,
        "reader": card.reader,
        "inserted_at": card.inserted_at.isoformat(),
        "identified": card.identified,
    }
    if card.identification is not None:
        document["products"] = [product.id for product in card.identification.products]
        document["purses"] = sorted(card.identification.purses)
        document["number"] = card.identification.masked
    if card.error is not None:
        document["error"] = problem(card.error)
    return document
