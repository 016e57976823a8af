"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from cardio.products.catalogue import Catalogue

ReaderOption = Annotated[
    str | None,
    typer.Option(
        "--reader",
        "-r",
        help="reader by number or part of its name; `virtual` is the embedded one",
        metavar="READER",
    ),
]
WaitOption = Annotated[float, typer.Option("--wait", help="seconds to wait for a card", min=0)]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]
PinOption = Annotated[bool, typer.Option("--pin", help="ask for the PIN here instead of on the reader's PIN pad")]


def catalogue() -> Catalogue:
    """The card products, with those of the folders in CARDIO_PROFILES."""
    folders = os.environ.get("CARDIO_PROFILES", "")
    return Catalogue.load(*(Path(folder) for folder in folders.split(os.pathsep) if folder))


def load_pin(ask: bool) -> str | None:
    """The PIN, typed without echo if asked for; the prompt goes to standard error."""
    if not ask:
        return None
    pin: str = typer.prompt("密码 PIN", hide_input=True, err=True)
    return pin
