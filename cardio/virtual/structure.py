"""The tree of a card that CREATE FILE makes: what may be created where, and what is left of the room (PERS §1.1, §1.3).

The tree is part of the card's memory: it is written down as the blocks that made it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

from cardio.apdu.command import MASTER_FILE
from cardio.apdu.tlv import encode_ber
from cardio.files.declaration import Structure as FileStructure
from cardio.virtual.creation import (
    Created,
    DataHeader,
    DirectoryHeader,
    KeyFileHeader,
    PurseHeader,
    check_length,
    header_of,
)
from cardio.virtual.filesystem import Directory
from cardio.virtual.fmcos_keys import KeyFile
from cardio.virtual.received import Status
from cardio.virtual.stored import AtMost, Bytes2, Misfit

if TYPE_CHECKING:
    from cardio.virtual.blank import BlankSecurity
    from cardio.virtual.card import VirtualCard

WHOLE_CARD = 0xFFFF
"""Size of a master file that may fill the card."""
ADF, DDF = 0b100, 0b000
"""High three bits of an application file identifier."""
FCI_CONTENT, DIR_FILE = 0x9F0C, 0x88


@dataclass
class StoredDirectory:
    """What a directory is made of.

    Attributes:
        identifier: Its file identifier.
        block: Data of the CREATE FILE that made it.
        files: Its elementary files, those of keys and money included, oldest first.
        directories: Directories below, oldest first.
    """

    identifier: Bytes2
    block: Annotated[bytes, AtMost(0xFF)]
    files: list[Created]
    directories: list[StoredDirectory]


@dataclass
class StoredTree:
    """All that is below the master file."""

    files: list[Created]
    directories: list[StoredDirectory]


class Structure:
    """The tree of one card.

    Args:
        security: Its security, which also says what a file of money is on this card.
        levels: Levels of directories, the master file counted.
        capacity: Bytes of all files.

    Attributes:
        card: The card, set when it is built.
    """

    card: VirtualCard

    def __init__(self, security: BlankSecurity, levels: int, capacity: int) -> None:
        self._security = security
        self._levels = levels
        self._capacity = capacity
        self._headers: dict[str, DirectoryHeader] = {}
        self._created: dict[str, list[Created]] = {}

    def master_file(self, header: DirectoryHeader) -> Directory:
        """A new tree with nothing but its master file."""
        master = Directory(MASTER_FILE, header.name)
        self._adopt(master, header)
        return master

    def _adopt(self, directory: Directory, header: DirectoryHeader) -> None:
        directory.proprietary = partial(self._proprietary, directory)
        self._headers[directory.label] = header
        self._created[directory.label] = []

    def header(self, directory: Directory) -> DirectoryHeader:
        """What CREATE FILE said of a directory."""
        return self._headers[directory.label]

    def room(self, directory: Directory) -> int:
        """Bytes that are left in a directory."""
        files = [header_of(created) for created in self._created[directory.label]]
        below = [self.header(child) for child in directory.directories]
        size = self.header(directory).size
        whole = directory.parent is None and size == WHOLE_CARD
        return (self._capacity if whole else size) - sum(header.cost for header in (*files, *below))

    def plan(self, directory: Directory, created: Created) -> Callable[[], None]:
        """How to put a new file into a directory, after all that could speak against it.

        Args:
            directory: Where it goes.
            created: The new file.

        Returns:
            The change.

        Raises:
            Status: 6700 length; 6A80 no such file can be, or too deep; 6A86 its identifier or its place is taken; 6A84
                no room.
        """
        check_length(created.block)
        header = header_of(created)
        self._need_place(directory, created)
        match header:
            case DirectoryHeader():
                change = self._directory(directory, created, header)
            case KeyFileHeader():
                change = self._key_file(directory, header)
            case PurseHeader():
                change = self._security.purse(self.card, directory, header)
            case DataHeader():
                change = partial(directory.files.append, header.make())
        if header.cost > self.room(directory):
            raise Status(0x6A84)

        def write() -> None:
            if not isinstance(header, DirectoryHeader):
                self._created[directory.label].append(created)
            change()

        return write

    def _need_place(self, directory: Directory, created: Created) -> None:
        """Insist that SELECT by identifier would find the new file and no other.

        A real card takes such an identifier and later selects the wrong directory (PERS §1.3).
        """
        taken = {one.number for one in self._created[directory.label]} | {
            one.identifier for one in directory.reachable()
        }
        if created.number in taken:
            raise Status(0x6A86)

    def _directory(self, directory: Directory, created: Created, header: DirectoryHeader) -> Callable[[], None]:
        if len(list(directory.path())) >= self._levels:
            raise Status(0x6A80)
        above = "" if directory.parent is None else f"{directory.label}/"
        child = Directory(created.number, header.name, label=f"{above}{created.number:04X}")

        def write() -> None:
            directory.add(child)
            self._adopt(child, header)

        return write

    def _key_file(self, directory: Directory, header: KeyFileHeader) -> Callable[[], None]:
        """The first file of a directory, and the only one of its kind (PERS §1.1)."""
        if self._created[directory.label] or directory.directories:
            raise Status(0x6A86)
        file = KeyFile((), header.size, header.add)

        def write() -> None:
            self._security.key_files[directory.label] = file

        return write

    def _proprietary(self, directory: Directory) -> bytes | None:
        """Content of the A5 template: the DIR file's SFI of a DDF, the content of a file of an ADF (PERS §1.3)."""
        file_id = self.header(directory).file_id
        kind, sfi = file_id >> 5, file_id & 0x1F
        if kind == DDF and sfi:
            return encode_ber(DIR_FILE, bytes([sfi])) + self._security.announcement(directory)
        if kind == ADF:
            for file in directory.files:
                if file.declaration.sfi == sfi and file.declaration.structure is FileStructure.TRANSPARENT:
                    return encode_ber(FCI_CONTENT, file.data)
        return None

    def erase(self, directory: Directory) -> None:
        """Take everything away that is in a directory; itself it stays. To be done inside a commit."""
        labels = {one.label for one in directory.walk()}
        self._security.forget(labels)
        for label in labels - {directory.label}:
            del self._headers[label], self._created[label]
        self._created[directory.label].clear()
        directory.files.clear()
        directory.directories.clear()
        directory.function = None

    # ---- memory ----------------------------------------------------------------------------------------------

    def memory(self) -> StoredTree:
        """What the card is made of."""
        master = self.card.master_file
        return StoredTree(list(self._created[master.label]), [self._stored(child) for child in master.directories])

    def _stored(self, directory: Directory) -> StoredDirectory:
        identifier, block = directory.identifier.to_bytes(2, "big"), self.header(directory).encode()
        below = [self._stored(child) for child in directory.directories]
        return StoredDirectory(identifier, block, list(self._created[directory.label]), below)

    def restore(self, memory: StoredTree) -> None:
        """Make the card what it was.

        Raises:
            Misfit: The card would refuse a file.
        """
        self.erase(self.card.master_file)
        self._restore(self.card.master_file, memory, ())

    def _restore(self, directory: Directory, stored: StoredTree | StoredDirectory, place: tuple[str, ...]) -> None:
        for number, created in enumerate(stored.files):
            self._redo(directory, created, (*place, "files", str(number)))
        for number, below in enumerate(stored.directories):
            inner = (*place, "directories", str(number))
            self._redo(directory, Created(below.identifier, below.block), inner)
            self._restore(directory.directories[-1], below, inner)

    def _redo(self, directory: Directory, created: Created, place: tuple[str, ...]) -> None:
        try:
            self.plan(directory, created)()
        except Status as status:
            raise Misfit(place, f"the card does not create such a file: {status}") from None
