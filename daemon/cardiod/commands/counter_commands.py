"""`cardiod shift` and `cardiod batch`: the order of a working day, through the daemon that runs (design §5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from cardio.cli.options import JsonOption
from cardio.cli.output import print_json, stdout
from cardio.cli.reporting import guarded
from cardio.errors import ShiftUnknown
from cardio.files.codecs import yuan
from cardiod.client import ApiProblem, Client
from cardiod.client.addresses import default_token, default_url
from cardiod.client.commands import PATIENCE_S, token_beside
from cardiod.commands.options import ConfigOption
from cardiod.settings import load_settings

shifts = typer.Typer(help="shifts of the counter's operators", no_args_is_help=True)
batches = typer.Typer(help="batches for the settlement centre", no_args_is_help=True)

LaneOption = Annotated[str, typer.Option(help="where the operator sits; empty where there is only one place")]
OperatorArgument = Annotated[str, typer.Argument(help="who sits at the counter")]


@shifts.command("open")
@guarded
def open_shift(
    operator: OperatorArgument, lane: LaneOption = "", config: ConfigOption = None, json: JsonOption = False
) -> None:
    """open a shift"""
    with _daemon(config) as client:
        shift = client.post("shifts", {"operator": operator, "lane": lane})
    _show_shift(shift, as_json=json)


@shifts.command("close")
@guarded
def close_shift(
    operator: OperatorArgument, lane: LaneOption = "", config: ConfigOption = None, json: JsonOption = False
) -> None:
    """close the operator's shift and print its slip"""
    with _daemon(config) as client:
        found = client.get("shifts?open=true")["shifts"]
        mine = [shift for shift in found if (shift["operator"], shift["lane"]) == (operator, lane)]
        if not mine:
            raise ShiftUnknown(f"{operator} has no open shift at {lane or 'the counter'}")
        shift = client.post(f"shifts/{mine[0]['id']}/close", {})
    _show_shift(shift, as_json=json)


@batches.command("close")
@guarded
def close_batch(config: ConfigOption = None, json: JsonOption = False) -> None:
    """close what was recorded since the last batch"""
    with _daemon(config) as client:
        batch = client.post("batches", {})
    _show_batches([batch], batch, as_json=json)


@batches.command("status")
@guarded
def batch_status(config: ConfigOption = None, json: JsonOption = False) -> None:
    """list the batches, and what waits for the next"""
    with _daemon(config) as client:
        found = client.get("batches")
    _show_batches(found["batches"], found, as_json=json)
    if not json:
        waiting = found["waiting"]
        stdout.print(
            f"待结批 waiting: {waiting['records']} 条 records, {waiting['uncertain']} 未决 uncertain", highlight=False
        )


@contextmanager
def _daemon(config: Path | None) -> Iterator[Client]:
    """The daemon that runs; its refusals as the library's own errors."""
    token = default_token() or token_beside(load_settings(config).journal)
    with Client(default_url(), token, patience_s=PATIENCE_S) as client:
        try:
            yield client
        except ApiProblem as refusal:
            raise refusal.as_error() from refusal


def _show_shift(shift: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(shift)
        return
    stdout.print(f"班次 shift {shift['id']}", highlight=False)
    stdout.print(
        f"操作员 operator: {shift['operator']}  通道 lane: {shift['lane'] or '-'}", highlight=False, markup=False
    )
    for name, label in (("opened", "开班 opened"), ("closed", "结班 closed")):
        if shift[f"{name}_at"]:
            head = shift[f"{name}_head"]
            stdout.print(f"{label}: {shift[f'{name}_at']}  流水 row {head['seq']} {head['hash']}", highlight=False)
    table = Table("purse", "operation", "state", "count", "amount")
    for total in shift["totals"]:
        table.add_row(
            total["purse"], total["operation"], total["state"], str(total["count"]), yuan(total["amount_fen"])
        )
    if shift["totals"]:
        stdout.print(table)


def _show_batches(batches: list[dict[str, Any]], document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    table = Table("batch", "closed", "records", "uncertain", "sums", Column("hash", no_wrap=True))
    for batch in batches:
        sums = "\n".join(
            f"{one['purse']} {one['operation']} {one['count']}: {yuan(one['amount_fen'])}" for one in batch["sums"]
        )
        table.add_row(
            str(batch["number"]),
            batch["closed_at"][:16],
            str(batch["records"]),
            str(batch["uncertain"]),
            sums,
            batch["hash"][:16],
        )
    stdout.print(table)
