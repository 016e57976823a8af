"""The pictures of docs/benchmarks.md: SVG whose bytes depend on the numbers only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from tests.bench.rows import Row, Subject

GOOD, BAD, PEER, LINE = "#2a7f62", "#b3402a", "#8a8f98", "#222222"
PARTS = ("#4c78a8", "#f2a541", "#9aa5b1", "#b3402a")
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "cardio",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
}
ROW_HEIGHT, WIDTH = 0.27, 9.5
"""Inches."""


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        file: Its name.
        title: What it shows.
        subject: What it belongs to; None for all.
        rows: What it shows.
        draw: Draws it.
    """

    file: str
    title: str
    subject: Subject | None
    rows: Sequence[Row]
    draw: Callable[[Axes, Sequence[Row]], None]

    def save(self, folder: Path) -> None:
        """Write it."""
        with mpl.rc_context(STYLE):
            whole = Figure(figsize=(WIDTH, ROW_HEIGHT * len(self.rows) + 1.1), layout="constrained")
            axes = whole.subplots()
            axes.set_title(self.title)
            axes.set_yticks(range(len(self.rows)), [row.name for row in self.rows])
            axes.tick_params(axis="y", length=0)
            axes.set_ylim(len(self.rows) - 0.4, -0.6)
            self.draw(axes, self.rows)
            if axes.get_legend_handles_labels()[0]:
                whole.legend(loc="outside lower center", ncols=6, frameon=False)
            whole.savefig(folder / self.file, metadata={"Date": None})


def pictures(measured: Sequence[tuple[Subject, list[Row]]]) -> list[Picture]:
    """All of them."""
    every = [row for _, rows in measured for row in rows]
    drawn = [
        Picture("bounds.svg", "Share of the bound", None, [row for row in every if row.bound is not None], _bounds),
        Picture("ratios.svg", "cardio to its peer", None, [row for row in every if row.ratio is not None], _ratios),
    ]
    for subject, rows in measured:
        parts = [row for row in rows if row.parts]
        if parts:
            name = subject.title.lower().replace(" ", "-")
            drawn.append(Picture(f"{name}.svg", f"{subject.title}, {parts[0].unit}", subject, parts, _parts))
    return drawn


def _bounds(axes: Axes, rows: Sequence[Row]) -> None:
    shares = [row.value / row.bound for row in rows if row.bound]
    colours = [GOOD if row.met else BAD for row in rows]
    axes.barh(range(len(rows)), shares, color=colours, height=0.65)
    axes.axvline(1, color=LINE, linewidth=1)
    for place, (row, share) in enumerate(zip(rows, shares, strict=True)):
        axes.text(max(share, 1) + 0.02, place, f"{row.value:.3g} of {row.bound:g} {row.unit}", va="center", fontsize=8)
    axes.set_xlim(0, max(1.0, *shares) * 1.25)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.0%}"))


def _ratios(axes: Axes, rows: Sequence[Row]) -> None:
    ratios = [row.ratio or 0.0 for row in rows]
    better = [ratio >= 1 if row.more_is_better else ratio <= 1 for row, ratio in zip(rows, ratios, strict=True)]
    axes.barh(
        range(len(rows)),
        [ratio - 1 for ratio in ratios],
        left=1,
        color=[GOOD if good else PEER for good in better],
        height=0.65,
    )
    axes.set_xscale("log", base=2)
    axes.axvline(1, color=LINE, linewidth=1)
    axes.set_xlim(min(ratios) / 1.6, max(ratios) * 1.6)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
    for place, ratio in enumerate(ratios):
        beside, side = (0.97, "right") if ratio < 1 else (1.03, "left")
        axes.text(ratio * beside, place, f"{ratio:.2f}", va="center", ha=side, fontsize=8)
    axes.set_xlabel("the peer is 1; green is better than the peer")


def _parts(axes: Axes, rows: Sequence[Row]) -> None:
    names = list(rows[0].parts)
    left = [0.0] * len(rows)
    for name, colour in zip(names, PARTS[-len(names) :], strict=True):
        widths = [row.parts[name] for row in rows]
        axes.barh(range(len(rows)), widths, left=left, color=colour, label=name, height=0.65)
        left = [before + width for before, width in zip(left, widths, strict=True)]
    for place, row in enumerate(rows):
        _mark(axes, place, row.bound, "bound", "-")
        _mark(axes, place, row.peer, "peer", "--")


def _mark(axes: Axes, place: int, at: float | None, name: str, style: str) -> None:
    """A line across one bar; the first of a name goes into the legend."""
    if at is not None:
        label = f"_{name}" if place else name
        axes.vlines(at, place - 0.42, place + 0.42, color=LINE, linestyle=style, linewidth=1.2, label=label)
