"""Reading files: items, logs and transparent files, in the ways that cards understand (SSC §5.3 and §10.2, EW §3.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum, auto
from typing import TypeVar

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.tlv import Tlv
from cardio.errors import (
    AccessDenied,
    ApplicationBlocked,
    CardError,
    CardMemoryFailed,
    FileNotFound,
    RecordNotFound,
)
from cardio.files.declaration import FileDeclaration
from cardio.files.record import FixedRecord, ItemRecord
from cardio.transport.channel import Disclosure

FIRST_BY_TAG, NEXT_BY_TAG, BY_NUMBER, FROM_NUMBER_TO_LAST = 0, 2, 4, 5
MAX_RECORDS = 254
MAX_RUN = 256
"""Bytes that one answer holds: a longer run of records is cut there."""
CHUNK = 0xE0
"""Bytes of one READ BINARY; some card systems give at most 239 (PERS §1.1)."""
END_OF_FILE = frozenset({0x6B00, 0x6282})
"""The offset lies outside the file; fewer bytes were left than were asked for (ISO 7816-4 §5.6)."""
FINAL = (AccessDenied, ApplicationBlocked, CardMemoryFailed)
"""Refusals that another way of addressing does not change."""

I = TypeVar("I", bound=ItemRecord)  # noqa: E741
F = TypeVar("F", bound=FixedRecord)


class RecordStyle(Enum):
    """Ways to address the records of a linear file; not every card or reader takes all of them."""

    RUN = auto()
    """From record 1 to the last by short identifier: one command for a whole file."""
    NUMBER = auto()
    """By number and short identifier."""
    TAG = auto()
    """By tag and short identifier."""
    SELECTED = auto()
    """By number in the file that was selected before."""


class FileReader:
    """Reads files of the directory that is selected on one card; remembers which way this card understands.

    Args:
        card: The card.
        styles: Ways to address records, in the order in which they are tried.
    """

    def __init__(self, card: CardConnection, styles: tuple[RecordStyle, ...] = tuple(RecordStyle)) -> None:
        self._card = card
        self._styles = styles
        self._proven: RecordStyle | None = None
        self._ways: Mapping[RecordStyle, Callable[[FileDeclaration], list[Tlv] | None]] = {
            RecordStyle.RUN: self._run,
            RecordStyle.NUMBER: lambda file: self._by_number(file, file.sfi),
            RecordStyle.TAG: self._by_tag,
            RecordStyle.SELECTED: self._selected,
        }

    # ---- linear files ----------------------------------------------------------------------------------------

    def read_items(self, file: FileDeclaration, content: type[I]) -> I:
        """All items of a linear file as a record.

        Raises:
            FileNotFound: The file is not there.
            AccessDenied: It needs the PIN or a key.
            CardError: The card reads it in no way.
        """
        return content.decode(self.read_tlvs(file))

    def read_tlvs(self, file: FileDeclaration) -> list[Tlv]:
        """All items of a linear file in record order, undecoded; raises as `read_items` does."""
        refused: CardError | None = None
        for style in sorted(self._styles, key=lambda style: style is not self._proven):
            if _absent(refused) and style is not RecordStyle.SELECTED:
                continue  # 6A82 may also mean that the card knows no short identifiers: only SELECT can tell
            try:
                found = self._ways[style](file)
            except FINAL:
                raise
            except CardError as error:
                if style is self._proven and isinstance(error, FileNotFound):
                    raise
                refused = refused if _absent(refused) else error
                continue
            if found is None:
                if style is self._proven:
                    return []
                # Not even a first record: the file is empty, or the card does not take this way of asking.
                refused = refused or RecordNotFound("no record")
                continue
            if found:
                self._proven = style
            return found
        if refused is not None and not isinstance(refused, RecordNotFound):
            raise refused
        return []

    # Each way gives None where not even a first record is found.

    def _run(self, file: FileDeclaration) -> list[Tlv] | None:
        """An answer of 256 bytes may be cut: the rest is asked for from the first record that is not whole."""
        found: list[Tlv] = []
        while True:
            try:
                raw = self._card.call(read_record(file, len(found) + 1, FROM_NUMBER_TO_LAST))
            except RecordNotFound:
                return found or None
            whole, rest = _whole_items(raw)
            if not whole and raw:
                whole = [_clamped(raw)]
            found += whole
            more = bool(rest) or len(raw) >= MAX_RUN
            if not more or not raw or len(found) >= MAX_RECORDS:
                return found

    def _by_number(self, file: FileDeclaration, sfi: int) -> list[Tlv] | None:
        found: list[Tlv] = []
        for number in range(1, MAX_RECORDS + 1):
            try:
                raw = self._card.call(read_record(file, number, BY_NUMBER, sfi=sfi))
            except RecordNotFound:
                break
            found.append(_clamped(raw))
        return found or None

    def _by_tag(self, file: FileDeclaration) -> list[Tlv] | None:
        found: list[Tlv] = []
        if not issubclass(file.content, ItemRecord):
            return None
        for spec in file.content.specs().values():
            for place in range(spec.count):
                mode = FIRST_BY_TAG if place == 0 else NEXT_BY_TAG
                try:
                    raw = self._card.call(read_record(file, spec.tag or 0, mode))
                except RecordNotFound:
                    break
                found.append(_clamped(raw))
        return found or None

    def _selected(self, file: FileDeclaration) -> list[Tlv] | None:
        self._card.call(select_elementary(file))
        return self._by_number(file, 0)

    # ---- cyclic files ----------------------------------------------------------------------------------------

    def read_log(self, file: FileDeclaration, content: type[F]) -> Iterator[F]:
        """Records of a cyclic file, newest first, one command each, until there are no more.

        Raises:
            FileNotFound: The file is not there.
            AccessDenied: The log needs the PIN.
        """
        for raw in self.read_records(file):
            yield content.decode(raw)

    def read_records(self, file: FileDeclaration) -> Iterator[bytes]:
        """Records of a fixed or cyclic file as bytes; raises as `read_log` does."""
        sfi = 0 if self._proven is RecordStyle.SELECTED else file.sfi
        if not sfi:
            self._card.call(select_elementary(file))
        for number in range(1, MAX_RECORDS + 1):
            try:
                raw = self._card.call(read_record(file, number, BY_NUMBER, file.size, sfi=sfi))
            except RecordNotFound:
                return
            except FINAL:
                raise
            except CardError:
                if number > 1 or not sfi or self._proven is not None:
                    raise
                sfi = 0
                self._card.call(select_elementary(file))
                raw = self._card.call(read_record(file, number, BY_NUMBER, file.size, sfi=sfi))
            if not raw:
                return
            yield raw

    # ---- transparent files -----------------------------------------------------------------------------------

    def read_binary(self, file: FileDeclaration) -> bytes:
        """A transparent file: as many bytes as it has, at most as many as are declared.

        Raises:
            FileNotFound: The file is not there.
            AccessDenied: It needs a key.
        """
        by_sfi = self._proven is not RecordStyle.SELECTED and file.sfi > 0
        if not by_sfi:
            self._card.call(select_elementary(file))
        data = b""
        while len(data) < file.size:
            wanted = min(CHUNK, file.size - len(data))
            # The first command addresses the file and makes it the current one; offsets above 255 need that.
            p1, p2 = (0x80 | file.sfi, 0) if by_sfi and not data else divmod(len(data), 0x100)
            command = _read_binary(file, p1, p2, wanted)
            response = self._card.send(command)
            if not response.ok and not (data and response.sw in END_OF_FILE):
                raise command.outcomes.error(response.sw, command.name)
            data += response.data
            if len(response.data) < wanted:
                break
        return data


def read_record(file: FileDeclaration, number: int, mode: int, le: int = 0, *, sfi: int | None = None) -> Command:
    """READ RECORD (SSC §5.3).

    Args:
        file: The file.
        number: Record number, or tag.
        mode: Addressing mode, 0 to 6.
        le: Expected bytes, 0 for all.
        sfi: Short identifier; 0 means the selected file, None the file's own.
    """
    addressed = file.sfi if sfi is None else sfi
    return Command("READ RECORD", 0x00, 0xB2, number, addressed << 3 | mode, le=le, disclosure=_disclosure(file))


def _read_binary(file: FileDeclaration, p1: int, p2: int, le: int) -> Command:
    return Command("READ BINARY", 0x00, 0xB0, p1, p2, le=le, disclosure=_disclosure(file))


def select_elementary(file: FileDeclaration) -> Command:
    """SELECT of an elementary file as terminals send it: with P1 00 (SSC §5.1); it answers no data."""
    return Command("SELECT", 0x00, 0xA4, data=file.identifier.to_bytes(2, "big"), disclosure=Disclosure.ALL)


def _absent(error: CardError | None) -> bool:
    """Whether a file, not just a record, was not found."""
    return isinstance(error, FileNotFound) and not isinstance(error, RecordNotFound)


def _disclosure(file: FileDeclaration) -> Disclosure:
    return Disclosure.HEADER if file.personal else Disclosure.ALL


def _whole_items(raw: bytes) -> tuple[list[Tlv], bytes]:
    """The items that are complete, and the bytes of the one that is cut."""
    found = []
    position = 0
    while position + 2 <= len(raw) and position + 2 + raw[position + 1] <= len(raw):
        end = position + 2 + raw[position + 1]
        found.append(Tlv(raw[position], raw[position + 2 : end]))
        position = end
    return found, raw[position:]


def _clamped(raw: bytes) -> Tlv:
    """The item of one record; a card may store fewer bytes than its length says (SSC §10.2)."""
    if len(raw) < 2:
        return Tlv(raw[0] if raw else 0, b"")
    return Tlv(raw[0], raw[2 : 2 + raw[1]])
