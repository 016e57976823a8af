"""A virtual PSAM: the purchases of both card families (EW §5, SSC §2.3).

Grey locks are in `psam_grey`, session keys and ciphering in `psam_cipher`. Its keys are test keys: whatever talks to it
must not debit a card that is not virtual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

from cardio.crypto.cryptograms import offline_order
from cardio.crypto.suites import CipherSuite
from cardio.security.keys import Family
from cardio.virtual.card import VirtualCard
from cardio.virtual.psam_cipher import PsamCipher, PsamCipherKey
from cardio.virtual.psam_grey import GreyAuthorization, PsamGrey
from cardio.virtual.received import Received, Status
from cardio.virtual.stored import Amount, AtMost, Misfit
from cardio.virtual.tries import Counted

AMOUNTS = {Family.PBOC: 1, Family.LDT: 3}
FACTOR_SIZE = 8


@dataclass
class PsamKey:
    """A purchase key of the PSAM.

    Attributes:
        version: Must equal the card's.
        algorithm_ids: Algorithm bytes of cards it serves.
        suite: Its cryptography.
        key: The key at the level where it was put into the PSAM.
        levels: Number of factors it insists on, 1 to 3; keys of one version may differ in it (EW §5.1 usage byte).
    """

    version: int
    algorithm_ids: frozenset[int]
    suite: CipherSuite
    key: bytes
    levels: int


@dataclass
class MacFailures(Counted):
    """Counter of wrong MAC2 (EW §5.1, §5.2): the first one answers 63CF, and at zero the application locks."""

    max_tries: int = 16
    tries_left: int = 16


@dataclass
class PsamMemory:
    """What an application of a PSAM remembers without power.

    Attributes:
        sequence: Sequence of the next purchase.
        mac2_failures_left: Wrong MAC2 until it locks.
        advances_at_init: As for `PsamFunction`.
        grey_locks: Locks that it authorized; None for a PSAM without them.
    """

    sequence: Amount
    mac2_failures_left: Annotated[int, AtMost(16)]
    advances_at_init: bool
    grey_locks: list[GreyAuthorization] | None


@dataclass(frozen=True)
class _Purchase:
    session: bytes
    suite: CipherSuite
    amounts: bytes


class PsamFunction:
    """One application of a PSAM: purchases, grey locks, session keys and ciphering.

    Args:
        family: Whose commands it takes.
        keys: Purchase keys; the card's version and algorithm and the number of factors choose.
        terminal: Terminal number, 6 bytes.
        sequence: Terminal transaction sequence of the next purchase.
        cipher_keys: Keys for authentications and maintenance.
        advances_at_init: Whether the sequence advances at 80 70 already, purchase or not; otherwise it advances when
            MAC2 was right (EW PC-16).
        grey_tac: The PSAM's own TAC key for grey locks; None for a PSAM without them (EW §3.5).

    Attributes:
        card: The PSAM, set when it is built.
        cipher: Its session keys and ciphering.
        failures: Counter of wrong MAC2.
    """

    card: VirtualCard

    def __init__(
        self,
        family: Family,
        keys: list[PsamKey],
        *,
        terminal: bytes,
        sequence: int = 1,
        cipher_keys: Iterable[PsamCipherKey] = (),
        advances_at_init: bool = False,
        grey_tac: bytes | None = None,
    ) -> None:
        self.family = family
        self.keys = keys
        self.terminal = terminal
        self.sequence = sequence
        self.advances_at_init = advances_at_init
        self.failures = MacFailures()
        self.cipher = PsamCipher(family, cipher_keys)
        self._grey = None if grey_tac is None else PsamGrey(self, grey_tac)
        self._open: _Purchase | None = None

    def reset(self) -> None:
        """The open purchase and the session key are forgotten; grey locks are not."""
        self._open = None
        if self._grey is not None:
            self._grey.reset()
        self.cipher.reset()

    def memory(self) -> PsamMemory:
        """What outlives the power."""
        locks = None if self._grey is None else self._grey.locks
        return PsamMemory(self.sequence, self.failures.tries_left, self.advances_at_init, locks)

    def restore(self, memory: PsamMemory) -> None:
        """Take a memory.

        Raises:
            Misfit: It has grey locks and the PSAM does not, or the other way round.
        """
        if (self._grey is None) != (memory.grey_locks is None):
            raise Misfit(("grey_locks",), "must be null for a PSAM without grey locks, and a list for one with them")
        if self._grey is not None and memory.grey_locks is not None:
            self._grey.locks = memory.grey_locks
        self.sequence, self.failures.tries_left = memory.sequence, memory.mac2_failures_left
        self.advances_at_init = memory.advances_at_init

    def execute(self, command: Received) -> bytes | None:
        """80 70 and 80 72, and what grey lock and `cipher` take."""
        match command.instruction:
            case 0x80, 0x70:
                return self._init_purchase(command)
            case 0x80, 0x72:
                return self._credit(command)
            case 0xE0, _ if self._grey is not None:
                return self._grey.execute(command)
        return self.cipher.execute(command)

    def _init_purchase(self, command: Received) -> bytes:
        self._open = None
        if command.parameters != (0x01 if self.family is Family.LDT else 0x00, 0x00):
            raise Status(0x6A86)
        self.failures.need_tries()
        data, end = command.data, 6 + 4 * AMOUNTS[self.family]
        seed, amounts, kind, time = data[:6], data[6:end], data[end : end + 1], data[end + 1 : end + 8]
        suite, card_key = self.card_key(data[end + 8 :])
        sequence = self.sequence.to_bytes(4, "big")
        session = suite.session_key(card_key, seed + sequence[2:])
        self._open = _Purchase(session, suite, amounts)
        if self.advances_at_init:
            self.card.commit(self.advance)
        return sequence + suite.mac(session, offline_order(amounts, kind[0], self.terminal, time))

    def _credit(self, command: Received) -> bytes:
        opened, self._open = self._open, None
        self.failures.need_tries()
        if opened is None:
            raise Status(0x6901)
        command.need(4)
        self.judge(right=opened.suite.mac(opened.session, opened.amounts) == command.data)
        return b""

    # ---- what purchases and grey locks share -----------------------------------------------------------------

    def card_key(self, chosen: bytes) -> tuple[CipherSuite, bytes]:
        """A card's purchase key, and its cryptography.

        Args:
            chosen: Key version 1 ‖ algorithm 1 ‖ factors of 8 bytes, card first.

        Raises:
            Status: 6A80 wrong number of factors, 6A88 no key of that version and algorithm.
        """
        levels, rest = divmod(len(chosen) - 2, FACTOR_SIZE)
        if levels < 1 or rest:
            raise Status(0x6A80)
        fitting = [key for key in self.keys if key.version == chosen[0] and chosen[1] in key.algorithm_ids]
        if not fitting:
            raise Status(0x6A88)
        for key in fitting:
            if key.levels == levels:
                factors = [chosen[at : at + FACTOR_SIZE] for at in range(2, len(chosen), FACTOR_SIZE)]
                return key.suite, key.suite.diversify(key.key, reversed(factors))
        raise Status(0x6A80)

    def advance(self) -> None:
        """The next sequence; 4 bytes, so that it begins again after FFFFFFFF."""
        self.sequence = (self.sequence + 1) & 0xFFFFFFFF

    def judge(self, *, right: bool, change: Callable[[], None] | None = None) -> None:
        """Count a MAC2; a right one restores the counter and advances the sequence where 80 70 did not.

        Args:
            right: Whether it was right.
            change: What else a right one changes.

        Raises:
            Status: 63Cx, x failures are left.
        """
        if not right:
            self.failures.judge(self.card, right=False)

        def write() -> None:
            self.failures.tries_left = self.failures.max_tries
            if not self.advances_at_init:
                self.advance()
            if change is not None:
                change()

        self.card.commit(write)
