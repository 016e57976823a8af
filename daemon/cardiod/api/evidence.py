"""Signed vouchers: what an institution can check of a transaction without asking anybody (OPS §4.5)."""

from __future__ import annotations

import base64
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from cardio.errors import VoucherMissing
from cardio.ledger.signed_vouchers import SignedVoucher
from cardiod.api.dependencies import STORE, CounterOf, Identifier, Reading, answers
from cardiod.api.schemas import documents
from cardiod.counter import Counter

router = APIRouter(tags=["receipts"])
SIGNED = answers(documents.SignedVoucher, 404, 409, *STORE)


@router.get("/transactions/{identifier}/voucher", responses=SIGNED)
async def transaction_voucher(identifier: Identifier, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """The signed voucher of a transaction; the same bytes whenever it is asked for."""
    return await _voucher(counter, identifier)


@router.get("/settlements/{identifier}/voucher", responses=SIGNED)
async def settlement_voucher(identifier: Identifier, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """The one signed voucher of a settlement; the same bytes whenever it is asked for."""
    return await _voucher(counter, identifier)


async def _voucher(counter: Counter, identifier: str) -> Response:
    """A signed voucher.

    Raises:
        TransactionUnknown: No such transaction or settlement.
        VoucherMissing: No money has moved, so there is none.
    """
    found = await counter.work.journal(counter.engine.ledger.voucher, identifier)
    if found is None:
        raise VoucherMissing
    return JSONResponse(_document(found))


def _document(voucher: SignedVoucher) -> dict[str, Any]:
    """The signed bytes go as they are: a document decoded and encoded anew could be other bytes."""
    return {
        "content": voucher.content,
        "signed": base64.b64encode(voucher.document).decode("ascii"),
        "signature": voucher.signature.hex(),
        "algorithm": "Ed25519",
        "public_key": voucher.key.hex(),
    }
