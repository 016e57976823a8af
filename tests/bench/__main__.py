"""`make bench`: everything beside its peer in the same run; writes bench.json and docs/benchmarks.md.

0 also when a bound is missed, for then the numbers are what was asked for; 1 if something could not be measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cardiod.logs import configure_logging
from tests.bench import apdu, busy, card_times, counts, debits, declarations, gate, machine, personalizing, start
from tests.bench.page import figure, interval, verdict, write_page
from tests.bench.rows import FULL, QUICK, Effort, Row, Subject
from tests.bench.slots import pcsc_slots


def subjects() -> Iterator[Subject]:
    """All of them, each to be measured before the next one is asked for."""
    with pcsc_slots() as slots:
        yield counts.SUBJECT
        yield apdu.subject(slots)
        yield card_times.subject(slots)
        yield gate.SUBJECT
        yield debits.SUBJECT
        yield busy.SUBJECT
        yield start.subject(slots)
        yield declarations.SUBJECT
        yield personalizing.SUBJECT


def main() -> int:
    """Measure, print, write."""
    options, facts = _options(), machine.facts()
    configure_logging("error")
    console = Console(width=150)
    measured: list[tuple[Subject, list[Row]]] = []
    failed: list[str] = []
    for subject in subjects():
        rows = _measure(subject, QUICK if options.quick else FULL)
        if rows is None:
            failed.append(subject.title)
        else:
            measured.append((subject, rows))
            console.print(_table(subject, rows))
    found = [row for _, rows in measured for row in rows]
    options.json.write_text(
        json.dumps([row.document() for row in found], indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    missed = [row for row in found if row.met is False]
    for row in missed:
        console.print(f"bound missed: {row.name}: {figure(row.value)} {row.unit}, {verdict(row)}")
    bounds = sum(row.bound is not None for row in found)
    console.print(f"{len(found)} rows, {bounds - len(missed)} of {bounds} bounds met; {options.json}")
    if failed:
        console.print(f"could not be measured: {', '.join(failed)}")
        return 1
    write_page(measured, facts, options.docs)
    return 0


def _measure(subject: Subject, effort: Effort) -> list[Row] | None:
    """Rows of a subject; None if it fails, for the others are worth having all the same."""
    try:
        return list(subject.measure(effort))
    except Exception:  # noqa: BLE001 (printed, and the exit code tells)
        traceback.print_exc()
        return None


def _table(subject: Subject, rows: list[Row]) -> Table:
    table = Table("what", "cardio", "peer", "unit", "ratio", "bound", title=subject.title, title_justify="left")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        peer = "" if row.peer is None else interval(row.peer, row.peer_spread)
        table.add_row(row.name, interval(row.value, row.spread), peer, row.unit, ratio, verdict(row))
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few rounds only: whether everything runs")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="file for the rows")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="folder for benchmarks.md and its pictures")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
