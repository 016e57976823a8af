"""Errors over HTTP: RFC 9457 documents with `code`, `retry`, `money`, `action`, in Chinese and English (OPS §4.6)."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from cardio import errors
from cardio.errors import CardioError
from cardiod import crashes
from cardiod.api.addresses import methods_of

MEDIA_TYPE = "application/problem+json"
request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request that is being answered; the log has it, too."""

STATUS: dict[str, int] = {
    "reader.unavailable": 503,
    "reader.service": 503,
    "reader.busy": 423,
    "reader.poisoned": 503,
    "reader.link-corrupt": 503,
    "card.absent": 409,
    "card.removed": 409,
    "card.mute": 409,
    "card.unpowered": 409,
    "card.reset": 409,
    "card.multiple": 409,
    "card.unsupported": 422,
    "card.changed": 409,
    "card.unexpected": 409,
    "card.data-invalid": 422,
    "card.not-genuine": 403,
    "card.blocked": 403,
    "app.blocked": 403,
    "card.expired": 403,
    "card.not-yet-valid": 403,
    "card.memory-failed": 403,
    "file.not-found": 404,
    "record.not-found": 404,
    "access.denied": 403,
    "authentication.failed": 409,
    "authentication.blocked": 409,
    "funds.insufficient": 402,
    "counter.exhausted": 403,
    "key-index.unsupported": 422,
    "card.balance-limit": 422,
    "card.record-locked": 403,
    "card.grey-locked": 409,
    "mac.invalid": 409,
    "mac2.invalid": 409,
    "maintenance.refused": 409,
    "pin.required": 403,
    "pin.wrong": 403,
    "pin.last-try": 403,
    "pin.blocked": 403,
    "pin.length": 409,
    "pin.cancelled": 409,
    "pin.timeout": 409,
    "pin.mismatch": 409,
    "pin.unset": 409,
    "pin.unblock-refused": 409,
    "pin.change-unknown": 409,
    "pin.pad-missing": 503,
    "pin.not-allowed": 403,
    "sam.absent": 503,
    "sam.key-missing": 503,
    "keyring.invalid": 503,
    "hsm.failed": 503,
    "sam.no-purchase": 503,
    "sam.locked": 503,
    "sam.failed": 503,
    "perso.card-full": 409,
    "perso.differs": 409,
    "perso.job-invalid": 422,
    "perso.layout-invalid": 422,
    "perso.layout-refused": 409,
    "perso.master-missing": 409,
    "perso.master-unanswered": 409,
    "perso.not-blank": 409,
    "perso.rejected": 409,
    "perso.transport-key": 403,
    "keys.test-only": 403,
    "keys.rejected": 422,
    "keys.check-failed": 422,
    "keys.maintenance-missing": 503,
    "rule.unconfirmed": 403,
    "gp.keys-differ": 409,
    "gp.channel-refused": 409,
    "gp.channel-broken": 409,
    "gp.content-refused": 422,
    "gp.content-unknown": 404,
    "gp.keys-doubtful": 409,
    "gp.load-file": 422,
    "host.missing": 503,
    "host.refused": 422,
    "host.unreachable": 503,
    "host.answer-lost": 503,
    "transaction.uncertain": 202,
    "transaction.not-debited": 409,
    "transaction.evidence-conflict": 409,
    "card.has-pending": 409,
    "transaction.unknown": 404,
    "transaction.closed": 409,
    "transaction.passed": 409,
    "transaction.cancelled": 409,
    "transaction.not-reversible": 409,
    "voucher.missing": 409,
    "shift.open": 409,
    "shift.unknown": 404,
    "batch.unknown": 404,
    "batch.empty": 409,
    "grey-lock.closed": 409,
    "journal.behind": 503,
    "amount.invalid": 422,
    "amount.limit": 422,
    "bill.inconsistent": 422,
    "offline-settlement.not-allowed": 403,
    "offline-settlement.limit": 403,
    "card-note.overtaken": 409,
    "input.invalid": 400,
    "idempotency.missing": 400,
    "idempotency.mismatch": 422,
    "idempotency.in-progress": 409,
    "storage.unavailable": 507,
    "storage.low": 507,
    "clock.untrusted": 503,
    "journal.locked": 503,
    "journal.broken": 503,
    "service.unavailable": 503,
    "product.invalid": 500,
    "virtual.invalid": 500,
    "operation.unsupported": 422,
    "receipt.font-missing": 503,
    "error.unknown": 404,
    "internal": 500,
    "client.unauthorised": 401,
    "login.invalid": 401,
    "client.forbidden": 403,
    "client.limit": 403,
    "rate.limited": 429,
    "host.forbidden": 421,
    "origin.forbidden": 403,
    "address.unknown": 404,
    "method.unsupported": 405,
    "body.too-large": 413,
    "body.unsupported": 415,
    "request.timeout": 408,
}


def problem(error: CardioError) -> dict[str, Any]:
    """The problem document of an error."""
    document: dict[str, Any] = {
        "type": f"/v1/errors/{error.code}",
        "title": error.text("zh"),
        "title_en": error.text("en"),
        "status": STATUS[error.code],
        "code": error.code,
        "retry": error.retry.value,
        "money": error.money.value,
        "action": error.action,
    }
    if request_id.get():
        document["instance"] = request_id.get()
    if error.detail:
        document["detail"] = error.detail
    if "tries_left" in error.values:
        document["tries_left"] = error.values["tries_left"]
    if error.source is not None:
        source = error.source
        document["source"] = {"layer": source.layer, "command": source.command, "raw": source.raw}
    return document


def problem_response(error: CardioError, **extra: Any) -> JSONResponse:
    """An HTTP answer for an error, with further members."""
    headers = {}
    if isinstance(error, errors.ClientUnauthorised):
        headers["WWW-Authenticate"] = "Bearer"
    if error.code == errors.RateLimited.code:
        headers["Retry-After"] = str(error.values.get("retry_after_s", 1))
    return JSONResponse({**problem(error), **extra}, STATUS[error.code], media_type=MEDIA_TYPE, headers=headers)


def from_code(code: str) -> CardioError:
    """An error from its code, as the journal keeps it."""
    return CardioError.catalogue[code]()


async def on_cardio_error(_: Request, error: Exception) -> JSONResponse:
    """Any error of ours that reached a route's end."""
    if not isinstance(error, CardioError):
        raise error
    return problem_response(error)


def bug_response(error: Exception) -> JSONResponse:
    """Anything that is not an error of ours; its message may hold a value, so only its kind is told."""
    crashes.tell(error)
    return problem_response(errors.InternalError(type(error).__name__))


async def on_validation_error(_: Request, error: Exception) -> JSONResponse:
    """A body or parameter of the wrong form; its values are not repeated, they may be a PIN or a name."""
    if not isinstance(error, RequestValidationError):
        raise error
    reasons = [
        {"where": ".".join(str(part) for part in found["loc"]), "what": found["msg"]} for found in error.errors()
    ]
    detail = "; ".join(f"{reason['where']}: {reason['what']}" for reason in reasons)
    return problem_response(errors.InputInvalid(detail), errors=reasons)


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses by itself: an unknown address or method, or a body that is no JSON at all."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == STATUS[errors.AddressUnknown.code]:
        return problem_response(errors.AddressUnknown())
    if error.status_code == STATUS[errors.MethodUnsupported.code]:
        answer = problem_response(errors.MethodUnsupported())
        answer.headers["Allow"] = ", ".join(methods_of(request))
        return answer
    return problem_response(errors.InputInvalid(str(error.detail)))
