"""Writing files of the selected directory: items of linear files, records of cyclic ones (SSC §5.1, §5.3)."""

from __future__ import annotations

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import FILE
from cardio.files.declaration import FileDeclaration
from cardio.files.reading import BY_NUMBER, FIRST_BY_TAG, select_elementary

APPEND = 3
OTHER_FORM = frozenset({0x6A86, 0x6981})
"""Refusals by which a card says that it does not know a form of UPDATE RECORD (SSC PC-6); it has written nothing."""


def update_item(card: CardConnection, file: FileDeclaration, item: bytes) -> None:
    """Write one item of a linear file, a whole TLV, by its tag, as SSC §5.6 does.

    Raises:
        AccessDenied: The right to update the file was not earned.
        CardError: The card refuses.
    """
    card.call(_update_record(item[0], file.sfi << 3 | FIRST_BY_TAG, item))


def update_item_at(card: CardConnection, file: FileDeclaration, number: int, item: bytes) -> None:
    """Write the item of one record, a whole TLV, by its number: several items may have one tag (SSC §5.3).

    Args:
        card: The card.
        file: Its linear file.
        number: Record number, from 1.
        item: The TLV.

    Raises:
        AccessDenied: The right to update the file was not earned.
        CardError: The card refuses.
    """
    card.call(_update_record(number, file.sfi << 3 | BY_NUMBER, item))


def append_record(card: CardConnection, file: FileDeclaration, record: bytes) -> None:
    """Append a record to a cyclic file: the standard's form, then the one seen in practice (SSC §5.3, PC-6).

    Raises:
        AccessDenied: The right to update the file was not earned.
        CardError: The card refuses both forms.
    """
    command = _update_record(0x00, file.sfi << 3 | APPEND, record)
    response = card.send(command)
    if response.sw in OTHER_FORM:
        card.call(select_elementary(file))
        command = _update_record(0x01, BY_NUMBER, record)
        response = card.send(command)
    if not response.ok:
        raise FILE.error(response.sw, command.name)


def _update_record(p1: int, p2: int, record: bytes) -> Command:
    return Command("UPDATE RECORD", 0x00, 0xDC, p1, p2, data=record, outcomes=FILE, repeatable=False)
