"""The `cardio` command."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from cardio.cli.cards import read, readers
from cardio.cli.doctor.command import doctor
from cardio.cli.keys.command import keys
from cardio.cli.maintenance import card
from cardio.cli.manual.command import manual
from cardio.cli.output import stdout
from cardio.cli.personalize.command import personalize
from cardio.cli.personalize.finished import mailer, verify
from cardio.cli.personalize.register import register
from cardio.cli.personalize.replace_keys import replace_keys
from cardio.cli.pin import pin
from cardio.cli.profiles import profile
from cardio.cli.purses import account, wallet
from cardio.cli.trace.command import trace
from cardio.cli.update import update
from cardio.cli.virtual import virtual

app = typer.Typer(
    help="""read and use citizen cards and social security cards

    \b
    cardio readers
    cardio read --reader virtual
    cardio wallet debit 12.34 --reader virtual --reference SALE-1
    """,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(readers)
app.command()(read)
app.add_typer(wallet, name="wallet")
app.add_typer(account, name="account")
app.add_typer(pin, name="pin")
card.command("replace-keys")(replace_keys)
app.add_typer(card, name="card")
app.command()(update)
app.add_typer(profile, name="profile")
app.add_typer(keys, name="keys")
app.command()(personalize)
app.command()(verify)
app.command()(mailer)
app.add_typer(register, name="register")
app.command()(virtual)
app.command()(trace)
app.command()(doctor)
app.command()(manual)


def _print_version(wanted: bool) -> None:
    if wanted:
        stdout.print(version("cardio"))
        raise typer.Exit


@app.callback()
def main(
    _: Annotated[
        bool,
        typer.Option("--version", help="print the version and exit", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """read and use citizen cards and social security cards"""


def run() -> None:
    """Entry point."""
    app()
