"""Room on a card: what files, key files and directories take (PERS §1.1)."""

from __future__ import annotations

from collections.abc import Iterable

from cardio.files.declaration import FileDeclaration, Structure
from cardio.files.file_header import MAC_BIT, TYPES
from cardio.files.key_file import KEY_OVERHEAD
from cardio.files.record import ItemRecord
from cardio.personalize.layout import KEY_SIZE, DirectoryLayout, FileLayout

SPARE_KEYS = 4
"""Room for further keys in a key file (PERS §5.2)."""
FIXED_RECORDS = 8
"""Room for composite records, of which each industry gets one (EW §2.9)."""
FILE_OVERHEAD, PURSE_BODY = 11, 22
"""Bytes of a file header, and of a purse (PERS §1.1)."""
PURSE = 0x2F
"""Type byte of a wallet's purse."""


def extent(file: FileDeclaration) -> int:
    """Bytes 2 and 3 of CREATE FILE: a size, or records and their length."""
    if file.structure is Structure.CYCLIC:
        return file.records << 8 | file.size
    if file.structure is Structure.LINEAR_FIXED:
        return (file.records or FIXED_RECORDS) << 8 | (file.size or _largest(file))
    if file.structure is Structure.TRANSPARENT:
        return file.size
    return rounded(sum(_record_sizes(file)), 0x20)


def _record_sizes(file: FileDeclaration) -> Iterable[int]:
    """Length of every record, and the byte of length that the card keeps beside it."""
    if not issubclass(file.content, ItemRecord):
        raise TypeError(f"{file.label} has no items")
    return [2 + spec.codec.size + 1 for spec in file.content.specs().values() for _ in range(spec.count)]


def _largest(file: FileDeclaration) -> int:
    return max(_record_sizes(file)) - 1


def key_file_size(keys: int) -> int:
    """Bytes of a key file for so many keys, and some more."""
    return (keys + SPARE_KEYS) * (KEY_SIZE + KEY_OVERHEAD)


def sized(directory: DirectoryLayout) -> DirectoryLayout:
    """The directory with room for all that is in it (PERS §1.1)."""
    room = FILE_OVERHEAD + directory.key_file if directory.key_file else 0
    room += sum(_file_room(file) for file in directory.files)
    room += sum(FILE_OVERHEAD + len(one.name) + one.size for one in directory.directories)
    return directory.model_copy(update={"size": rounded(room, 0x40)})


def _file_room(file: FileLayout) -> int:
    kind = file.kind & ~MAC_BIT
    if kind == PURSE:
        return FILE_OVERHEAD + PURSE_BODY
    if kind in {TYPES[Structure.CYCLIC], TYPES[Structure.LINEAR_FIXED]}:
        return FILE_OVERHEAD + (file.size >> 8) * ((file.size & 0xFF) + 1)
    return FILE_OVERHEAD + file.size


def rounded(size: int, step: int) -> int:
    """The next multiple of `step`."""
    return -(-size // step) * step
