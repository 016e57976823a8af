"""Giving a payment back: a card has no way to undo a purchase (OPS §4.3, T-14)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from cardio.engine.requests import OnlineRequest
from cardio.errors import IdempotencyMismatch, OperationUnsupported, TransactionUnknown
from cardio.ledger.document import transaction_document
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import Request, Transaction
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
LEAST_REFUSAL = 400
"""HTTP statuses from here on are problems."""
REFUNDED: dict[int | str, dict[str, Any]] = {
    200: {"model": documents.Refund, "description": "Two persons have resolved it"},
    202: {"model": documents.Refund, "description": "Unknown outcome: put the same card back, give nothing else"},
    **answers(documents.Refund, *CARD, *MONEY, *STORE, status=201),
}


@router.post("/transactions/{identifier}/reverse", status_code=201, responses=REFUNDED)
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
    amount = await counter.work.journal(_load_amount, ledger, request, identifier, body.amount_fen)
    online = OnlineRequest(request, amount, purchase.reference, body.operator, purchase.purse, reverses=identifier)
    online.check()
    work = spending.within(
        caller, request, amount, lambda: counter.payments.online(online, body.reader, body.wait_s, body.secret_pin)
    )
    load = await in_time(counter, work, body.wait_s, request)
    answer = transaction_response(load)
    refused = answer.status_code >= LEAST_REFUSAL
    return answer if refused else JSONResponse(_load_document(load), answer.status_code)


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
    request = keyed(caller, idempotency_key, f"reverse {identifier}", body)
    if body.by is not RefundWay.ORDER or body.amount_fen is not None:
        raise OperationUnsupported("a settlement is given back whole and by order; its legs can be loaded one by one")
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


def _load_amount(ledger: Ledger, request: Request, identifier: str, wanted: int | None) -> int:
    """Fen that a load gives back: what is asked for, or all that is left; a key that came before keeps its amount.

    Raises:
        IdempotencyMismatch: The key began something that is no transaction.
        NotReversible: Nothing is left.
    """
    if wanted is not None:
        return wanted
    begun = ledger.listing.begun_by(request.client, request.key)
    if begun is None:
        return ledger.reversals.left(identifier)
    try:
        return ledger.transaction(begun).amount_fen
    except TransactionUnknown:
        raise IdempotencyMismatch from None


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
