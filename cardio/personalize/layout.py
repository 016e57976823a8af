"""How a card is laid out: its directories, files and keys with sizes and access bytes, without any value.

A layout is data. It is derived from a card product (`cardio.personalize.derived`), or read from a TOML file where a
card maker or an issuer wants other sizes, numbers and rights. Access bytes are those of the COS (PERS §1.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from cardio.files.declaration import PIN
from cardio.files.key_file import CHANGED_UNDER_PROTECTION, NOT_USED, VERSIONED, WITH_STATE, KeyKind
from cardio.personalize.layout_fields import Byte, Identifier, Kind
from cardio.personalize.layout_file import read_toml, validated
from cardio.personalize.steps import Place
from cardio.products.part import Hex, Part

KIND = 0x3F
"""Bits of a type byte without those that ask for protection."""
TRANSPARENT, FIXED, VARIABLE, CYCLIC = 0x28, 0x2A, 0x2C, 0x2E
"""Types of files (PERS §1.3)."""
MASTER, FREE, NEVER = 0xAA, 0xF0, 0xEF
"""Access bytes: the state that only the master key reaches, everybody, nobody (PERS §5.2)."""
KEY_SIZE = 16
COMPANION = 0x40
"""Bit of the identifier of a key's second record."""


class Written(StrEnum):
    """When a file gets its content."""

    AT_ONCE = "at-once"
    """Right after it was created, while the card is still in the hands of its maker's keys (PERS §5.2)."""
    AFTERWARDS = "afterwards"
    """Under the update key of the finished card, as LD/T 32 part 10 has it (PERS §1.8, §5.3)."""
    NEVER = "never"
    """Logs are written by the card itself."""


class KeyRecord(Part):
    """One record of a key file.

    Attributes:
        name: Name of its root in the source of keys, as SSC §6.2 and EW §4.2 have it.
        kind: Its type.
        id: Identifier; 00 if it is the only one of its type in the directory.
        use: Access byte for using it.
        change: Access byte for changing it.
        state: Follow-up state of an external key or PIN; the low nibble counts.
        tries: Limit of its error counter, 1 to 15.
        version: Version that a purse tells.
        algorithm: Algorithm identifier that a purse tells: 00 is 3DES (PERS §1.4).
        protected: Whether it can be changed with class 84 only.
    """

    name: str
    kind: Kind
    id: Byte = 0
    use: Byte = FREE
    change: Byte = MASTER
    state: Byte = 0
    tries: int = Field(default=3, ge=1, le=15)
    version: Byte = 1
    algorithm: Byte = 0
    protected: bool = True

    @property
    def companion(self) -> bool:
        """Whether it is the second record of a key, which holds the state of `PIN and key` (PERS §5.3)."""
        return self.kind is KeyKind.EXTERNAL and bool(self.id & COMPANION)

    @property
    def type_byte(self) -> int:
        """First byte of its header."""
        return self.kind | (CHANGED_UNDER_PROTECTION if self.protected else 0)

    @property
    def header(self) -> bytes:
        """The 5 bytes before the key (PERS §1.4)."""
        if self.kind in VERSIONED:
            return bytes([self.type_byte, self.use, self.change, self.version, self.algorithm])
        change = NEVER if self.kind is KeyKind.PIN else self.change
        state = self.state if self.kind in WITH_STATE else NOT_USED
        return bytes([self.type_byte, self.use, change, state, self.tries << 4 | self.tries])


def master_key(name: str) -> KeyRecord:
    """The master key of a directory."""
    return KeyRecord(name=name, kind=KeyKind.EXTERNAL, state=MASTER)


class FileLayout(Part):
    """One elementary file.

    Attributes:
        label: Name in the product's declarations, `EF15`; files that no product declares have one of their own.
        identifier: File identifier.
        kind: Type byte: 28 transparent, 2A fixed, 2C variable, 2E cyclic, 2F purse, 2D medical account; bit 8 asks for
            a MAC on writing (PERS §1.3, §5.3).
        size: Bytes of a transparent or variable file; records and record length of the others, two bytes.
        read: Access byte for reading, or for using a purse.
        update: Access byte for writing.
        flags: Line protection; of a purse the SFI of its log.
        written: When it gets its content.
        key: Name of the external key that opens it for writing afterwards.
        content: Its records, where the layout itself says what is in it, as in an application directory.
        file: Declaration of a wallet's file, if it is another than the product's.
    """

    label: str
    identifier: Identifier
    kind: Byte
    size: Identifier
    read: Byte
    update: Byte
    flags: Byte = 0xFF
    written: Written = Written.NEVER
    key: str | None = None
    content: tuple[Hex, ...] = ()
    file: str | None = None

    @property
    def sfi(self) -> int:
        """Short file identifier: the low five bits of the identifier (PERS §1.3)."""
        return self.identifier & 0x1F

    @property
    def protected(self) -> bool:
        """Whether it is written with a MAC."""
        return bool(self.kind & 0x80)

    @property
    def information(self) -> bytes:
        """The 7 bytes of CREATE FILE (PERS §1.3)."""
        return bytes([self.kind]) + self.size.to_bytes(2, "big") + bytes([self.read, self.update, 0xFF, self.flags])


