"""The card's side of the PBOC purse: balance, purchase, proof (EW §3.2, §3.3, §4)."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.crypto.suites import PbocSuite
from cardio.purse.purse import CounterRule
from cardio.virtual.card import VirtualCard
from cardio.virtual.filesystem import ElementaryFile
from cardio.virtual.purse import MAX_COUNTER, Proof, PurseKeys
from cardio.virtual.received import Received, Status

ELECTRONIC_PURSE = 0x02
PURCHASE = 0x06


@dataclass(frozen=True)
class _Initialized:
    amount: int
    terminal: bytes
    key: bytes
    random: bytes


class WalletFunction:
    """An electronic purse of one virtual card.

    Args:
        suite: Cryptography of the card.
        keys: Its keys.
        log: Its EF18.
        balance_fen: Balance at the start.
        log_number: Number that the log stores (EW PC-2).
        proof_number: Number that GET TRANSACTION PROVE wants (EW PC-17).

    Attributes:
        card: The card it sits on, set when the card is built.
        balance: Balance in fen.
        offline_counter: Purchases so far.
    """

    card: VirtualCard

    def __init__(
        self,
        suite: PbocSuite,
        keys: PurseKeys,
        log: ElementaryFile,
        *,
        balance_fen: int = 0,
        offline_counter: int = 0,
        log_number: CounterRule = CounterRule.AFTER,
        proof_number: CounterRule = CounterRule.AFTER,
    ) -> None:
        self.suite = suite
        self.keys = keys
        self.log = log
        self.balance = balance_fen
        self.offline_counter = offline_counter
        self.log_number = log_number
        self.proof_number = proof_number
        self.proof: Proof | None = None
        self._open: _Initialized | None = None

    def reset(self) -> None:
        """An open initialization is forgotten (EW PC-7)."""
        self._open = None

    def execute(self, command: Received) -> bytes | None:
        """Commands of class 80."""
        if command.cla != 0x80:
            return None
        match command.ins:
            case 0x5C:
                return self._get_balance(command)
            case 0x50:
                return self._initialize(command)
            case 0x54:
                return self._debit(command)
            case 0x5A:
                return self._prove(command)
        return None

    def _get_balance(self, command: Received) -> bytes:
        if command.p1 not in {0x00, 0x03} or command.p2 != ELECTRONIC_PURSE:
            raise Status(0x6A86)
        if command.data:
            raise Status(0x6700)
        return self.balance.to_bytes(4, "big")

    def _initialize(self, command: Received) -> bytes:
        """Checks in the order of EW §3.3."""
        self.reset()
        if (command.p1, command.p2) != (0x01, ELECTRONIC_PURSE):
            raise Status(0x6A86)
        command.need(11)
        key = self.keys.purchase.get(command.data[0])
        if key is None:
            raise Status(0x9403)
        if self.offline_counter >= MAX_COUNTER:
            raise Status(0x9402)
        amount = int.from_bytes(command.data[1:5], "big")
        if amount > self.balance:
            raise Status(0x9401)
        random = self.card.random(4)
        self._open = _Initialized(amount, command.data[5:11], key, random)
        return b"".join(
            (
                self.balance.to_bytes(4, "big"),
                self.offline_counter.to_bytes(2, "big"),
                bytes(3),
                bytes([self.keys.version, self.keys.algorithm_id]),
                random,
            )
        )

    def _debit(self, command: Received) -> bytes:
        opened, self._open = self._open, None
        if opened is None:
            raise Status(0x6901)
        if (command.p1, command.p2) != (0x01, 0x00):
            raise Status(0x6A86)
        command.need(15)
        sequence, time, mac1 = command.data[:4], command.data[4:11], command.data[11:]
        session = self.suite.session_key(
            opened.key,
            opened.random + self.offline_counter.to_bytes(2, "big") + sequence[2:],
        )
        amount = opened.amount.to_bytes(4, "big")
        kind = bytes([PURCHASE])
        if self.suite.mac(session, amount + kind + opened.terminal + time) != mac1:
            raise Status(0x9302)
        mac2 = self.suite.mac(session, amount)
        tac = self.suite.tac(self.keys.tac, amount + kind + opened.terminal + sequence + time)
        logged = self.log_number.number(self.offline_counter)
        record = logged.to_bytes(2, "big") + bytes(3) + amount + kind + opened.terminal + time
        proof = Proof(PURCHASE, self.proof_number.number(self.offline_counter), mac2, tac)

        def write() -> None:
            self.balance -= opened.amount
            self.offline_counter += 1
            self.proof = proof
            self.log.append(record)

        self.card.commit(write)
        return tac + mac2

    def _prove(self, command: Received) -> bytes:
        self.reset()
        command.need(2)
        if self.proof is None:
            raise Status(0x6985)
        if (self.proof.kind, self.proof.number) != (
            command.p2,
            int.from_bytes(command.data, "big"),
        ):
            raise Status(0x9406)
        return self.proof.mac2 + self.proof.tac
