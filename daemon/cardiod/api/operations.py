"""The three one-call operations, and the load (design §5)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from cardio.engine.requests import DebitRequest, OnlineRequest, SettleRequest
from cardio.ledger.bill import Bill, BillDetails
from cardiod.api.answers import in_time, settlement_response, transaction_response
from cardiod.api.callers import Caller
from cardiod.api.dependencies import (
    CARD,
    MONEY,
    STORE,
    CounterOf,
    Debiting,
    IdempotencyKey,
    Loading,
    Reading,
    Settling,
    SpendingOf,
    answers,
    keyed,
)
from cardiod.api.readings import reading_document
from cardiod.api.schemas import documents
from cardiod.api.schemas.requests import DebitBody, LoadBody, ReadBody, SettleBody
from cardiod.api.spending import Spending, settled_fen
from cardiod.counter import Counter

router = APIRouter(tags=["operations"])

TRANSACTED: dict[int | str, dict[str, Any]] = {
    **answers(documents.Transaction, *CARD, *MONEY, *STORE, status=201),
    200: {"model": documents.Transaction, "description": "Two persons have resolved it"},
    202: {"model": documents.Transaction, "description": "Unknown outcome: put the same card back, charge nothing"},
}
SETTLED: dict[int | str, dict[str, Any]] = {
    **answers(documents.Settlement, *CARD, *MONEY, *STORE, status=201),
    200: {"model": documents.Settlement, "description": "Two persons have resolved it"},
    202: {"model": documents.Settlement, "description": "Unknown outcome, or another card is awaited"},
}


@router.post("/read", responses=answers(documents.Reading, *CARD, *STORE))
async def read(body: ReadBody, counter: CounterOf, caller: Reading) -> Response:
    """Read groups of data from the presented card."""
    masked = not caller.may_see_persons
    card, readings = await counter.read(body.fields, body.reader, body.wait_s, pin=body.secret_pin, masked=masked)
    return JSONResponse(await reading_document(counter, caller, card, readings, body.purpose))


@router.post("/debit", status_code=201, responses=TRANSACTED)
async def debit(
    body: DebitBody,
    counter: CounterOf,
    caller: Debiting,
    spending: SpendingOf,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Debit the presented wallet."""
    request = DebitRequest(
        keyed(caller, idempotency_key, "debit", body), body.amount_fen, body.reference, body.operator
    )
    request.check()
    work = spending.within(
        caller, request.request, body.amount_fen, lambda: counter.payments.debit(request, body.reader, body.wait_s)
    )
    return transaction_response(await in_time(counter, work, body.wait_s, request.request))


@router.post("/load", status_code=201, responses=TRANSACTED)
async def load(
    body: LoadBody,
    counter: CounterOf,
    caller: Loading,
    spending: SpendingOf,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Load the presented card through the load host."""
    request = OnlineRequest(
        keyed(caller, idempotency_key, "load", body), body.amount_fen, body.reference, body.operator, body.purse
    )
    request.check()
    work = spending.within(
        caller,
        request.request,
        body.amount_fen,
        lambda: counter.payments.online(request, body.reader, body.wait_s, body.secret_pin),
    )
    return transaction_response(await in_time(counter, work, body.wait_s, request.request))


@router.post("/settle", status_code=201, responses=SETTLED)
async def settle(
    body: SettleBody,
    counter: CounterOf,
    caller: Settling,
    spending: SpendingOf,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Settle a bill: the medical account, then the self-paid part."""
    return await settled(body, counter, caller, spending, idempotency_key)


async def settled(body: SettleBody, counter: Counter, caller: Caller, spending: Spending, key: str | None) -> Response:
    """Settle a bill for a caller; both addresses of it do the same, under the same keys."""
    bill = Bill(**body.bill.model_dump())
    request = SettleRequest(
        keyed(caller, key, "settle", body),
        bill,
        body.tender,
        body.reference,
        body.operator,
        body.settlement_class,
        body.temporary_offline,
        None if body.bill_details is None else BillDetails.of(body.bill_details.model_dump()),
    )
    request.check()
    work = spending.within(
        caller,
        request.request,
        settled_fen(bill, body.tender),
        lambda: counter.payments.settle(
            request, body.reader, body.wait_s, body.secret_pin, wallet_reader=body.wallet_reader
        ),
    )
    return settlement_response(await in_time(counter, work, body.wait_s, request.request))
