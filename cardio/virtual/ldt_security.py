"""Security of social security cards: rights by PIN and by external keys (SSC §5, §6; LD/T 32)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardio.crypto.suites import LdtSuite
from cardio.files.declaration import PIN
from cardio.virtual.filesystem import ElementaryFile
from cardio.virtual.ldt_commands import LdtCommands, Purpose
from cardio.virtual.ldt_keys import (
    APPLICATION_BLOCKING,
    CARD_BLOCKING,
    INTERNAL,
    MESSAGING,
    SPECIFIC,
    UNBLOCKING,
    LdtKey,
)
from cardio.virtual.received import Received, Status
from cardio.virtual.security import Seal, plain
from cardio.virtual.stored import Tries
from cardio.virtual.tries import CardPin, Secret, restore_tries, tries_spent

if TYPE_CHECKING:
    from cardio.virtual.card import VirtualCard

RIGHTS = {
    Purpose.REPLACE_PIN: UNBLOCKING,
    Purpose.BLOCK_APPLICATION: APPLICATION_BLOCKING,
    Purpose.BLOCK_CARD: CARD_BLOCKING,
}
"""Beginning of the names of the keys that give the right."""


@dataclass
class LdtMemory:
    """What this security remembers without power: `tries_left` by directory and key, where some are gone."""

    pin: Secret | None
    blocked: list[str]
    tries_left: dict[str, Tries]


class LdtSecurity(LdtCommands):
    """Access by PIN and external keys, maintenance by secure messaging.

    The PIN holds until power-off; key rights until power-off or until another directory is selected (SSC §5.1).

    Args:
        keys: Keys by the label of their directory; global ones under that of the SSSE.
        pin: The holder's PIN; None for a card without.
        suite: Cryptography of the card.
    """

    def __init__(
        self,
        keys: Mapping[str, Iterable[LdtKey]] | None = None,
        *,
        pin: Secret | None = None,
        suite: LdtSuite | None = None,
    ) -> None:
        super().__init__(suite)
        self.keys = {label: list(found) for label, found in (keys or {}).items()}
        self._pin = pin
        self._verified = False
        self._earned: frozenset[str] = frozenset()

    @property
    def pin(self) -> Secret | None:
        """The holder's PIN."""
        return self._pin

    @pin.setter
    def pin(self, pin: Secret | None) -> None:
        self._pin = pin

    def memory(self) -> LdtMemory:
        """What outlives the power."""
        pin = self._pin and Secret(self._pin.value, self._pin.max_tries, self._pin.tries_left)
        return LdtMemory(pin, sorted(self.blocked), tries_spent(self._counters()))

    def restore(self, memory: LdtMemory) -> None:
        """Take a memory.

        Raises:
            Misfit: It has a key that the card has not.
        """
        restore_tries(self._counters(), memory.tries_left)
        self._pin = memory.pin and CardPin(memory.pin.value, memory.pin.max_tries, memory.pin.tries_left)
        self.blocked = set(memory.blocked)

    def _counters(self) -> dict[str, LdtKey]:
        return {f"{label}/{key.name}": key for label, keys in self.keys.items() for key in keys}

    def power_up(self) -> None:
        """Neither PIN nor keys are presented."""
        super().power_up()
        self._verified = False
        self._forget_keys()

    def rights(self, card: VirtualCard) -> frozenset[str]:  # noqa: ARG002 - rights of other directories are gone
        """Key names and `PIN`; a card without a PIN grants its right."""
        has_pin = self._pin is not None and bool(self._pin.value)
        return self._earned | {PIN} if self._verified or not has_pin else self._earned

    # ---- files -----------------------------------------------------------------------------------------------

    def open_read(self, card: VirtualCard, file: ElementaryFile, command: Received) -> Seal:
        """By the declaration's read right; there is no protected read."""
        if not file.declaration.read.allows(self.rights(card)):
            raise Status(0x6982)
        if command.protected:
            raise Status(0x6882)
        return plain

    def open_update(self, card: VirtualCard, file: ElementaryFile, command: Received) -> bytes:
        """By the declaration's update right; class 04 adds a MAC under the directory's STK (PERS §5.3)."""
        if not file.declaration.update.allows(self.rights(card)):
            raise Status(0x6982)
        if not command.protected:
            return command.data
        body, _ = self._unprotect(command, self._find(card, MESSAGING, own=True))
        return body

    # ---- PIN -------------------------------------------------------------------------------------------------

    def _pin_of(self, card: VirtualCard) -> Secret | None:  # noqa: ARG002 - one for the whole card
        return self._pin

    def _presented(self, pin: Secret) -> bool:  # noqa: ARG002 - there is no other
        return self._verified

    def _remember_pin(self, pin: Secret, *, right: bool) -> None:  # noqa: ARG002 - there is no other
        self._verified = right

    def _store_pin(self, card: VirtualCard, value: bytes) -> None:
        def write() -> None:
            max_tries = CardPin.max_tries if self._pin is None else self._pin.max_tries
            self._pin = CardPin(value, max_tries, max_tries)

        card.commit(write)
        self._verified = False

    # ---- keys ------------------------------------------------------------------------------------------------

    def _external_key(self, card: VirtualCard, kid: int) -> LdtKey:
        """A specific key lies in the current directory, a global one also above it."""
        own = bool(kid & SPECIFIC)
        for directory in (card.current,) if own else card.current.path():
            for key in self.keys.get(directory.label, ()):
                if key.kid == kid and key.external:
                    return key
        raise Status(0x6A88)

    def _internal_key(self, card: VirtualCard) -> LdtKey:
        return self._find(card, INTERNAL)

    def _signing_key(self, card: VirtualCard, purpose: Purpose) -> LdtKey:
        """The STK of the current directory for blocking it, that of the environment for all else."""
        if not any(name.startswith(RIGHTS[purpose]) for name in self._earned):
            raise Status(0x6982)
        return self._find(card, MESSAGING, own=purpose is Purpose.BLOCK_APPLICATION)

    def _find(self, card: VirtualCard, prefix: str, *, own: bool = False) -> LdtKey:
        """The key of one purpose: that of the current directory, or the global one of the environment."""
        for directory in (card.current,) if own else card.current.path():
            for key in self.keys.get(directory.label, ()):
                if key.name.startswith(prefix) and (own or not key.kid & SPECIFIC):
                    return key
        raise Status(0x6A88)

    def _earn(self, card: VirtualCard, kid: int, *, right: bool) -> None:
        name = self._external_key(card, kid).name
        self._earned = self._earned | {name} if right else self._earned - {name}

    def _forget_keys(self) -> None:
        self._earned = frozenset()
