"""`cardio wallet debit` and `cardio wallet load`: every operation is in a journal before the card is touched."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import typer
from platformdirs import user_state_path

from cardio.cli.options import JsonOption, PinOption, ReaderOption, WaitOption, catalogue, load_pin
from cardio.cli.output import print_json, stdout
from cardio.cli.reporting import DEBIT, LOAD, guarded_debit, guarded_load, report
from cardio.cli.selection import ReaderChoice
from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest, OnlineRequest
from cardio.errors import AmountInvalid, CardioError, JournalLocked, Money, ServiceUnavailable, TransactionUncertain
from cardio.files.dates import encode_time
from cardio.ledger.chain import canonical
from cardio.ledger.document import transaction_document
from cardio.ledger.ledger import Ledger, now
from cardio.ledger.model import Request, State
from cardio.purse.operation import PurseKind
from cardio.readers.owner import SamOwner
from cardio.security.psam import Psam
from cardio.transport.channel import Channel
from cardio.virtual.hosts import load_host

CLIENT = "cardio"
DAEMON_CLIENT = "cardio.daemon_client"

AmountArgument = Annotated[str, typer.Argument(help="yuan with at most two decimals, for example 12.34")]
ReferenceOption = Annotated[str, typer.Option(help="your number of the sale; the key if missing")]
KeyOption = Annotated[
    str, typer.Option(help="idempotency key; the same key never moves money twice. Made up if missing")
]
OperatorOption = Annotated[str | None, typer.Option(help="who sits at the counter")]
JournalOption = Annotated[Path | None, typer.Option(help="journal file", metavar="FILE")]


@guarded_debit
def wallet_debit(
    amount: AmountArgument,
    reference: ReferenceOption = "",
    key: KeyOption = "",
    operator: OperatorOption = None,
    reader: ReaderOption = None,
    sam: Annotated[str | None, typer.Option(help="part of the name of the PSAM's reader")] = None,
    journal: JournalOption = None,
    wait: WaitOption = 0.0,
    as_json: JsonOption = False,
) -> None:
    """debit the wallet; every debit is in the journal before the card is touched"""
    choice = ReaderChoice(reader, wait)
    path = journal or _default_journal(choice)
    fen = parse_yuan(amount)
    asked = _asked("debit", fen, reference, key)
    request = DebitRequest(asked, fen, reference or asked.key, operator)
    request.check()
    try:
        document = _debit(choice, path, sam, request)
    except JournalLocked:
        if choice.virtual or not entry_points(group=DAEMON_CLIENT):
            raise
        document = _through_daemon(path, request, {"reader": reader, "wait_s": wait})
    _print_transaction(document, DEBIT, as_json=as_json)


@guarded_load
def wallet_load(
    amount: AmountArgument,
    reference: ReferenceOption = "",
    key: KeyOption = "",
    operator: OperatorOption = None,
    reader: ReaderOption = None,
    journal: JournalOption = None,
    pin: PinOption = False,
    wait: WaitOption = 0.0,
    as_json: JsonOption = False,
) -> None:
    """load the wallet through the load host of the running daemon; virtual cards have a host of their own"""
    choice = ReaderChoice(reader, wait)
    path = journal or _default_journal(choice)
    fen = parse_yuan(amount)
    asked = _asked("load", fen, reference, key)
    request = OnlineRequest(asked, fen, reference or asked.key, operator)
    request.check()
    typed = load_pin(pin)
    if choice.virtual:
        document = _load_virtual(choice, path, request, typed)
    else:
        how = {"reader": reader, "wait_s": wait} | ({} if typed is None else {"pin": typed})
        document = _through_daemon(path, request, how)
    _print_transaction(document, LOAD, as_json=as_json)


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


def _asked(operation: str, amount_fen: int, reference: str, key: str) -> Request:
    """The request's key, and what must be the same whenever it is used."""
    key = key or str(uuid.uuid4())
    body = {"purse": "wallet", "amount_fen": amount_fen, "reference": reference or key}
    return Request(CLIENT, key, operation, canonical(body).encode())


def _default_journal(choice: ReaderChoice) -> Path:
    """Virtual cards have a journal of their own, so that test money never stands beside real money."""
    name = "journal-virtual.db" if choice.virtual else "journal.db"
    return user_state_path("cardio") / name


def _debit(choice: ReaderChoice, path: Path, sam: str | None, request: DebitRequest) -> dict[str, Any]:
    with _engine(path) as engine:
        transaction = engine.begin_debit(request)
        if not transaction.state.final:
            with _working(engine, choice, sam) as channel:
                transaction = engine.debit(transaction, channel)
        return transaction_document(transaction)


def _load_virtual(choice: ReaderChoice, path: Path, request: OnlineRequest, pin: str | None) -> dict[str, Any]:
    with _engine(path) as engine:
        engine.host = load_host(lambda: encode_time(now()))
        transaction = engine.begin_online(request)
        if not transaction.state.final:
            with _working(engine, choice, None) as channel:
                transaction = engine.online(transaction, channel, pin)
        return transaction_document(transaction)


@contextmanager
def _engine(journal: Path) -> Iterator[Engine]:
    """The engine of this process, still without keys."""
    products = catalogue()
    ledger = Ledger(journal)
    try:
        yield Engine(ledger, products, None)
    finally:
        ledger.close()


@contextmanager
def _working(engine: Engine, choice: ReaderChoice, sam: str | None) -> Iterator[Channel]:
    """The card with the wallet; the engine gets the PSAM's keys."""
    found = choice.sam(sam)
    owner = SamOwner(found.reader, choice.driver, virtual=found.virtual)
    try:
        engine.keys = Psam(owner)
        with choice.card(engine.catalogue, PurseKind.WALLET) as channel:
            yield channel
    finally:
        owner.stop()


def _through_daemon(journal: Path, request: DebitRequest | OnlineRequest, how: dict[str, Any]) -> dict[str, Any]:
    """Have the daemon that holds the journal do it; `how` is what may be another each time.

    Raises:
        ServiceUnavailable: No daemon is installed, or none answers.
        CardioError: What it answered.
    """
    client = next(iter(entry_points(group=DAEMON_CLIENT)), None)
    if client is None:
        raise ServiceUnavailable("cardiod is not installed")
    body = {
        "purse": "wallet",
        "amount_fen": request.amount_fen,
        "reference": request.reference,
        "operator": request.operator,
        **how,
    }
    document: dict[str, Any] = client.load()(journal, request.request.operation, body, request.request.key)
    return document


def _print_transaction(document: dict[str, Any], money: Mapping[Money, str], *, as_json: bool) -> None:
    if as_json:
        print_json(document)
    elif document["voucher"]:
        stdout.print(document["voucher"]["zh"], "", document["voucher"]["en"], sep="\n", markup=False)
    state = State(document["state"])
    if state is State.COMPLETED:
        return
    error = CardioError.catalogue.get(document["error"] or "", TransactionUncertain)(money=state.money)
    report(error, money)
    raise typer.Exit(error.exit_code)
