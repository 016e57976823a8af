"""Security of social security cards: rights by PIN and by external keys (SSC §5, §6; LD/T 32)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import LdtSuite
from cardio.files.declaration import PIN
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.ldt_keys import (
    APPLICATION_BLOCKING,
    CARD_BLOCKING,
    INTERNAL,
    MESSAGING,
    PIN_BYTES,
    SPECIFIC,
    UNBLOCKING,
    LdtKey,
    key_version,
    well_formed,
)
from cardio.virtual.received import Received, Status
from cardio.virtual.records import LDT_RULES
from cardio.virtual.security import MAC_SIZE, OK, Seal, Security, plain
from cardio.virtual.stored import Tries
from cardio.virtual.tries import CardPin, Secret, restore_tries, tries_spent

if TYPE_CHECKING:
    from cardio.virtual.card import VirtualCard

SEPARATOR = b"\xff"


@dataclass
class LdtMemory:
    """What this security remembers without power: `tries_left` by directory and key, where some are gone."""

    pin: Secret | None
    blocked: list[str]
    tries_left: dict[str, Tries]


class LdtSecurity(Security):
    """Access by PIN and external keys, maintenance by secure messaging.

    The PIN holds until power-off; key rights until power-off or until another directory is selected (SSC §5.1).

    Args:
        keys: Keys by the label of their directory; global ones under that of the SSSE.
        pin: The holder's PIN; None for a card without.
        suite: Cryptography of the card.

    Attributes:
        blocked: Labels of the directories that APPLICATION BLOCK closed for ever.
    """

    record_rules = LDT_RULES
    challenge_sizes = frozenset({4, 8, 16})

    def __init__(
        self,
        keys: Mapping[str, Iterable[LdtKey]] | None = None,
        *,
        pin: Secret | None = None,
        suite: LdtSuite | None = None,
    ) -> None:
        super().__init__()
        self.keys = {label: list(found) for label, found in (keys or {}).items()}
        self.suite = suite or LdtSuite(Algorithm.TRIPLE_DES)
        self.blocked: set[str] = set()
        self._pin = pin
        self._verified = False
        self._earned: frozenset[str] = frozenset()
        self._current: Directory | None = None

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
        self._earned = frozenset()
        self._current = None

    def entered(self, directory: Directory) -> None:
        """Key rights and challenge are for the application they were made in."""
        if directory is not self._current:
            self._earned = frozenset()
            self._challenge = None
        self._current = directory

    def begin(self, card: VirtualCard, command: Received) -> None:
        """A blocked application answers nothing but the selection of another."""
        if card.current.label in self.blocked and command.ins != 0xA4:
            raise Status(0x9303)

    def select_status(self, directory: Directory) -> int:
        """9303 for ever once blocked."""
        return 0x9303 if directory.label in self.blocked else OK

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

    # ---- commands --------------------------------------------------------------------------------------------

    def execute(self, card: VirtualCard, command: Received) -> bytes | None:
        """The security commands of SSC §5.1."""
        handlers: dict[tuple[int, int], Callable[[VirtualCard, Received], bytes]] = {
            (0x00, 0x84): self._get_challenge,
            (0x00, 0x20): self._verify,
            (0x00, 0x82): self._external_authentication,
            (0x00, 0x88): self._internal_authentication,
            (0x80, 0x5E): self._change_pin,
            (0x84, 0x24): self._replace_pin,
            (0x84, 0x1E): self._block_application,
            (0x84, 0x16): self._block_card,
        }
        handler = handlers.get(command.instruction)
        return None if handler is None else handler(card, command)

    def _verify(self, card: VirtualCard, command: Received) -> bytes:
        if command.parameters != (0, 0):
            raise Status(0x6A86)
        pin = self._pin
        if pin is None or not pin.value:
            return b""
        pin.need_tries()
        if not command.data:
            if self._verified:
                return b""
            raise Status(0x63C0 | pin.tries_left)
        if len(command.data) not in PIN_BYTES:
            raise Status(0x6700)
        self._present(card, pin, command.data)
        self._verified = True
        return b""

    def _present(self, card: VirtualCard, pin: Secret, value: bytes) -> None:
        """A wrong PIN also takes the right away that an earlier one gave."""
        self._verified = self._verified and value == pin.value
        pin.judge(card, right=value == pin.value)

    def _change_pin(self, card: VirtualCard, command: Received) -> bytes:
        """Old PIN ‖ FF ‖ new PIN; a missing old one sets the first PIN, a missing new one takes it off."""
        if command.parameters != (0x01, 0x00):
            raise Status(0x6A86)
        if not 3 <= len(command.data) <= 17:
            raise Status(0x6700)
        old, separator, new = command.data.partition(SEPARATOR)
        if not separator or not all(well_formed(one) for one in (old, new) if one):
            raise Status(0x6A80)
        pin = self._pin
        if pin is not None and pin.value:
            pin.need_tries()
            self._present(card, pin, old)
        elif old:
            raise Status(0x6985)
        self._store_pin(card, new)
        return b""

    def _store_pin(self, card: VirtualCard, value: bytes) -> None:
        """Whoever changes the PIN has to present the new one."""

        def write() -> None:
            max_tries = CardPin.max_tries if self._pin is None else self._pin.max_tries
            self._pin = CardPin(value, max_tries, max_tries)

        card.commit(write)
        self._verified = False

    def _external_authentication(self, card: VirtualCard, command: Received) -> bytes:
        challenge = self._take_challenge()
        if command.p1:
            raise Status(0x6A86)
        version = key_version(command)
        key = self._by_kid(card, command.p2)
        value = key.of_version(version)
        key.need_tries()
        session = self._session(value, challenge)
        original = command.data[8:16]
        right = self.suite.authentication(session, original) == command.data[:8]
        self._earned = self._earned - {key.name}
        key.judge(card, right=right)
        self._earned = self._earned | {key.name}
        return b""

    def _internal_authentication(self, card: VirtualCard, command: Received) -> bytes:
        if command.parameters != (0, 0):
            raise Status(0x6A86)
        version = key_version(command)
        key = self._find(card, INTERNAL).of_version(version)
        session = self.suite.challenge_key(key, command.data[:8])
        return self.suite.authentication(session, command.data[8:16])

    def _replace_pin(self, card: VirtualCard, command: Received) -> bytes:
        """Unblock (P2 00) and reload (P2 01), after the PUK (SSC §6.6)."""
        if command.p1 or command.p2 > 1:
            raise Status(0x6A86)
        self._need_length(command, self.suite.cipher.block if command.p2 else 0)
        self._need_right(UNBLOCKING)
        body, session = self._unprotect(command, self._find(card, MESSAGING))
        if command.p2:
            try:
                value = self.suite.decrypt(session, body)
            except ValueError:
                raise Status(0x6A80) from None
            if not well_formed(value):
                raise Status(0x6A80)
            self._store_pin(card, value)
        elif self._pin is None:
            raise Status(0x6985)
        else:
            self._pin.count(card, right=True)
        return b""

    def _block_application(self, card: VirtualCard, command: Received) -> bytes:
        if command.parameters != (0x00, 0x01):
            raise Status(0x6A86)
        self._need_length(command, 0)
        self._need_right(APPLICATION_BLOCKING)
        self._unprotect(command, self._find(card, MESSAGING, own=True))
        card.commit(lambda: self.blocked.add(card.current.label))
        return b""

    def _block_card(self, card: VirtualCard, command: Received) -> bytes:
        if command.parameters != (0, 0):
            raise Status(0x6A86)
        self._need_length(command, 0)
        self._need_right(CARD_BLOCKING)
        self._unprotect(command, self._find(card, MESSAGING))
        card.block()
        return b""

    # ---- keys ------------------------------------------------------------------------------------------------

    def _by_kid(self, card: VirtualCard, kid: int) -> LdtKey:
        """The external key of an identifier: a specific one in the current directory, a global one also above it."""
        own = bool(kid & SPECIFIC)
        for directory in (card.current,) if own else card.current.path():
            for key in self.keys.get(directory.label, ()):
                if key.kid == kid and key.external:
                    return key
        raise Status(0x6A88)

    def _find(self, card: VirtualCard, prefix: str, *, own: bool = False) -> LdtKey:
        """The key of one purpose: that of the current directory, or the global one of the environment."""
        for directory in (card.current,) if own else card.current.path():
            for key in self.keys.get(directory.label, ()):
                if key.name.startswith(prefix) and (own or not key.kid & SPECIFIC):
                    return key
        raise Status(0x6A88)

    def _need_right(self, prefix: str) -> None:
        if not any(name.startswith(prefix) for name in self._earned):
            raise Status(0x6982)

    def _take_challenge(self) -> bytes | None:
        """The challenge, which is good for one use, whatever comes of it."""
        challenge, self._challenge = self._challenge, None
        return challenge

    def _session(self, key: bytes, challenge: bytes | None) -> bytes:
        if challenge is None or len(challenge) > self.suite.cipher.block:
            raise Status(0x6984)
        return self.suite.challenge_key(key, challenge)

    def _unprotect(self, command: Received, key: LdtKey) -> tuple[bytes, bytes]:
        """Command data without their MAC, still encrypted, and the session key (SSC §5.5)."""
        session = self._session(key.of_version(None), self._take_challenge())
        if len(command.data) < MAC_SIZE:
            raise Status(0x6987)
        body, mac = command.data[:-MAC_SIZE], command.data[-MAC_SIZE:]
        if self.suite.mac(session, command.header() + body) != mac:
            raise Status(0x6988)
        return body, session

    @staticmethod
    def _need_length(command: Received, body: int) -> None:
        if not command.data:
            raise Status(0x6987)
        command.need(body + MAC_SIZE)
