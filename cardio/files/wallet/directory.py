"""The directory of a card's applications, DIR 0001 (EW §1.3)."""

from __future__ import annotations

from cardio.apdu.tlv import Tlv
from cardio.files.codecs import Octets
from cardio.files.declaration import (
    FREE,
    FileDeclaration,
    Structure,
    any_of,
)
from cardio.files.nesting import Constructed
from cardio.files.record import ItemRecord, item, items

ENTRIES = 3
"""As many applications as EW §1.1 knows on one card; further entries are kept undecoded."""
LONGEST = 16
"""Bytes of an AID, and of a label (ISO 7816-4 §8.2.1.2, §8.2.1.4)."""


class DirectoryEntry(ItemRecord):
    """61 应用模板: one application (EW §1.3)."""

    aid: bytes | None = item(0x4F, Octets(LONGEST), "应用标识符", "application identifier")
    label_bytes: bytes | None = item(0x50, Octets(LONGEST), "应用标签", "application label")

    VECTORS = (
        "4F09A00000000386980701500450424F43",  # EW §1.3; PERS §5.2, A12
        "4F09A0000000038698070150023F01",  # EW §1.3
    )

    @classmethod
    def of(cls, aid: bytes, label: bytes) -> DirectoryEntry:
        """An entry whose values are as long as they are: `Octets` writes one length only."""
        return cls.decode([Tlv(0x4F, aid), Tlv(0x50, label)])

    @property
    def identifier(self) -> int | None:
        """File identifier of the directory, for which some cards use the label (EW §1.3)."""
        label = self.label_bytes
        return int.from_bytes(label, "big") if label is not None and len(label) == 2 else None

    @property
    def label(self) -> str | None:
        """The label as text; None where it is a file identifier."""
        if self.label_bytes is None or self.identifier is not None:
            return None
        return self.label_bytes.decode("gb18030", errors="replace")


class DirectoryTemplate(ItemRecord):
    """70 目录记录模板: the form of the payment system environment (EW §1.3)."""

    entry: DirectoryEntry | None = item(0x61, Constructed(DirectoryEntry), "应用模板", "application template")

    VECTORS = ("610F4F09A0000000038698070150023F01",)


class DirectoryData(ItemRecord):
    """EF01 目录, all records (EW §1.3)."""

    entries: tuple[DirectoryEntry | None, ...] = items(
        0x61, Constructed(DirectoryEntry), "应用模板", "application template", count=ENTRIES
    )
    templates: tuple[DirectoryTemplate | None, ...] = items(
        0x70, Constructed(DirectoryTemplate), "目录记录模板", "directory record template", count=ENTRIES
    )

    VECTORS = (
        "61114F09A00000000386980701500450424F43",  # EW §1.3; PERS §5.2, A12
        "7011610F4F09A0000000038698070150023F01",  # EW §1.3
        ("61114F09A00000000386980701500450424F43" "7011610F4F09A0000000038698070150023F01"),
    )  # fmt: skip

    @property
    def applications(self) -> tuple[DirectoryEntry, ...]:
        """The applications of both forms."""
        inner = tuple(template.entry for template in self.templates if template is not None)
        return tuple(entry for entry in (*self.entries, *inner) if entry is not None)


EF01_DIRECTORY = FileDeclaration(
    0x0001,
    0x01,
    "目录文件",
    "directory of applications",
    Structure.LINEAR_VARIABLE,
    DirectoryData,
    read=FREE,
    update=any_of("CCK"),  # the master key of the master file (PERS §5.2, A11)
    source="EW §1.3",
)
