"""`make bench`: every benchmark beside its peer in the same run; writes bench.json."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cardio.virtual.pcscd import PrivatePcscd
from cardiod.service import configure_logging
from tests.bench import apdus, declarations, service, taps
from tests.bench.rows import Row

RESULT = Path("bench.json")
MANY, SOME = 2000, 400


def rows() -> Iterator[Row]:
    """All of them; those through pcscd first, since libpcsclite keeps the first socket name that it meets."""
    with PrivatePcscd(3) as pcscd:
        os.environ.update(pcscd.environment())
        yield from apdus.rows(pcscd, MANY)
    yield from taps.rows()
    yield from service.debit_rows(SOME)
    yield from service.busy_rows(SOME)
    yield from service.start_rows()
    yield from declarations.rows(MANY)


def main() -> int:
    """Measure, print, write; 1 if a bound of the design is missed."""
    configure_logging(level=40)
    found = []
    table = Table("what", "value", "peer", "unit", "ratio", "bound", "met")
    for row in rows():
        found.append(row)
        ratio = "" if not row.peer else f"{row.value / row.peer:.2f}"
        peer, bound = ("" if value is None else f"{value:.1f}" for value in (row.peer, row.bound))
        met = {None: "", True: "met", False: "MISSED"}[row.met]
        table.add_row(row.name, f"{row.value:.1f}", peer, row.unit, ratio, bound, met)
    Console(width=150).print(table)
    RESULT.write_text(json.dumps([row.document() for row in found], indent=1, ensure_ascii=False) + "\n")
    missed = [row.name for row in found if row.met is False]
    print(f"{len(found)} rows, {len(missed)} bounds missed{': ' if missed else ''}{', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
