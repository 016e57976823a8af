"""The gate before all routes: where a request may come from, what it must look like, what every answer says.

It is plain ASGI, because Starlette's middleware functions stand in the way of streams, which events are.
"""

from __future__ import annotations

from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from cardio.errors import BodyTooLarge, BodyUnsupported, CardioError, HostForbidden, OriginForbidden, RequestTimeout
from cardiod.api.addresses import known_method, pattern_of
from cardiod.api.bodies import whole_body
from cardiod.api.callers import Callers, own_origin, peer_of_request
from cardiod.api.problems import bug_response, problem_response, request_id
from cardiod.metrics import Metrics
from cardiod.peers import UnixPeer
from cardiod.settings import Settings

EVERY_ANSWER = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
ALLOWED_METHODS = "GET, POST, PUT, DELETE"
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"
EXPOSED_HEADERS = "Retry-After, X-Request-ID"
PREFLIGHT_SECONDS = "600"
CLOSING = (BodyTooLarge, RequestTimeout)
"""After these the rest of the request is still on its way, and nobody will read it."""


class Guard:
    """The gate.

    Args:
        app: What is behind it.
        settings: Names and origins of the configuration.
        callers: Knows the origins of the tokens.
        metrics: Counts the requests.
    """

    def __init__(self, app: ASGIApp, settings: Settings, callers: Callers, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._callers = callers
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        out = _Answer(send)
        with bound_contextvars(request=out.request_id):
            identified = request_id.set(f"urn:uuid:{out.request_id}")
            try:
                await self._answer(request, receive, out)
            finally:
                request_id.reset(identified)
        self._metrics.on_request(known_method(request.method), pattern_of(scope), out.status)

    async def _answer(self, request: Request, receive: Receive, out: _Answer) -> None:
        scope = request.scope
        try:
            self._check_host(request)
            out.origin = self._check_origin(request)
            if out.origin is not None and _is_preflight(request):
                await _preflight_answer(request)(scope, receive, out)
                return
            body = await whole_body(request.headers, receive)
            if body is None:
                return
            _check_content_type(request)
            await self._app(scope, body, out)
        except CardioError as error:
            answer = problem_response(error)
            if isinstance(error, CLOSING):
                answer.headers["Connection"] = "close"
            await answer(scope, receive, out)
        except Exception as error:  # noqa: BLE001 (the server would print its message, which may hold a name)
            answer = bug_response(error)
            if not out.started:
                await answer(scope, receive, out)

    def _check_host(self, request: Request) -> None:
        """Refuse requests that reached us under a foreign name: a web page may have rebound its DNS name to us.

        On the Unix socket there are no names, and no web pages.

        Raises:
            HostForbidden: The Host header is not one of ours.
        """
        if isinstance(peer_of_request(request), UnixPeer):
            return
        host = request.headers.get("host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name.lower() not in self._settings.hosts:
            raise HostForbidden

    def _check_origin(self, request: Request) -> str | None:
        """Where the page comes from that asks; None if no page does.

        Pages that we serve ourselves are at home. `authenticate` looks at whether the token suits the page.

        Raises:
            OriginForbidden: It is none of ours, or not named exactly once.
        """
        given = request.headers.getlist("origin")
        if not given:
            return None
        if len(given) == 1 and (given[0] == own_origin(request) or given[0] in self._callers.origins()):
            return given[0]
        raise OriginForbidden


class _Answer:
    """Sends an answer with the headers that every one has, and remembers that it did."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.origin: str | None = None
        self.request_id = str(uuid4())
        self.started = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers.update(EVERY_ANSWER)
            headers["X-Request-ID"] = self.request_id
            headers.add_vary_header("Origin")
            if self.origin is not None:
                headers["Access-Control-Allow-Origin"] = self.origin
                headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
        await self._send(message)


def _check_content_type(request: Request) -> None:
    """A page may post text or a form to anybody without being asked; JSON makes its browser ask first.

    Raises:
        BodyUnsupported: A POST that is not declared as JSON.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind != "application/json":
        raise BodyUnsupported(f"Content-Type must be application/json, not {kind or 'missing'}")


def _is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


def _preflight_answer(request: Request) -> Response:
    headers = {
        "Access-Control-Allow-Methods": ALLOWED_METHODS,
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Max-Age": PREFLIGHT_SECONDS,
    }
    if request.headers.get("access-control-request-private-network") == "true":
        headers["Access-Control-Allow-Private-Network"] = "true"
    return Response(status_code=204, headers=headers)
