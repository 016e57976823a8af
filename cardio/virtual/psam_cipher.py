"""The PSAM's side of authentications and maintenance: session keys and ciphering (SSC §6.4; EW §5.2, §5.3, §5.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cardio.crypto.ciphers import xor
from cardio.crypto.suites import CipherSuite, LdtSuite
from cardio.security.keys import Family
from cardio.virtual.received import Received, Status

TAC, MAINTENANCE, MAC_ONLY, ENCRYPT_ONLY = 4, 5, 6, 7
"""Kinds of keys; all but maintenance are used for one thing only (SSC §6.2, EW §5.1, §5.4)."""
KIND_BITS = 0x1F
MAC_BIT, MORE_BIT, INITIAL_BIT = 0x01, 0x02, 0x04
AUTHENTICITY_SIZE = 9
_STARTS, _ENDS = INITIAL_BIT, MAC_BIT | MORE_BIT


@dataclass(frozen=True)
class PsamCipherKey:
    """A key that the PSAM diversifies and then computes with.

    Attributes:
        kind: Low five bits of the purpose byte: 4 TAC, 5 maintenance, 6 MAC, 7 encryption, 8 both.
        id: Its identifier.
        levels: Number of factors it insists on, 1 to 3: 3 for a national root, 1 for a city's.
        suite: Its cryptography. Two keys of one kind and identifier may differ in the cipher.
        key: The key at the level where it was put into the PSAM.
    """

    kind: int
    id: int
    levels: int
    suite: CipherSuite
    key: bytes


@dataclass
class _Session:
    """The temporary key, and the CBC block of a MAC that goes on."""

    kind: int
    suite: CipherSuite
    key: bytes
    block: bytes | None = None


class PsamCipher:
    """DELIVERY SESSION KEY or DELIVERY KEY, and CIPHER DATA.

    Args:
        family: Whose commands it takes: BF DE (LD/T) or 80 1A (PBOC).
        keys: Its keys.
        folds: CIPHER DATA answers the 8 bytes of authentication data that a 16-byte block is folded to. The sources
            leave it open (SSC §6.4); without it the whole block is answered, as PIN reload needs.
    """

    def __init__(self, family: Family, keys: Iterable[PsamCipherKey], *, folds: bool = False) -> None:
        self.family = family
        self.keys = list(keys)
        self.folds = folds
        self._session: _Session | None = None

    def reset(self) -> None:
        """The session key is forgotten."""
        self._session = None

    def execute(self, command: Received) -> bytes | None:
        """Answer data; None if the command is none of these.

        Raises:
            Status: The command fails.
        """
        match self.family, command.instruction:
            case (Family.LDT, (0xBF, 0xDE)) | (Family.PBOC, (0x80, 0x1A)):
                return self._deliver_key(command)
            case _, (0x80, 0xFA):
                return self._cipher(command)
            case Family.LDT, (0xBF, 0xEC):
                return initialize_environment(command)
            case Family.PBOC, (0x80, 0xCA):
                return _check_authenticity(command)
        return None

    def _deliver_key(self, command: Received) -> bytes:
        """P1 purpose, P2 identifier; data are the factors, card first, and for LD/T the session factor."""
        self.reset()
        levels, kind = command.p1 >> 5, command.p1 & KIND_BITS
        named = [key for key in self.keys if (key.kind, key.id) == (kind, command.p2)]
        if not named:
            raise Status(0x6A88)
        for key in named:
            factor_size = 8 * key.levels
            if levels == key.levels and len(command.data) == factor_size + self._session_factor_size(key):
                factors = [command.data[at : at + 8] for at in range(0, factor_size, 8)]
                value = key.suite.diversify(key.key, reversed(factors))
                self._session = _Session(kind, key.suite, _session_key(key, value, command.data[factor_size:]))
                return b""
        raise Status(0x6A80)

    def _session_factor_size(self, key: PsamCipherKey) -> int:
        return key.suite.cipher.block if self.family is Family.LDT else 0

    def _cipher(self, command: Received) -> bytes:
        """P1: bit 1 MAC instead of encryption, bit 2 more blocks follow, bit 3 the initial value leads."""
        session = self._session
        if session is None:
            raise Status(0x6901)
        if command.p1 & ~(_STARTS | _ENDS) or command.p2:
            raise Status(0x6A86)
        if not command.data or len(command.data) % session.suite.cipher.block:
            raise Status(0x6700)
        return self._mac(session, command) if command.p1 & MAC_BIT else self._encrypt(session, command)

    def _encrypt(self, session: _Session, command: Received) -> bytes:
        if command.p1 & INITIAL_BIT:
            raise Status(0x6A86)
        if session.kind in {TAC, MAC_ONLY}:
            raise Status(0x6985)
        answer = session.suite.cipher.encrypt(session.key, command.data)
        if self.folds and len(answer) == session.suite.cipher.block == 16:
            return xor(answer[:8], answer[8:])
        return answer

    @staticmethod
    def _mac(session: _Session, command: Received) -> bytes:
        """The terminal pads; the chain begins with a block that is the initial value."""
        if session.kind == ENCRYPT_ONLY:
            raise Status(0x6985)
        suite, data = session.suite, command.data
        if command.p1 & INITIAL_BIT:
            session.block, data = data[: suite.cipher.block], data[suite.cipher.block :]
        if session.block is None:
            raise Status(0x6985)
        if data:
            session.block = suite.cipher.mac_chain(session.key, data, session.block)
        if command.p1 & MORE_BIT:
            return b""
        block, session.block = session.block, None
        return suite.shorten(suite.cipher.mac_end(session.key, block))


def initialize_environment(command: Received) -> bytes:
    """INITIALIZE ENVIRONMENT (BF EC): the first byte of the card's item 01; some terminals leave it out (SSC §6.4).

    Raises:
        Status: 6A86, 6700.
    """
    if command.parameters != (0, 0):
        raise Status(0x6A86)
    command.need(1)
    return b""


class PsamEnvironment:
    """What a PSAM takes in its master file, before an application is selected."""

    def reset(self) -> None:
        """There is nothing to forget."""

    def execute(self, command: Received) -> bytes | None:
        """BF EC."""
        return initialize_environment(command) if command.instruction == (0xBF, 0xEC) else None


def _session_key(key: PsamCipherKey, value: bytes, factor: bytes) -> bytes:
    """LD/T ciphers under a key made of the session factor, PBOC under the card's key, folded for a TAC (EW §5.4)."""
    if isinstance(key.suite, LdtSuite):
        return key.suite.challenge_key(value, factor)
    return key.suite.tac_key(value) if key.kind == TAC else value


def _check_authenticity(command: Received) -> bytes:
    """Authenticity code of a card: any 9 bytes will do (EW PC-1)."""
    if command.parameters != (0, 0):
        raise Status(0x6A86)
    command.need(AUTHENTICITY_SIZE)
    return b""
