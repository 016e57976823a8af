"""Markdown that also reads well as plain text: tables with even columns, bytes without long filler, anchors."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

RUN = 8
"""Equal bytes from which a run of them is written as `00×8`."""


def width(text: str) -> int:
    """Columns that a text takes on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1 for character in text)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table without the columns that are empty in every row; the last column is not padded."""
    used = [place for place in range(len(head)) if any(row[place] for row in rows)]
    cells = [[escape(row[place]) for place in used] for row in (head, *rows)]
    widths = [max(3, *(width(row[place]) for row in cells)) for place in range(len(used))]
    widths[-1] = max(3, width(cells[0][-1]))
    yield _line(cells[0], widths)
    yield "|" + "|".join("-" * (size + 2) for size in widths) + "|"
    for row in cells[1:]:
        yield _line(row, widths)
    yield ""


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (size - width(cell)) for cell, size in zip(cells, widths, strict=True)]
    return "| " + " | ".join(padded) + " |"


def escape(text: str) -> str:
    """A cell's text; only what would break the table or vanish from it is escaped."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def code(text: str) -> str:
    """Text in the typeface of code; nothing for an empty one."""
    return f"`{text}`" if text else ""


def octets(raw: bytes) -> str:
    """Hex digits, long runs of one byte counted: `D5C5 00×26`."""
    parts: list[str] = []
    for byte, run in groupby(raw):
        count = sum(1 for _ in run)
        if count >= RUN:
            parts.append(f" {byte:02X}×{count} ")
        else:
            parts.append(f"{byte:02X}" * count)
    return " ".join("".join(parts).split())


class Anchors:
    """Anchors of the headings of one page, as GitHub and GitLab make them."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, heading: str) -> str:
        """The anchor of the next heading with this text."""
        kept = "".join(one for one in heading.lower() if one.isalnum() or one in " -_")
        anchor = kept.replace(" ", "-")
        count = self._seen[anchor]
        self._seen[anchor] += 1
        return f"{anchor}-{count}" if count else anchor
