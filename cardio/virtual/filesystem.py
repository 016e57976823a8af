"""Files and directories of a virtual card (SSC §2, §5.3; EW §2).

Files hold bytes exactly as a chip does; what the bytes mean is the business of `cardio.files`, from whose
declarations the files are built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from cardio.apdu.tlv import encode_ber
from cardio.files.declaration import (
    ApplicationDeclaration,
    FileDeclaration,
    Structure,
)
from cardio.files.record import FixedRecord, ItemRecord, Record
from cardio.virtual.received import Received, Status


@dataclass
class ElementaryFile:
    """One elementary file.

    Attributes:
        declaration: Identifier, structure and access rights.
        records: Records of a linear file in creation order, of a cyclic file newest first; one for a transparent one.
    """

    declaration: FileDeclaration
    records: list[bytes] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        """Content of a transparent file."""
        return self.records[0]

    def append(self, record: bytes) -> None:
        """Write a record as the newest one of a cyclic file; the oldest falls out when the file is full."""
        self.records.insert(0, record)
        del self.records[self.declaration.records :]

    def find(self, number: int, mode: int) -> list[bytes]:
        """The records that READ RECORD means (SSC §5.3).

        Raises:
            Status: 6A83 no such record, 6A86 no such mode.
        """
        if mode in {4, 5, 6}:
            if not 1 <= number <= len(self.records):
                raise Status(0x6A83)
            if mode == 4:
                return [self.records[number - 1]]
            tail = self.records[number - 1 :]
            return tail if mode == 5 else tail[::-1]
        if mode in {0, 1} and self.declaration.structure is Structure.LINEAR_VARIABLE:
            matching = [record for record in self.records if record[:1] == bytes([number])]
            if not matching:
                raise Status(0x6A83)
            return [matching[0 if mode == 0 else -1]]
        raise Status(0x6A86)


class Function(Protocol):
    """What a directory can do besides files: a purse, a PSAM's key."""

    def execute(self, command: Received) -> bytes | None:
        """Answer data of a command of this function; None if it is not one of its commands.

        Raises:
            Status: The command fails.
        """

    def reset(self) -> None:
        """Forget whatever lasts only until the next SELECT or power-off."""


@dataclass
class Directory:
    """A dedicated file.

    Attributes:
        identifier: File identifier.
        name: DF name or AID, may be empty.
        files: Elementary files.
        directories: Directories below.
        proprietary: Content of the FCI's A5 template; None leaves it out.
        function: Purse or keys.
        parent: Directory above.
    """

    identifier: int
    name: bytes = b""
    files: list[ElementaryFile] = field(default_factory=list)
    directories: list[Directory] = field(default_factory=list)
    proprietary: Callable[[], bytes] | None = None
    function: Function | None = None
    parent: Directory | None = None

    def add(self, directory: Directory) -> Directory:
        """Put a directory below this one."""
        directory.parent = self
        self.directories.append(directory)
        return directory

    def walk(self) -> Iterator[Directory]:
        """This directory and all below it."""
        yield self
        for directory in self.directories:
            yield from directory.walk()

    def file(self, sfi: int) -> ElementaryFile:
        """The file with a short identifier.

        Raises:
            Status: 6A82.
        """
        for found in self.files:
            if found.declaration.sfi == sfi:
                return found
        raise Status(0x6A82)

    def fci(self) -> bytes:
        """File control information (SSC §2.1, EW §1.3)."""
        content = encode_ber(0x84, self.name) if self.name else b""
        if self.proprietary is not None:
            content += encode_ber(0xA5, self.proprietary())
        return encode_ber(0x6F, content)


def build_directory(
    declaration: ApplicationDeclaration, contents: Iterable[tuple[FileDeclaration, Record | None]]
) -> Directory:
    """A directory with files of the given contents; None makes an empty log."""
    directory = Directory(declaration.identifier, declaration.name)
    for file, content in contents:
        directory.files.append(ElementaryFile(file, _records(content)))
    return directory


def _records(content: Record | None) -> list[bytes]:
    if isinstance(content, ItemRecord):
        return content.encode()
    if isinstance(content, FixedRecord):
        return [content.encode()]
    return []
