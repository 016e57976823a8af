"""`cardio register`: the register of personalized cards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cardio.cli.options import JsonOption
from cardio.cli.output import print_json, stdout
from cardio.cli.personalize.options import DEFAULT_REGISTER, RegisterOption
from cardio.cli.reporting import guarded
from cardio.errors import InputInvalid
from cardio.files.dates import CARD_TIMEZONE
from cardio.ledger.times import stamp
from cardio.personalize.attempts import Attempt, CardState
from cardio.personalize.register import Register

PAGE = 1000

register = typer.Typer(help="the register of personalized cards: what became of each", no_args_is_help=True)


@register.command("list")
@guarded
def list_attempts(
    file: RegisterOption = DEFAULT_REGISTER,
    job: Annotated[str | None, typer.Option("--job", help="only this job")] = None,
    state: Annotated[CardState | None, typer.Option("--state", help="only cards in this state")] = None,
    unfinished: Annotated[bool, typer.Option("--open", help="only cards that are to be gone on with")] = False,
    as_json: JsonOption = False,
) -> None:
    """list the cards: rows, states, reasons"""
    with _opened(file) as opened:
        found = [
            attempt
            for attempt in opened.attempts(job)
            if (state is None or attempt.state is state) and not (unfinished and attempt.state.final)
        ]
    if as_json:
        print_json([_document(attempt) for attempt in found])
        return
    table = Table()
    for title in ("号 id", "任务 job", "行 row", "状态 state", "开始 started", "原因 reason"):
        table.add_column(title, no_wrap="started" in title or "id" in title, overflow="fold")
    for one in found:
        started = one.started_at.astimezone(CARD_TIMEZONE).strftime("%Y-%m-%d %H:%M")
        table.add_row(str(one.id), one.job, one.record, one.state.value, started, one.reason or "")
    stdout.print(table)


@register.command()
@guarded
def verify(file: RegisterOption = DEFAULT_REGISTER) -> None:
    """check the hash chain of the register"""
    with _opened(file) as opened:
        rows = opened.verify()
    stdout.print(f"{rows} 行完整 rows verified")


@register.command()
@guarded
def export(file: RegisterOption = DEFAULT_REGISTER) -> None:
    """print the register's chain as JSON Lines: the audit document of a run"""
    with _opened(file) as opened:
        opened.verify()
        seq = 0
        while rows := opened.rows_after(seq, PAGE):
            for row in rows:
                told = {"seq": row.seq, "time": stamp(row.time), "kind": row.kind, "subject": row.subject}
                typer.echo(json.dumps({**told, **row.payload, "hash": row.hash.hex()}, ensure_ascii=False))
            seq = rows[-1].seq


@register.command("give-up")
@guarded
def give_up(
    attempt: Annotated[int, typer.Argument(help="number of the card in `cardio register list`", metavar="ID")],
    reason: Annotated[str, typer.Option("--reason", help="why it does not come back")],
    operator: Annotated[list[str], typer.Option("--operator", help="who says so; two persons", metavar="NAME")],
    destroyed: Annotated[
        bool, typer.Option("--destroyed", help="the card was finished, and both saw that it was destroyed")
    ] = False,
    file: RegisterOption = DEFAULT_REGISTER,
) -> None:
    """register a card that does not come back as rejected: its row is made on another card"""
    operators = tuple(dict.fromkeys(operator))
    if len(operators) < 2:
        raise InputInvalid("--operator NAME twice: two persons give a card up")
    with _opened(file) as opened:
        opened.give_up(attempt, reason, operators, destroyed=destroyed)
    stdout.print(f"{attempt}: 已登记为废卡 rejected")


@contextmanager
def _opened(file: Path) -> Iterator[Register]:
    if not file.exists():
        raise InputInvalid(f"{file}: there is no such register")
    opened = Register(file)
    try:
        yield opened
    finally:
        opened.close()


def _document(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "job": attempt.job,
        "record": attempt.record,
        "identity": attempt.identity,
        "reader": attempt.reader,
        "state": attempt.state.value,
        "reason": attempt.reason,
        "started": stamp(attempt.started_at),
        "finished": stamp(attempt.finished_at) if attempt.finished_at else None,
        "keys": [
            {"name": name, "confirmed": confirmed, "kcv": attempt.kcvs.get(name)}
            for name, confirmed in attempt.keys.items()
        ],
    }
