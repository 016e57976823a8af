"""docs/benchmarks.md, written anew by every whole run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import fill

from tests.bench.plots import Picture, pictures
from tests.bench.rows import Row, Subject

Measured = Sequence[tuple[Subject, list[Row]]]

WIDTH = 120
HEAD = """\
# Benchmarks

What `make bench` measured on one machine; it writes this page anew, and `bench.json` with the same rows for programs.
Ours and the peer's are measured in turn in the same run, after a warm-up, so what else the machine does hits both; the
**ratio** holds on other machines, the times do not. Times are medians, with the quartiles in brackets. The bounds are
those of the design, and none is met by leaving out a check.
"""
TAIL = """\
## Do it again

```
make bench                                # on a quiet machine, about five minutes
.venv/bin/python -m tests.bench --quick   # a few rounds only: whether everything runs
```
"""


def write_page(measured: Measured, facts: Mapping[str, str], docs: Path) -> None:
    """Write the page and its pictures.

    Args:
        measured: Subjects with their rows.
        facts: About the machine.
        docs: Folder of benchmarks.md; the pictures go into its `benchmarks`.
    """
    folder = docs / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = pictures(measured)
    for picture in drawn:
        picture.save(folder)
    (docs / "benchmarks.md").write_text("\n".join(_page(measured, facts, drawn)), encoding="utf-8")


def figure(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def interval(value: float, spread: tuple[float, float] | None) -> str:
    """A median with its quartiles."""
    return figure(value) if spread is None else f"{figure(value)} ({figure(spread[0])}–{figure(spread[1])})"


def verdict(row: Row) -> str:
    """The bound, and whether it is met or by how much it is missed."""
    if row.bound is None:
        return ""
    bound = f"≤ {figure(row.bound)}"
    return f"{bound} met" if row.met else f"{bound} MISSED by {row.value / row.bound - 1:.0%}"


def _page(measured: Measured, facts: Mapping[str, str], drawn: Sequence[Picture]) -> Iterator[str]:
    yield HEAD
    rows = [row for _, rows in measured for row in rows if row.bound is not None]
    yield f"**{sum(row.met is True for row in rows)} of {len(rows)} bounds are met.**"
    missed = [row for row in rows if not row.met]
    yield from (f"* missed: {row.name}: {figure(row.value)} {row.unit}, {verdict(row)}" for row in missed)
    yield ""
    yield from ("| machine | |", "|---|---|")
    yield from (f"| {name} | {value} |" for name, value in facts.items())
    yield ""
    yield from _shown(drawn, None)
    for subject, found in measured:
        yield f"## {subject.title}\n\n{fill(subject.about, WIDTH, break_on_hyphens=False)}\n"
        yield from _table(found)
        yield ""
        yield from _shown(drawn, subject)
    yield TAIL


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| what | cardio | peer | unit | ratio | bound |"
    yield "|---|---:|---:|---|---:|---|"
    for row in rows:
        peer = "" if row.peer is None else interval(row.peer, row.peer_spread)
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        yield f"| {row.name} | {interval(row.value, row.spread)} | {peer} | {row.unit} | {ratio} | {verdict(row)} |"


def _shown(drawn: Sequence[Picture], subject: Subject | None) -> Iterator[str]:
    for picture in drawn:
        if picture.subject is subject:
            yield f"![{picture.title}](benchmarks/{picture.file})\n"
