"""The security commands of social security cards, whatever a card keeps its keys in (SSC §5.1, §5.5, §6.6; LD/T 32)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import LdtSuite
from cardio.virtual.filesystem import Directory
from cardio.virtual.ldt_keys import PIN_BYTES, key_version, well_formed
from cardio.virtual.received import Received, Status
from cardio.virtual.records import LDT_RULES
from cardio.virtual.security import MAC_SIZE, OK, Security
from cardio.virtual.tries import Secret

if TYPE_CHECKING:
    from cardio.virtual.card import VirtualCard

SEPARATOR = b"\xff"


class Purpose(Enum):
    """What a command with a MAC is to do, and so which external key must have been presented (SSC §6.1)."""

    REPLACE_PIN = auto()
    BLOCK_APPLICATION = auto()
    BLOCK_CARD = auto()


class VersionedKey(Protocol):
    """A key as these commands use it."""

    def of_version(self, number: int | None) -> bytes:
        """The key of a version; 6A88."""

    def need_tries(self) -> None:
        """Insist on a try; 6983."""

    def judge(self, card: VirtualCard, *, right: bool) -> None:
        """Count a try and refuse a wrong one; 63Cx."""


class LdtCommands(Security):
    """PIN, authentication and blocking of LD/T cards.

    Where keys and PIN lie, and what they open, is the subclass's.

    Args:
        suite: Cryptography of the card.

    Attributes:
        blocked: Labels of the directories that APPLICATION BLOCK closed for ever.
    """

    record_rules = LDT_RULES
    challenge_sizes = frozenset({4, 8, 16})

    def __init__(self, suite: LdtSuite | None = None) -> None:
        super().__init__()
        self.suite = suite or LdtSuite(Algorithm.TRIPLE_DES)
        self.blocked: set[str] = set()
        self._current: Directory | None = None

    def power_up(self) -> None:
        """Nothing was selected before."""
        super().power_up()
        self._current = None

    def entered(self, directory: Directory) -> None:
        """Key rights and challenge are for the application they were made in."""
        if directory is not self._current:
            self._forget_keys()
            self._challenge = None
        self._current = directory

    def begin(self, card: VirtualCard, command: Received) -> None:
        """A blocked application answers nothing but the selection of another."""
        if card.current.label in self.blocked and command.ins != 0xA4:
            raise Status(0x9303)

    def select_status(self, directory: Directory) -> int:
        """9303 for ever once blocked."""
        return 0x9303 if directory.label in self.blocked else OK

    # ---- what a subclass keeps -------------------------------------------------------------------------------

    @abstractmethod
    def _pin_of(self, card: VirtualCard) -> Secret | None:
        """The PIN that counts in the current directory; None where there is none."""

    @abstractmethod
    def _presented(self, pin: Secret) -> bool:
        """Whether a PIN was presented."""

    @abstractmethod
    def _remember_pin(self, pin: Secret, *, right: bool) -> None:
        """Keep whether a PIN was presented."""

    @abstractmethod
    def _store_pin(self, card: VirtualCard, value: bytes) -> None:
        """Write a PIN with all its tries; whoever changes it has to present the new one."""

    @abstractmethod
    def _external_key(self, card: VirtualCard, kid: int) -> VersionedKey:
        """The key that EXTERNAL AUTHENTICATION means by an identifier; 6A88."""

    @abstractmethod
    def _internal_key(self, card: VirtualCard) -> VersionedKey:
        """The key of INTERNAL AUTHENTICATION; 6A88."""

    @abstractmethod
    def _signing_key(self, card: VirtualCard, purpose: Purpose) -> VersionedKey:
        """The key under which a command must be signed, if the right to the command was earned; 6982, 6A88."""

    @abstractmethod
    def _earn(self, card: VirtualCard, kid: int, *, right: bool) -> None:
        """Keep whether an external key was presented."""

    @abstractmethod
    def _forget_keys(self) -> None:
        """No external key was presented."""

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
        pin = self._pin_of(card)
        if pin is None or not pin.value:
            return b""
        pin.need_tries()
        if not command.data:
            if self._presented(pin):
                return b""
            raise Status(0x63C0 | pin.tries_left)
        if len(command.data) not in PIN_BYTES:
            raise Status(0x6700)
        self._present(card, pin, command.data)
        self._remember_pin(pin, right=True)
        return b""

    def _present(self, card: VirtualCard, pin: Secret, value: bytes) -> None:
        """A wrong PIN also takes the right away that an earlier one gave."""
        self._remember_pin(pin, right=self._presented(pin) and value == pin.value)
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
        pin = self._pin_of(card)
        if pin is not None and pin.value:
            pin.need_tries()
            self._present(card, pin, old)
        elif old:
            raise Status(0x6985)
        self._store_pin(card, new)
        return b""

    def _external_authentication(self, card: VirtualCard, command: Received) -> bytes:
        challenge = self._take_challenge()
        if command.p1:
            raise Status(0x6A86)
        version = key_version(command)
        key = self._external_key(card, command.p2)
        value = key.of_version(version)
        key.need_tries()
        session = self._session(value, challenge)
        right = self.suite.authentication(session, command.data[8:16]) == command.data[:8]
        self._earn(card, command.p2, right=False)
        key.judge(card, right=right)
        self._earn(card, command.p2, right=True)
        return b""

    def _internal_authentication(self, card: VirtualCard, command: Received) -> bytes:
        if command.parameters != (0, 0):
            raise Status(0x6A86)
        version = key_version(command)
        key = self._internal_key(card).of_version(version)
        session = self.suite.challenge_key(key, command.data[:8])
        return self.suite.authentication(session, command.data[8:16])

    def _replace_pin(self, card: VirtualCard, command: Received) -> bytes:
        """Unblock (P2 00) and reload (P2 01), after the PUK (SSC §6.6)."""
        if command.p1 or command.p2 > 1:
            raise Status(0x6A86)
        self._need_length(command, self.suite.cipher.block if command.p2 else 0)
        body, session = self._unprotect(command, self._signing_key(card, Purpose.REPLACE_PIN))
        if command.p2:
            value = self._decrypt(session, body)
            if not well_formed(value):
                raise Status(0x6A80)
            self._store_pin(card, value)
            return b""
        pin = self._pin_of(card)
        if pin is None:
            raise Status(0x6985)
        pin.count(card, right=True)
        return b""

    def _block_application(self, card: VirtualCard, command: Received) -> bytes:
        if command.parameters != (0x00, 0x01):
            raise Status(0x6A86)
        self._need_length(command, 0)
        self._unprotect(command, self._signing_key(card, Purpose.BLOCK_APPLICATION))
        card.commit(lambda: self.blocked.add(card.current.label))
        return b""

    def _block_card(self, card: VirtualCard, command: Received) -> bytes:
        if command.parameters != (0, 0):
            raise Status(0x6A86)
        self._need_length(command, 0)
        self._unprotect(command, self._signing_key(card, Purpose.BLOCK_CARD))
        card.block()
        return b""

    # ---- secure messaging ------------------------------------------------------------------------------------

    def _take_challenge(self) -> bytes | None:
        """The challenge, which is good for one use, whatever comes of it."""
        challenge, self._challenge = self._challenge, None
        return challenge

    def _session(self, key: bytes, challenge: bytes | None) -> bytes:
        if challenge is None or len(challenge) > self.suite.cipher.block:
            raise Status(0x6984)
        return self.suite.challenge_key(key, challenge)

    def _unprotect(self, command: Received, key: VersionedKey) -> tuple[bytes, bytes]:
        """Command data without their MAC, still encrypted, and the session key (SSC §5.5)."""
        session = self._session(key.of_version(None), self._take_challenge())
        if len(command.data) < MAC_SIZE:
            raise Status(0x6987)
        body, mac = command.data[:-MAC_SIZE], command.data[-MAC_SIZE:]
        if self.suite.mac(session, command.header() + body) != mac:
            raise Status(0x6988)
        return body, session

    def _decrypt(self, session: bytes, body: bytes) -> bytes:
        try:
            return self.suite.decrypt(session, body)
        except ValueError:
            raise Status(0x6A80) from None

    @staticmethod
    def _need_length(command: Received, body: int) -> None:
        if not command.data:
            raise Status(0x6987)
        command.need(body + MAC_SIZE)
