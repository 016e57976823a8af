"""The HTTP application: middleware, error handlers and routes put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from cardio.errors import CardioError
from cardiod.api.callers import Callers
from cardiod.api.guard import Guard
from cardiod.api.problems import on_cardio_error, on_http_error, on_validation_error
from cardiod.api.routes import health, router
from cardiod.api.spending import Spending
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
    app.state.callers = callers = Callers(settings)
    app.state.spending = Spending(counter)
    app.add_exception_handler(CardioError, on_cardio_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_error)

    app.add_middleware(Guard, settings=settings, callers=callers)
    app.include_router(health)
    app.include_router(router, prefix="/v1")
    return app
