"""`cardio verify` and `cardio mailer`: what is done with the cards of a job besides making them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cardio.apdu.connection import CardConnection
from cardio.cli.option_groups import grouped
from cardio.cli.options import JsonOption, ReaderOption, WaitOption, catalogue
from cardio.cli.output import print_json, stdout
from cardio.cli.personalize.options import (
    DEFAULT_REGISTER,
    JobArgument,
    MakerOptions,
    OperatorOption,
    ProductName,
    RegisterOption,
    check_operators,
)
from cardio.cli.reporting import guarded
from cardio.cli.selection import ReaderChoice
from cardio.errors import ExitCode, InputInvalid
from cardio.personalize.jobs import Job
from cardio.personalize.mailer import write_mailer
from cardio.personalize.personalizer import Prepared
from cardio.personalize.register import Register


@grouped
@guarded
def verify(
    job: JobArgument,
    product: ProductName,
    options: MakerOptions,
    reader: ReaderOption = None,
    record: Annotated[
        str | None, typer.Option("--record", help="row of the card; the register knows it without")
    ] = None,
    register: RegisterOption = DEFAULT_REGISTER,
    wait: WaitOption = 0.0,
    as_json: JsonOption = False,
) -> None:
    """read a finished card back, and compare it with its row in the job"""
    choice = ReaderChoice(reader, wait)
    with options.maker(product) as maker, choice.card(catalogue(options.profiles)) as channel:
        loaded = options.load_job(maker, job)
        row = _row(loaded, record or _known_record(register, maker.identity(CardConnection(channel)), loaded))
        findings = maker.read_back(channel, row)
    wrong = [found for found in findings if not found.same]
    if as_json:
        files = [{"file": found.file, "same": found.same, "problem": found.problem or None} for found in findings]
        print_json({"record": row.data.record, "same": not wrong, "files": files})
    else:
        for found in findings:
            mark = "一致 same" if found.same else f"不符 {found.problem}" if found.differs else f"未读 {found.problem}"
            stdout.print(f"{found.file}: {mark}", markup=False)
        same = len(findings) - len(wrong)
        stdout.print(
            f"第{row.data.record}行 row {row.data.record}: {same}/{len(findings)} 个文件一致 files are the same"
        )
    if any(found.differs for found in findings):
        raise typer.Exit(ExitCode.REFUSED)


@grouped
@guarded
def mailer(
    job: JobArgument,
    product: ProductName,
    options: MakerOptions,
    out: Annotated[Path, typer.Option("--out", "-o", help="CSV file, which must not exist", metavar="FILE")],
    with_pins: Annotated[bool, typer.Option("--with-pins", help="the PINs too: keep the file like cash")] = False,
    register: RegisterOption = DEFAULT_REGISTER,
    operator: OperatorOption = None,
) -> None:
    """write what the card's face and the PIN mailer show: numbers, names, photos, and PINs if asked for"""
    with options.maker(product) as maker:
        operators = check_operators(maker.keys, operator)
        loaded = options.load_job(maker, job, operators)
        opened = Register(register)
        try:
            # Told before it exists: nobody can take a copy that the register does not know of.
            told = {"rows": len(loaded.rows), "pins": with_pins, "operators": operators}
            opened.note("mailer.exported", loaded.head.id, told)
            count = write_mailer(out, loaded.rows, pins=with_pins)
        finally:
            opened.close()
    stdout.print(f"{count} 行 rows: {out}", markup=False, soft_wrap=True)


def _row(job: Job, record: str) -> Prepared:
    row = next((row for row in job.rows if row.data.record == record), None)
    if row is None:
        raise InputInvalid(f"job {job.head.id} has no row {record}")
    return row


def _known_record(register: Path, identity: str, job: Job) -> str:
    """The row that the card in the reader was made for.

    Raises:
        InputInvalid: The register does not know the card.
    """
    opened = Register(register)
    try:
        known = opened.newest(identity)
    finally:
        opened.close()
    if known is None or known.job != job.head.id:
        raise InputInvalid(f"the register knows this card in no row of job {job.head.id}; --record tells its row")
    return known.record
