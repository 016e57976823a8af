"""Who may call: bearer tokens and the Host header (OPS §4.7)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from fastapi import Request

from cardio.errors import ClientForbidden, ClientUnauthorised, HostForbidden
from cardiod.settings import Scope, Settings, hash_token

SCHEME = "bearer "


@dataclass(frozen=True)
class Caller:
    """An authenticated caller.

    Attributes:
        name: Name in the journal.
        scopes: What it may do.
    """

    name: str
    scopes: frozenset[Scope]

    def need(self, scope: Scope) -> None:
        """Insist on a scope.

        Raises:
            ClientForbidden: The caller does not have it.
        """
        if scope not in self.scopes:
            raise ClientForbidden(f"the token lacks the scope {scope}")


def check_host(request: Request, settings: Settings) -> None:
    """Refuse requests that reached us under a foreign name: a web page may have rebound its DNS name to us.

    Raises:
        HostForbidden: The Host header is not one of ours.
    """
    host = request.headers.get("host", "")
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name not in settings.hosts:
        raise HostForbidden


def authenticate(request: Request, settings: Settings) -> Caller:
    """The caller by its bearer token.

    Raises:
        ClientUnauthorised: No token, or not the right one.
    """
    header = request.headers.get("authorization", "")
    token = header[len(SCHEME) :] if header.lower().startswith(SCHEME) else ""
    if not settings.token_sha256 or not hmac.compare_digest(hash_token(token), settings.token_sha256):
        raise ClientUnauthorised
    return Caller(settings.client, settings.scopes)
