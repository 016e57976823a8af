"""Money commands of `cardio` through the daemon that holds the journal, by the entry point `cardio.daemon_client`."""

from __future__ import annotations

from pathlib import Path

from cardio.errors import ServiceUnavailable
from cardiod.client.addresses import UNIX, default_token, default_url
from cardiod.client.blocking import Client
from cardiod.client.exchange import Document
from cardiod.client.problems import ApiProblem

PATIENCE_S = 5.0
"""Somebody sits before the terminal."""


def through_daemon(journal: Path, operation: str, body: Document, key: str) -> Document:
    """Have the daemon do a money operation.

    The address is `CARDIO_URL`, the Unix socket, or the default port; the token `CARDIO_TOKEN`, or the file that
    `cardiod serve` leaves beside its journal. On the Unix socket none is needed.

    Args:
        journal: The daemon's journal.
        operation: `debit` or `load`.
        body: Body of the request.
        key: Its key.

    Returns:
        The transaction, also one that ended without what was wanted.

    Raises:
        CardioError: What the daemon answered; `OutcomeUnknown` if nothing.
        ServiceUnavailable: It cannot be reached, or there is no token for it.
    """
    url = default_url()
    token = default_token() or token_beside(journal)
    if token is None and not url.startswith(UNIX):
        raise ServiceUnavailable(f"no token for the daemon of {journal}; is it running? else set CARDIO_TOKEN")
    with Client(url, token, patience_s=PATIENCE_S) as client:
        try:
            return client.post(operation, body, key)
        except ApiProblem as refusal:
            if refusal.outcome is not None:
                return refusal.outcome
            raise refusal.as_error() from refusal


def token_beside(journal: Path) -> str | None:
    """The token that `cardiod serve` leaves beside its journal when none is configured; None if there is none."""
    try:
        return journal.with_name("token").read_text(encoding="ascii").strip()
    except OSError:
        return None
