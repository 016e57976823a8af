"""The commands that make a card out of a blank one: ERASE DF, CREATE FILE, WRITE KEY (PERS §1.1 to §1.4).

What the sources leave open and this card decides (PROJECT CHOICE): the key file must be the first file, else 6A86; a
file identifier that SELECT would take for another file is refused with 6A86; a key that is there already is 6A86; a
wrong or missing protection is 9302, a missing challenge 6984; a change sets limit and counter, as the manual's example
does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cardio.virtual.creation import Created, check_length
from cardio.virtual.filesystem import Directory
from cardio.virtual.fmcos_keys import MASTER_KEY, FmcosKey, KeyFile, KeyKind
from cardio.virtual.key_blocks import PLAIN_LENGTHS, PROTECTED_LENGTHS, decode_key
from cardio.virtual.key_files import decrypt_body, unprotect
from cardio.virtual.received import Received, Status
from cardio.virtual.stored import Byte
from cardio.virtual.structure import Structure

if TYPE_CHECKING:
    from cardio.virtual.blank import BlankSecurity
    from cardio.virtual.card import VirtualCard

ADD = 0x01
"""P1 of WRITE KEY for a new key; any other is the stored type byte of the key to change."""
NO_KEY = 0xFF
"""Identifier that no key has."""
EMPTY = frozenset({0, 256})
"""Le of a command that ends with a length byte 00, or without one."""


class FirstKey(StrEnum):
    """How the first keys get into a new directory (PERS §1.4: the sources disagree)."""

    PARENT_MASTER = "parent-master"
    """Protected under the master key of the nearest directory above that has one."""
    PLAIN = "plain"
    """The master in plain as type 39, to be changed afterwards."""
    PLAIN_FINAL = "plain-final"
    """In plain with the type bits that allow protected changes only, such as F9."""


@dataclass(frozen=True)
class AdministrationChoices:
    """What no source decides for all cards.

    Attributes:
        first_keys: What the card takes; in the master file, above which nothing is, a plain 39 always.
        levels: Levels of directories, the master file counted.
        capacity: Bytes of all files.
    """

    first_keys: frozenset[FirstKey] = frozenset(FirstKey)
    levels: Byte = 3
    capacity: int = 0x8000


class Administration:
    """The administrative commands of one card.

    Args:
        security: Its security.
        structure: Its tree.
        choices: What differs between cards.
    """

    def __init__(self, security: BlankSecurity, structure: Structure, choices: AdministrationChoices) -> None:
        self._security = security
        self._structure = structure
        self._choices = choices

    def execute(self, card: VirtualCard, command: Received) -> bytes | None:
        """Answer data of an administrative command, which are none; None if it is another command.

        Raises:
            Status: The command fails.
        """
        handlers: dict[tuple[int, int], Callable[[VirtualCard, Received], None]] = {
            (0x80, 0x0E): self._erase,
            (0x80, 0xE0): self._create,
            (0x80, 0xD4): self._write_key,
            (0x84, 0xD4): self._write_key,
        }
        handler = handlers.get(command.instruction)
        if handler is None:
            return None
        handler(card, command)
        return b""

    # ---- files -----------------------------------------------------------------------------------------------

    def _erase(self, card: VirtualCard, command: Received) -> None:
        if command.parameters != (0, 0):
            raise Status(0x6A86)
        if command.data or command.le not in EMPTY:
            raise Status(0x6700)
        directory = card.current
        if not self._security.opens(card, self._structure.header(directory).erase):
            raise Status(0x6982)

        def write() -> None:
            self._structure.erase(directory)
            self._security.free = True

        card.commit(write)
        card.deselect_file()

    def _create(self, card: VirtualCard, command: Received) -> None:
        check_length(command.data)
        directory = card.current
        if not self._security.opens(card, self._structure.header(directory).create):
            raise Status(0x6982)
        card.commit(self._structure.plan(directory, Created(bytes(command.parameters), command.data)))

    # ---- keys ------------------------------------------------------------------------------------------------

    def _write_key(self, card: VirtualCard, command: Received) -> None:
        lengths = frozenset().union(*PROTECTED_LENGTHS.values()) if command.protected else PLAIN_LENGTHS
        if len(command.data) not in lengths:
            raise Status(0x6700)
        if command.p2 == NO_KEY:
            raise Status(0x6A86)
        file = self._security.key_files.get(card.current.label)
        if file is None:
            raise Status(0x6A82)
        if command.p1 == ADD:
            self._add(card, command, file)
        else:
            self._change(card, command, file)

    def _add(self, card: VirtualCard, command: Received, file: KeyFile) -> None:
        if not self._security.opens(card, file.add):
            raise Status(0x6982)
        key = self._key(card, command)
        if not command.protected:
            self._need_plain(card.current, key)
        if any((one.kind, one.id) == (key.kind, key.id) for one in file.keys):
            raise Status(0x6A86)
        if key.cost > file.room:
            raise Status(0x6A84)
        card.commit(lambda: file.keys.append(key))

    def _change(self, card: VirtualCard, command: Received, file: KeyFile) -> None:
        places = [place for place, key in enumerate(file.keys) if (key.type_byte, key.id) == (command.p1, command.p2)]
        if not places:
            raise Status(0x6A88)
        before = file.keys[places[0]]
        before.need_tries()
        if not self._security.opens(card, before.change):
            raise Status(0x6982)
        if before.changing and not command.protected:
            raise Status(0x9302)
        key = self._key(card, command)
        if key.kind is not before.kind:
            raise Status(0x6A80)
        if len(key.value) != len(before.value):
            raise Status(0x6700)

        def write() -> None:
            file.keys[places[0]] = key

        card.commit(write)

    def _need_plain(self, directory: Directory, key: FmcosKey) -> None:
        """Insist that the card takes such a key in plain."""
        first_keys = self._choices.first_keys
        master = key.kind is KeyKind.EXTERNAL and key.id == MASTER_KEY
        if key.changing and FirstKey.PLAIN_FINAL not in first_keys:
            raise Status(0x9302)
        if master and not key.changing and directory.parent is not None and FirstKey.PLAIN not in first_keys:
            raise Status(0x9302)

    def _key(self, card: VirtualCard, command: Received) -> FmcosKey:
        algorithm = self._security.algorithm_of(card.current)
        return decode_key(self._block(card, command), command.p2, algorithm)

    def _block(self, card: VirtualCard, command: Received) -> bytes:
        """The key block without its protection (PERS §1.4); in blocks of the master's cipher.

        Raises:
            Status: 6700, 6983, 6984, 9302.
        """
        if not command.protected:
            return command.data
        master = self._master(card.current)
        if len(command.data) not in PROTECTED_LENGTHS[master.algorithm]:
            raise Status(0x6700)
        body = unprotect(card, command, master, self._security.line_challenge(), wrong=0x9302)
        try:
            return decrypt_body(master, body)
        except Status:
            raise Status(0x9302) from None

    def _master(self, directory: Directory) -> FmcosKey:
        """The master key that protects: the directory's own, else that of the nearest one above.

        Raises:
            Status: 6A88.
        """
        inherits = FirstKey.PARENT_MASTER in self._choices.first_keys
        for place in directory.path() if inherits else (directory,):
            for key in self._security.key_files.get(place.label, KeyFile(())).keys:
                if key.kind is KeyKind.EXTERNAL and key.id == MASTER_KEY:
                    return key
        raise Status(0x6A88)
