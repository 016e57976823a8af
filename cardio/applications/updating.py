"""Updating what a card in use says: items under update keys, wallet files under line protection (SSC §5.6, EW §2.3).

Only what differs is written, and read back: an update whose answer was lost is simply done again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from cardio.apdu.connection import CardConnection
from cardio.apdu.tlv import Tlv
from cardio.applications.authority import Authority
from cardio.applications.protected_commands import ProtectedCommands
from cardio.errors import CardDataInvalid, InputInvalid
from cardio.files.declaration import FileDeclaration, Structure
from cardio.files.reading import FileReader
from cardio.files.record import FixedRecord, ItemRecord, Record
from cardio.files.writing import update_item, update_item_at
from cardio.security.maintenance import MaintenanceKey

R = TypeVar("R", ItemRecord, FixedRecord)
MAX_WRITE = 235
"""Bytes that one UPDATE BINARY carries with its MAC: some card systems take 239 (PERS §1.1)."""
_UPDATE_BINARY = 0x04, 0xD6

Place = tuple[int, int]
"""A tag, and which of the items with that tag, from 0."""


def update_items(
    card: CardConnection, reader: FileReader, authority: Authority, file: FileDeclaration, values: Mapping[str, Any]
) -> ItemRecord:
    """Update items of a file of the selected directory; earns the rights to read and to update it.

    Args:
        card: The card.
        reader: Reads files of the directory.
        authority: Earns the rights.
        file: A linear file with items.
        values: New values by the names of the declaration; None makes an item blank.

    Returns:
        All items, as they were read back.

    Raises:
        InputInvalid: The file has no such item, or a value does not fit.
        AccessDenied: The card does not let the terminal write.
        CardDataInvalid: What was read back differs.
        CardError: The card refuses.
    """
    content = file.content
    if not issubclass(content, ItemRecord):
        raise InputInvalid(f"{file.label} has no items")
    authority.earn(file.read)
    tlvs = reader.read_tlvs(file)
    found = content.decode(tlvs)
    before, wanted = _placed(found.encode()), _placed(_encoded(_changed(found, values)))
    authority.earn(file.update)
    numbers = _numbers(tlvs)
    for place, item in wanted.items():
        if before.get(place) == item:
            continue
        tag, place_in_tag = place
        if place_in_tag or (tag, 1) in numbers:
            # A tag would mean the first of its items.
            update_item_at(card, file, numbers.setdefault(place, len(numbers) + 1), item)
        else:
            update_item(card, file, item)
            numbers.setdefault(place, len(numbers) + 1)
    read_back = content.decode(reader.read_tlvs(file))
    if _placed(read_back.encode()) != wanted:
        raise CardDataInvalid(f"{file.label} does not hold what was written to it")
    return read_back


def update_wallet_file(
    commands: ProtectedCommands, reader: FileReader, file: FileDeclaration, values: Mapping[str, Any]
) -> FixedRecord:
    """Update EF15 or EF16 of the selected wallet by one UPDATE BINARY under DAMK.

    Three wrong MACs in a row lock the wallet for ever (EW §2.3): the command is sent once.

    Args:
        commands: Sends the protected command.
        reader: Reads files of the wallet.
        file: A transparent file of fields.
        values: New values by the names of the declaration; None makes a field blank.

    Returns:
        The file, as it was read back.

    Raises:
        InputInvalid: The file has no such field, or a value does not fit.
        MaintenanceRefused: The card does not accept the MAC.
        CardDataInvalid: What was read back differs.
        CardError: The card refuses.
    """
    content = file.content
    if file.structure is not Structure.TRANSPARENT or not issubclass(content, FixedRecord):
        raise InputInvalid(f"{file.label} has no fields")
    before = reader.read_binary(file)
    (wanted,) = _encoded(_changed(content.decode(before), values))
    start, end = _difference(before, wanted)
    for offset in range(start, end, MAX_WRITE):
        part = wanted[offset : min(end, offset + MAX_WRITE)]
        header = bytes([*_UPDATE_BINARY, 0x80 | file.sfi, offset])
        commands.send("UPDATE BINARY", MaintenanceKey.LINE, header, part)
    read_back = reader.read_binary(file)
    if read_back != wanted:
        raise CardDataInvalid(f"{file.label} does not hold what was written to it")
    return content.decode(read_back)


def _changed(record: R, values: Mapping[str, Any]) -> R:
    if unknown := values.keys() - record.specs().keys():
        raise InputInvalid(f"the file has no {', '.join(sorted(unknown))}; it has {', '.join(record.specs())}")
    return replace(record, **values)


def _encoded(record: Record) -> list[bytes]:
    """The bytes of a record; what does not fit is named, not shown: it may be personal."""
    try:
        if isinstance(record, ItemRecord):
            return record.encode()
        if isinstance(record, FixedRecord):
            return [record.encode()]
    except (ValueError, TypeError, AttributeError):
        raise InputInvalid(f"a value does not fit its place in {type(record).__name__}") from None
    raise TypeError(f"{type(record).__name__} has no encoding")


def _placed(items: Sequence[bytes]) -> dict[Place, bytes]:
    seen: Counter[int] = Counter()
    placed: dict[Place, bytes] = {}
    for item in items:
        placed[item[0], seen[item[0]]] = item
        seen[item[0]] += 1
    return placed


def _numbers(tlvs: Sequence[Tlv]) -> dict[Place, int]:
    """Record numbers of the items that the card has."""
    return {place: number for number, place in enumerate(_placed([bytes([tlv.tag]) for tlv in tlvs]), 1)}


def _difference(before: bytes, wanted: bytes) -> tuple[int, int]:
    """The span of bytes that differ, (0, 0) if none does."""
    differing = [place for place, (old, new) in enumerate(zip(before, wanted, strict=True)) if old != new]
    return (differing[0], differing[-1] + 1) if differing else (0, 0)
