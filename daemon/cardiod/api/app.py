"""The HTTP application: middleware, error handlers and routes put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.types import Lifespan

from cardio.errors import CardioError
from cardiod.api import (
    cards,
    catalogue,
    console,
    events,
    evidence,
    health,
    journal,
    logins,
    operations,
    pins,
    products,
    readers,
    refunds,
    settlements,
    shifts,
    transactions,
    vouchers,
)
from cardiod.api.callers import Callers
from cardiod.api.description import ABOUT, describe
from cardiod.api.guard import Guard
from cardiod.api.problems import on_cardio_error, on_http_error, on_validation_error
from cardiod.api.spending import Spending
from cardiod.counter import Counter
from cardiod.metrics import Metrics
from cardiod.settings import Settings

UNDER_V1 = (
    *(operations, transactions, settlements, refunds, vouchers, evidence),
    *(cards, pins, products, readers, shifts, events, journal, logins),
)


def create_app(counter: Counter, settings: Settings) -> FastAPI:
    """The application of one counter."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with counter.running():
            yield

    app = described(lifespan)
    app.state.counter = counter
    app.state.callers = callers = Callers(settings)
    app.state.spending = Spending(counter)
    app.state.metrics = metrics = Metrics(counter)
    counter.presence.on_exchange = metrics.on_exchange
    app.add_exception_handler(CardioError, on_cardio_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_middleware(Guard, settings=settings, callers=callers, metrics=metrics)
    return app


def described(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """The addresses of the API and what they say about themselves, with no counter behind them yet.

    Args:
        lifespan: What goes on as long as it is served.
    """
    # Its page of the API loads its scripts from here; FastAPI's own loads them from the internet.
    app = FastAPIOffline(
        title="cardiod",
        version=version("cardio"),
        description=ABOUT,
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,  # everything has one address
        separate_input_output_schemas=False,
    )
    # Every request looks through them in this order, so that sales come first.
    for part in UNDER_V1:
        app.include_router(part.router, prefix="/v1")
    app.include_router(catalogue.router, prefix="/v1")
    app.include_router(health.status_route, prefix="/v1")
    app.include_router(health.open_to_all)
    app.include_router(health.figures)
    app.include_router(console.router)
    describe(app)
    return app
