"""Reads a finished card back and compares it with what was to be written (PERS §5.2, phase 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import FILE
from cardio.applications.pin import verify_pin
from cardio.errors import AccessDenied, FileNotFound, PinError, PinRequired, RecordNotFound
from cardio.files.key_file import KeyKind
from cardio.files.reading import MAX_RECORDS
from cardio.personalize.cos.driver import CosDriver
from cardio.personalize.layout import (
    FIXED,
    FREE,
    KIND,
    TRANSPARENT,
    VARIABLE,
    DirectoryLayout,
    FileLayout,
    KeyRecord,
    Layout,
)
from cardio.personalize.steps import UNREAD, CardContent, Finding
from cardio.security.issuing import CardKeyReference

MAX_READ = 0xDF


class ReadingBack:
    """Reads the files of one card that a plan has written.

    Args:
        layout: The card's layout.
        content: What it should hold.
        reference: A key of this card by its name.
        cos: Driver of the card.
        pin: The holder's PIN; None if it is not known.
    """

    def __init__(
        self,
        layout: Layout,
        content: CardContent,
        reference: Callable[[str], CardKeyReference],
        cos: CosDriver,
        pin: str | None,
    ) -> None:
        self._layout = layout
        self._content = content
        self._reference = reference
        self._cos = cos
        self._card: CardConnection = cos.card
        self._pin = pin
        self._pin_failed: PinError | None = None

    def prove_masters(self) -> None:
        """Present the masters that took the place of temporary ones; a wrong one costs a try.

        Raises:
            TransportKeyWrong: The card has another.
        """
        for directory in reversed(list(self._layout.master_file.walk())):
            if directory.temporary is not None and directory.master is not None:
                self._cos.select(directory)
                self._cos.authenticate_master(self._reference(directory.master.name))

    def prove_pin(self) -> None:
        """Present the PIN, if the card has one and it is known; a wrong one costs a try.

        Raises:
            PinError: The card has another, or does not take it.
        """
        for directory in self._layout.master_file.walk():
            if self._pin is not None and any(key.kind is KeyKind.PIN for key in directory.keys):
                self._cos.select(directory)
                self._present_pin()

    def findings(self) -> Iterator[Finding]:
        """One for each file that has content, in the order of the layout.

        Raises:
            AuthenticationFailed: The card has another key than it was given; it is not tried a second time.
            ReaderError: The card is gone.
        """
        for directory in self._layout.master_file.walk():
            yield from self.of(directory.label)

    def of(self, label: str) -> Iterator[Finding]:
        """The findings of one directory.

        Raises:
            KeyError: The layout has no directory of that label.
        """
        directory = self._layout.directory(label)
        expected = {
            file.label: records
            for file in directory.files
            if (records := file.content or self._content.files.get((directory.label, file.label), ()))
        }
        if not expected:
            return
        self._cos.select(directory)
        for file in directory.files:
            if file.label in expected:
                yield self._finding(directory, file, expected[file.label])

    def _finding(self, directory: DirectoryLayout, file: FileLayout, expected: Sequence[bytes]) -> Finding:
        name = f"{directory.label}/{file.label}"
        try:
            if not self._open(directory, file):
                return Finding(name, f"{UNREAD}: {AccessDenied.code}")
            found = self._read(file, expected)
        except PinError as error:
            return Finding(name, f"{UNREAD}: {error.code}")
        except (AccessDenied, FileNotFound) as error:
            return Finding(name, error.code)
        wrong = [str(number) for number, pair in enumerate(zip(found, expected, strict=True), 1) if pair[0] != pair[1]]
        if wrong:
            return Finding(name, f"record {', '.join(wrong)}")
        return Finding(name, f"more than {len(expected)} records" if self._holds_more(file, len(expected)) else "")

    def _open(self, directory: DirectoryLayout, file: FileLayout) -> bool:
        """Earn a state that the file's read byte asks for; whether there is one that can be earned.

        Raises:
            PinError: The PIN is needed, and not known or not right.
        """
        if file.read == FREE:
            return True
        low, high = file.read & 0x0F, file.read >> 4
        for record in self._openers(directory):
            if low <= record.state & 0x0F <= high and (record.kind is not KeyKind.PIN or self._pin is not None):
                self._present(directory, record)
                return True
        return False

    def _present(self, directory: DirectoryLayout, record: KeyRecord) -> None:
        if record.kind is KeyKind.PIN or record.companion:
            self._present_pin()
        if record.kind is not KeyKind.PIN:
            presented = directory.key(record.name)
            self._cos.authorize_update(presented, self._reference(presented.name))

    def _present_pin(self) -> None:
        """A PIN that failed is not presented again: each time would spend a try."""
        if self._pin_failed is not None:
            raise self._pin_failed
        try:
            if self._pin is None:
                raise PinRequired
            verify_pin(self._card, self._pin)
        except PinError as error:
            self._pin_failed = error
            raise

    def _openers(self, directory: DirectoryLayout) -> list[KeyRecord]:
        """Keys of the directory that lead to a state, the PIN first; it may lie in a directory above."""
        pin = self._layout.pin_of(directory)
        keys = [key for key in directory.keys if key.kind is KeyKind.EXTERNAL]
        return keys if pin is None else [pin, *keys]

    def _read(self, file: FileLayout, expected: Sequence[bytes]) -> list[bytes]:
        if file.kind & KIND == TRANSPARENT:
            return [self._read_binary(file, len(expected[0]))]
        return [self._read_record(file, number, len(record)) for number, record in enumerate(expected, start=1)]

    def _read_record(self, file: FileLayout, number: int, size: int) -> bytes:
        return self._card.call(Command("READ RECORD", 0x00, 0xB2, number, file.sfi << 3 | 4, le=size, outcomes=FILE))

    def _holds_more(self, file: FileLayout, records: int) -> bool:
        """Whether a linear file has a record behind the last that was written; a cyclic one may have older ones."""
        if file.kind & KIND not in {FIXED, VARIABLE} or records >= MAX_RECORDS:
            return False
        try:
            self._read_record(file, records + 1, 0)
        except RecordNotFound:
            return False
        return True

    def _read_binary(self, file: FileLayout, size: int) -> bytes:
        first = min(size, MAX_READ)
        content = self._card.call(Command("READ BINARY", 0x00, 0xB0, 0x80 | file.sfi, 0, le=first, outcomes=FILE))
        while len(content) < size:
            # The file is the current one now: the first command named it.
            part = min(size - len(content), MAX_READ)
            more = self._card.call(Command("READ BINARY", 0x00, 0xB0, *divmod(len(content), 0x100), le=part))
            if not more:
                break
            content += more
        return content
