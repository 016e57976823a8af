"""`cardiod journal`: whether the journal is whole, its months in files, and the end of personal data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cardio.cli.options import JsonOption
from cardio.cli.output import print_json, stdout
from cardio.cli.reporting import guarded
from cardio.errors import InputInvalid, StorageUnavailable
from cardio.files.dates import CARD_TIMEZONE
from cardio.ledger.audit import audit
from cardio.ledger.export import MANIFEST, Manifest, Month, export_month
from cardio.ledger.export_check import check_export
from cardio.ledger.ledger import Ledger, now
from cardio.ledger.read_only import read_only
from cardio.ledger.terminal_keys import load_keys
from cardiod.commands.options import ConfigOption
from cardiod.settings import load_settings

app = typer.Typer(help="the journal as evidence", no_args_is_help=True)
notes = Console(stderr=True, soft_wrap=True, highlight=False)

JournalOption = Annotated[
    Path | None, typer.Option("--journal", help="the journal; default: the configured one", metavar="FILE")
]


@app.command()
@guarded
def verify(
    export: Annotated[
        Path | None, typer.Argument(help="an exported month, or the folder of all; default: the journal itself")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="public key of the terminal that must have signed the export", metavar="HEX")
    ] = None,
    journal: JournalOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """check the whole journal, also beside a running daemon, or exported months"""
    if export is not None:
        with _readable(export):
            manifests = check_export(export, None if key is None else _public_key(key))
        _show_export(manifests, as_json=json)
        return
    path = journal or load_settings(config).journal
    with read_only(path) as db:
        found = audit(db)
    document = {"journal": str(path), **asdict(found), "newest": found.newest and found.newest.isoformat()}
    if json:
        print_json(document)
        return
    stdout.print(f"流水完整 the journal is whole: {path}", markup=False, soft_wrap=True)
    for name, value in document.items():
        if name not in {"journal", "keys"}:
            stdout.print(f"  {name:<13}{value}", markup=False, soft_wrap=True)
    for public in found.keys:
        stdout.print(f"  {'key':<13}{public}", markup=False, soft_wrap=True)


@app.command()
@guarded
def export(
    month: Annotated[str, typer.Option(help="a month that is over, as 2026-11", metavar="MONTH")],
    to: Annotated[Path, typer.Option(help="folder in which the month gets a folder of its own", metavar="DIR")],
    journal: JournalOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """write a month to files that are never overwritten: rows, vouchers, and a signed manifest"""
    path = journal or load_settings(config).journal
    with read_only(path) as db, _readable(to):
        folder = export_month(db, load_keys(db, path), Month.parse(month), to, now())
        manifest = Manifest.read(folder / MANIFEST)
    _show_export([manifest], as_json=json)


@app.command()
@guarded
def forget(
    transaction: Annotated[
        str | None, typer.Option(help="only the personal data of this transaction, at its holder's wish", metavar="ID")
    ] = None,
    before: Annotated[
        str | None, typer.Option(help="only those of transactions before a day, as 2026-11-30", metavar="DATE")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="do not ask")] = False,
    journal: JournalOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """destroy personal data; by default those whose time is over, which a running daemon does by itself every day"""
    if transaction is not None and before is not None:
        raise InputInvalid("either a transaction or a day")
    settings = load_settings(config)
    day = None if before is None else _day(before)
    if not force:
        typer.confirm("销毁后无法恢复，继续？ what is destroyed cannot be had back; go on?", abort=True, err=True)
    ledger = Ledger(journal or settings.journal)
    try:
        if transaction is not None:
            count = ledger.privacy.forget_transaction(transaction)
        elif day is not None:
            count = ledger.privacy.forget(day)
        else:
            count = ledger.privacy.apply(settings.retention)
    finally:
        ledger.close()
    if json:
        print_json({"destroyed": count})
    else:
        stdout.print(f"已销毁 destroyed: {count}")


def _show_export(manifests: list[Manifest], *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(manifest) for manifest in manifests])
        return
    for one in manifests:
        told = f"{one.month}: {one.rows} rows {one.first_seq}-{one.last_seq}, {one.vouchers} vouchers, head {one.head}"
        stdout.print(told, markup=False, soft_wrap=True)
    for public in sorted({one.key for one in manifests}):
        stdout.print(f"密钥 key: {public}", markup=False, soft_wrap=True)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn the system's errors about a folder into ours.

    Raises:
        StorageUnavailable: It cannot be read or written.
    """
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(f"{error.filename or path}: {error.strerror}") from error


def _public_key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InputInvalid("a public key is 64 hex digits") from error


def _day(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), CARD_TIMEZONE)
    except ValueError as error:
        raise InputInvalid(f"{text} is no day like 2026-11-30") from error
