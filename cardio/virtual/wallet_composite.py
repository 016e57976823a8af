"""UPDATE CAPP DATA CACHE: records that wait for the DEBIT of a composite purchase (EW §2.9, §3.3, §6.4)."""

from __future__ import annotations

from dataclasses import dataclass, field

from cardio.files.declaration import Structure
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.purse import Offline
from cardio.virtual.received import Received, Status
from cardio.virtual.records import Mode

TUNION = 0x27
"""First byte of T-Union's identifiers of two bytes; P1 is the second one."""
GENERIC_LOCK, TUNION_LOCK = 2, 5
"""Offsets of the application lock flag."""
OPEN = b"\x00"


@dataclass(frozen=True)
class CachedRecord:
    """A record that DEBIT will write.

    Attributes:
        file: Its file.
        place: Number of the record that it replaces; None makes it the newest of a cyclic file.
        content: New content.
    """

    file: ElementaryFile
    place: int | None
    content: bytes

    def write(self) -> None:
        """Put it into its file."""
        if self.place is None:
            self.file.append(self.content)
        else:
            self.file.records[self.place - 1] = self.content


@dataclass(frozen=True)
class Composite(Offline):
    """A composite purchase with the records that it will write, by SFI and place.

    No source says what a second record for the same place does; ours replaces the first one.
    """

    cache: dict[tuple[int, int | None], CachedRecord] = field(default_factory=dict)

    def write(self) -> None:
        """Write all records."""
        for cached in self.cache.values():
            cached.write()

    def update(self, command: Received, directory: Directory, log: ElementaryFile) -> None:
        """UPDATE CAPP DATA CACHE with the checks of EW §3.3 in their order.

        Args:
            command: The command; P2 is SFI and mode, P1 a number or an identifier.
            directory: The wallet's directory.
            log: Its log, which only the card itself writes (EW §2.7).

        Raises:
            Status: 6A82, 6981, 6A83, 6A86, 9407, 6A84, 6700.
        """
        sfi, content = command.p2 >> 3, command.data
        file = directory.file(sfi)
        if file is log or file.declaration.structure is Structure.TRANSPARENT:
            raise Status(0x6981)
        place, size = (
            _cyclic(file, command) if file.declaration.structure is Structure.CYCLIC else _linear(file, command)
        )
        if len(content) > size:
            raise Status(0x6A84)
        command.need(size)
        self.cache[sfi, place] = CachedRecord(file, place, content)


def _cyclic(file: ElementaryFile, command: Received) -> tuple[None, int]:
    """A new record: `80 DC 00 F0 30` (EW §2.8). Such records have no head, and so no lock flag."""
    if (command.p1, command.p2 & 0x07) != (0x00, Mode.FIRST):
        raise Status(0x6A83)
    return None, file.declaration.size


def _linear(file: ElementaryFile, command: Received) -> tuple[int, int]:
    """The record of a number or an identifier, which must not be locked."""
    records = file.records
    match command.p2 & 0x07:
        case Mode.NUMBER:
            found = [command.p1] if 1 <= command.p1 <= len(records) else []
        case Mode.FIRST:
            found = [place for place, record in enumerate(records, 1) if _identifier(record) == command.p1]
        case _:
            raise Status(0x6A86)
    if not found:
        raise Status(0x6A83)
    place = found[0]
    record = records[place - 1]
    lock = TUNION_LOCK if _of_tunion(record) else GENERIC_LOCK
    if record[lock : lock + 1] != OPEN:
        raise Status(0x9407)
    return place, len(record)


def _of_tunion(record: bytes) -> bool:
    """Whether it is `27 nn` and its length byte comes third."""
    return len(record) > TUNION_LOCK and record[0] == TUNION and record[2] == len(record) - 3


def _identifier(record: bytes) -> int:
    return record[1] if _of_tunion(record) else record[0]
