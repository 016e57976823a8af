"""Readers and sources of keys (OPS §4.2, §4.11)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse, Response

from cardio.errors import CardioError, Money, SamAbsent
from cardio.security.hsm import Hsm
from cardio.transport.channel import Channel
from cardiod.api.dependencies import CARD, STORE, CounterOf, Reading, answers
from cardiod.api.problems import problem
from cardiod.api.schemas import documents
from cardiod.api.schemas.requests import Nothing
from cardiod.counter import Counter
from cardiod.presence import Presence

router = APIRouter(tags=["readers"])
ReaderId = Annotated[str, Path(min_length=1, max_length=255)]


@router.get("/readers", responses=answers(documents.ReaderList))
async def list_readers(counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """The readers of this counter, those of PSAMs included."""
    presence = counter.presence
    readers = [_reader_document(presence, identifier, name) for identifier, name in presence.ids.items()]
    return JSONResponse({"readers": readers, "sam": next(iter(presence.sams.readers), None)})


@router.get("/readers/{identifier}", responses=answers(documents.Reader, 503))
async def reader(identifier: ReaderId, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """One reader."""
    return JSONResponse(_one(counter.presence, identifier))


@router.post("/readers/{identifier}/reset", responses=answers(documents.Reader, *CARD, *STORE))
async def reset(identifier: ReaderId, body: Nothing, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """Reset the card in a reader and look at it anew: it gets another handle."""
    await counter.presence.look_again(counter.presence.reader(identifier))
    return JSONResponse(_one(counter.presence, identifier))


@router.post("/readers/{identifier}/self-test", responses=answers(documents.SelfTest, *CARD, *STORE))
async def self_test(identifier: ReaderId, body: Nothing, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """Power the card in a reader, and let it go."""
    name = counter.presence.reader(identifier)

    def job(channel: Channel) -> str:
        return channel.protocol.value

    try:
        protocol = await counter.presence.on_card(name, job, Money.NONE)
    except CardioError as error:
        return JSONResponse({"reader": name, "ok": False, "protocol": None, "error": problem(error)})
    return JSONResponse({"reader": name, "ok": True, "protocol": protocol, "error": None})


@router.get("/sams", responses=answers(documents.SamList))
async def list_sams(counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """The sources of keys in service, in the order in which they are asked."""
    return JSONResponse({"sams": _sams(counter)})


@router.post("/sams/{identifier}/check", responses=answers(documents.Sam, *CARD, *STORE))
async def check_sam(identifier: ReaderId, body: Nothing, counter: CounterOf, caller: Reading) -> Response:  # noqa: ARG001
    """Ask a PSAM for its terminal number, as at the start."""
    found = next((sam for sam in _sams(counter) if sam["id"] == identifier), None)
    if found is None:
        raise SamAbsent("no source of keys has that id")
    if found["kind"] == "psam":
        await counter.work.journal(lambda: counter.presence.sams.check(found["reader"]))
    return JSONResponse(found)


def _one(presence: Presence, wanted: str) -> dict[str, Any]:
    name = presence.reader(wanted)
    identifier = next(one for one, known in presence.ids.items() if known == name)
    return _reader_document(presence, identifier, name)


def _reader_document(presence: Presence, identifier: str, name: str) -> dict[str, Any]:
    card, slot = presence.cards.get(name), presence.readers.get(name)
    return {
        "id": identifier,
        "name": name,
        "kind": "card" if slot is not None else "sam",
        "state": presence.states[name].value,
        "card_present": slot is None or slot.present,
        "pin_pad": presence.pin_pads.get(name),
        "card": card.handle if card is not None and not card.released else None,
    }


def _sams(counter: Counter) -> list[dict[str, Any]]:
    presence = counter.presence
    names = {name: identifier for identifier, name in presence.ids.items()}
    psams = [
        {
            "id": names[found.reader],
            "kind": "psam",
            "reader": found.reader,
            "terminal_number": found.terminal_number,
            "virtual": found.virtual,
            "state": presence.states[found.reader].value,
        }
        for found in presence.sams.found.values()
    ]
    others = [
        {
            "id": source.name,
            "kind": "hsm" if isinstance(source, Hsm) else "keyring",
            "reader": None,
            "terminal_number": None,
            "virtual": source.test,
            "state": None,
        }
        for source in presence.keys.others
    ]
    return [*psams, *others]
