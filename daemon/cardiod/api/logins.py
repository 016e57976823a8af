"""Logins of the console."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from cardiod.api.callers import SCHEME, Callers
from cardiod.api.dependencies import Governing, Known, answers, problems
from cardiod.api.schemas import documents
from cardiod.api.schemas.requests import LoginBody, Nothing
from cardiod.logins import Logins

router = APIRouter(tags=["console"])


async def _logins(request: Request) -> Logins:
    callers: Callers = request.app.state.callers
    return callers.logins


LoginsOf = Annotated[Logins, Depends(_logins)]


@router.post("/logins", status_code=201, responses=answers(documents.Session, status=201))
async def login(body: LoginBody, logins: LoginsOf) -> Response:
    """Use the code of a one-time address up; the token is for the browser that did."""
    session = logins.login(body.code)
    return JSONResponse({"token": session.token, "expires": session.expires.isoformat()}, 201)


@router.post("/logins/new", status_code=201, responses=answers(documents.LoginCode, status=201))
async def new_login(body: Nothing, logins: LoginsOf, caller: Governing) -> Response:  # noqa: ARG001
    """A code for another login, as `cardiod console` prints it."""
    return JSONResponse({"code": logins.new_code()}, 201)


@router.post("/logout", status_code=204, response_class=Response, responses=problems())
async def logout(body: Nothing, logins: LoginsOf, caller: Known, request: Request) -> Response:  # noqa: ARG001
    """End a session of the console; other tokens are not ended by their callers."""
    logins.logout(request.headers.get("authorization", "")[len(SCHEME) :].strip())
    return Response(status_code=204)
