"""The card products that this counter knows: what to call a card before people."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from cardiod.api.dependencies import CounterOf, Reading, answers
from cardiod.api.schemas import documents

router = APIRouter(tags=["cards"])


@router.get("/products", responses=answers(documents.ProductList))
async def list_products(counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """Card products by the ids that `products` of a card and `product` of a transaction name."""
    products = [
        {"id": product.id, "zh": product.title.zh, "en": product.title.en} for product in counter.engine.catalogue
    ]
    return JSONResponse({"products": products})
