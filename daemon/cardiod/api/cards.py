"""Cards that are presented, by their handles: a handle is one insertion (OPS §4.2)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from cardio.products.groups import Group
from cardiod.api.dependencies import CARD, STORE, CounterOf, Identifier, Reading, answers, problems
from cardiod.api.problems import problem
from cardiod.api.readings import group_document, reading_document
from cardiod.api.schemas import documents
from cardiod.api.schemas.requests import CardholderBody, Nothing, WaitBody
from cardiod.counter import Counter
from cardiod.presentation import Presentation
from cardiod.waiting import deadline_in

router = APIRouter(prefix="/cards", tags=["cards"])
GROUP = answers(documents.GroupReading, *CARD, *STORE)


@router.get("", responses=answers(documents.CardList))
async def list_cards(counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """The cards that are presented now."""
    cards = [card_document(card) for card in counter.presence.cards.values() if not card.released]
    return JSONResponse({"cards": cards})


@router.post("/wait", responses=answers(documents.Card, *CARD, *STORE))
async def wait(body: WaitBody, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """Wait for a card; the first that fits is answered as soon as it is known."""
    card = await counter.waiting.present(body.reader, body.purse, deadline_in(body.wait_s))
    return JSONResponse(card_document(card))


@router.get("/{handle}", responses=answers(documents.Card, 409))
async def card(handle: Identifier, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """A presented card."""
    return JSONResponse(card_document(counter.presence.card(handle)))


@router.delete("/{handle}", status_code=204, response_class=Response, responses=problems(409, *STORE))
async def release(handle: Identifier, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """Let a card go: it must be taken out and put in anew before anything is done with it."""
    await counter.presence.release(handle)
    return Response(status_code=204)


@router.post("/{handle}/cardholder", responses=answers(documents.Reading, *CARD, *STORE))
async def cardholder(handle: Identifier, body: CardholderBody, counter: CounterOf, caller: Reading) -> Response:
    """Personal data of the holder; who asked, and why, is kept."""
    found, masked = counter.presence.card(handle), not caller.may_see_persons
    readings = await counter.read_card(found, body.fields, pin=body.secret_pin, masked=masked)
    return JSONResponse(await reading_document(counter, caller, found, readings, body.purpose))


@router.get("/{handle}/wallet", responses=GROUP)
async def wallet(handle: Identifier, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """The wallet: its balance is neither the centre's account nor the card's medical one (T-01)."""
    return await _group(counter, handle, Group.WALLET)


@router.get("/{handle}/wallet/log", responses=GROUP)
async def wallet_log(handle: Identifier, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """What the wallet remembers of its transactions."""
    return await _group(counter, handle, Group.WALLET_LOG)


@router.get("/{handle}/medical-account", responses=GROUP)
async def medical_account(handle: Identifier, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """The medical account on the card; its PIN is typed on the pad if it wants one."""
    return await _group(counter, handle, Group.MEDICAL)


@router.get("/{handle}/medical-account/log", responses=GROUP)
async def medical_log(handle: Identifier, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """What the medical account remembers of its transactions."""
    return await _group(counter, handle, Group.MEDICAL_LOG)


@router.post("/{handle}/release", status_code=204, response_class=Response, responses=problems(409, *STORE))
async def let_go(handle: Identifier, body: Nothing, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """The same as DELETE, for callers that cannot send one."""
    await counter.presence.release(handle)
    return Response(status_code=204)


def card_document(card: Presentation) -> dict[str, Any]:
    """A presented card, as callers get it: no name, and of its number the last digits."""
    document: dict[str, Any] = {
        "handle": card.handle,
        "reader": card.reader,
        "inserted_at": card.inserted_at.isoformat(),
        "identified": card.identified,
    }
    if card.identification is not None:
        document["products"] = [product.id for product in card.identification.products]
        document["purses"] = sorted(card.identification.purses)
        document["number"] = card.identification.masked
    if card.error is not None:
        document["error"] = problem(card.error)
    return document


async def _group(counter: Counter, handle: str, group: Group) -> Response:
    """One group as a resource: what kept all of it from being read is the answer.

    Raises:
        CardioError: Nothing could be read.
    """
    found = counter.presence.card(handle)
    readings = await counter.read_card(found, [group], pin=None, masked=True)
    reading = readings[group]
    if reading.content is None and reading.error is not None:
        raise reading.error
    return JSONResponse(group_document(reading))
