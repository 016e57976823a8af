"""The HTTP application: middleware, error handlers and routes put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from cardio.errors import CardioError, HostForbidden
from cardiod.api.callers import check_host
from cardiod.api.problems import (
    bug_response,
    on_cardio_error,
    on_http_error,
    on_validation_error,
    problem_response,
)
from cardiod.api.routes import health, router
from cardiod.counter import Counter
from cardiod.settings import Settings


def create_app(counter: Counter, settings: Settings) -> FastAPI:
    """The application of one counter."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with counter.running():
            yield

    app = FastAPI(
        title="cardiod",
        version=version("cardio"),
        lifespan=lifespan,
        docs_url=None,  # the bundled pages load their scripts from the internet
        redoc_url=None,
    )
    app.state.counter = counter
    app.state.settings = settings
    app.add_exception_handler(CardioError, on_cardio_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_error)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        try:
            check_host(request, settings)
        except HostForbidden as error:
            return problem_response(error)
        try:
            return await call_next(request)
        except Exception as error:  # noqa: BLE001 (the server would print its message, which may hold a name)
            return bug_response(error)

    app.include_router(health)
    app.include_router(router, prefix="/v1")
    return app
