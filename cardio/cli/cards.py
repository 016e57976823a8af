"""`cardio readers` and `cardio read`."""

from __future__ import annotations

from typing import Annotated

import typer

from cardio.cli.key_sources import KeyOptions
from cardio.cli.option_groups import grouped
from cardio.cli.options import CardOptions, JsonOption, LanguageOption, PinOption, ReaderOption, load_pin
from cardio.cli.output import print_json, readings_document, stdout
from cardio.cli.page import Language, Page
from cardio.cli.reporting import guarded, stderr
from cardio.cli.schema import read_schema
from cardio.cli.selection import ReaderChoice
from cardio.errors import ReaderUnavailable
from cardio.products.groups import Group
from cardio.products.reading import CardReading

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


@grouped
@guarded
def read(
    options: CardOptions,
    keys: KeyOptions,
    groups: Annotated[list[Group] | None, typer.Option("--group", "-g", help="what to read; may be repeated")] = None,
    everything: Annotated[bool, typer.Option("--all", help="read all groups")] = False,
    masked: Annotated[bool, typer.Option("--masked", help="mask personal data")] = False,
    pin: PinOption = False,
    authenticate: Annotated[
        bool, typer.Option("--authenticate/--no-authenticate", help="have the card prove itself with PSAM or keyring")
    ] = True,
    stats: Annotated[bool, typer.Option("--stats", help="tell how many commands the card got")] = False,
    language: LanguageOption = Language.BOTH,
    as_json: JsonOption = False,
    schema: Annotated[bool, typer.Option("--schema", help="print the JSON Schema of --json, and read nothing")] = False,
) -> None:
    """read the card"""
    if schema:
        print_json(read_schema())
        return
    named = list(Group) if everything else groups
    with options.card() as card, keys.authentication(options.choice, wanted=authenticate) as source:
        reading = CardReading(
            card, options.products, pin=load_pin(pin), keys=source, masked=masked, authenticate=authenticate
        )
        found = reading.read(named or DEFAULT_GROUPS)
    if not groups:
        # Nobody asked for these by name: what the card does not have is not worth an error.
        found = {
            group: reading
            for group, reading in found.items()
            if reading.error is None or reading.error.code != "operation.unsupported"
        }
    if as_json:
        document = readings_document(found)
        print_json({**document, "stats": dict(card.counts)} if stats else document)
    else:
        Page(language, reading.files).print_readings(found)
    if stats:
        counts = ", ".join(f"{name} {count}" for name, count in card.counts.items())
        stderr.print(f"卡片指令 APDUs: {card.counts.total()} ({counts})", markup=False)
    failed = next((reading.error for reading in found.values() if reading.error is not None), None)
    if failed is not None:
        raise typer.Exit(failed.exit_code)
