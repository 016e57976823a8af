"""A voucher as a PDF page as long as it needs to be, its font embedded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from cardio.ledger.receipts.fonts import register
from cardio.ledger.receipts.text import wrapped
from cardio.ledger.voucher import Entry, Remark, Reprint, Row, Rule, Title, Voucher, label

_MARGIN = 4 * mm
_SIZE = 8.5
"""Points."""
_TITLE_SIZE = 11.0
_LEADING = 1.45
"""Distance of lines, in sizes of their font."""
_RULE_WEIGHT = 0.5
"""Points."""

Measure = Callable[[str], float]


@dataclass(frozen=True)
class _Line:
    """A line of the page: text left, centred, or right, or a rule.

    Attributes:
        left: Text at the left edge.
        right: Text at the right edge.
        centre: Text in the middle.
        size: Of the font, points.
        rule: Whether it is a rule across the page, of half the height.
    """

    left: str = ""
    right: str = ""
    centre: str = ""
    size: float = _SIZE
    rule: bool = False

    @property
    def height(self) -> float:
        """Points."""
        return self.size * _LEADING / (2 if self.rule else 1)


_RULE = _Line(rule=True)


def encode(voucher: Voucher, language: str, paper_mm: int, font: Path | None = None) -> bytes:
    """The PDF; the same voucher always makes the same bytes.

    Args:
        voucher: The voucher.
        language: `zh` or `en`.
        paper_mm: Width of the paper.
        font: As in `fonts.register`.

    Raises:
        ReceiptFontMissing: There is no font.
    """
    name = register(font)
    width = paper_mm * mm
    room = width - 2 * _MARGIN

    def measure(words: str) -> float:
        return float(stringWidth(words, name, _SIZE))

    page = [line for row in voucher for line in _lines(row, language, room, measure)]
    height = sum(line.height for line in page) + 2 * _MARGIN
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=(width, height), invariant=1, initialFontName=name)
    canvas.setTitle(next(label(row.name, language) for row in voucher if isinstance(row, Title)))
    canvas.setLineWidth(_RULE_WEIGHT)
    y = height - _MARGIN
    for line in page:
        y -= line.height
        if line.rule:
            canvas.line(_MARGIN, y + line.height / 2, width - _MARGIN, y + line.height / 2)
            continue
        baseline = y + line.size * (_LEADING - 1) * 0.75
        canvas.setFont(name, line.size)
        canvas.drawString(_MARGIN, baseline, line.left)
        canvas.drawCentredString(width / 2, baseline, line.centre)
        canvas.drawRightString(width - _MARGIN, baseline, line.right)
    canvas.save()
    return buffer.getvalue()


def _lines(row: Row, language: str, room: float, measure: Measure) -> Iterator[_Line]:
    match row:
        case Title(name):
            yield _Line(centre=label(name, language), size=_TITLE_SIZE)
            yield _RULE
        case Reprint():
            yield _Line(centre=row.text)
        case Rule(name):
            yield _RULE
            if name:
                yield _Line(label(name, language))
        case Remark(name):
            for piece in wrapped(label(name, language), room, measure):
                yield _Line(piece)
        case Entry(name, value):
            head = label(name, language)
            if measure(f"{head} {value}") <= room:
                yield _Line(head, value)
            else:
                yield _Line(head)
                for piece in wrapped(value, room, measure):
                    yield _Line(right=piece)
