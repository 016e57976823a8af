"""A voucher as lines of text of a fixed width."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unicodedata import east_asian_width

from cardio.ledger.voucher import Entry, Remark, Reprint, Row, Rule, Title, Voucher, label

SCREEN = 40
"""Columns of the text in answers and on the console."""

Measure = Callable[[str], int]


def columns(text: str) -> int:
    """Columns on a screen: Chinese characters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(character) in {"W", "F"} else 1 for character in text)


def text(voucher: Voucher, language: str, width: int = SCREEN) -> str:
    """The voucher in `zh` or `en`, lines of at most `width` columns."""
    return "\n".join(line for _, line in lines(voucher, language, width))


def lines(voucher: Voucher, language: str, width: int, measure: Measure = columns) -> Iterator[tuple[Row, str]]:
    """The lines of each row.

    Args:
        voucher: The voucher.
        language: `zh` or `en`.
        width: Columns of the paper.
        measure: Columns that a text takes there.
    """
    for row in voucher:
        for line in _lines(row, language, width, measure):
            yield row, line


def wrapped(words: str, room: float, measure: Callable[[str], float]) -> Iterator[str]:
    """Pieces of a text that each fit into `room`; cut anywhere, as numbers and Chinese are."""
    if measure(words) <= room:
        yield words
        return
    begun = ""
    for character in words:
        if begun and measure(begun + character) > room:
            yield begun
            begun = ""
        begun += character
    yield begun


def _lines(row: Row, language: str, width: int, measure: Measure) -> Iterator[str]:
    match row:
        case Title(name):
            yield _centred(label(name, language), width, measure)
            yield "=" * width
        case Reprint():
            yield _centred(f"*** {row.text} ***", width, measure)
        case Rule(None):
            yield "-" * width
        case Rule(str(name)):
            head = f"-- {label(name, language)} "
            yield head + "-" * (width - measure(head))
        case Entry(name, value):
            yield from _pair(label(name, language), value, width, measure)
        case Remark(name):
            yield from wrapped(label(name, language), width, measure)


def _pair(head: str, value: str, width: int, measure: Measure) -> Iterator[str]:
    """Label left and value right; the value goes on lines of its own if it does not fit beside."""
    room = width - measure(head) - measure(value)
    if room >= 1:
        yield head + " " * room + value
        return
    yield head
    for piece in wrapped(value, width, measure):
        yield " " * (width - measure(piece)) + piece


def _centred(words: str, width: int, measure: Measure) -> str:
    return " " * ((width - measure(words)) // 2) + words
