"""The commands that read and write files, with the current file and the current record (SSC §5.1, §5.3; EW §3.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cardio.files.declaration import Structure
from cardio.virtual.filesystem import ElementaryFile
from cardio.virtual.received import Received, Status
from cardio.virtual.records import Mode, RecordRules, check_content, target
from cardio.virtual.security import Seal

if TYPE_CHECKING:
    from cardio.virtual.card import VirtualCard

MAX_ANSWER = 256
"""Bytes of one short answer: longer ones are cut to what Le allows."""
SECURE = 0x04
"""Class of commands with secure messaging."""


class FileCommands:
    """READ, UPDATE and APPEND of one card.

    Args:
        card: The card.

    Attributes:
        current: The current file, None if there is none.
        mac_size: Bytes of MAC behind the data of the answer that is being made.
    """

    def __init__(self, card: VirtualCard) -> None:
        self._card = card
        self.current: ElementaryFile | None = None
        self.mac_size = 0

    def execute(self, command: Received) -> bytes | None:
        """Answer data of a command on files; None if it is none.

        Raises:
            Status: The command fails.
        """
        handlers: dict[int, Callable[[Received], bytes]] = {
            0xB0: self._read_binary,
            0xB2: self._read_record,
            0xD6: self._update_binary,
            0xDC: self._update_record,
            0xE2: self._append_record,
        }
        handler = handlers.get(command.ins) if command.cla in {0x00, SECURE} else None
        return None if handler is None else handler(command)

    def make_current(self, file: ElementaryFile | None) -> None:
        """Select a file, or none; one that becomes current anew has no current record yet."""
        if file is not None:
            file.current = 0
        self.current = file

    def _addressed(self, sfi: int) -> ElementaryFile:
        if sfi:
            file = self._card.current.file(sfi)
            if file is not self.current:
                self.make_current(file)
        if self.current is None:
            raise Status(0x6986)
        return self.current

    def _binary(self, command: Received) -> tuple[ElementaryFile, int]:
        """The transparent file and the offset that P1 P2 mean."""
        by_sfi = bool(command.p1 & 0x80)
        if by_sfi and command.p1 & 0x60:
            raise Status(0x6A86)
        file = self._addressed(command.p1 & 0x1F if by_sfi else 0)
        if file.declaration.structure is not Structure.TRANSPARENT:
            raise Status(0x6981)
        return file, command.p2 if by_sfi else command.p1 << 8 | command.p2

    def _recorded(self, command: Received) -> tuple[ElementaryFile, int]:
        """The file of records and the mode that P2 means."""
        file = self._addressed(command.p2 >> 3)
        if file.declaration.structure is Structure.TRANSPARENT:
            raise Status(0x6981)
        return file, command.p2 & 0x07

    def _read_binary(self, command: Received) -> bytes:
        card = self._card
        file, offset = self._binary(command)
        seal = card.security_of(card.current).open_read(card, file, command)
        if offset >= len(file.data):
            raise Status(0x6B00)
        rest = file.data[offset:]
        # A shorter Le reads a part; only a longer one is wrong.
        return self._sealed(rest[: command.le or MAX_ANSWER], seal)

    def _read_record(self, command: Received) -> bytes:
        card = self._card
        file, mode = self._recorded(command)
        seal = card.security_of(card.current).open_read(card, file, command)
        data = b"".join(file.find(command.p1, mode))
        return self._sealed(data if len(data) <= MAX_ANSWER else data[: command.le or MAX_ANSWER], seal)

    def _sealed(self, data: bytes, seal: Seal) -> bytes:
        answer = seal(data)
        self.mac_size = len(answer) - len(data)
        return answer

    def _update_binary(self, command: Received) -> bytes:
        card = self._card
        file, offset = self._binary(command)
        data = card.security_of(card.current).open_update(card, file, command)
        if not data and not command.protected:
            raise Status(0x6700)
        before = file.data
        if offset >= len(before):
            raise Status(0x6B00)
        if offset + len(data) > len(before):
            raise Status(0x6A84)

        def write() -> None:
            file.records[0] = before[:offset] + data + before[offset + len(data) :]

        self._card.commit(write)
        return b""

    def _update_record(self, command: Received) -> bytes:
        card = self._card
        file, mode = self._recorded(command)
        security = card.security_of(card.current)
        record = security.open_update(card, file, command)
        rules, address = security.rules_for(file), (command.p1, mode, file.current)
        place = target(rules, file.declaration, file.records, address, record)
        return self._write_record(file, rules, place, record)

    def _append_record(self, command: Received) -> bytes:
        card = self._card
        security = card.security_of(card.current)
        if not security.appends:
            raise Status(0x6D00)
        file, mode = self._recorded(command)
        rules = security.rules_for(file)
        if not rules.append_command:
            raise Status(0x6D00)
        if command.p1 or mode not in {Mode.FIRST, Mode.NUMBER}:
            raise Status(0x6A86)
        return self._write_record(file, rules, None, security.open_update(card, file, command))

    def _write_record(self, file: ElementaryFile, rules: RecordRules, place: int | None, record: bytes) -> bytes:
        """Replace a record, or append one; it becomes the current one."""
        if not record:
            raise Status(0x6700)
        check_content(rules, file.declaration, file.records, place, record)

        def write() -> None:
            if place is not None:
                file.records[place - 1] = record
            elif file.declaration.structure is Structure.CYCLIC:
                file.append(record)
            else:
                file.records.append(record)

        self._card.commit(write)
        newest = 1 if file.declaration.structure is Structure.CYCLIC else len(file.records)
        file.current = place or newest
        return b""
