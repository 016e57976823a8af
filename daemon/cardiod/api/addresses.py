"""Addresses of the API: which pattern one belongs to, and which methods it has."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import Match, Route
from starlette.types import Scope

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NO_PATTERN = "none"
OTHER_METHOD = "other"


def pattern_of(scope: Scope) -> str:
    """Pattern of the address that was asked for: an address itself may name a transaction, or hold anything."""
    route = scope.get("route")
    if not isinstance(route, Route):
        return NO_PATTERN
    # A route does not know under which prefix its router was included; no parameter of ours holds a slash.
    asked, own = scope["path"].split("/"), route.path.split("/")
    return "/".join([*asked[: len(asked) - len(own) + 1], *own[1:]])


def known_method(method: str) -> str:
    """The method of a request, or one word for all that nobody knows: a caller may invent as many as it likes."""
    return method if method in METHODS else OTHER_METHOD


def methods_of(request: Request) -> list[str]:
    """Methods that the address of a request has."""

    def has(method: str) -> bool:
        scope = {"type": "http", "method": method, "path": request.url.path, "root_path": ""}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return [method for method in METHODS if has(method)]
