"""Access on FMCOS wallets: states, access bytes, line protection, blocks (EW §2.2, §4.7; PERS §1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardio.files.declaration import PIN
from cardio.files.file_header import MASTER_PREFIX, PIN_BYTE, allowed
from cardio.security.maintenance import ReloadMac
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.fmcos_keys import FmcosKey, KeyFile, KeyKind
from cardio.virtual.key_files import KeyFileSecurity, decrypt_body, unprotect
from cardio.virtual.received import Received, Status
from cardio.virtual.records import FMCOS_RULES
from cardio.virtual.security import MAC_SIZE, OK, Seal, plain
from cardio.virtual.stored import Byte

if TYPE_CHECKING:
    from cardio.virtual.card import VirtualCard

LOCKING_FILES = frozenset({"EF15", "EF16"})
"""Three wrong MACs in a row on one of these lock the application for ever (EW §2.3)."""
WHILE_BLOCKED = frozenset({(0x00, 0xA4), (0x00, 0x84), (0x84, 0x1E), (0x84, 0x18), (0x84, 0x16)})
"""Commands that a blocked application still takes: SELECT, GET CHALLENGE, BLOCK, UNBLOCK, CARD BLOCK."""


@dataclass(frozen=True)
class FmcosChoices:
    """What no source decides for all cards.

    Attributes:
        reload_mac: Rule A or B of EW §4.7.
        unblock_replaces: PIN UNBLOCK sets the PIN that it carries; otherwise that must be the stored one (EW §3.4).
        blocked_status: SELECT of a blocked application: 9000, as FMCOS, or 6A81 with the FCI (EW §1.2).
        authenticity: Answer to 80 CA, 9 bytes (EW PC-1).
        master_prefix: High nibble of the access bytes that ask the state of the master file: 0, or F as one manual has
            it (PERS §1.1).
    """

    reload_mac: ReloadMac = ReloadMac.PIN_ONLY
    unblock_replaces: bool = False
    blocked_status: int = OK
    authenticity: bytes = b"AUTHENTIC"
    master_prefix: Byte = MASTER_PREFIX


class FmcosAccess(KeyFileSecurity):
    """Access by the states of the current directory and the master file.

    Args:
        key_files: Keys by the label of their directory.
        choices: What differs between cards.

    Attributes:
        blocked: Labels of the applications that are blocked until APPLICATION UNBLOCK.
        locked: Labels of those that are locked for ever.
        state: State of the current directory, 0 to 15.
        master_state: State of the master file, 0 to 15; lasts until power-off.
    """

    record_rules = FMCOS_RULES
    challenge_sizes = frozenset({4, 8})

    def __init__(self, key_files: Mapping[str, Iterable[FmcosKey]], choices: FmcosChoices | None = None) -> None:
        super().__init__(key_files)
        self.choices = choices or FmcosChoices()
        self.blocked: set[str] = set()
        self.locked: set[str] = set()
        self.state = 0
        self.master_state = 0
        self._usable: bytes | None = None

    def power_up(self) -> None:
        """Both states are zero."""
        super().power_up()
        self.state = self.master_state = 0
        self._usable = None

    def entered(self, directory: Directory) -> None:  # noqa: ARG002 - every selection ends the state
        """The state of the current directory is zero again, even if it was selected before (PERS §1.1)."""
        self.state = 0
        self._challenge = None

    def begin(self, card: VirtualCard, command: Received) -> None:
        """A challenge is for the next command only; a blocked application refuses work (EW §1.2, §3.1)."""
        self._usable, self._challenge = self._challenge, None
        if command.instruction == (0x00, 0xA4):
            return
        if card.current.label in self.locked:
            raise Status(0x9303)
        if card.current.label in self.blocked and command.instruction not in WHILE_BLOCKED:
            raise Status(0x6A81)

    def select_status(self, directory: Directory) -> int:
        """9303 for ever once locked; while blocked as the card chooses."""
        if directory.label in self.locked:
            return 0x9303
        return self.choices.blocked_status if directory.label in self.blocked else OK

    def rights(self, card: VirtualCard) -> frozenset[str]:  # noqa: ARG002 - states are all there is
        """`PIN` in any state but zero, which is what access byte F1 asks."""
        return frozenset({PIN}) if self._allowed(PIN_BYTE) else frozenset()

    # ---- files -----------------------------------------------------------------------------------------------

    def open_read(self, card: VirtualCard, file: ElementaryFile, command: Received) -> Seal:
        """By the read byte; a file with protected reading wants a MAC and gives one (EW §4.7, PC-12)."""
        header = file.header
        if not self._allowed(header.read):
            raise Status(0x6982)
        if not header.read_protected:
            if command.protected:
                raise Status(0x6882)
            return plain
        if not command.protected:
            raise Status(0x6987)
        challenge, key = self._usable or b"", self._key(card, KeyKind.LINE, header.read_key)
        self._unprotect(card, command, key, locks=file.declaration.label in LOCKING_FILES)
        return lambda data: data + key.suite.line_mac(key.value, challenge, data)

    def open_update(self, card: VirtualCard, file: ElementaryFile, command: Received) -> bytes:
        """By the write byte, and with the MAC and encryption that the type byte asks."""
        header = file.header
        if not self._allowed(header.update):
            raise Status(0x6982)
        if not command.protected:
            if header.protected:
                raise Status(0x6987)
            return command.data
        key = self._key(card, KeyKind.LINE, header.update_key)
        body = self._unprotect(card, command, key, locks=file.declaration.label in LOCKING_FILES)
        return decrypt_body(key, body) if header.encrypted else body

    # ---- keys and states -------------------------------------------------------------------------------------

    def _allowed(self, access: int) -> bool:
        return allowed(
            access,
            states=(self.state,),
            master_states=(self.master_state,),
            master_prefix=self.choices.master_prefix,
        )

    def _key(self, card: VirtualCard, kind: KeyKind, *identifiers: int) -> FmcosKey:
        """A key of the current directory that may be used now."""
        key = self.key_files.get(card.current.label, KeyFile(())).find(kind, *identifiers)
        if not self._allowed(key.use):
            raise Status(0x6982)
        return key

    def _reach(self, card: VirtualCard, key: FmcosKey) -> None:
        """Take the state that follows a key; in the master file it counts for both (PERS §1.1)."""
        self.state = key.follow_up & 0x0F
        if card.current is card.master_file:
            self.master_state = self.state

    def _need_mac_only(self, card: VirtualCard, command: Received, key: FmcosKey, *, locks: bool = False) -> None:
        if len(command.data) > MAC_SIZE:
            raise Status(0x6700)
        self._unprotect(card, command, key, locks=locks)

    def _unprotect(self, card: VirtualCard, command: Received, key: FmcosKey, *, locks: bool = False) -> bytes:
        """Command data without their MAC.

        Args:
            card: The card.
            command: The protected command.
            key: Its key.
            locks: Whether the last wrong MAC locks the application for ever.
        """
        label = card.current.label
        return unprotect(card, command, key, self._usable, last=(lambda: self.locked.add(label)) if locks else None)
