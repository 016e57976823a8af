"""Rights on a social security card that keeps its keys in key files: a set of states (PERS §5.3; PROJECT CHOICE).

An identifier with bit 8 set means a key of the current directory; other external keys are found in the directories
above, too. A key from above gives its command, not the files of the directory that it was presented in.

Rights are a set of states: every key and the PIN add theirs. "PIN and key" is a second record of the key, whose
identifier is the key's with bit 7 set: its state is in the set once the key was presented and its use right is open. It
has no tries of its own and cannot be presented.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import LdtSuite
from cardio.files.declaration import PIN
from cardio.files.file_header import MASTER_PREFIX, allowed
from cardio.virtual.blank import BlankSecurity
from cardio.virtual.card import VirtualCard
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.fmcos_keys import MASTER_KEY, FmcosKey, KeyKind
from cardio.virtual.key_files import decrypt_body, unprotect
from cardio.virtual.ldt_commands import LdtCommands
from cardio.virtual.ldt_keys import SPECIFIC
from cardio.virtual.medical import STARTING_DAY_KEY
from cardio.virtual.received import Received, Status
from cardio.virtual.records import FMCOS_RULES, RecordRules
from cardio.virtual.security import Seal, plain
from cardio.virtual.stored import Byte
from cardio.virtual.tries import Secret

TOGETHER = 0x40
"""Bit of the identifier of a record that stands for "PIN and key"."""
STARTING_DAY = 6
"""Follow-up state of DSK."""


@dataclass(frozen=True)
class LdtChoices:
    """What no source decides for all cards.

    Attributes:
        announces: Whether the FCI of an environment names the algorithm of the keys, as real cards do (PERS §5.3).
        master_prefix: High nibble of the access bytes that ask the state of the master file (PERS §1.1).
    """

    announces: bool = False
    master_prefix: Byte = MASTER_PREFIX


@dataclass(frozen=True)
class Presented:
    """An external key that was presented: the label of its directory, and its identifier."""

    label: str
    id: int


class BlankLdtAccess(BlankSecurity, LdtCommands):
    """States of the PIN and of the external keys, and the files that they open.

    Args:
        algorithm: Cipher of all keys.
        choices: What differs between cards.
    """

    def __init__(self, algorithm: Algorithm, choices: LdtChoices) -> None:
        super().__init__()
        self.suite = LdtSuite(algorithm)
        self.choices = choices
        self._earned: frozenset[Presented] = frozenset()
        self._verified: tuple[Secret, ...] = ()
        self._master_states: frozenset[int] = frozenset()

    def power_up(self) -> None:
        """Neither PINs nor keys are presented."""
        LdtCommands.power_up(self)
        self._earned, self._verified, self._master_states = frozenset(), (), frozenset()

    def entered(self, directory: Directory) -> None:
        """Keys of another directory count no more; without keys the directory is free."""
        LdtCommands.entered(self, directory)
        self.free = self._frees(directory)

    # ---- rights ----------------------------------------------------------------------------------------------

    def opens(self, card: VirtualCard, access: int) -> bool:
        """By any state that was reached, unless the directory is free."""
        return self.free or self._allows(access, self._states(card))

    def _allows(self, access: int, states: frozenset[int]) -> bool:
        # State 0 is everybody's.
        return allowed(
            access,
            states=states | {0},
            master_states=self._master_states | {0},
            master_prefix=self.choices.master_prefix,
        )

    def _states(self, card: VirtualCard) -> frozenset[int]:
        """States of the PIN, of the keys of the current directory, and of the records that stand for both."""
        label = card.current.label
        keys = [key for one, key in self._presented_keys() if one.label == label]
        states = frozenset(key.follow_up & 0x0F for key in keys)
        pin = self._pin_of(card)
        if pin is not None and self._opens_by_pin(pin):
            states |= {pin.follow_up & 0x0F}
        together = {key.id | TOGETHER for key in keys}
        both = (key for key in self._external(label) if key.id & TOGETHER and key.id in together)
        return states | {key.follow_up & 0x0F for key in both if self._allows(key.use, states)}

    def rights(self, card: VirtualCard) -> frozenset[str]:
        """`PIN` and `DSK`, as far as anything asks for them by name."""
        pin = self._pin_of(card)
        found = {PIN} if pin is not None and self._opens_by_pin(pin) else set()
        return frozenset(found | {STARTING_DAY_KEY} if STARTING_DAY in self._states(card) else found)

    # ---- files -----------------------------------------------------------------------------------------------

    @property
    def appends(self) -> bool:
        """To files with the line protection of FMCOS."""
        return True

    def rules_for(self, file: ElementaryFile) -> RecordRules:
        """Those of FMCOS for files with its line protection."""
        return FMCOS_RULES if file.header.protected else self.record_rules

    def open_read(self, card: VirtualCard, file: ElementaryFile, command: Received) -> Seal:
        """By the read byte; there is no protected read."""
        if not self.opens(card, file.header.read):
            raise Status(0x6982)
        if command.protected:
            raise Status(0x6882)
        return plain

    def open_update(self, card: VirtualCard, file: ElementaryFile, command: Received) -> bytes:
        """By the write byte, and under the directory's STK.

        A file whose type byte asks for a MAC or encryption was created for the line protection of FMCOS and is written
        with it, as the files of a wallet are; any other may be written with the secure messaging of LD/T (PERS §5.3).
        """
        header = file.header
        if not self.opens(card, header.update):
            raise Status(0x6982)
        if not command.protected:
            if header.protected:
                raise Status(0x6987)
            return command.data
        line = self._find(card.current.label, KeyKind.LINE, header.update_key)
        if not header.protected:
            body, _ = self._unprotect(command, line)
            return body
        body = unprotect(card, command, line, self._take_challenge())
        return decrypt_body(line, body) if header.encrypted else body

    # ---- PIN -------------------------------------------------------------------------------------------------

    def _pin_of(self, card: VirtualCard) -> FmcosKey | None:
        """The outermost one above, else the card's first one: a social security card has one PIN."""
        above = [directory.label for directory in card.current.path()]
        for label in (*reversed(above), *self.key_files):
            for key in self._records(label):
                if key.kind is KeyKind.PIN:
                    return key
        return None

    def _opens_by_pin(self, pin: FmcosKey) -> bool:
        """Whether it was presented, or was taken off."""
        return self._presented(pin) or not pin.value

    def _presented(self, pin: Secret) -> bool:
        return any(one is pin for one in self._verified)

    def _remember_pin(self, pin: Secret, *, right: bool) -> None:
        others = tuple(one for one in self._verified if one is not pin)
        self._verified = (*others, pin) if right else others

    def _store_pin(self, card: VirtualCard, value: bytes) -> None:
        pin = self._pin_of(card)
        if pin is None:
            raise Status(0x6A88)

        def write() -> None:
            pin.value, pin.tries_left = value, pin.max_tries

        card.commit(write)
        self._remember_pin(pin, right=False)

    # ---- keys ------------------------------------------------------------------------------------------------

    def _external_key(self, card: VirtualCard, kid: int) -> FmcosKey:
        key = self._find(self._place(card, kid).label, KeyKind.EXTERNAL, kid)
        if not self.opens(card, key.use):
            raise Status(0x6982)
        return key

    def _place(self, card: VirtualCard, kid: int) -> Presented:
        """Where the key of an identifier lies; a record for "PIN and key" is not presented."""
        own = kid == MASTER_KEY or bool(kid & SPECIFIC)
        if not kid & TOGETHER:
            for directory in (card.current,) if own else card.current.path():
                if any(key.id == kid for key in self._external(directory.label)):
                    return Presented(directory.label, kid)
        raise Status(0x6A88)

    def _earn(self, card: VirtualCard, kid: int, *, right: bool) -> None:
        place = self._place(card, kid)
        self._earned = self._earned | {place} if right else self._earned - {place}
        if right and card.current is card.master_file:
            self._master_states |= {self._find(place.label, KeyKind.EXTERNAL, kid).follow_up & 0x0F}

    def _forget_keys(self) -> None:
        self._earned = frozenset()

    def _presented_keys(self) -> Iterator[tuple[Presented, FmcosKey]]:
        for one in self._earned:
            for key in self._external(one.label):
                if key.id == one.id:
                    yield one, key

    def _records(self, label: str) -> list[FmcosKey]:
        file = self.key_files.get(label)
        return file.keys if file is not None else []

    def _external(self, label: str) -> Iterator[FmcosKey]:
        return (key for key in self._records(label) if key.kind is KeyKind.EXTERNAL)

    def _find(self, label: str, kind: KeyKind, identifier: int) -> FmcosKey:
        for key in self._records(label):
            if (key.kind, key.id) == (kind, identifier):
                return key
        raise Status(0x6A88)
