"""One message to the daemon and what comes back, as values.

What is sent, and what follows from the answer, is decided by generators that yield a `Sending` and get a `Reply`; they
do no input or output themselves. So the two clients, the one that blocks and the one that awaits, share all of it.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from cardio.errors import ServiceUnavailable
from cardiod.client.requests import Request

T = TypeVar("T")
Document = dict[str, Any]

API = "/v1/"
QUICK_S = 15.0
"""Seconds to wait for an answer for which no card is needed."""
GARBLED = "the answer is not one of cardiod's"
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True)
class Sending:
    """One message to send.

    Attributes:
        method: HTTP method.
        path: Below `/v1`.
        body: JSON body; it may hold a PIN, so it is never shown.
        params: Query.
        key: Idempotency-Key.
        timeout_s: Seconds to wait for the answer.
        pause_s: Seconds to wait before it is sent.
        new: The request that is to be written down before it is sent.
        raw: Whether the answer is a file, not a JSON object.
    """

    method: str
    path: str
    body: Document | None = field(default=None, repr=False)
    params: dict[str, str] = field(default_factory=dict)
    key: str | None = None
    timeout_s: float = QUICK_S
    pause_s: float = 0.0
    new: Request | None = None
    raw: bool = False

    def arguments(self) -> dict[str, Any]:
        """Arguments for `request` of a client of httpx."""
        headers = {} if self.key is None else {"Idempotency-Key": self.key}
        return {
            "method": self.method,
            "url": API + self.path,
            "json": self.body,
            "params": self.params,
            "headers": headers,
            "timeout": self.timeout_s,
        }


@dataclass(frozen=True)
class Answer:
    """A whole answer.

    Attributes:
        status: HTTP status.
        content: Body; it may hold personal data.
        retry_after_s: What the daemon wants between two messages, seconds.
    """

    status: int
    content: bytes = field(repr=False)
    retry_after_s: float = 0.0

    def whole(self, sending: Sending) -> bool:
        """Whether the daemon did what was asked, or tells how far it is; and all of that came through."""
        return httpx.codes.is_success(self.status) and (sending.raw or self.document is not None)

    def told(self) -> Document:
        """The JSON object of the body.

        Raises:
            ServiceUnavailable: It is something else.
        """
        if self.document is None:
            raise ServiceUnavailable(GARBLED)
        return self.document

    @property
    def document(self) -> Document | None:
        """The JSON object of the body; None if it is something else."""
        try:
            found = json.loads(self.content)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


@dataclass(frozen=True)
class Lost:
    """No answer came, or not the whole of it.

    Attributes:
        reason: What kind of failure.
        sent: Whether the daemon may have got the message.
    """

    reason: str
    sent: bool


Reply = Answer | Lost
Steps = Generator[Sending, Reply, T]
"""Sends messages until it has a result, or raises what became of it."""


def answered(response: httpx.Response) -> Answer:
    """An answer of httpx, read to its end."""
    wish = response.headers.get("retry-after", "")
    return Answer(response.status_code, response.content, float(wish) if wish.isdecimal() else 0.0)


def lost(error: httpx.HTTPError) -> Lost:
    """A failure of httpx; only its kind is kept, since it holds the message with its PIN."""
    return Lost(type(error).__name__, not isinstance(error, NEVER_SENT))
