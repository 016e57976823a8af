"""`cardiod token`: who may call with a bearer token."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from cardio.cli.options import JsonOption
from cardio.cli.output import print_json, stdout
from cardio.cli.reporting import guarded
from cardio.errors import InputInvalid
from cardio.files.dates import CARD_TIMEZONE
from cardio.ledger.ledger import now
from cardiod.commands.options import ConfigOption
from cardiod.settings import CASHIER, Scope, hash_token, load_settings
from cardiod.tokens import Token, TokenFile, new_token

app = typer.Typer(help="bearer tokens of cashier software", no_args_is_help=True)
notes = Console(stderr=True, soft_wrap=True, highlight=False)


@app.command()
@guarded
def create(
    name: Annotated[str, typer.Argument(help="name of the client, under which its transactions are journalled")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="what it may do; again for more; default: the work of a till")
    ] = None,
    max_amount_fen: Annotated[
        int | None, typer.Option(min=1, help="most that one request may move", metavar="N")
    ] = None,
    max_day_fen: Annotated[int | None, typer.Option(min=1, help="most that one day may move", metavar="N")] = None,
    expires: Annotated[
        str | None, typer.Option(help="last day, as 2027-12-31, or time with offset", metavar="DATE")
    ] = None,
    origin: Annotated[
        str | None, typer.Option(help="the one web page that may use it, as https://his.example", metavar="URL")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """make a token and show it once; a running daemon knows it at once"""
    secret = new_token()
    file = TokenFile(load_settings(config).tokens_file)
    try:
        token = Token(
            name=name,
            sha256=hash_token(secret),
            scopes=frozenset(scope or CASHIER),
            max_amount_fen=max_amount_fen,
            max_day_fen=max_day_fen,
            created=now(),
            expires=None if expires is None else _expiry(expires),
            origin=origin,
        )
    except ValidationError as error:
        raise InputInvalid("; ".join(f"{found['loc'][0]}: {found['msg']}" for found in error.errors())) from error
    file.add(token)
    if json:
        print_json({**_document(token), "token": secret})
        return
    notes.print("令牌只显示这一次 this token is shown only now:")
    stdout.print(secret, markup=False, highlight=False, soft_wrap=True)


@app.command("list")
@guarded
def list_tokens(config: ConfigOption = None, json: JsonOption = False) -> None:
    """list the tokens; what they are nobody knows any more"""
    tokens = TokenFile(load_settings(config).tokens_file).all()
    if json:
        print_json([_document(token) for token in tokens])
        return
    table = Table("name", "scopes", "one request", "a day", "expires", "origin")
    for token in tokens:
        expires = "" if token.expires is None else f"{token.expires:%Y-%m-%d %H:%M}"
        table.add_row(
            token.name,
            " ".join(sorted(token.scopes)),
            _yuan(token.max_amount_fen),
            _yuan(token.max_day_fen),
            f"{expires} 已过期 expired" if token.expired(now()) else expires,
            token.origin or "",
        )
    stdout.print(table)


@app.command()
@guarded
def revoke(
    name: Annotated[str, typer.Argument(help="name of the client")],
    config: ConfigOption = None,
) -> None:
    """make a token worthless at once"""
    TokenFile(load_settings(config).tokens_file).revoke(name)
    notes.print(f"已吊销 revoked: {name}", markup=False)


def _expiry(text: str) -> datetime:
    """A day counts to its end, in the time of the cards.

    Raises:
        InputInvalid: Neither a day nor a time with its offset, or it is over.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            end = datetime.fromisoformat(text)
        except ValueError as error:
            raise InputInvalid(f"expires: {text} is neither a date nor a time") from error
        if end.tzinfo is None:
            raise InputInvalid("expires: a time needs its offset, as +08:00") from None
    else:
        end = datetime.combine(day + timedelta(days=1), time(), CARD_TIMEZONE)
    if end <= now():
        raise InputInvalid(f"expires: {text} is over")
    return end


def _document(token: Token) -> dict[str, Any]:
    document = token.model_dump(mode="json", exclude={"sha256"})
    return {**document, "scopes": sorted(document["scopes"]), "expired": token.expired(now())}


def _yuan(fen: int | None) -> str:
    return "" if fen is None else f"¥{fen // 100}.{fen % 100:02d}"
