"""`cardio wallet …` and `cardio account …`."""

from __future__ import annotations

import typer

from cardio.cli.option_groups import grouped
from cardio.cli.options import CardOptions, JsonOption, PinOption, load_pin
from cardio.cli.output import print_json
from cardio.cli.page import Language, Page
from cardio.cli.payments import wallet_debit, wallet_load
from cardio.cli.reporting import guarded, report
from cardio.errors import OperationUnsupported
from cardio.products.group_reading import Content
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.purse.operation import PurseKind

wallet = typer.Typer(help="the electronic wallet of a citizen card", no_args_is_help=True)
account = typer.Typer(help="the medical account of a social security card", no_args_is_help=True)
wallet.command("debit")(wallet_debit)
wallet.command("load")(wallet_load)


@wallet.command("balance")
@grouped
@guarded
def wallet_balance(options: CardOptions, as_json: JsonOption = False) -> None:
    """show the wallet's balance"""
    _show(Group.WALLET, _read(options, PurseKind.WALLET, Group.WALLET, ask_pin=False), as_json=as_json)


@wallet.command("log")
@grouped
@guarded
def wallet_log(options: CardOptions, pin: PinOption = False, as_json: JsonOption = False) -> None:
    """show the wallet's last transactions, newest first"""
    content = _read(options, PurseKind.WALLET, Group.WALLET_LOG, ask_pin=pin)
    _show(Group.WALLET_LOG, content, as_json=as_json)


@account.command("balance")
@grouped
@guarded
def account_balance(options: CardOptions, pin: PinOption = False, as_json: JsonOption = False) -> None:
    """show the medical account on the card"""
    content = _read(options, PurseKind.MEDICAL, Group.MEDICAL, ask_pin=pin)
    _show(Group.MEDICAL, content, as_json=as_json)


@account.command("log")
@grouped
@guarded
def account_log(options: CardOptions, pin: PinOption = False, as_json: JsonOption = False) -> None:
    """show the last settlements, newest first"""
    content = _read(options, PurseKind.MEDICAL, Group.MEDICAL_LOG, ask_pin=pin)
    _show(Group.MEDICAL_LOG, content, as_json=as_json)


def _read(options: CardOptions, purse: PurseKind, group: Group, *, ask_pin: bool) -> Content | list[Content]:
    with options.card(purse) as card:
        reading = CardReading(card, options.products, pin=load_pin(ask_pin), masked=False)
        found = reading.read([group])[group]
    if found.content is None:
        raise found.error or OperationUnsupported("not on this card")
    if found.error is not None:
        report(found.error)
    return found.content


def _show(group: Group, content: Content | list[Content], *, as_json: bool) -> None:
    if as_json:
        print_json(content)
    else:
        Page(Language.BOTH).print_group(group, content)
