"""READ RECORD for items, whole files and logs (SSC §5.3, EW §3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.tlv import Tlv, iterate_simple
from cardio.errors import AccessDenied, CardError, FileNotFound, RecordNotFound
from cardio.files.declaration import FileDeclaration
from cardio.files.record import FixedRecord, ItemRecord
from cardio.transport.channel import Disclosure

BY_NUMBER = 4
FROM_NUMBER_TO_LAST = 5
MAX_RECORDS = 254

I = TypeVar("I", bound=ItemRecord)  # noqa: E741
F = TypeVar("F", bound=FixedRecord)


def read_record(file: FileDeclaration, number: int, mode: int, le: int = 0) -> Command:
    """READ RECORD by short file identifier."""
    return Command(
        "READ RECORD",
        0x00,
        0xB2,
        number,
        file.sfi << 3 | mode,
        le=le,
        disclosure=Disclosure.HEADER if file.personal else Disclosure.ALL,
    )


def read_items(card: CardConnection, file: FileDeclaration, content: type[I]) -> I:
    """All items of a linear file in one APDU; record by record where the card refuses that.

    Raises:
        FileNotFound: The file is not there.
        AccessDenied: It needs the PIN or a key.
    """
    try:
        raw = card.call(read_record(file, 1, FROM_NUMBER_TO_LAST))
    except CardError as error:
        # 6A83 is a refusal of this form here, not the absence of a record: the file may well have some.
        if isinstance(error, (AccessDenied, FileNotFound)) and not isinstance(error, RecordNotFound):
            raise
        return content.decode(_items_one_by_one(card, file))
    return content.decode_concatenated(raw)


def _items_one_by_one(card: CardConnection, file: FileDeclaration) -> Iterator[Tlv]:
    for number in range(1, MAX_RECORDS + 1):
        try:
            raw = card.call(read_record(file, number, BY_NUMBER))
        except RecordNotFound:
            return
        yield from iterate_simple(raw)


def read_log(card: CardConnection, file: FileDeclaration, content: type[F]) -> Iterator[F]:
    """Records of a cyclic file, newest first, one APDU each, until there are no more.

    Raises:
        AccessDenied: The log needs the PIN.
    """
    for number in range(1, MAX_RECORDS + 1):
        try:
            raw = card.call(read_record(file, number, BY_NUMBER, file.size))
        except RecordNotFound:
            return
        yield content.decode(raw)
