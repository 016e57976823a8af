"""`cardio update`: items of a card in use are rewritten under the issuer's keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from cardio.applications.updating import update_items, update_wallet_file
from cardio.cli.key_sources import KeyOptions
from cardio.cli.maintenance import Opened, opened
from cardio.cli.option_groups import grouped
from cardio.cli.options import CardOptions, PinOption, load_pin
from cardio.cli.output import stdout
from cardio.cli.reporting import guarded
from cardio.errors import InputInvalid
from cardio.files.declaration import FileDeclaration
from cardio.files.reading import FileReader
from cardio.products.maintenance import open_environment, open_wallet


@grouped
@guarded
def update(
    assignments: Annotated[
        list[str],
        typer.Argument(
            help="DF01/EF07.status=1, or of a wallet public.ends=2035-12-31; an empty VALUE makes the item blank",
            metavar="FILE.ITEM=VALUE...",
        ),
    ],
    options: CardOptions,
    keys: KeyOptions,
    pin: PinOption = False,
) -> None:
    """rewrite items of the card under its update keys; names as in `cardio read --json`"""
    wanted = [_assignment(one) for one in assignments]
    typed = load_pin(pin)
    with opened(options, keys) as found:
        for place in dict.fromkeys(place for place, _, _ in wanted):
            values = {name: text for where, name, text in wanted if where == place}
            if "/" in place:
                _update_items(found, place, values, typed)
            else:
                _update_wallet(found, place, values)
            stdout.print(f"{place}: 已更新 updated: {', '.join(values)}", markup=False)


def _assignment(text: str) -> tuple[str, str, str]:
    """File, item and value.

    Raises:
        InputInvalid: It has another form.
    """
    target, equals, value = text.partition("=")
    place, dot, name = target.rpartition(".")
    if not (equals and dot and place and name):
        raise InputInvalid("write FILE.ITEM=VALUE, for example DF01/EF07.status=1")
    return place, name, value


def _update_items(found: Opened, place: str, values: dict[str, str], pin: str | None) -> None:
    opened_card = open_environment(found.card, found.products, found.sources, pin)
    file = opened_card.found.product.files.get(place)
    if file is None:
        raise _no_file(place, opened_card.found.product.files)
    parsed = _parsed(file, values)
    directory, _, _ = place.partition("/")
    opened_card.files.select(directory)
    update_items(found.card, opened_card.found.application.reader, opened_card.authority, file, parsed)


def _update_wallet(found: Opened, place: str, values: dict[str, str]) -> None:
    opened_card = open_wallet(found.card, found.products, found.sources)
    file = opened_card.found.part.file_of_kind(place) or opened_card.found.part.declarations.get(place)
    if file is None:
        raise _no_file(place, opened_card.found.part.declarations)
    update_wallet_file(opened_card.commands, FileReader(found.card), file, _parsed(file, values))


def _no_file(place: str, files: Iterable[str]) -> InputInvalid:
    return InputInvalid(f"the card has no {place}; it has {', '.join(files)}")


def _parsed(file: FileDeclaration, values: dict[str, str]) -> dict[str, Any]:
    specs = file.content.specs()
    parsed: dict[str, Any] = {}
    for name, text in values.items():
        spec = specs.get(name)
        if spec is None:
            raise InputInvalid(f"the file has no {name}; it has {', '.join(specs)}")
        if spec.count > 1:
            raise InputInvalid(f"{name} is several items: not to be given here")
        try:
            parsed[name] = spec.codec.parse(text) if text else None
        except ValueError as error:
            raise InputInvalid(f"{name}: {error}") from None
    return parsed
