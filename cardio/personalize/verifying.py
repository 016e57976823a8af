"""Reads a finished card back and compares it with what was to be written (PERS §5.2, phase 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import FILE
from cardio.applications.pin import verify_pin
from cardio.errors import AccessDenied, CardioError
from cardio.files.declaration import PIN
from cardio.files.key_file import KeyKind
from cardio.personalize.cos.driver import CosDriver
from cardio.personalize.layout import FREE, KIND, TRANSPARENT, DirectoryLayout, FileLayout, KeyRecord, Layout
from cardio.personalize.plan import CardContent
from cardio.security.issuing import CardKeyReference

MAX_READ = 0xDF


@dataclass(frozen=True)
class Finding:
    """What reading one file back came to.

    Attributes:
        file: Directory and file.
        problem: Empty if it is as it should be; `unread: …` if the card did not open it to us, else what differs.
    """

    file: str
    problem: str = ""

    @property
    def same(self) -> bool:
        """Whether the file was read and holds what it should."""
        return not self.problem

    @property
    def differs(self) -> bool:
        """Whether the file was read and holds something else."""
        return bool(self.problem) and not self.problem.startswith("unread")


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

    def prove_masters(self) -> None:
        """Present the masters that took the place of temporary ones; a wrong one costs a try.

        Raises:
            TransportKeyWrong: The card has another.
        """
        for directory in reversed(list(self._layout.master_file.walk())):
            if directory.temporary is not None and directory.master is not None:
                self._cos.select(directory)
                self._cos.authenticate_master(self._reference(directory.master.name))

    def findings(self) -> Iterator[Finding]:
        """One for each file that has content, in the order of the layout."""
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
            self._open(directory, file)
            found = self._read(file, expected)
        except CardioError as error:
            return Finding(name, f"unread: {error.code}")
        wrong = [str(number) for number, pair in enumerate(zip(found, expected, strict=True), 1) if pair[0] != pair[1]]
        return Finding(name, f"record {', '.join(wrong)}" if wrong else "")

    def _open(self, directory: DirectoryLayout, file: FileLayout) -> None:
        """Earn a state that the file's read byte asks for.

        Raises:
            AccessDenied: There is none that could be earned.
        """
        if file.read == FREE:
            return
        low, high = file.read & 0x0F, file.read >> 4
        for record in self._openers(directory):
            if low <= record.state & 0x0F <= high and (record.kind is not KeyKind.PIN or self._pin is not None):
                self._present(directory, record)
                return
        raise AccessDenied(f"{directory.label}/{file.label}")

    def _present(self, directory: DirectoryLayout, record: KeyRecord) -> None:
        if record.kind is KeyKind.PIN or record.companion:
            if self._pin is None:
                raise AccessDenied(f"{directory.label}: the PIN is not known")
            verify_pin(self._card, self._pin)
        if record.kind is not KeyKind.PIN:
            presented = directory.key(record.name)
            self._cos.authorize_update(presented, self._reference(presented.name))

    def _openers(self, directory: DirectoryLayout) -> list[KeyRecord]:
        """Keys of the directory that lead to a state, the PIN first; it may lie in a directory above."""
        keys = [key for key in directory.keys if key.kind is KeyKind.EXTERNAL]
        pins = [
            key
            for above in self._layout.master_file.walk()
            for key in above.keys
            if key.name == PIN and directory in above.walk()
        ]
        return [*pins, *keys]

    def _read(self, file: FileLayout, expected: Sequence[bytes]) -> list[bytes]:
        if file.kind & KIND == TRANSPARENT:
            return [self._read_binary(file, len(expected[0]))]
        return [
            self._card.call(
                Command("READ RECORD", 0x00, 0xB2, number, file.sfi << 3 | 4, le=len(record), outcomes=FILE)
            )
            for number, record in enumerate(expected, start=1)
        ]

    def _read_binary(self, file: FileLayout, size: int) -> bytes:
        first = min(size, MAX_READ)
        content = self._card.call(Command("READ BINARY", 0x00, 0xB0, 0x80 | file.sfi, 0, le=first, outcomes=FILE))
        while len(content) < size:
            # The file is the current one now: the first command named it.
            part = min(size - len(content), MAX_READ)
            content += self._card.call(Command("READ BINARY", 0x00, 0xB0, *divmod(len(content), 0x100), le=part))
        return content
