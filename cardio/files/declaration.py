"""What a card consists of: files with their access rights, applications, and the tree they form.

Source: SSC §2 and §3, EW §2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cardio.files.record import Record


class Structure(StrEnum):
    """File structures (SSC §3)."""

    TRANSPARENT = "T"
    LINEAR_VARIABLE = "V"
    LINEAR_FIXED = "F"
    CYCLIC = "C"


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
class FileDeclaration:
    """One elementary file.

    Attributes:
        identifier: File identifier.
        sfi: Short file identifier, 1 to 30.
        zh: Chinese title.
        en: English title.
        structure: Its structure.
        content: Record class of one record, of all items (V), or of the whole file (T).
        read: Who may read.
        update: Who may update.
        size: Bytes of one record, or of a transparent file.
        records: Number of records of a cyclic file, at least.
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
    source: str = ""

    @property
    def personal(self) -> bool:
        """Whether the file holds personal fields, so that its bytes are not written down."""
        return any(spec.personal is not None for spec in self.content.specs().values())


@dataclass(frozen=True)
class ApplicationDeclaration:
    """A directory with its files.

    Attributes:
        identifier: File identifier of the directory.
        zh: Chinese title.
        en: English title.
        files: Its elementary files.
        name: DF name or AID; empty when it is selected by identifier only.
    """

    identifier: int
    zh: str
    en: str
    files: tuple[FileDeclaration, ...]
    name: bytes = b""
