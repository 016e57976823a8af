"""`cardio personalize`: a job file and blank cards in, finished cards out."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cardio.cli.option_groups import grouped
from cardio.cli.options import JsonOption
from cardio.cli.output import print_json, stdout
from cardio.cli.personalize.dry_run import print_plan
from cardio.cli.personalize.feeding import VirtualFeeder, next_serial
from cardio.cli.personalize.options import (
    DEFAULT_REGISTER,
    MakerOptions,
    OperatorOption,
    RegisterOption,
    TryAgainOption,
    check_operators,
)
from cardio.cli.personalize.results import ResultFile, RunProgress
from cardio.cli.reporting import guarded
from cardio.cli.selection import VIRTUAL
from cardio.errors import ExitCode, InputInvalid, ReaderUnavailable
from cardio.personalize.batch import Batch, Result
from cardio.personalize.example_job import example_job
from cardio.personalize.jobs import Job, job_lines, job_schema
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.register import Register
from cardio.transport.channel import ReaderDriver
from cardio.transport.pcsc import PcscDriver

ALL = "all"
MAX_EXAMPLES = 100_000


@grouped
@guarded
def personalize(
    options: MakerOptions,
    job: Annotated[Path | None, typer.Argument(help="job file: .csv, or JSON Lines", metavar="JOB")] = None,
    product: Annotated[str | None, typer.Option("--product", help="card product", metavar="PRODUCT")] = None,
    reader: Annotated[
        list[str] | None,
        typer.Option(
            "--reader",
            "-r",
            help="part of a reader's name; may be repeated; `virtual` is a feeder of blank virtual cards",
            metavar="READER",
        ),
    ] = None,
    readers: Annotated[
        str | None, typer.Option("--readers", help="`all` readers; with --reader virtual how many", metavar="all|N")
    ] = None,
    register: RegisterOption = DEFAULT_REGISTER,
    results: Annotated[
        Path | None, typer.Option("--results", help="result file; JOB with .results.jsonl behind it", metavar="FILE")
    ] = None,
    operator: OperatorOption = None,
    try_again: TryAgainOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print the plan of the first row with every command; touch no card")
    ] = False,
    example: Annotated[bool, typer.Option("--example", help="print a job file for the product")] = False,
    cards: Annotated[int, typer.Option("--cards", help="rows of --example", min=1, max=MAX_EXAMPLES)] = 3,
    schema: Annotated[bool, typer.Option("--schema", help="print the JSON Schema of a job's lines")] = False,
    as_json: JsonOption = False,
) -> None:
    """make cards: every row of a job file becomes a finished card

    All rows are checked before the first card. A run that was interrupted is gone on with by the same command: cards
    that were begun are known by the register, and finished when they come back.
    """
    if schema:
        print_json(job_schema())
        return
    if product is None:
        raise InputInvalid("--product is needed; `cardio profile list` names them")
    if example:
        _print_example(options.test_maker(product), cards)
        return
    if job is None:
        raise InputInvalid("a job file is needed; --example prints one")
    with options.maker(product) as maker:
        loaded = options.load_job(maker, job, check_operators(maker.keys, operator))
        if dry_run:
            print_plan(maker, loaded.rows[0], as_json=as_json)
            return
        file = results or job.with_name(job.name + ".results.jsonl")
        _run(
            maker,
            loaded,
            register,
            file,
            _readers(maker, reader, readers, register),
            try_again=try_again,
            as_json=as_json,
        )


def _print_example(maker: Personalizer, cards: int) -> None:
    for line in job_lines(*example_job(maker.product, maker.layout, cards)):
        typer.echo(line)


Feed = Callable[[Result], None]
Chosen = tuple[ReaderDriver, list[str], Feed]


def _readers(maker: Personalizer, named: list[str] | None, readers: str | None, register: Path) -> Chosen:
    """The readers of a run.

    Raises:
        InputInvalid: None was named.
        ReaderUnavailable: There is none of that name.
    """
    if named == [VIRTUAL]:
        count = int(readers) if readers is not None and readers.isdecimal() else 1
        feeder = VirtualFeeder(maker, count, next_serial(register))
        return feeder.driver, list(feeder.driver.readers()), feeder.after
    driver = PcscDriver()
    there = list(driver.readers())
    if readers == ALL:
        chosen = there
    elif named:
        chosen = [name for name in there if any(part in name for part in named)]
    else:
        raise InputInvalid("--reader NAME or --readers all is needed")
    if not chosen:
        raise ReaderUnavailable(f"there are: {', '.join(there)}" if there else "no reader is connected")
    return driver, chosen, lambda _: None


def _run(
    maker: Personalizer, job: Job, register: Path, file: Path, chosen: Chosen, *, try_again: bool, as_json: bool
) -> None:
    driver, names, feed = chosen
    opened = Register(register)
    written = ResultFile(file)
    try:
        written.add_missing(job, opened.attempts(job.head.id))
        with RunProgress(len(job.rows), len(opened.made(job.head.id))) as progress:

            def report(result: Result) -> None:
                written.add(result)
                progress.add(result)
                feed(result)

            batch = Batch(maker, job, opened, driver, names, report, try_again=try_again)
            signal.signal(signal.SIGTERM, lambda *_: batch.stop())
            signal.signal(signal.SIGINT, lambda *_: batch.stop())
            made = batch.run()
    finally:
        written.close()
        opened.close()
    missing = [row.data.record for row in job.rows if row.data.record not in made]
    summary = {"job": job.head.id, "rows": len(job.rows), "made": len(made), "results": str(file), **progress.counts}
    if as_json:
        print_json({**summary, "missing": missing})
    else:
        text = f"任务 job {job.head.id}: {len(made)}/{len(job.rows)} 张完成 made; 结果 results: {file}"
        stdout.print(text, markup=False, soft_wrap=True)
    if missing:
        raise typer.Exit(ExitCode.REFUSED)
