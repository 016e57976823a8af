"""The PSAM's side of grey locks: lock, check, debit (EW §3.5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.cryptograms import offline_record
from cardio.crypto.suites import PbocSuite
from cardio.virtual.grey import grey_balance, grey_order, grey_session
from cardio.virtual.received import Received, Status
from cardio.virtual.stored import Amount, AtMost, Byte, Counter, Exactly
from cardio.virtual.wallet_purse import KINDS

if TYPE_CHECKING:
    from cardio.virtual.psam import PsamFunction

LOCK_OF_DEBIT = {kinds.debit_for_unlock: kinds.lock for kinds in KINDS.values()}


@dataclass(frozen=True)
class GreyAuthorization:
    """A lock that the PSAM has authorized; `card` and `counter` are what a debit finds it by."""

    algorithm: Algorithm
    session: Annotated[bytes, AtMost(16)]
    kind: Byte
    card: Annotated[bytes, Exactly(8)]
    counter: Counter
    balance: Amount
    sequence: Amount
    time: Annotated[bytes, Exactly(7)]

    @property
    def suite(self) -> PbocSuite:
        """Its cryptography: only wallets have grey locks."""
        return PbocSuite(self.algorithm)


class PsamGrey:
    """The grey lock commands of one PSAM application.

    It keeps every lock over power-off: no source says how many, nor for how long. A debit that is asked for again gets
    its answer again, since the first one may have been lost.

    Args:
        sam: The application.
        tac_key: The PSAM's own TAC key.
    """

    def __init__(self, sam: PsamFunction, tac_key: bytes) -> None:
        self._sam = sam
        self._tac_key = tac_key
        self._open: GreyAuthorization | None = None
        self._locks: dict[tuple[bytes, int], GreyAuthorization] = {}

    @property
    def locks(self) -> list[GreyAuthorization]:
        """All locks that were authorized."""
        return list(self._locks.values())

    @locks.setter
    def locks(self, locks: Iterable[GreyAuthorization]) -> None:
        self._locks = {(lock.card, lock.counter): lock for lock in locks}

    def reset(self) -> None:
        """A lock whose MAC2 has not come is forgotten."""
        self._open = None

    def execute(self, command: Received) -> bytes | None:
        """E0 40, E0 42 and E0 44."""
        if command.ins not in {0x40, 0x42, 0x44}:
            return None
        opened, self._open = self._open, None
        if command.parameters != (0x00, 0x00):
            raise Status(0x6A86)
        self._sam.failures.need_tries()
        match command.ins:
            case 0x40:
                return self._lock(command.data)
            case 0x42:
                return self._check(opened, command)
        return self._debit(command)

    def _lock(self, data: bytes) -> bytes:
        """Random 4, off-line counter 2, balance 4, type 1, time 7, then version, algorithm and factors."""
        sam = self._sam
        suite, card_key = sam.card_key(data[18:])
        kind, time, counter = data[10], data[11:18], int.from_bytes(data[4:6], "big")
        if kind not in LOCK_OF_DEBIT.values():
            raise Status(0x6A80)
        sequence, challenge = sam.sequence, sam.card.random(4)
        session = grey_session(suite, card_key, data[:4], counter, sequence, challenge)
        balance = int.from_bytes(data[6:10], "big")
        self._open = GreyAuthorization(suite.algorithm, session, kind, data[20:28], counter, balance, sequence, time)
        if sam.advances_at_init:
            sam.card.commit(sam.advance)
        mac1 = suite.mac(session, grey_order(kind, sam.terminal, time))
        return sequence.to_bytes(4, "big") + challenge + mac1

    def _check(self, opened: GreyAuthorization | None, command: Received) -> bytes:
        """The card's MAC2; a wrong one counts as at 80 72."""
        if opened is None:
            raise Status(0x6901)
        command.need(4)
        right = opened.suite.mac(opened.session, grey_balance(opened.balance, opened.counter)) == command.data

        def keep() -> None:
            self._locks[opened.card, opened.counter] = opened

        self._sam.judge(right=right, change=keep)
        return b""

    def _debit(self, command: Received) -> bytes:
        """Type 1, ASN 8, off-line counter 2, amount 4; GMAC 4 ‖ TAC 4.

        What the PSAM's TAC covers is not public: ours covers what a card's does, at the time of the lock, which is the
        only one that the PSAM knows.
        """
        command.need(15)
        kind, card, counter, amount = (
            command.data[0],
            command.data[1:9],
            int.from_bytes(command.data[9:11], "big"),
            command.data[11:],
        )
        lock = self._locks.get((card, counter))
        if lock is None:
            raise Status(0x6985)
        if LOCK_OF_DEBIT.get(kind) != lock.kind:
            raise Status(0x6A80)
        signed = offline_record(amount, kind, self._sam.terminal, lock.sequence, lock.time)
        return lock.suite.mac(lock.session, amount) + lock.suite.tac(self._tac_key, signed)
