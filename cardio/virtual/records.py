"""Which record a command means, and where a new one goes (SSC §5.3, EW §3.1, PERS §1.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from cardio.files.declaration import FileDeclaration, Structure
from cardio.virtual.received import Status

MAX_RECORDS = 254
TAG_MODES = frozenset({0, 1, 2, 3})
LINEAR = frozenset({Structure.LINEAR_VARIABLE, Structure.LINEAR_FIXED})


class Mode(IntEnum):
    """Low three bits of P2."""

    FIRST = 0
    LAST = 1
    NEXT = 2
    PREVIOUS = 3
    NUMBER = 4
    TO_LAST = 5
    FROM_LAST = 6


@dataclass(frozen=True)
class RecordRules:
    """How a card system takes UPDATE RECORD.

    Attributes:
        cyclic_appends: P1 and mode that append to a cyclic file.
        linear_appends: P1 and mode that append to a linear file, besides the number after the last.
        creates_tags: Whether the first instance of a tag is created if it is missing.
        tagged: Whether records of linear files must be TLVs.
        exact: Whether a record keeps its length for ever; otherwise only its largest one is fixed.
        append_command: Whether there is an APPEND RECORD (00 E2).
    """

    cyclic_appends: frozenset[tuple[int, int]]
    linear_appends: frozenset[tuple[int, int]]
    creates_tags: bool
    tagged: bool
    exact: bool
    append_command: bool


LDT_RULES = RecordRules(
    # SSC PC-6: both the standard's form and the one seen in practice.
    cyclic_appends=frozenset({(0, Mode.PREVIOUS), (1, Mode.NUMBER)}),
    linear_appends=frozenset(),
    creates_tags=True,
    tagged=True,
    exact=False,
    append_command=False,
)
FMCOS_RULES = RecordRules(
    # PERS §1.5: text and example of the manual differ, so both are taken.
    cyclic_appends=frozenset({(0, Mode.PREVIOUS), (1, Mode.PREVIOUS), (0, Mode.NEXT), (1, Mode.NEXT)}),
    linear_appends=frozenset({(0, Mode.NEXT)}),
    creates_tags=False,
    tagged=False,
    exact=True,
    append_command=True,
)


def locate(declaration: FileDeclaration, records: Sequence[bytes], number: int, mode: int, current: int) -> int:
    """Number of the one record that P1 and a mode 0 to 4 mean, counted from 1.

    Args:
        declaration: Its file.
        records: All records in the order of their numbers.
        number: P1: a tag, or a record number; 00 is the current record, or any tag.
        mode: Mode.
        current: Number of the current record, 0 if there is none.

    Raises:
        Status: 6A83 no such record, 6A86 no such mode.
    """
    if mode == Mode.NUMBER:
        wanted = number or current
        if not 1 <= wanted <= len(records):
            raise Status(0x6A83)
        return wanted
    if mode not in TAG_MODES:
        raise Status(0x6A86)
    anything = number == 0 and mode in {Mode.NEXT, Mode.PREVIOUS}
    if declaration.structure is Structure.CYCLIC and not anything:
        raise Status(0x6A86)  # cyclic records have no tag
    matching = [place for place, record in enumerate(records, 1) if anything or record[:1] == bytes([number])]
    if mode == Mode.NEXT:
        matching = [place for place in matching if place > current]
    if mode == Mode.PREVIOUS and current:
        matching = [place for place in matching if place < current]
    if not matching:
        raise Status(0x6A83)
    return matching[-1 if mode in {Mode.LAST, Mode.PREVIOUS} else 0]


def target(
    rules: RecordRules,
    declaration: FileDeclaration,
    records: Sequence[bytes],
    address: tuple[int, int, int],
    record: bytes,
) -> int | None:
    """Number of the record that UPDATE RECORD writes; None appends.

    Args:
        rules: Of the card system.
        declaration: Its file.
        records: All records in the order of their numbers.
        address: P1, mode, and the number of the current record.
        record: New content.

    Raises:
        Status: 6A83 no such record, 6A86 no such mode, 6A80 a tag other than P1.
    """
    number, mode, current = address
    if declaration.structure is Structure.CYCLIC:
        if (number, mode) not in rules.cyclic_appends:
            raise Status(0x6A86)
        return None
    if (number, mode) in rules.linear_appends or (mode == Mode.NUMBER and number == len(records) + 1):
        return None
    if mode in TAG_MODES and number and record[:1] != bytes([number]):
        raise Status(0x6A80)
    try:
        return locate(declaration, records, number, mode, current)
    except Status as status:
        if status.sw == 0x6A83 and mode == Mode.FIRST and rules.creates_tags:
            return None
        raise


def check_content(
    rules: RecordRules, declaration: FileDeclaration, records: Sequence[bytes], place: int | None, record: bytes
) -> None:
    """Insist that a record fits its file.

    Args:
        rules: Of the card system.
        declaration: Its file.
        records: All records.
        place: Number of the record that it replaces; None if it is new.
        record: New content.

    Raises:
        Status: 6A85 not a TLV, 6A84 too long or the file is full, 6700 too short.
    """
    linear = declaration.structure in LINEAR
    if rules.tagged and linear and (len(record) < 2 or record[1] != len(record) - 2):
        raise Status(0x6A85)
    room, exact = _room(rules, declaration, b"" if place is None else records[place - 1], record)
    if room is not None and len(record) > room:
        raise Status(0x6A84)
    if room is not None and exact and len(record) < room:
        raise Status(0x6700)
    if place is None and linear and not _space(declaration, records, record):
        raise Status(0x6A84)


def _room(rules: RecordRules, declaration: FileDeclaration, before: bytes, record: bytes) -> tuple[int | None, bool]:
    """Bytes that the record may have, None if anything goes, and whether it must have as many."""
    if declaration.structure is not Structure.LINEAR_VARIABLE:
        return declaration.size or len(before) or None, True
    if rules.exact:
        return len(before) or None, True
    declared = (2 + s.codec.size for s in declaration.content.specs().values() if s.tag == record[0])
    return max(len(before), next(declared, 0)) or None, False


def _space(declaration: FileDeclaration, records: Sequence[bytes], record: bytes) -> bool:
    if declaration.structure is Structure.LINEAR_VARIABLE and declaration.size:
        return sum(map(len, records)) + len(record) <= declaration.size
    return len(records) < (declaration.records or MAX_RECORDS)
