"""`cardio card …`: applications and cards are blocked under the issuer's keys; `replace_keys` has the other command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from cardio.apdu.connection import CardConnection
from cardio.cli.key_sources import KeyOptions
from cardio.cli.option_groups import grouped
from cardio.cli.options import CardOptions
from cardio.cli.output import stdout
from cardio.cli.reporting import guarded
from cardio.errors import InputInvalid
from cardio.products.catalogue import Catalogue
from cardio.products.detection import find_social_security, identify
from cardio.products.maintenance import MaintenanceSources, open_environment, open_wallet

WALLET = "wallet"
card = typer.Typer(
    help="""block applications and cards, or replace keys, under the issuer's keys

    \b
    cardio card block-application --keyring issuer.keys
    cardio card block-application --application DF04 --forever --keyring issuer.keys
    cardio card block --keyring issuer.keys
    cardio card replace-keys ADF1 --product citizen-wallet --keyring issuer.keys --new-keyring new.keys
    """,
    no_args_is_help=True,
)
YesOption = Annotated[bool, typer.Option("--yes", help="do not ask, though it cannot be taken back")]
ApplicationOption = Annotated[
    str, typer.Option(help="`wallet`, or the directory of a social security card, such as DF04")
]
ForeverOption = Annotated[
    bool, typer.Option("--forever", help="for ever; directories of social security cards are blocked only so")
]


@card.command("block-application")
@grouped
@guarded
def block_application(
    options: CardOptions,
    keys: KeyOptions,
    application: ApplicationOption = WALLET,
    forever: ForeverOption = False,
    yes: YesOption = False,
) -> None:
    """make an application refuse work, until it is unblocked or for ever"""
    with opened(options, keys) as found:
        if forever:
            found.confirm(yes=yes)
        if application == WALLET:
            open_wallet(found.card, found.products, found.sources).maintenance.block_application(forever=forever)
        else:
            environment = open_environment(found.card, found.products, found.sources)
            environment.maintenance.block_application(application, forever=forever)
    stdout.print("应用已锁定 the application is blocked")


@card.command("unblock-application")
@grouped
@guarded
def unblock_application(
    options: CardOptions,
    keys: KeyOptions,
) -> None:
    """let a wallet work again that is not blocked for ever"""
    with opened(options, keys) as found:
        wallet = open_wallet(found.card, found.products, found.sources, blocked_too=True)
        wallet.maintenance.unblock_application()
    stdout.print("应用已解锁 the application is unblocked")


@card.command("block")
@grouped
@guarded
def block(
    options: CardOptions,
    keys: KeyOptions,
    yes: YesOption = False,
) -> None:
    """make the card refuse every command, for ever"""
    with opened(options, keys) as found:
        found.confirm(yes=yes)
        social = find_social_security(found.card, found.products) is not None
        if social:
            open_environment(found.card, found.products, found.sources).maintenance.block_card(forever=True)
        else:
            open_wallet(found.card, found.products, found.sources).maintenance.block_card(forever=True)
    stdout.print("卡片已锁定 the card is blocked")


@dataclass(frozen=True)
class Opened:
    """A powered card with the keys to maintain it."""

    card: CardConnection
    products: Catalogue
    sources: MaintenanceSources

    def confirm(self, *, yes: bool) -> None:
        """Have the end of the card's number typed before something that cannot be taken back.

        Raises:
            InputInvalid: It is another number.
        """
        if yes:
            return
        number = identify(self.card, self.products).masked.strip("*")
        question = f"不可撤销，请输入卡号末{len(number)}位 cannot be taken back; type the end of the card's number"
        typed: str = typer.prompt(question, err=True)
        if not number or typed.strip() != number:
            raise InputInvalid("that is not the end of this card's number; nothing was done")


@contextmanager
def opened(options: CardOptions, keys: KeyOptions) -> Iterator[Opened]:
    """The card and the keys that the options of a command mean."""
    with keys.maintenance(options.choice) as sources, options.card() as card_there:
        yield Opened(card_there, options.products, sources)
