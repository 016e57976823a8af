"""The PIN of a presented card: its state, verification, change, and what restores it (OPS §4.2, §4.9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from cardio.apdu.connection import CardConnection
from cardio.applications.pin import PinPresenter, pin_state
from cardio.errors import CardioError, PinBlocked, PinRequired
from cardio.products.maintenance import MaintenanceSources, change_holders_pin, maintain_pin, select_pin
from cardio.transport.channel import Channel
from cardiod.api.dependencies import CARD, STORE, CounterOf, Identifier, Pinning, Reading, answers
from cardiod.api.schemas import documents
from cardiod.api.schemas.requests import ChangePinBody, UnblockPinBody, VerifyPinBody
from cardiod.counter import Counter

router = APIRouter(prefix="/cards/{handle}/pin", tags=["cards"])
PIN_STATUS = answers(documents.PinStatus, *CARD, *STORE)
Job = Callable[[CardConnection], dict[str, Any]]


@router.get("", responses=PIN_STATUS)
async def pin_status(handle: Identifier, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """State of the PIN; no try is spent."""

    def job(card: CardConnection) -> dict[str, Any]:
        select_pin(card, counter.engine.catalogue)
        return _state(card)

    return await _on_card(counter, handle, job)


@router.post("/verify", responses=PIN_STATUS)
async def verify_pin(handle: Identifier, body: VerifyPinBody, counter: CounterOf, caller: Pinning) -> Response:  # noqa: ARG001
    """Let the holder show that the card is theirs; the last try is used with `allow_last_try` only."""

    def job(card: CardConnection) -> dict[str, Any]:
        product = select_pin(card, counter.engine.catalogue).product
        presenter = PinPresenter(
            card, body.secret_pin, caller_pin=product.pin.caller, allow_last_try=body.allow_last_try
        )
        presenter.present()
        return {"state": "verified", "tries_left": None}

    return await _on_card(counter, handle, job)


@router.post("/change", responses=PIN_STATUS)
async def change_pin(handle: Identifier, body: ChangePinBody, counter: CounterOf, caller: Pinning) -> Response:  # noqa: ARG001
    """Change the PIN; without `new_pin` the holder does it on the PIN pad, and types the new one twice.

    A card without a PIN gets its first one. `pin.change-unknown` means that the answer was lost: put the same card
    back, and verify the new PIN once.
    """

    def job(card: CardConnection) -> dict[str, Any]:
        change_holders_pin(
            card,
            counter.engine.catalogue,
            body.secret_old_pin,
            body.secret_new_pin,
            digits=body.digits,
            allow_last_try=body.allow_last_try,
        )
        return _state_afterwards(card)

    return await _on_card(counter, handle, job)


@router.post("/unblock", responses=PIN_STATUS)
async def unblock_pin(handle: Identifier, body: UnblockPinBody, counter: CounterOf, caller: Pinning) -> Response:  # noqa: ARG001
    """Give the PIN all its tries back, or the card a new PIN, under the issuer's keys.

    Only where HSM or keyring of this daemon hold them; else `keys.maintenance-missing`.
    """

    def job(card: CardConnection) -> dict[str, Any]:
        keys = counter.presence.keys
        sources = MaintenanceSources(keys, keys)
        maintenance = maintain_pin(card, counter.engine.catalogue, sources, body.secret_pin)
        if not body.replace:
            maintenance.unblock_pin(body.secret_pin)
        elif body.secret_pin is None:
            raise PinRequired("the new PIN is missing")
        else:
            maintenance.reload_pin(body.secret_pin)
        return _state_afterwards(card)

    return await _on_card(counter, handle, job)


async def _on_card(counter: Counter, handle: str, job: Job) -> Response:
    def on_channel(channel: Channel) -> dict[str, Any]:
        return job(CardConnection(channel))

    return JSONResponse(await counter.presence.on_presented(counter.presence.card(handle), on_channel))


def _state(card: CardConnection) -> dict[str, Any]:
    try:
        state = pin_state(card)
    except PinBlocked:
        return {"state": "blocked", "tries_left": 0}
    return {"state": "required" if state.is_set else "unset", "tries_left": state.tries_left}


def _state_afterwards(card: CardConnection) -> dict[str, Any]:
    """State of a PIN that was just written: that is done, even if the card does not tell any more."""
    try:
        return _state(card)
    except CardioError:
        return {"state": "required", "tries_left": None}
