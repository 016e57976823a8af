"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import typer

from cardio.apdu.connection import CardConnection
from cardio.cli.page import Language
from cardio.cli.selection import ReaderChoice
from cardio.errors import InputInvalid
from cardio.products.catalogue import Catalogue
from cardio.purse.operation import PurseKind

ReaderOption = Annotated[
    str | None,
    typer.Option(
        "--reader",
        "-r",
        help="reader by number or part of its name; `virtual` is the embedded one",
        metavar="READER",
    ),
]
WaitOption = Annotated[float, typer.Option("--wait", help="seconds to wait for a card", min=0, metavar="SECONDS")]
LanguageOption = Annotated[Language, typer.Option("--language", help="language of the page")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]
PinOption = Annotated[bool, typer.Option("--pin", help="ask for the PIN here instead of on the reader's PIN pad")]
ProfilesOption = Annotated[
    Path | None, typer.Option("--profiles", help="folder with further card products", metavar="FOLDER")
]
ProductOption = Annotated[
    str | None, typer.Option("--product", help="look for this card product only", metavar="PRODUCT")
]


@dataclass(frozen=True)
class CardOptions:
    """Which card a command works on; the card of a virtual reader is an example of the product."""

    reader: ReaderOption = None
    wait: WaitOption = 0.0
    product: ProductOption = None
    profiles: ProfilesOption = None

    @cached_property
    def products(self) -> Catalogue:
        """The card products that can be meant; see `catalogue`."""
        return catalogue(self.profiles, self.product)

    @cached_property
    def choice(self) -> ReaderChoice:
        """The reader."""
        return ReaderChoice(self.reader, self.wait, None if self.product is None else self.products[self.product])

    @contextmanager
    def card(self, purse: PurseKind | None = None) -> Iterator[CardConnection]:
        """The powered card; one with the `purse` if several are there.

        Raises:
            CardioError: As of `ReaderChoice.card`.
        """
        with self.choice.card(self.products, purse) as channel:
            yield CardConnection(channel)


def catalogue(profiles: Path | None = None, product: str | None = None) -> Catalogue:
    """The card products: installed ones, those of /etc/cardio/profiles and CARDIO_PROFILES, and of `profiles`.

    Args:
        profiles: Folder with further products, which replace others of the same id.
        product: The only product that is wanted.

    Raises:
        ProductInvalid: A product file is wrong, or a folder does not exist.
        InputInvalid: No product has that id.
    """
    folders = [Path(folder) for folder in os.environ.get("CARDIO_PROFILES", "").split(os.pathsep) if folder]
    known = Catalogue.load(*folders, *([] if profiles is None else [profiles]))
    if product is None:
        return known
    try:
        return Catalogue([known[product]])
    except KeyError:
        names = ", ".join(one.id for one in known)
        raise InputInvalid(f"no product is named {product}; there are: {names}") from None


def load_pin(ask: bool) -> str | None:
    """The PIN, typed without echo if asked for; the prompt goes to standard error."""
    if not ask:
        return None
    pin: str = typer.prompt("密码 PIN", hide_input=True, err=True)
    return pin
