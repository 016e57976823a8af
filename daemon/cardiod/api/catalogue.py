"""The errors that callers may meet, for programs and for people (OPS §4.6)."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse, Response

from cardio.errors import CardioError, ErrorUnknown
from cardiod.api.dependencies import answers
from cardiod.api.problems import STATUS
from cardiod.api.schemas import documents

router = APIRouter(prefix="/errors", tags=["errors"])


@router.get("", responses=answers(documents.Catalogue))
async def catalogue() -> Response:
    """All errors; nobody needs a token for them."""
    return JSONResponse({"errors": [_entry(kind) for _, kind in sorted(CardioError.catalogue.items())]})


@router.get("/{code}", responses=answers(documents.CatalogueEntry, 404))
async def entry(code: Annotated[str, Path(min_length=1, max_length=64)]) -> Response:
    """One error: the address that `type` of a problem document names."""
    kind = CardioError.catalogue.get(code)
    if kind is None:
        raise ErrorUnknown
    return JSONResponse(_entry(kind))


def _entry(kind: type[CardioError]) -> dict[str, Any]:
    return {
        "code": kind.code,
        "status": STATUS[kind.code],
        "zh": kind.zh,
        "en": kind.en,
        "retry": kind.retry.value,
        "money": kind.default_money.value,
        "action": kind.action,
        "about": inspect.getdoc(kind) or "",
    }
