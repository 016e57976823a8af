"""Giving a payment back: a card has no way to undo a purchase (OPS §4.3, T-14)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from cardio.engine.requests import OnlineRequest
from cardio.errors import OperationUnsupported
from cardio.ledger.document import transaction_document
from cardio.ledger.model import State, Transaction
from cardio.ledger.reversals import RefundOrder
from cardiod.api.answers import in_time, transaction_response
from cardiod.api.dependencies import (
    CARD,
    MONEY,
    STORE,
    CounterOf,
    IdempotencyKey,
    Identifier,
    Reversing,
    SpendingOf,
    answers,
    keyed,
)
from cardiod.api.schemas import documents
from cardiod.api.schemas.requests import RefundWay, ReverseBody

router = APIRouter(tags=["refunds"])


@router.post(
    "/transactions/{identifier}/reverse",
    status_code=201,
    responses={**answers(documents.Refund, *CARD, *MONEY, *STORE, status=201), 202: {"model": documents.Refund}},
)
async def reverse(
    identifier: Identifier,
    body: ReverseBody,
    counter: CounterOf,
    caller: Reversing,
    spending: SpendingOf,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Give a payment, or a part of it, back; never more than was taken."""
    request = keyed(caller, idempotency_key, f"reverse {identifier}", body)
    ledger = counter.engine.ledger
    if body.by is RefundWay.ORDER:
        order = await counter.work.journal(
            lambda: ledger.reversals.order(request, identifier, body.amount_fen, body.operator, body.reason)
        )
        return JSONResponse(_order_document(order), 201)
    purchase = await counter.work.journal(ledger.transaction, identifier)
    amount = body.amount_fen if body.amount_fen is not None else purchase.amount_fen
    online = OnlineRequest(request, amount, purchase.reference, body.operator, purchase.purse, reverses=identifier)
    online.check()
    work = spending.within(
        caller, request, amount, lambda: counter.online(online, body.reader, body.wait_s, body.secret_pin)
    )
    load = await in_time(counter, work, body.wait_s, request)
    answer = transaction_response(load)
    if load.state in {State.COMPLETED, State.UNCERTAIN, State.ARMED}:
        return JSONResponse(_load_document(load), answer.status_code)
    return answer


@router.post(
    "/settlements/{identifier}/reverse",
    status_code=201,
    responses=answers(documents.SettlementRefund, *CARD, *MONEY, *STORE, status=201),
)
async def reverse_settlement(
    identifier: Identifier,
    body: ReverseBody,
    counter: CounterOf,
    caller: Reversing,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Give a whole bill back: orders for what cards paid, cash for the rest.

    By load only one leg can be given back at a time, since each wants its card: `/transactions/{leg}/reverse`.
    """
    if body.by is not RefundWay.ORDER or body.amount_fen is not None:
        raise OperationUnsupported("a settlement is given back whole and by order; its legs can be loaded one by one")
    request = keyed(caller, idempotency_key, f"reverse {identifier}", body)
    ledger = counter.engine.ledger
    orders = await counter.work.journal(
        lambda: ledger.reversals.order_settlement(request, identifier, body.operator, body.reason)
    )
    settlement = await counter.work.journal(ledger.settlement, identifier)
    document = {
        "settlement": identifier,
        "refunds": [_order_document(order) for order in orders],
        "cash_back_fen": settlement.due_fen,
    }
    return JSONResponse(document, 201)


def _order_document(order: RefundOrder) -> dict[str, Any]:
    return {
        "id": order.id,
        "by": RefundWay.ORDER.value,
        "reverses": order.purchase,
        "amount_fen": order.amount_fen,
        "transaction": None,
    }


def _load_document(load: Transaction) -> dict[str, Any]:
    return {
        "id": load.id,
        "by": RefundWay.LOAD.value,
        "reverses": load.reverses,
        "amount_fen": load.amount_fen,
        "transaction": transaction_document(load),
    }
