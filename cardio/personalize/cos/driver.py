"""What a card operating system must offer to be personalized; one driver a COS, found by entry point (PERS §1.7).

A card maker's COS is added without touching this package: a class with these methods, named in the entry points
`cardio.cos`. Drivers never see a key: they order what a card is to be told from the source of keys.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import ClassVar

from cardio.apdu.connection import CardConnection
from cardio.errors import LayoutInvalid
from cardio.personalize.layout import DirectoryLayout, FileLayout, KeyRecord
from cardio.security.issuing import CardKeyReference, IssuingKeys

ENTRY_POINTS = "cardio.cos"


class CosDriver(ABC):
    """The administrative commands of one powered card.

    Args:
        card: The card.
        keys: The issuer's keys.

    Attributes:
        name: Name of the driver in layouts.
    """

    name: ClassVar[str]

    def __init__(self, card: CardConnection, keys: IssuingKeys) -> None:
        self.card = card
        self.keys = keys

    # ---- finding one's way -----------------------------------------------------------------------------------

    @abstractmethod
    def select(self, directory: DirectoryLayout) -> None:
        """Make a directory the current one; every right that was earned is gone.

        Raises:
            FileNotFound: The card does not have it.
        """

    @abstractmethod
    def holds(self, directory: DirectoryLayout) -> bool:
        """Whether the card has a directory already; asking changes nothing."""

    # ---- structure -------------------------------------------------------------------------------------------

    @abstractmethod
    def erase(self) -> None:
        """Take everything away that is in the current directory."""

    @abstractmethod
    def create_directory(self, directory: DirectoryLayout) -> None:
        """Create a directory in the current one.

        Raises:
            CardFull: There is no room for it.
            LayoutRefused: The card does not take it.
        """

    @abstractmethod
    def create_key_file(self, directory: DirectoryLayout) -> None:
        """Create the key file of the current directory; raises as `create_directory`."""

    @abstractmethod
    def create_file(self, file: FileLayout) -> None:
        """Create a file in the current directory; raises as `create_directory`."""

    # ---- keys ------------------------------------------------------------------------------------------------

    @abstractmethod
    def authenticate_master(self, master: CardKeyReference) -> None:
        """Present the master key of the current directory.

        Raises:
            MasterMissing: The directory has no key at all.
            TransportKeyWrong: It is another key; a try is gone.
            AuthenticationBlocked: No try is left.
        """

    @abstractmethod
    def add_first_key(self, record: KeyRecord, key: CardKeyReference) -> None:
        """Load the first key of a card that has none, in plain."""

    @abstractmethod
    def add_key(self, record: KeyRecord, key: CardKeyReference | bytes, master: CardKeyReference) -> None:
        """Load a key, or the bytes of a PIN, protected by a master key."""

    @abstractmethod
    def replace_key(
        self, before: KeyRecord, record: KeyRecord, key: CardKeyReference, master: CardKeyReference
    ) -> None:
        """Put another key in the place of one, protected by a master key."""

    # ---- content ---------------------------------------------------------------------------------------------

    @abstractmethod
    def authorize_update(self, record: KeyRecord, key: CardKeyReference) -> None:
        """Present an update key of the finished card."""

    @abstractmethod
    def write(self, file: FileLayout, records: Sequence[bytes], line: CardKeyReference | None) -> None:
        """Write the content of a file in the current directory.

        Args:
            file: The file.
            records: Its records; the whole content of a transparent one.
            line: Line key, for a file that is written with a MAC.
        """

    @abstractmethod
    def set_starting_day(self, day: str) -> None:
        """Set the day on which the sums of the year of the medical account begin, MMDD."""


def cos_driver(name: str) -> type[CosDriver]:
    """The driver of a COS.

    Raises:
        LayoutInvalid: None is installed under that name.
    """
    found = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name not in found:
        raise LayoutInvalid(f"no driver is named {name}; there are: {', '.join(sorted(found))}")
    driver = found[name].load()
    if not (isinstance(driver, type) and issubclass(driver, CosDriver)):
        raise LayoutInvalid(f"the driver {name} is no CosDriver")
    return driver
