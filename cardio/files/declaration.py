"""What a card consists of: files with their access rights, applications, and the tree they form.

Source: SSC §2 and §3, EW §2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cardio.files.record import FixedRecord, ItemRecord, Record


class Structure(StrEnum):
    """File structures (SSC §3)."""

    TRANSPARENT = "T"
    LINEAR_VARIABLE = "V"
    LINEAR_FIXED = "F"
    CYCLIC = "C"


class Use(StrEnum):
    """Whether a file is in use: 启用 active, 预设 defined but not yet used, 预留 reserved (SSC §3)."""

    ACTIVE = "A"
    PREPARED = "P"
    RESERVED = "R"


PIN = "PIN"


@dataclass(frozen=True)
class Access:
    """Who may use a file: any one of several sets of rights, each set complete.

    A right is `PIN` or the name of an external key such as `RK1DF04`.
    """

    alternatives: tuple[frozenset[str], ...]

    def allows(self, rights: frozenset[str]) -> bool:
        """Whether `rights` open the file."""
        return any(needed <= rights for needed in self.alternatives)


FREE = Access((frozenset(),))
NEVER = Access(())


def any_of(*rights: str) -> Access:
    """One of the rights is enough."""
    return Access(tuple(frozenset({right}) for right in rights))


def all_of(*rights: str) -> Access:
    """All of the rights together."""
    return Access((frozenset(rights),))


@dataclass(frozen=True)
class Reuse:
    """Items of a version 1.0 file that may hold data of version 2.0 (SSC §4.10).

    A value of 2.0 is shorter than the old item and filled on the right with EE up to the old length.

    Attributes:
        tags: Tags that are decoded with the 2.0 meaning where their value ends in EE.
        followers: Tags without room for the mark, which follow the tag they are listed with.
        content: Record class with the 2.0 meaning.
    """

    tags: frozenset[int]
    followers: Mapping[int, int]
    content: type[ItemRecord]


@dataclass(frozen=True)
class FileDeclaration:
    """One elementary file.

    Attributes:
        identifier: File identifier.
        sfi: Short file identifier, 1 to 30.
        zh: Chinese title.
        en: English title.
        structure: Its structure.
        content: Record class of one record (C), of all items (V, F), or of the whole file (T).
        read: Who may read.
        update: Who may update.
        size: Bytes of one record, or of a transparent file; 0 where the records say it themselves.
        records: Number of records of a cyclic file, at least.
        use: Whether the file is in use.
        layouts: Other record classes, by the bytes that a record begins with.
        reuse: Items of a 1.0 file that may hold 2.0 data.
        source: Where the declaration comes from.
    """

    identifier: int
    sfi: int
    zh: str
    en: str
    structure: Structure
    content: type[Record]
    read: Access
    update: Access
    size: int = 0
    records: int = 0
    use: Use = Use.ACTIVE
    layouts: Mapping[bytes, type[FixedRecord]] = field(default_factory=dict)
    reuse: Reuse | None = None
    source: str = ""

    @property
    def record_classes(self) -> tuple[type[Record], ...]:
        """All classes that its records may have."""
        reused = () if self.reuse is None else (self.reuse.content,)
        return (self.content, *self.layouts.values(), *reused)

    @property
    def personal(self) -> bool:
        """Whether the file holds personal fields, so that its bytes are not written down."""
        return any(cls.personal() for cls in self.record_classes)

    @property
    def label(self) -> str:
        """Name as the standards write it: EF05, EF1A."""
        return f"EF{self.identifier & 0xFF:02X}"

    def layout(self, raw: bytes) -> type[Record]:
        """The record class of a record with these bytes."""
        return next((cls for prefix, cls in self.layouts.items() if raw.startswith(prefix)), self.content)

    def readable_with(self, read: Access) -> FileDeclaration:
        """The same file with another read right."""
        return replace(self, read=read)


@dataclass(frozen=True)
class ApplicationDeclaration:
    """A directory with its files.

    Attributes:
        identifier: File identifier of the directory.
        zh: Chinese title.
        en: English title.
        files: Its elementary files.
        name: DF name or AID; empty when it is selected by identifier only.
        label: Short name, such as DF04.
        applications: Directories below.
        source: Where the declaration comes from.
    """

    identifier: int
    zh: str
    en: str
    files: tuple[FileDeclaration, ...]
    name: bytes = b""
    label: str = ""
    applications: tuple[ApplicationDeclaration, ...] = ()
    source: str = ""

    def walk(self) -> Iterator[ApplicationDeclaration]:
        """This directory and all below it."""
        yield self
        for application in self.applications:
            yield from application.walk()

    def application(self, label: str) -> ApplicationDeclaration | None:
        """The directory of that label, here or below; None if the card has none."""
        return next((found for found in self.walk() if found.label == label), None)

    def file(self, label: str) -> FileDeclaration | None:
        """The file of that label in this directory; None if it has none."""
        return next((found for found in self.files if found.label == label), None)

    def with_files(self, label: str, *files: FileDeclaration) -> ApplicationDeclaration:
        """The same tree with `files` put into the directory `label`, in place of files of the same label.

        Raises:
            KeyError: There is no such directory.
        """
        if self.application(label) is None:
            raise KeyError(label)
        below = tuple(one.with_files(label, *files) if one.application(label) else one for one in self.applications)
        kept = self.files
        if self.label == label:
            new = {file.label for file in files}
            kept = (*(file for file in self.files if file.label not in new), *files)
        return replace(self, files=kept, applications=below)


@dataclass(frozen=True)
class CardDeclaration:
    """All that a kind of card can hold.

    Attributes:
        id: Short name, such as `ssc-2.0`.
        zh: Chinese title.
        en: English title.
        root: Its tree.
        source: Where the declaration comes from.
    """

    id: str
    zh: str
    en: str
    root: ApplicationDeclaration
    source: str

    def files(self) -> Iterator[tuple[ApplicationDeclaration, FileDeclaration]]:
        """Every file with the directory it lies in."""
        for application in self.root.walk():
            for file in application.files:
                yield application, file
