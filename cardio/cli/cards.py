"""`cardio readers` and `cardio read`."""

from __future__ import annotations

from typing import Annotated

import typer

from cardio.apdu.connection import CardConnection
from cardio.cli.options import JsonOption, PinOption, ReaderOption, WaitOption, catalogue, load_pin
from cardio.cli.output import print_json, print_readings, readings_document, stdout
from cardio.cli.reporting import guarded
from cardio.cli.selection import ReaderChoice
from cardio.errors import ReaderUnavailable
from cardio.products.reading import CardReading, Group

DEFAULT_GROUPS = (Group.CARD, Group.HOLDER, Group.WALLET)


@guarded
def readers(reader: ReaderOption = None, as_json: JsonOption = False) -> None:
    """list the readers, and whether a card is in them"""
    states = ReaderChoice(reader).driver.readers()
    if as_json:
        print_json([{"name": name, "card_present": state.present} for name, state in states.items()])
        return
    if not states:
        raise ReaderUnavailable("no reader is connected")
    for number, (name, state) in enumerate(states.items()):
        stdout.print(f"{number}  {name}  {'有卡 card' if state.present else '空 empty'}", markup=False)


@guarded
def read(
    reader: ReaderOption = None,
    groups: Annotated[list[Group] | None, typer.Option("--group", "-g", help="what to read; may be repeated")] = None,
    masked: Annotated[bool, typer.Option("--masked", help="mask personal data")] = False,
    pin: PinOption = False,
    wait: WaitOption = 0.0,
    as_json: JsonOption = False,
) -> None:
    """read the card"""
    wanted = groups or list(DEFAULT_GROUPS)
    products = catalogue()
    with ReaderChoice(reader, wait).card(products) as channel:
        card = CardConnection(channel)
        reading = CardReading(card, products, pin=load_pin(pin), masked=masked)
        found = reading.read(wanted)
    if not groups:
        # Nobody asked for these by name: what the card does not have is not worth an error.
        found = {
            group: reading
            for group, reading in found.items()
            if reading.error is None or reading.error.code != "operation.unsupported"
        }
    if as_json:
        print_json(readings_document(found))
    else:
        print_readings(found)
    failed = next((reading.error for reading in found.values() if reading.error is not None), None)
    if failed is not None:
        raise typer.Exit(failed.exit_code)