class DirectoryLayout(Part):
    """One directory.

    Attributes:
        label: Name in the product's declarations; `MF` of the master file.
        identifier: File identifier.
        name: DF name or AID.
        size: Bytes of all that is in it (PERS §1.1).
        create: Who may create files in it.
        erase: Who may erase it.
        file_id: Application file identifier: 000xxxxx the SFI of a DIR file, 100xxxxx that of the file in the FCI.
        key_file: Bytes of its key file; 0 without one.
        add_key: Who may add keys.
        temporary: Name of the master that it has until it is closed.
        temporary_protected: Whether that one can be changed with class 84 only.
        master: Its master key.
        keys: Its other keys, in the order in which they are loaded, a PIN included.
        files: Its files.
        directories: Directories below.
    """

    label: str
    identifier: Identifier
    name: Hex = b""
    size: Identifier = 0xFFFF
    create: Byte = MASTER
    erase: Byte = MASTER
    file_id: Byte
    key_file: Identifier = 0
    add_key: Byte = MASTER
    temporary: str | None = None
    temporary_protected: bool = True
    master: KeyRecord | None = None
    keys: tuple[KeyRecord, ...] = ()
    files: tuple[FileLayout, ...] = ()
    directories: tuple[DirectoryLayout, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.keys or self.master or self.temporary) and not self.key_file:
            raise ValueError(f"{self.label} has keys, but no key file")
        if self.temporary and self.master is None:
            raise ValueError(f"{self.label} has a temporary master, but none that takes its place")
        places = [(key.kind, key.id) for key in self.keys]
        if len(set(places)) < len(places):
            raise ValueError(f"{self.label} has two keys of one type and identifier")
        for file in self.files:
            self._check_writing(file)
        return self

    def _check_writing(self, file: FileLayout) -> None:
        """The directory has the keys under which a file gets its content."""
        place = f"{self.label}/{file.label}"
        if file.key is not None and file.key not in {key.name for key in self.keys}:
            raise ValueError(f"{place} is written under a key {file.key} that {self.label} does not have")
        if file.written is Written.AFTERWARDS and file.key is None:
            raise ValueError(f"{place} is written afterwards, but names no key")
        if file.written is not Written.NEVER and file.protected and self.line_key is None:
            raise ValueError(f"{place} is written with a MAC, but {self.label} has no line protection key")

    @property
    def line_key(self) -> KeyRecord | None:
        """The key of its line protection; None without."""
        return next((key for key in self.keys if key.kind is KeyKind.LINE), None)

    def walk(self) -> Iterator[DirectoryLayout]:
        """This directory and all below it."""
        yield self
        for directory in self.directories:
            yield from directory.walk()

    def key(self, name: str) -> KeyRecord:
        """The key of a name.

        Raises:
            KeyError: There is none.
        """
        found = next((key for key in self.keys if key.name == name), None)
        if found is None:
            raise KeyError(f"{self.label}/{name}")
        return found


@dataclass(frozen=True)
class WrittenFile:
    """A file that gets content.

    Attributes:
        place: Label of its directory, and its own.
        file: Declaration of a wallet's file, if it is another than the product's.
    """

    place: Place
    file: str | None = None


class Layout(Part):
    """A whole card.

    Attributes:
        id: Short name.
        product: Card product that it makes.
        cos: Name of the driver of its operating system, an entry point of `cardio.cos`.
        transport: Name of the key of a blank card.
        master_file: The tree.
        starting_day: Whether the medical account gets its starting day (SSC §5.1).
    """

    id: str
    product: str
    cos: str
    transport: str = "TRANSPORT"
    master_file: DirectoryLayout
    starting_day: str | None = Field(default=None, pattern="^[0-9]{4}$")

    @property
    def needs_pin(self) -> bool:
        """Whether the cards have a PIN."""
        return any(key.name == PIN for directory in self.master_file.walk() for key in directory.keys)

    @model_validator(mode="after")
    def _closable(self) -> Self:
        root = self.master_file
        if root.master is not None and root.temporary is None:
            raise ValueError(f"{root.label} has a master of its own, but no temporary one that it takes the place of")
        return self

    def passing_key_names(self) -> Iterator[str]:
        """Names of the keys that a card has only until it is finished."""
        yield self.transport
        yield from (one.temporary for one in self.master_file.walk() if one.temporary is not None)

    def key_names(self) -> Iterator[str]:
        """Names of the keys that a finished card has."""
        for directory in self.master_file.walk():
            masters = () if directory.master is None else (directory.master,)
            yield from (key.name for key in (*masters, *directory.keys) if key.kind is not KeyKind.PIN)

    def written_files(self) -> Iterator[WrittenFile]:
        """Files that get content."""
        for directory in self.master_file.walk():
            for file in directory.files:
                if file.written is not Written.NEVER:
                    yield WrittenFile((directory.label, file.label), file.file)

    def directory(self, label: str) -> DirectoryLayout:
        """The directory of a label.

        Raises:
            KeyError: There is none.
        """
        found = next((one for one in self.master_file.walk() if one.label == label), None)
        if found is None:
            raise KeyError(label)
        return found

    def pin_of(self, directory: DirectoryLayout) -> KeyRecord | None:
        """The PIN that counts in a directory: its own, or one of a directory above; None without."""
        above = (one for one in self.master_file.walk() if directory in one.walk())
        return next((key for one in above for key in one.keys if key.kind is KeyKind.PIN), None)


def load_layout(file: Path) -> Layout:
    """Read a layout from a TOML file.

    Raises:
        LayoutInvalid: It is not there, no TOML, or a key is missing, unknown or wrong; file, key and reason are named.
    """
    return validated(Layout, read_toml(file), file)
