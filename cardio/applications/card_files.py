"""The files of a social security card, read once each, in the directory where they lie (SSC §2, §10.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cardio.apdu.command import select_file, select_name
from cardio.apdu.connection import CardConnection
from cardio.applications.authority import Authority
from cardio.errors import CardDataInvalid, CardioError, FileNotFound, ReaderError
from cardio.files.declaration import ApplicationDeclaration, FileDeclaration, Structure
from cardio.files.reading import FileReader
from cardio.files.record import FixedRecord, ItemRecord, Record
from cardio.files.reuse import split_reused


class Standing(StrEnum):
    """What is known about something that was asked of a card."""

    KNOWN = "known"
    """The card says it."""
    ABSENT = "absent"
    """The card has the place for it, and nothing is written there."""
    UNKNOWN = "unknown"
    """The card has no place for it: it says nothing either way."""
    REFUSED = "refused"
    """The card or the holder did not let the terminal read it."""
    UNREADABLE = "unreadable"
    """It was there, but could not be read or understood."""


@dataclass(frozen=True)
class FileReading:
    """What reading one file gave.

    Attributes:
        records: One record for items and transparent files, newest first for logs; as far as they could be read.
        reused: Items of a version 1.0 file that hold data of version 2.0.
        error: Why the file, or the rest of it, could not be read.
        declared: Whether the card's version has the file at all.
    """

    records: tuple[Record, ...] = ()
    reused: ItemRecord | None = None
    error: CardioError | None = None
    declared: bool = True

    @property
    def record(self) -> Record | None:
        """The only record, or the newest."""
        return self.records[0] if self.records else None

    @property
    def standing(self) -> Standing:
        """What is known about the file as a whole."""
        if any(any(True for _ in record.values()) for record in (*self.records, *self._reused())):
            return Standing.KNOWN
        if not self.declared or isinstance(self.error, FileNotFound):
            return Standing.UNKNOWN
        if self.error is None:
            return Standing.UNREADABLE if self._malformed() else Standing.ABSENT
        return Standing.UNREADABLE if isinstance(self.error, (ReaderError, CardDataInvalid)) else Standing.REFUSED

    def _reused(self) -> tuple[ItemRecord, ...]:
        return () if self.reused is None else (self.reused,)

    def _malformed(self) -> bool:
        return any(record.malformed() for record in self.records if isinstance(record, (ItemRecord, FixedRecord)))


Place = tuple[str, str]
"""Labels of directory and file, such as ("DF03", "EF07")."""


class CardFiles:
    """Reads files by their labels; every file is read at most once.

    Args:
        card: The card on which the environment is selected.
        reader: Reads files of the selected directory.
        root: The environment's declaration with the directories below it.
        authority: Earns the rights that files demand.
        selected: Label of the directory that is selected now; the root's where it is left out.

    Attributes:
        left: Why the card can no longer be asked, once it left.
    """

    def __init__(
        self,
        card: CardConnection,
        reader: FileReader,
        root: ApplicationDeclaration,
        authority: Authority,
        selected: str | None = None,
    ) -> None:
        self._card = card
        self._reader = reader
        self._root = root
        self._authority = authority
        self._selected = root.label if selected is None else selected
        self._missing: dict[str, CardioError] = {}
        self._read: dict[Place, FileReading] = {}
        self.left: ReaderError | None = None

    def places(self) -> tuple[Place, ...]:
        """All files that the card's version has."""
        return tuple((application.label, file.label) for application in self._root.walk() for file in application.files)

    def content_of(self, application: str, file: str) -> type[Record] | None:
        """Record class that the card's version declares for a file; None if it has no such file."""
        directory = self._root.application(application)
        declared = directory.file(file) if directory is not None else None
        return None if declared is None else declared.content

    def prefetch(self, places: Iterable[Place]) -> None:
        """Read files directory by directory, so that each directory is selected once."""
        order = [application.label for application in self._root.walk()]
        wanted = [place for place in dict.fromkeys(places) if place[0] in order]
        for place in sorted(wanted, key=lambda place: (place[0] != self._selected, order.index(place[0]))):
            self.read(*place)

    def read(self, application: str, file: str, *, limit: int | None = None) -> FileReading:
        """One file.

        Args:
            application: Label of the directory, such as DF03.
            file: Label of the file, such as EF07.
            limit: Records of a log that are wanted; None for all.
        """
        place = (application, file)
        if place not in self._read:
            self._read[place] = self._read_file(application, file, limit)
        return self._read[place]

    def remember(self, application: str, file: str, record: Record) -> None:
        """A file that was read already."""
        self._read[application, file] = FileReading((record,))

    def select(self, application: str) -> None:
        """Select a directory for commands that are not about files.

        Raises:
            FileNotFound: The card, or its version, has no such directory.
        """
        directory = self._root.application(application)
        if directory is None:
            raise FileNotFound(f"the card's version has no {application}")
        self._select(directory)

    def selected(self, application: str) -> None:
        """A directory was selected by somebody else."""
        if application != self._selected:
            self._selected = application
            self._authority.left_application()

    def _read_file(self, application: str, label: str, limit: int | None) -> FileReading:
        directory = self._root.application(application)
        file = directory.file(label) if directory is not None else None
        if directory is None or file is None:
            return FileReading(declared=False)
        if self.left is not None:
            return FileReading(error=self.left)
        try:
            self._select(directory)
            self._authority.earn(file.read)
            return self._content(file, limit)
        except CardioError as error:
            if isinstance(error, ReaderError):
                self.left = error
            return FileReading(error=error)

    def _content(self, file: FileDeclaration, limit: int | None) -> FileReading:
        content = file.content
        if file.structure is Structure.TRANSPARENT and issubclass(content, FixedRecord):
            raw = self._reader.read_binary(file)
            return FileReading((content.decode(raw.ljust(content.size(), b"\xff")),))
        if file.structure is Structure.CYCLIC:
            return self._log(file, limit)
        if not issubclass(content, ItemRecord):
            raise CardDataInvalid(f"{file.label} has no items")
        items = self._reader.read_tlvs(file)
        if file.reuse is None:
            return FileReading((content.decode(items),))
        old, new = split_reused(items, file.reuse)
        return FileReading((content.decode(old),), file.reuse.content.decode(new) if new else None)

    def _log(self, file: FileDeclaration, limit: int | None) -> FileReading:
        records: list[Record] = []
        try:
            for raw in self._reader.read_records(file):
                layout = file.layout(raw)
                if issubclass(layout, FixedRecord) and raw.strip(b"\xff") and raw.strip(b"\x00"):
                    records.append(layout.decode(raw))
                if limit is not None and len(records) >= limit:
                    break
        except CardioError as error:
            if isinstance(error, ReaderError):
                self.left = error
            return FileReading(tuple(records), error=error)
        return FileReading(tuple(records))

    def _select(self, directory: ApplicationDeclaration) -> None:
        """Select a directory: by identifier, from the environment where that is needed, or by name.

        Raises:
            FileNotFound: The card has no such directory.
        """
        if directory.label == self._selected:
            return
        if directory.label in self._missing:
            raise self._missing[directory.label]
        if directory is self._root:
            self._card.call(select_name(self._root.name))
        else:
            try:
                self._select_below(directory)
            except FileNotFound as error:
                self._missing[directory.label] = error
                raise
        self.selected(directory.label)

    def _select_below(self, directory: ApplicationDeclaration) -> None:
        try:
            self._card.call(select_file(directory.identifier))
        except FileNotFound:
            if self._selected != self._root.label:
                # Not every card finds a directory from its sibling (SSC §2).
                self._card.call(select_name(self._root.name))
                self.selected(self._root.label)
                self._select_below(directory)
            elif directory.name:
                self._card.call(select_name(directory.name))
            else:
                raise


def standing_of(readings: Mapping[Place, FileReading]) -> Standing:
    """What is known when several files were asked: the best of them, and the worst reason otherwise."""
    standings = {reading.standing for reading in readings.values()}
    order = (Standing.KNOWN, Standing.REFUSED, Standing.UNREADABLE, Standing.ABSENT, Standing.UNKNOWN)
    return next(standing for standing in order if standing in standings)
