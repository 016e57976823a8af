"""The card's side of the medical account: balance, settlement, proof (SSC §5.4, §7.2)."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.crypto.suites import LdtSuite
from cardio.files.declaration import PIN
from cardio.purse.purse import CounterRule
from cardio.virtual.card import VirtualCard
from cardio.virtual.filesystem import ElementaryFile
from cardio.virtual.purse import MAX_COUNTER, Proof, PurseKeys
from cardio.virtual.received import Received, Status

SETTLEMENT = 0x32
PROOF_TYPES = {0x02: SETTLEMENT, 0x32: SETTLEMENT}
YEAR = 10000
MAX_TOTAL = 0xFFFFFFFF


@dataclass(frozen=True)
class _Initialized:
    account: int
    self_pay: int
    pool: int
    terminal: bytes
    key: bytes
    random: bytes

    @property
    def amounts(self) -> bytes:
        return b"".join(n.to_bytes(4, "big") for n in (self.account, self.self_pay, self.pool))


class MedicalFunction:
    """A medical account of one virtual card.

    Args:
        suite: Cryptography of the card.
        keys: Its keys.
        log: Its EF08.
        balance_fen: Personal account at the start.
        start_day: First day of the payment year, mmdd.
        log_number: Number that the log stores (SSC §9.3 stores the one before).
        proof_number: Number that GET TRANSACTION PROOF wants.

    Attributes:
        card: The card it sits on, set when the card is built.
        balance: Personal account in fen.
        self_paid: Yearly self-paid total in fen.
        pool: Yearly pool total in fen.
        payment_year: Year of the two totals.
        purchase_counter: Settlements so far.
    """

    card: VirtualCard

    def __init__(
        self,
        suite: LdtSuite,
        keys: PurseKeys,
        log: ElementaryFile,
        *,
        balance_fen: int = 0,
        payment_year: int = 2026,
        start_day: int = 101,
        purchase_counter: int = 0,
        log_number: CounterRule = CounterRule.BEFORE,
        proof_number: CounterRule = CounterRule.AFTER,
    ) -> None:
        self.suite = suite
        self.keys = keys
        self.log = log
        self.balance = balance_fen
        self.self_paid = 0
        self.pool = 0
        self.payment_year = payment_year
        self.start_day = start_day
        self.purchase_counter = purchase_counter
        self.log_number = log_number
        self.proof_number = proof_number
        self.proof: Proof | None = None
        self._open: _Initialized | None = None

    def reset(self) -> None:
        """Back to idle."""
        self._open = None

    def execute(self, command: Received) -> bytes | None:
        """Commands of class B0; one that fails leads back to idle (SSC §5.4)."""
        if command.cla != 0xB0:
            return None
        try:
            return self._dispatch(command)
        except Status:
            self.reset()
            raise

    def _dispatch(self, command: Received) -> bytes | None:
        match command.ins:
            case 0x26:
                return self._get_balance(command)
            case 0x28:
                return self._initialize(command)
            case 0x2C:
                return self._debit(command)
            case 0x2E:
                return self._prove(command)
        return None

    def _need_pin(self) -> None:
        if PIN not in self.card.rights():
            raise Status(0x6982)

    def _year(self) -> bytes:
        """Packed digits like the start day: a choice, the sources give only the length (SSC §4.5, §5.4)."""
        return bytes.fromhex(f"{self.payment_year:04d}")

    def _get_balance(self, command: Received) -> bytes:
        self._need_pin()
        match command.p1, command.p2:
            case 0, 1:
                return self.balance.to_bytes(4, "big")
            case 0, 2:
                return self.self_paid.to_bytes(4, "big") + self._year()
            case 0, 3:
                return self.pool.to_bytes(4, "big") + self._year()
        raise Status(0x6A86)

    def _initialize(self, command: Received) -> bytes:
        self.reset()
        if (command.p1, command.p2) != (0x01, 0x01):
            raise Status(0x6A86)
        command.need(19)
        self._need_pin()
        key = self.keys.purchase.get(command.data[0])
        if key is None:
            raise Status(0x9403)
        if self.purchase_counter >= MAX_COUNTER:
            raise Status(0x9402)
        account, self_pay, pool = (int.from_bytes(command.data[at : at + 4], "big") for at in (1, 5, 9))
        if account > self.balance:
            raise Status(0x9401)
        random = self.card.random(4)
        self._open = _Initialized(account, self_pay, pool, command.data[13:], key, random)
        return b"".join(
            (
                self.balance.to_bytes(4, "big"),
                self.self_paid.to_bytes(4, "big"),
                self.pool.to_bytes(4, "big"),
                self._year(),
                self.purchase_counter.to_bytes(2, "big"),
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
        counter = self.purchase_counter.to_bytes(2, "big")
        session = self.suite.session_key(opened.key, opened.random + counter + sequence[2:])
        kind = bytes([SETTLEMENT])
        signed = opened.amounts + kind + opened.terminal
        if self.suite.mac(session, signed + time) != mac1:
            raise Status(0x9302)
        mac2 = self.suite.mac(session, opened.amounts)
        tac = self.suite.tac(self.keys.tac, signed + sequence + time)
        logged = self.log_number.number(self.purchase_counter)
        record = logged.to_bytes(2, "big") + kind + opened.terminal + time + opened.amounts
        number = self.proof_number.number(self.purchase_counter)

        def write() -> None:
            self.balance -= opened.account
            self._accumulate(opened, int(time[:4].hex()))
            self.purchase_counter += 1
            self.proof = Proof(SETTLEMENT, number, mac2, tac)
            self.log.append(record)

        self.card.commit(write)
        return tac + mac2

    def _accumulate(self, opened: _Initialized, day: int) -> None:
        """The yearly totals restart with the first settlement of a new payment year (SSC §7.2)."""
        if day - (self.payment_year * YEAR + self.start_day) < YEAR:
            # No source says what a card does when a total no longer fits; ours stands still at the largest one.
            self.self_paid = min(self.self_paid + opened.self_pay, MAX_TOTAL)
            self.pool = min(self.pool + opened.pool, MAX_TOTAL)
        else:
            self.payment_year = day // YEAR - (1 if day % YEAR < self.start_day else 0)
            self.self_paid = opened.self_pay
            self.pool = opened.pool

    def _prove(self, command: Received) -> bytes:
        command.need(2)
        number = int.from_bytes(command.data, "big")
        kind = PROOF_TYPES.get(command.p2)
        if kind is None:
            raise Status(0x6A86)
        if self.proof is None or (self.proof.kind, self.proof.number) != (kind, number):
            raise Status(0x9406)
        return self.proof.mac2 + self.proof.tac
