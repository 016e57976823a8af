"""Receipts of transactions and settlements, in every form; reprints are counted (OPS §4.12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from cardio.errors import VoucherMissing
from cardio.ledger.model import Settlement, Transaction
from cardio.ledger.receipts.forms import MEDIA_TYPES, Form, Paper, PrinterSettings, receipt
from cardio.ledger.voucher import voucher_of
from cardiod.api.dependencies import STORE, CounterOf, Identifier, Reading, problems
from cardiod.api.schemas.requests import ReprintBody
from cardiod.counter import Counter

router = APIRouter(tags=["receipts"])

Subject = Callable[[], Transaction | Settlement]
"""Finds what a receipt is about."""
Language = Annotated[Literal["zh", "en"], Query(description="Of the text; JSON holds both")]
Width = Annotated[Paper, Query(description="Width of the paper, mm")]
RECEIPT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The receipt", "content": {kind.partition(";")[0]: {} for kind in MEDIA_TYPES.values()}},
    **problems(404, 409, *STORE),
}


@router.get("/transactions/{identifier}/receipt", response_class=Response, responses=RECEIPT)
async def transaction_receipt(
    identifier: Identifier,
    counter: CounterOf,
    caller: Reading,  # noqa: ARG001
    format: Form = Form.TEXT,  # noqa: A002 - the parameter's name in the API
    lang: Language = "zh",
    width: Width = Paper.MM80,
) -> Response:
    """The receipt of a transaction, as for its first print."""
    return await _receipt(counter, _transaction(counter, identifier), format, lang, width)


@router.get("/settlements/{identifier}/receipt", response_class=Response, responses=RECEIPT)
async def settlement_receipt(
    identifier: Identifier,
    counter: CounterOf,
    caller: Reading,  # noqa: ARG001
    format: Form = Form.TEXT,  # noqa: A002
    lang: Language = "zh",
    width: Width = Paper.MM80,
) -> Response:
    """The one receipt of a settlement, as for its first print."""
    return await _receipt(counter, _settlement(counter, identifier), format, lang, width)


@router.post("/transactions/{identifier}/reprint", response_class=Response, responses=RECEIPT)
async def transaction_reprint(
    identifier: Identifier,
    body: ReprintBody,
    counter: CounterOf,
    caller: Reading,  # noqa: ARG001
) -> Response:
    """The receipt of a transaction once more, marked as the reprint that it is."""
    return await _reprint(counter, _transaction(counter, identifier), identifier, body)


@router.post("/settlements/{identifier}/reprint", response_class=Response, responses=RECEIPT)
async def settlement_reprint(
    identifier: Identifier,
    body: ReprintBody,
    counter: CounterOf,
    caller: Reading,  # noqa: ARG001
) -> Response:
    """The receipt of a settlement once more, marked as the reprint that it is."""
    return await _reprint(counter, _settlement(counter, identifier), identifier, body)


def _transaction(counter: Counter, identifier: str) -> Subject:
    return lambda: counter.engine.ledger.transaction(identifier)


def _settlement(counter: Counter, identifier: str) -> Subject:
    return lambda: counter.engine.ledger.settlement(identifier)


async def _reprint(counter: Counter, subject: Subject, identifier: str, body: ReprintBody) -> Response:
    # Whether there is anything to print is found out first: a refused reprint is not counted.
    await _receipt(counter, subject, body.format, body.lang, body.width)
    count = await counter.work.journal(counter.engine.ledger.note_reprint, identifier)
    return await _receipt(counter, subject, body.format, body.lang, body.width, count)


async def _receipt(
    counter: Counter, subject: Subject, form: Form, language: str, width: Paper, reprint: int = 0
) -> Response:
    """A receipt in one form.

    Raises:
        TransactionUnknown: No such transaction or settlement.
        VoucherMissing: No money has moved, so there is nothing to print.
        ReceiptFontMissing: There is no font for a PDF.
    """

    def made() -> bytes:
        voucher = voucher_of(subject(), reprint)
        if voucher is None:
            raise VoucherMissing
        return receipt(voucher, form, language, PrinterSettings(width))

    return Response(await counter.work.journal(made), media_type=MEDIA_TYPES[form])
