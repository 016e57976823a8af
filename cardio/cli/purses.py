"""`cardio wallet …` and `cardio account …`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import typer
from platformdirs import user_state_path

from cardio.apdu.connection import CardConnection
from cardio.cli.options import JsonOption, PinOption, ReaderOption, WaitOption, catalogue, load_pin
from cardio.cli.output import print_json, stdout
from cardio.cli.page import Language, Page
from cardio.cli.reporting import guarded, guarded_money, report
from cardio.cli.selection import ReaderChoice
from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest
from cardio.errors import AmountInvalid, CardioError, JournalLocked, OperationUnsupported, TransactionUncertain
from cardio.ledger.chain import canonical
from cardio.ledger.document import transaction_document
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import Request, State
from cardio.products.group_reading import Content
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.purse.operation import PurseKind
from cardio.readers.owner import SamOwner
from cardio.security.psam import Psam

wallet = typer.Typer(help="the electronic wallet of a citizen card", no_args_is_help=True)
account = typer.Typer(help="the medical account of a social security card", no_args_is_help=True)
CLIENT = "cardio"
DAEMON_CLIENT = "cardio.daemon_client"


@wallet.command("balance")
@guarded
def wallet_balance(reader: ReaderOption = None, wait: WaitOption = 0.0, as_json: JsonOption = False) -> None:
    """show the wallet's balance"""
    _show(Group.WALLET, _read(reader, wait, PurseKind.WALLET, Group.WALLET, ask_pin=False), as_json=as_json)


@wallet.command("log")
@guarded
def wallet_log(
    reader: ReaderOption = None,
    wait: WaitOption = 0.0,
    pin: PinOption = False,
    as_json: JsonOption = False,
) -> None:
    """show the wallet's last transactions, newest first"""
    content = _read(reader, wait, PurseKind.WALLET, Group.WALLET_LOG, ask_pin=pin)
    _show(Group.WALLET_LOG, content, as_json=as_json)


@account.command("balance")
@guarded
def account_balance(
    reader: ReaderOption = None,
    wait: WaitOption = 0.0,
    pin: PinOption = False,
    as_json: JsonOption = False,
) -> None:
    """show the medical account on the card"""
    content = _read(reader, wait, PurseKind.MEDICAL, Group.MEDICAL, ask_pin=pin)
    _show(Group.MEDICAL, content, as_json=as_json)


@account.command("log")
@guarded
def account_log(
    reader: ReaderOption = None,
    wait: WaitOption = 0.0,
    pin: PinOption = False,
    as_json: JsonOption = False,
) -> None:
    """show the last settlements, newest first"""
    content = _read(reader, wait, PurseKind.MEDICAL, Group.MEDICAL_LOG, ask_pin=pin)
    _show(Group.MEDICAL_LOG, content, as_json=as_json)


@wallet.command("debit")
@guarded_money
def wallet_debit(
    amount: Annotated[str, typer.Argument(help="yuan with at most two decimals, for example 12.34")],
    reference: Annotated[str, typer.Option(help="your number of the sale; the key if missing")] = "",
    key: Annotated[str, typer.Option(help="idempotency key; the same key never debits twice. Made up if missing")] = "",
    operator: Annotated[str | None, typer.Option(help="who sits at the counter")] = None,
    reader: ReaderOption = None,
    sam: Annotated[str | None, typer.Option(help="part of the name of the PSAM's reader")] = None,
    journal: Annotated[Path | None, typer.Option(help="journal file", metavar="FILE")] = None,
    wait: WaitOption = 0.0,
    as_json: JsonOption = False,
) -> None:
    """debit the wallet; every debit is in the journal before the card is touched"""
    fen = parse_yuan(amount)
    key = key or str(uuid.uuid4())
    reference = reference or key
    choice = ReaderChoice(reader, wait)
    path = journal or _default_journal(choice)
    fingerprint = canonical({"purse": "wallet", "amount_fen": fen, "reference": reference}).encode()
    request = DebitRequest(Request(CLIENT, key, "debit", fingerprint), fen, reference, operator)
    request.check()
    try:
        document = _debit(choice, path, sam, request)
    except JournalLocked:
        daemon = next(iter(entry_points(group=DAEMON_CLIENT)), None)
        if daemon is None or choice.virtual:
            raise
        document = daemon.load()(path, fen, reference, key, operator, reader, wait)
    _print_transaction(document, as_json=as_json)


def parse_yuan(text: str) -> int:
    """Yuan as people write them, in fen.

    Raises:
        AmountInvalid: Not a decimal number with at most two decimals.
    """
    whole, _, cents = text.partition(".")
    digits = whole + cents
    if not (digits.isascii() and digits.isdecimal() and whole) or len(cents) > 2 or text.endswith("."):
        raise AmountInvalid("write yuan like 12.34")
    return int(whole) * 100 + int(cents.ljust(2, "0"))


def _default_journal(choice: ReaderChoice) -> Path:
    """Virtual cards have a journal of their own, so that test money never stands beside real money."""
    name = "journal-virtual.db" if choice.virtual else "journal.db"
    return user_state_path("cardio") / name


def _debit(choice: ReaderChoice, path: Path, sam: str | None, request: DebitRequest) -> dict[str, Any]:
    products = catalogue()
    ledger = Ledger(path)
    try:
        transaction = Engine(ledger, products, None).begin_debit(request)
        if not transaction.state.final:
            with _sam_owner(choice, sam) as owner, choice.card(products, PurseKind.WALLET) as channel:
                transaction = Engine(ledger, products, Psam(owner)).debit(transaction, channel)
        return transaction_document(transaction)
    finally:
        ledger.close()


@contextmanager
def _sam_owner(choice: ReaderChoice, name: str | None) -> Iterator[SamOwner]:
    found = choice.sam(name)
    owner = SamOwner(found.reader, choice.driver, virtual=found.virtual)
    try:
        yield owner
    finally:
        owner.stop()


def _read(reader: str | None, wait: float, purse: PurseKind, group: Group, *, ask_pin: bool) -> Content | list[Content]:
    products = catalogue()
    with ReaderChoice(reader, wait).card(products, purse) as channel:
        reading = CardReading(CardConnection(channel), products, pin=load_pin(ask_pin), masked=False)
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


def _print_transaction(document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(document)
    elif document["voucher"]:
        stdout.print(document["voucher"]["zh"], "", document["voucher"]["en"], sep="\n", markup=False)
    state = State(document["state"])
    if state is State.COMPLETED:
        return
    error = CardioError.catalogue.get(document["error"] or "", TransactionUncertain)(money=state.money)
    report(error, money=True)
    raise typer.Exit(error.exit_code)
