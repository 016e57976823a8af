"""What a file holds, as the card stores it: of given records, and of a file that was never written."""

from __future__ import annotations

from collections.abc import Sequence

from cardio.files.declaration import FileDeclaration, Structure
from cardio.files.record import FixedRecord, ItemRecord, Record


def encode_records(file: FileDeclaration, records: Sequence[Record]) -> list[bytes]:
    """The records of a file as the card stores them; a transparent file is filled up with 00.

    Raises:
        ValueError: Too many records, or one that is too long.
    """
    found: list[bytes] = []
    for record in records:
        found += record.encode() if isinstance(record, ItemRecord) else [_fixed(record)]
    if file.structure is Structure.TRANSPARENT:
        if len(found) > 1:
            raise ValueError(f"{file.label} holds one record")
        (content,) = found or [b""]
        found = [content.ljust(file.size, b"\x00")]
    if file.size and any(len(one) > file.size for one in found if file.structure is not Structure.LINEAR_VARIABLE):
        raise ValueError(f"a record of {file.label} is longer than {file.size} bytes")
    if file.structure is Structure.CYCLIC and len(found) > file.records > 0:
        raise ValueError(f"{file.label} holds {file.records} records")
    return found


def blank_records(file: FileDeclaration) -> list[bytes]:
    """A file that was created and never written: blank items, an empty log, blank bytes."""
    if file.structure is Structure.CYCLIC:
        return []
    if issubclass(file.content, ItemRecord):
        return file.content.empty().encode()
    fields = b"".join(spec.codec.blank() for spec in file.content.specs().values())
    if file.structure is Structure.TRANSPARENT:
        return [fields.ljust(file.size, b"\x00")[: file.size or None]]
    return [fields] * file.records


def _fixed(record: Record) -> bytes:
    if not isinstance(record, FixedRecord):
        raise TypeError(f"{type(record).__name__} has no encoding")
    return record.encode()
