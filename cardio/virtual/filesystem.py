"""Files and directories of a virtual card (SSC §2, §5.3; EW §2).

Files hold bytes exactly as a chip does; what the bytes mean is the business of `cardio.files`, from whose
declarations the files are built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from cardio.apdu.tlv import encode_ber
from cardio.files.declaration import (
    ApplicationDeclaration,
    FileDeclaration,
)
from cardio.files.file_header import FileHeader, header_of
from cardio.files.record import FixedRecord, ItemRecord, Record
from cardio.virtual.received import Received, Status
from cardio.virtual.records import Mode, locate

if TYPE_CHECKING:
    from cardio.virtual.security import Security


@dataclass
class ElementaryFile:
    """One elementary file.

    Attributes:
        declaration: Identifier, structure and access rights.
        records: Records of a linear file in creation order, of a cyclic file newest first; one for a transparent one.
        own_header: FMCOS header, where it says more than the declaration's rights; None for `header_of`.
        current: Number of the current record, 0 for none; lasts while the file is the current one.
    """

    declaration: FileDeclaration
    records: list[bytes] = field(default_factory=list)
    own_header: FileHeader | None = None
    current: int = 0

    @property
    def header(self) -> FileHeader:
        """What FMCOS goes by instead of the declaration's rights."""
        return self.own_header or header_of(self.declaration)

    @property
    def data(self) -> bytes:
        """Content of a transparent file."""
        return self.records[0]

    def append(self, record: bytes) -> None:
        """Write a record as the newest one of a cyclic file; the oldest falls out when the file is full."""
        self.records.insert(0, record)
        del self.records[self.declaration.records :]

    def find(self, number: int, mode: int) -> list[bytes]:
        """The records that READ RECORD means (SSC §5.3); a single one becomes the current record.

        Raises:
            Status: 6A83 no such record, 6A86 no such mode.
        """
        if mode in {Mode.TO_LAST, Mode.FROM_LAST}:
            first = locate(self.declaration, self.records, number, Mode.NUMBER, self.current)
            tail = self.records[first - 1 :]
            return tail if mode == Mode.TO_LAST else tail[::-1]
        self.current = locate(self.declaration, self.records, number, mode, self.current)
        return [self.records[self.current - 1]]


class Function(Protocol):
    """What a directory can do besides files: a purse, a PSAM's key."""

    def execute(self, command: Received) -> bytes | None:
        """Answer data of a command of this function; None if it is not one of its commands.

        Raises:
            Status: The command fails.
        """

    def reset(self) -> None:
        """Forget whatever lasts only until the next SELECT or power-off."""


@dataclass(eq=False)
class Directory:
    """A dedicated file.

    Attributes:
        identifier: File identifier.
        name: DF name or AID, may be empty.
        files: Elementary files.
        directories: Directories below.
        proprietary: Makes the content of the FCI's A5 template; None, or one that makes None, leaves it out.
        function: Purse or keys.
        parent: Directory above.
        label: Short name such as DF04, under which its keys are kept; the identifier in hex if not given.
        security: Who decides here and below; None leaves it to the directory above.
    """

    identifier: int
    name: bytes = b""
    files: list[ElementaryFile] = field(default_factory=list)
    directories: list[Directory] = field(default_factory=list)
    proprietary: Callable[[], bytes | None] | None = None
    function: Function | None = None
    parent: Directory | None = None
    label: str = ""
    security: Security | None = None

    def __post_init__(self) -> None:
        self.label = self.label or f"{self.identifier:04X}"

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

    def path(self) -> Iterator[Directory]:
        """This directory and all above it."""
        yield self
        if self.parent is not None:
            yield from self.parent.path()

    def reachable(self) -> list[Directory]:
        """Directories that a file identifier names from here: the master file, children, parent, siblings (SSC §2)."""
        *_, top = self.path()
        found = [top, *self.directories]
        if self.parent is not None:
            found += [self.parent, *self.parent.directories]
        return found

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
        proprietary = self.proprietary() if self.proprietary is not None else None
        if proprietary is not None:
            content += encode_ber(0xA5, proprietary)
        return encode_ber(0x6F, content)


def build_directory(
    declaration: ApplicationDeclaration, contents: Iterable[tuple[FileDeclaration, Record | None]]
) -> Directory:
    """A directory with files of the given contents; None makes an empty log."""
    directory = Directory(declaration.identifier, declaration.name, label=declaration.label)
    for file, content in contents:
        directory.files.append(ElementaryFile(file, _records(content)))
    return directory


def _records(content: Record | None) -> list[bytes]:
    if isinstance(content, ItemRecord):
        return content.encode()
    if isinstance(content, FixedRecord):
        return [content.encode()]
    return []
