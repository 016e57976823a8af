"""Python client of the API, as cashier software would use it."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from cardio.errors import CardioError, Money, ServiceUnavailable
from cardiod.settings import DEFAULT_PORT

Document = dict[str, Any]


class ApiProblem(Exception):
    """The daemon refused; `document` is its problem document.

    Attributes:
        document: RFC 9457 members, with `code`, `money`, `retry` and `action`.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        super().__init__(f"{document.get('code')}: {document.get('title_en')}")

    @property
    def code(self) -> str:
        """Stable code."""
        return str(self.document.get("code", ""))

    @property
    def money(self) -> Money:
        """What is known about the money."""
        return Money(self.document.get("money", Money.UNKNOWN))

    def as_error(self) -> CardioError:
        """The same error as the library's own class."""
        kind = CardioError.catalogue.get(self.code, ServiceUnavailable)
        values = {name: self.document[name] for name in ("tries_left",) if name in self.document}
        return kind(str(self.document.get("detail", "")), money=self.money, **values)


class Client:
    """A caller of one daemon.

    Args:
        url: Its base address, for example `http://127.0.0.1:7816`.
        token: Bearer token.
        timeout: Seconds to wait for an answer; longer than any `wait_s` used.
    """

    def __init__(self, url: str, token: str, timeout: float = 60.0) -> None:
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=timeout, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str) -> Document:
        """GET a resource below `/v1`.

        Raises:
            ApiProblem: The daemon refused.
            ServiceUnavailable: It cannot be reached.
        """
        return self._send("GET", path)

    def post(self, path: str, body: Document, key: str | None = None) -> Document:
        """POST an operation below `/v1`; `key` is the Idempotency-Key of a money operation.

        After a lost answer send the same key again: the daemon answers what became of it.

        Raises:
            ApiProblem: The daemon refused.
            ServiceUnavailable: It cannot be reached.
        """
        return self._send("POST", path, json=body, headers={"Idempotency-Key": key} if key else {})

    def _send(self, method: str, path: str, **arguments: Any) -> Document:
        try:
            answer = self._http.request(method, f"/v1/{path}", **arguments)
            document = answer.json()
        except httpx.HTTPError as error:
            raise ServiceUnavailable(type(error).__name__) from error
        except ValueError as error:
            raise ServiceUnavailable("the answer is not JSON") from error
        if not answer.is_success:
            raise ApiProblem(document)
        return dict(document)


def debit_through_daemon(
    journal: Path,
    amount_fen: int,
    reference: str,
    key: str,
    operator: str | None,
    reader: str | None,
    wait_s: float,
) -> Document:
    """Debit through the daemon that holds the journal; the `cardio` command uses this.

    Address and token come from `CARDIO_URL` and `CARDIO_TOKEN`; without them from the default port and the token file
    that `cardiod serve` leaves beside its journal.

    Raises:
        CardioError: What the daemon answered.
        ServiceUnavailable: It cannot be reached, or there is no token for it.
    """
    url = os.environ.get("CARDIO_URL", f"http://127.0.0.1:{DEFAULT_PORT}")
    token = os.environ.get("CARDIO_TOKEN")
    if token is None:
        try:
            token = journal.with_name("token").read_text(encoding="ascii").strip()
        except OSError as error:
            raise ServiceUnavailable("a daemon holds the journal; set CARDIO_TOKEN to use it") from error
    body: Document = {
        "purse": "wallet",
        "amount_fen": amount_fen,
        "reference": reference,
        "operator": operator,
        "reader": reader,
        "wait_s": wait_s,
    }
    with Client(url, token) as client:
        try:
            return client.post("debit", body, key)
        except ApiProblem as refusal:
            if "transaction" in refusal.document:
                return dict(refusal.document["transaction"])
            raise refusal.as_error() from refusal
