"""What both virtual purses do alike: keys, the opened transaction, its cryptograms, the proof of the last one.

Source: EW §3.3, §4.4, §4.5; SSC §5.4, §7.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cardio.crypto.cryptograms import (
    amount_bytes,
    offline_order,
    offline_record,
    offline_seed,
    online_grant,
    online_record,
    online_request,
    online_seed,
)
from cardio.crypto.suites import CipherSuite
from cardio.files.declaration import PIN
from cardio.files.key_file import KeyKind
from cardio.purse.purse import CounterRule
from cardio.virtual.filesystem import ElementaryFile
from cardio.virtual.purse_keys import PurseKey, PurseKeys
from cardio.virtual.received import Received, Status
from cardio.virtual.stored import Byte, Bytes4, Counter

if TYPE_CHECKING:
    from cardio.virtual.card import VirtualCard

MAX_COUNTER = 0xFFFF
"""A purse whose counter stands here refuses further transactions (EW PC-11, SSC §5.4)."""
NO_MAC = bytes(4)
"""What a proof holds for a transaction that has no MAC2 (EW PC-18)."""


@dataclass(frozen=True)
class Proof:
    """What GET TRANSACTION PROOF answers: type, number, MAC2 and TAC of the last transaction."""

    kind: Byte
    number: Counter
    mac2: Bytes4
    tac: Bytes4


@dataclass(frozen=True)
class Offline:
    """A transaction that INITIALIZE opened and the terminal's keys authorize.

    Attributes:
        kind: Transaction type.
        amounts: Fen: one amount of a wallet, three of a medical account.
        terminal: Terminal number, 6 bytes.
        key: Purchase key that was named.
        random: The card's random, 4 bytes.
        counter: Off-line counter before.
    """

    kind: int
    amounts: tuple[int, ...]
    terminal: bytes
    key: PurseKey
    random: bytes
    counter: int


@dataclass(frozen=True)
class Online:
    """A transaction that INITIALIZE opened and a host authorizes.

    Attributes:
        kind: Transaction type.
        amount: What was asked for, as MAC1 covers it.
        terminal: Terminal number, 6 bytes.
        session: Session key.
        counter: On-line counter before.
    """

    kind: int
    amount: bytes
    terminal: bytes
    session: bytes
    counter: int


@dataclass(frozen=True)
class Done:
    """A transaction that the card has agreed to, ready to be written.

    Attributes:
        kind: Transaction type.
        counter: Off-line or on-line counter before.
        terminal: Terminal number, 6 bytes.
        time: 7 bytes YYYYMMDDhhmmss.
        mac: MAC2; `NO_MAC` where there is none.
        tac: TAC, or MAC3 of an unload.
    """

    kind: int
    counter: int
    terminal: bytes
    time: bytes
    mac: bytes
    tac: bytes


Opened = TypeVar("Opened", Offline, Online)


class PurseFunction:
    """A purse of one virtual card: the state between two commands, and what ends a transaction.

    Args:
        suite: Cryptography of the card.
        keys: Its keys.
        log: Its log file; None where a subclass finds it.
        log_number: Number that the log stores.
        proof_number: Number that GET TRANSACTION PROOF wants.

    Attributes:
        card: The card it sits on, set when the card is built.
        proof: Proof of the last transaction; None before the first.
        no_proof: Status word of GET TRANSACTION PROOF while there is none: 9406 or 6985, both are met (OPS §4.3).
        opened: The transaction that INITIALIZE opened; None when idle.
    """

    card: VirtualCard

    def __init__(
        self,
        suite: CipherSuite,
        keys: PurseKeys,
        log: ElementaryFile | None,
        *,
        log_number: CounterRule,
        proof_number: CounterRule,
    ) -> None:
        self.suite = suite
        self.keys = keys
        self._log = log
        self.log_number = log_number
        self.proof_number = proof_number
        self.proof: Proof | None = None
        self.no_proof = 0x9406
        self.opened: Offline | Online | None = None

    @property
    def log(self) -> ElementaryFile:
        """Its log file.

        Raises:
            Status: 6A82 it is not there.
        """
        if self._log is None:
            raise Status(0x6A82)
        return self._log

    def reset(self) -> None:
        """Back to idle: an opened transaction is forgotten (EW PC-7, SSC §5.4)."""
        self.opened = None

    # ---- checks ----------------------------------------------------------------------------------------------

    def need_pin(self) -> None:
        """Insist on the PIN.

        Raises:
            Status: 6982.
        """
        if PIN not in self.card.rights():
            raise Status(0x6982)

    def need_key(self, kind: KeyKind, index: int, counter: int) -> PurseKey:
        """The key of an index, and a counter that has a number left.

        Raises:
            Status: 9403, 9402.
        """
        key = self.find_key(kind, index)
        if counter >= MAX_COUNTER:
            raise Status(0x9402)
        return key

    def find_key(self, kind: KeyKind, index: int) -> PurseKey:
        """The key of an index.

        Raises:
            Status: 9403.
        """
        return self.keys.find(kind, index)

    def log_for(self, kind: int) -> ElementaryFile:  # noqa: ARG002 - one for all transactions
        """The log for a type of transaction."""
        return self.log

    def tac_key(self, kind: int) -> bytes:  # noqa: ARG002 - one for all transactions
        """The TAC key for a type of transaction."""
        return self.keys.tac

    def take(self, step: type[Opened], kinds: Collection[int]) -> Opened:
        """The opened transaction, which its closing command ends whatever comes of it.

        Raises:
            Status: 6901 nothing of these kinds is open (EW PC-6, SSC §5.4).
        """
        opened, self.opened = self.opened, None
        if not isinstance(opened, step) or opened.kind not in kinds:
            raise Status(0x6901)
        return opened

    # ---- cryptograms -----------------------------------------------------------------------------------------

    def open_offline(self, opened: Offline) -> bytes:
        """Open an off-line transaction; the end of INITIALIZE's answer: version, algorithm, random."""
        self.opened = opened
        return _told(opened.key) + opened.random

    def judge(self, opened: Offline, data: bytes) -> Done:
        """Judge MAC1 of DEBIT and make MAC2 and TAC.

        Args:
            opened: The transaction.
            data: Terminal sequence 4 ‖ time 7 ‖ MAC1 4.

        Raises:
            Status: 9302.
        """
        sequence, time = int.from_bytes(data[:4], "big"), data[4:11]
        session = self.suite.session_key(opened.key.value, offline_seed(opened.random, opened.counter, sequence))
        amounts, kind, terminal = amount_bytes(opened.amounts), opened.kind, opened.terminal
        if self.suite.mac(session, offline_order(amounts, kind, terminal, time)) != data[11:]:
            raise Status(0x9302)
        tac = self.suite.tac(self.tac_key(kind), offline_record(amounts, kind, terminal, sequence, time))
        return Done(kind, opened.counter, terminal, time, self.suite.mac(session, amounts), tac)

    def open_online(
        self, key: PurseKey, kind: int, terminal: bytes, *, balance: int, amount: bytes, counter: int
    ) -> bytes:
        """Open an on-line transaction; the end of INITIALIZE's answer: version, algorithm, random, MAC1."""
        random = self.card.random(4)
        session = self.suite.session_key(key.value, online_seed(random, counter))
        self.opened = Online(kind, amount, terminal, session, counter)
        return _told(key) + random + self.suite.mac(session, online_request(balance, amount, kind, terminal))

    def need_grant(self, opened: Online, amount: bytes, data: bytes) -> bytes:
        """The host's time, if MAC2 grants `amount`.

        Args:
            opened: The transaction.
            amount: What is granted, as MAC2 covers it.
            data: Host time 7 ‖ MAC2 4.

        Raises:
            Status: 9302.
        """
        time = data[:7]
        if self.suite.mac(opened.session, online_grant(amount, opened.kind, opened.terminal, time)) != data[7:]:
            raise Status(0x9302)
        return time

    def conclude(self, opened: Online, amount: bytes, time: bytes, *, balance: int, mac3: bool = False) -> Done:
        """Make the TAC of an on-line transaction, or the MAC3 of an unload.

        Args:
            opened: The transaction.
            amount: What was granted.
            time: Host time, 7 bytes.
            balance: Balance afterwards, fen.
            mac3: Whether the session key signs instead of the TAC key.
        """
        signed = online_record(balance, opened.counter, amount, opened.kind, opened.terminal, time)
        tac = self.suite.mac(opened.session, signed) if mac3 else self.suite.tac(self.tac_key(opened.kind), signed)
        return Done(opened.kind, opened.counter, opened.terminal, time, NO_MAC, tac)

    # ---- the end ---------------------------------------------------------------------------------------------

    def logged_number(self, done: Done) -> bytes:
        """Number of a transaction as the log stores it, 2 bytes."""
        return self.log_number.number(done.counter).to_bytes(2, "big")

    def complete(self, done: Done, record: bytes, change: Callable[[], None]) -> None:
        """Write everything that a transaction changes, wholly or not at all (EW §3.4, SSC §7.2).

        Args:
            done: The transaction.
            record: Its log record.
            change: Its change to balances and counters.
        """
        proof = Proof(done.kind, self.proof_number.number(done.counter), done.mac, done.tac)
        log = self.log_for(done.kind)

        def write() -> None:
            change()
            self.proof = proof
            log.append(record)

        self.card.commit(write)

    def prove(self, kind: int, number: bytes) -> bytes:
        """Answer of GET TRANSACTION PROOF: MAC2 ‖ TAC.

        Args:
            kind: Transaction type that is asked for.
            number: Its number as `proof_number` counts, 2 bytes.

        Raises:
            Status: 9406, or `no_proof`.
        """
        if self.proof is None:
            raise Status(self.no_proof)
        if (self.proof.kind, self.proof.number) != (kind, int.from_bytes(number, "big")):
            raise Status(0x9406)
        return self.proof.mac2 + self.proof.tac


def _told(key: PurseKey) -> bytes:
    return bytes([key.version, key.algorithm_id])


def need_form(command: Received, parameters: tuple[int, int], size: int) -> None:
    """Insist on P1 P2 and on the length of the data.

    Raises:
        Status: 6A86, 6700.
    """
    if command.parameters != parameters:
        raise Status(0x6A86)
    command.need(size)
