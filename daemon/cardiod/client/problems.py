"""How the daemon's refusals, and its silence, reach a till."""

from __future__ import annotations

from http import HTTPStatus

from cardio.errors import (
    CardioError,
    IdempotencyInProgress,
    InternalError,
    Money,
    Retry,
    ServiceUnavailable,
    TransactionUncertain,
)
from cardiod.client.exchange import Answer, Document
from cardiod.client.requests import Request

PASSING = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.LOCKED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
)
NOBODY_ACTS = frozenset({"retry", "wait", "start_service"})
"""Actions that take time, but nobody at the counter; an absent reader is told at once instead."""
CARD_COMES = frozenset({"present_card", "present_same_card"})
"""Actions for which the daemon itself waits when it is asked again. A wrong PIN is never sent again: it costs a try."""


class ApiProblem(Exception):
    """The daemon refused, and says so in a problem document (RFC 9457). Look at `money` first.

    Attributes:
        document: All its members, also `tries_left` where it is about a PIN.
        code: Stable code.
        money: What became of the money of the whole request: a card whose proof is wrong was charged all the same, and
            of a settlement one purse may be paid while the other refuses.
        retry: When the same request may be sent again.
        action: What to do now.
        request: The request that was refused, if it was one that moves money; `ask_again` takes it.
    """

    def __init__(self, document: Document, request: Request | None = None) -> None:
        self.document = document
        self.request = request
        self.code = str(document.get("code", ""))
        self.money = Money(document.get("money", Money.UNKNOWN))
        self.retry = Retry(document.get("retry", Retry.NEVER))
        self.action = str(document.get("action", ""))
        super().__init__(f"{self.code}: {self.text('en')} (money: {self.money})")

    def text(self, language: str) -> str:
        """The operator's sentence in `zh` or `en`."""
        return str(self.document.get("title" if language == "zh" else "title_en", ""))

    @property
    def outcome(self) -> Document | None:
        """The transaction or settlement that ended so; None if the key was not used up."""
        found: Document | None = self.document.get("transaction") or self.document.get("settlement")
        return found

    @property
    def tells(self) -> bool:
        """Whether it tells what became of the request before; `none` of a refusal at the door does not."""
        return self.outcome is not None or self.money is Money.MOVED

    @property
    def open(self) -> bool:
        """Whether the same key is worth asking again, because it is at work, or not known yet what became of it."""
        if self.code in {IdempotencyInProgress.code, InternalError.code}:
            return True
        return self.money is Money.UNKNOWN and self.retry is Retry.SAME_KEY and self.action in NOBODY_ACTS | CARD_COMES

    @property
    def passes(self) -> bool:
        """Whether it is worth waiting a little, without anybody doing anything."""
        status = self.document.get("status")
        return self.retry is Retry.SAME_KEY and status in PASSING and self.action in NOBODY_ACTS

    def as_error(self) -> CardioError:
        """The same error as the library's own class."""
        kind = CardioError.catalogue.get(self.code, ServiceUnavailable)
        values = {name: self.document[name] for name in ("tries_left",) if name in self.document}
        return kind(str(self.document.get("detail", "")), money=self.money, **values)


class OutcomeUnknown(TransactionUncertain):
    """No answer in time to a request that may have been carried out: whether money moved is unknown.

    Never charge again under another key. `ask_again` with `request` gets the answer as soon as the daemon can give it;
    `find` asks without going on with the request.

    Attributes:
        request: The request with its key.
        problem: The daemon's last refusal, if one came that does not tell what became of the request.
    """

    zh = "未收到应答，结果未知；请勿重复收款，请用同一编号再次查询"
    en = "No answer, result unknown. Do not charge again. Ask again with the same key"
    action = "ask_again"
    retry = Retry.SAME_KEY

    def __init__(self, request: Request, reason: str, problem: ApiProblem | None = None) -> None:
        self.request = request
        self.problem = problem
        super().__init__(f"key {request.key}: {reason}")

    @property
    def key(self) -> str:
        """The request's key."""
        return self.request.key


def problem_of(answer: Answer, request: Request | None = None) -> ApiProblem | None:
    """The refusal in an answer to a request; None if it is none of the daemon's."""
    document = answer.document
    if document is None or "code" not in document or "money" not in document:
        return None
    return ApiProblem({"status": answer.status, **document}, request)
