"""A virtual PSAM: the purchases of both card families (EW §5, SSC §2.3); the rest is in `psam_cipher`.

Its keys are test keys: whatever talks to it must not debit a card that is not virtual.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cardio.crypto.suites import CipherSuite
from cardio.security.keys import Family
from cardio.virtual.card import VirtualCard
from cardio.virtual.psam_cipher import PsamCipher, PsamCipherKey
from cardio.virtual.received import Received, Status

AMOUNTS = {Family.PBOC: 1, Family.LDT: 3}


@dataclass
class PsamKey:
    """A purchase key of the PSAM.

    Attributes:
        version: Must equal the card's.
        algorithm_ids: Algorithm bytes of cards it serves.
        suite: Its cryptography.
        key: The key at the level where it was put into the PSAM.
    """

    version: int
    algorithm_ids: frozenset[int]
    suite: CipherSuite
    key: bytes


@dataclass(frozen=True)
class _Purchase:
    session: bytes
    suite: CipherSuite
    amounts: bytes


class PsamFunction:
    """One application of a PSAM: purchases, session keys and ciphering.

    Args:
        family: Whose commands it takes.
        keys: Purchase keys; the card's version and algorithm choose.
        levels: Number of factors it insists on.
        terminal: Terminal number, 6 bytes.
        cipher_keys: Keys for authentications and maintenance.

    Attributes:
        card: The PSAM, set when it is built.
        cipher: Its session keys and ciphering.
        sequence: Terminal transaction sequence; advances at 80 72 (EW PC-16).
    """

    card: VirtualCard

    def __init__(
        self,
        family: Family,
        keys: list[PsamKey],
        *,
        levels: int,
        terminal: bytes,
        sequence: int = 1,
        cipher_keys: Iterable[PsamCipherKey] = (),
    ) -> None:
        self.family = family
        self.keys = keys
        self.levels = levels
        self.terminal = terminal
        self.sequence = sequence
        self.cipher = PsamCipher(family, cipher_keys)
        self._open: _Purchase | None = None

    def reset(self) -> None:
        """The open purchase and the session key are forgotten."""
        self._open = None
        self.cipher.reset()

    def execute(self, command: Received) -> bytes | None:
        """80 70 and 80 72, and what `cipher` takes."""
        match command.instruction:
            case 0x80, 0x70:
                return self._init_purchase(command)
            case 0x80, 0x72:
                return self._credit(command)
        return self.cipher.execute(command)

    def _init_purchase(self, command: Received) -> bytes:
        self._open = None
        if (command.p1, command.p2) != (0x01 if self.family is Family.LDT else 0x00, 0x00):
            raise Status(0x6A86)
        amounts_size = 4 * AMOUNTS[self.family]
        fixed = 6 + amounts_size + 10
        if len(command.data) != fixed + 8 * self.levels:
            raise Status(0x6A80)
        data = command.data
        seed, amounts, rest = data[:6], data[6 : 6 + amounts_size], data[6 + amounts_size :]
        kind, time, version, algorithm = rest[:1], rest[1:8], rest[8], rest[9]
        factors = [rest[at : at + 8] for at in range(10, len(rest), 8)]
        key = self._key(version, algorithm)
        card_key = key.suite.diversify(key.key, reversed(factors))
        sequence = self.sequence.to_bytes(4, "big")
        session = key.suite.session_key(card_key, seed + sequence[2:])
        self._open = _Purchase(session, key.suite, amounts)
        return sequence + key.suite.mac(session, amounts + kind + self.terminal + time)

    def _key(self, version: int, algorithm: int) -> PsamKey:
        for key in self.keys:
            if key.version == version and algorithm in key.algorithm_ids:
                return key
        raise Status(0x6A88)

    def _credit(self, command: Received) -> bytes:
        opened, self._open = self._open, None
        if opened is None:
            raise Status(0x6901)
        command.need(4)
        if opened.suite.mac(opened.session, opened.amounts) != command.data:
            raise Status(0x63CF)

        def advance() -> None:
            self.sequence += 1

        self.card.commit(advance)
        return b""
