"""Who calls: by a bearer token, by the kernel's word, or by a certificate (OPS §4.7)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from fastapi import Request

from cardio.errors import ClientForbidden, ClientUnauthorised, OriginForbidden
from cardio.ledger.ledger import now
from cardiod.api.rates import Rates
from cardiod.logins import CONSOLE, CONSOLE_SCOPES, Logins
from cardiod.peers import Acquaintances, Peer
from cardiod.settings import Limits, Scope, Settings, hash_token
from cardiod.tokens import TokenFile

SCHEME = "bearer "


@dataclass(frozen=True)
class Caller:
    """An authenticated caller.

    Attributes:
        name: Name in the journal.
        scopes: What it may do.
        limits: How much money it may move.
        origin: The one web page that may call under this name; None for programs, and for the pages that are served or
            configured.
    """

    name: str
    scopes: frozenset[Scope]
    limits: Limits = field(default_factory=Limits)
    origin: str | None = None

    @property
    def may_see_persons(self) -> bool:
        """Whether personal data are shown to it in full."""
        return Scope.READ_PERSON in self.scopes

    def need(self, scope: Scope) -> None:
        """Insist on a scope.

        Raises:
            ClientForbidden: The caller does not have it.
        """
        if scope not in self.scopes:
            raise ClientForbidden(f"the caller lacks the scope {scope}")


class Callers:
    """Everybody who may call a daemon.

    Args:
        settings: Its configuration.

    Attributes:
        logins: Of the console.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens = TokenFile(settings.tokens_file)
        self._acquaintances = Acquaintances(settings.peers)
        self.logins = Logins()
        self._rates = Rates(settings.rate_per_s, settings.rate_burst)

    def origins(self) -> set[str]:
        """Origins from which anybody may call.

        Raises:
            StorageUnavailable: The tokens cannot be read.
        """
        at = now()
        bound = {token.origin for token in self._tokens.all() if token.origin is not None and not token.expired(at)}
        return {*self._settings.origins, *bound}

    def identify(self, request: Request) -> Caller:
        """The caller of a request, if it may send one now.

        A token is used if one is given, also by somebody who would be known without.

        Raises:
            ClientUnauthorised: No token and no acquaintance, or a token that is wrong or has expired.
            OriginForbidden: The token belongs to another web page, or this web page to another token.
            RateLimited: It calls too often.
            StorageUnavailable: The tokens cannot be read.
        """
        header = request.headers.get("authorization")
        caller = self._by_peer(peer_of_request(request)) if header is None else self._by_token(header)
        pages = {*self._settings.origins, own_origin(request), None} if caller.origin is None else {caller.origin}
        if request.headers.get("origin") not in pages:
            raise OriginForbidden("this caller is not known at this origin")
        self._rates.admit(caller.name)
        return caller

    def _by_peer(self, peer: Peer | None) -> Caller:
        known = None if peer is None else self._acquaintances.find(peer)
        if known is None:
            raise ClientUnauthorised
        name, rule = known
        return Caller(name, rule.scopes, rule)

    def _by_token(self, header: str) -> Caller:
        token = header[len(SCHEME) :].strip() if header.lower().startswith(SCHEME) else ""
        settings = self._settings
        if settings.token_sha256 and hmac.compare_digest(hash_token(token), settings.token_sha256):
            return Caller(settings.client, settings.scopes)
        if self.logins.knows(token):
            return Caller(CONSOLE, CONSOLE_SCOPES)
        found = self._tokens.find(token)
        if found is None:
            raise ClientUnauthorised
        if found.expired(now()):
            raise ClientUnauthorised("the token has expired")
        return Caller(found.name, found.scopes, found, found.origin)


def peer_of_request(request: Request) -> Peer | None:
    """Who is at the other end, as `cardiod.connection` found out."""
    peer: Peer | None = request.scope.get("state", {}).get("peer")
    return peer


def own_origin(request: Request) -> str:
    """Origin of the pages that this service itself serves, under the name by which it was asked."""
    return f"{request.scope['scheme']}://{request.headers.get('host', '')}"


def authenticate(request: Request) -> Caller:
    """The caller of a request.

    Raises:
        CardioError: See `Callers.identify`.
    """
    callers: Callers = request.app.state.callers
    return callers.identify(request)
