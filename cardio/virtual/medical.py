"""The card's side of the medical account: balances, load, settlement, proof, payment year (SSC §5.4, §7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from cardio.crypto.cryptograms import amount_bytes
from cardio.crypto.suites import LdtSuite
from cardio.files.key_file import KeyKind
from cardio.purse.purse import CounterRule
from cardio.virtual.filesystem import ElementaryFile
from cardio.virtual.purse import Done, Offline, Online, Proof, PurseFunction, need_form
from cardio.virtual.purse_keys import PurseKeys
from cardio.virtual.received import Received, Status
from cardio.virtual.stored import Amount, AtMost, Bytes2, Counter, Misfit

LOAD, SETTLEMENT = 0x31, 0x32
PROOF_TYPES = {0x01: LOAD, 0x31: LOAD, 0x02: SETTLEMENT, 0x32: SETTLEMENT}
"""No source says which of the two spellings P2 has: both are taken (SSC §5.4)."""
YEAR = 10000
LEAP_YEAR = 2000
MAX_TOTAL = 0xFFFFFFFF
STARTING_DAY_KEY = "DSK"
"""Name of the right to set the starting day (SSC §5.4, §6.2)."""


@dataclass
class MedicalMemory:
    """What a medical account remembers without power: amounts in fen; `no_proof` is a status word."""

    balance: Amount
    self_paid: Amount
    pool: Amount
    payment_year: Annotated[int, AtMost(9999)]
    start_day: Annotated[int, AtMost(1231)]
    purchase_counter: Counter
    load_counter: Counter
    proof: Proof | None
    no_proof: Bytes2


class MedicalFunction(PurseFunction):
    """A medical account of one virtual card.

    Args:
        suite: Cryptography of the card.
        keys: Its keys.
        log: Its EF08; None where a subclass finds it.
        balance_fen: Personal account at the start.
        payment_year: Year of the two totals.
        start_day: First day of the payment year, mmdd.
        purchase_counter: Settlements so far.
        load_counter: Loads so far.
        log_number: Number that the log stores (SSC §9.3 stores the one before).
        proof_number: Number that GET TRANSACTION PROOF wants.

    Attributes:
        balance: Personal account in fen.
        self_paid: Yearly self-paid total in fen.
        pool: Yearly pool total in fen.
    """

    def __init__(
        self,
        suite: LdtSuite,
        keys: PurseKeys,
        log: ElementaryFile | None,
        *,
        balance_fen: int = 0,
        payment_year: int = 2026,
        start_day: int = 101,
        purchase_counter: int = 0,
        load_counter: int = 0,
        log_number: CounterRule = CounterRule.BEFORE,
        proof_number: CounterRule = CounterRule.AFTER,
    ) -> None:
        super().__init__(suite, keys, log, log_number=log_number, proof_number=proof_number)
        self.balance = balance_fen
        self.self_paid = 0
        self.pool = 0
        self.payment_year = payment_year
        self.start_day = start_day
        self.purchase_counter = purchase_counter
        self.load_counter = load_counter

    def memory(self) -> MedicalMemory:
        """What outlives the power."""
        return MedicalMemory(
            self.balance,
            self.self_paid,
            self.pool,
            self.payment_year,
            self.start_day,
            self.purchase_counter,
            self.load_counter,
            self.proof,
            self.no_proof.to_bytes(2, "big"),
        )

    def restore(self, memory: MedicalMemory) -> None:
        """Take a memory.

        Raises:
            Misfit: The payment year begins on no day.
        """
        if not _is_day(memory.start_day):
            raise Misfit(("start_day",), "must be a month and a day, mmdd")
        self.balance, self.self_paid, self.pool = memory.balance, memory.self_paid, memory.pool
        self.payment_year, self.start_day = memory.payment_year, memory.start_day
        self.purchase_counter, self.load_counter = memory.purchase_counter, memory.load_counter
        self.proof, self.no_proof = memory.proof, int.from_bytes(memory.no_proof, "big")

    def execute(self, command: Received) -> bytes | None:
        """Commands of class B0; one that fails leads back to idle (SSC §5.4)."""
        handlers: dict[int, Callable[[Received], bytes]] = {
            0x26: self._get_balance,
            0x28: self._initialize,
            0x2A: self._credit,
            0x2C: self._debit,
            0x2E: self._prove,
            0x56: self._starting_day,
        }
        handler = handlers.get(command.ins) if command.cla == 0xB0 else None
        if handler is None:
            return None
        try:
            return handler(command)
        except Status:
            self.reset()
            raise

    def _year(self) -> bytes:
        """Packed digits like the start day: a choice, the sources give only the length (SSC §4.5, §5.4)."""
        return bytes.fromhex(f"{self.payment_year:04d}")

    def _get_balance(self, command: Received) -> bytes:
        self.need_pin()
        match command.parameters:
            case 0, 1:
                return amount_bytes([self.balance])
            case 0, 2:
                return amount_bytes([self.self_paid]) + self._year()
            case 0, 3:
                return amount_bytes([self.pool]) + self._year()
        raise Status(0x6A86)

    def _initialize(self, command: Received) -> bytes:
        self.reset()
        match command.parameters:
            case 0x00, 0x01:
                return self._initialize_load(command)
            case 0x01, 0x01:
                return self._initialize_purchase(command)
        raise Status(0x6A86)

    # ---- load ------------------------------------------------------------------------------------------------

    def _initialize_load(self, command: Received) -> bytes:
        """INITIALIZE FOR LOAD; no source knows a largest balance: ours fills its 4 bytes (6985, after EW PC-5)."""
        command.need(11)
        self.need_pin()
        key = self.need_key(KeyKind.LOAD, command.data[0], self.load_counter)
        amount = command.data[1:5]
        if self.balance + int.from_bytes(amount, "big") > MAX_TOTAL:
            raise Status(0x6985)
        tail = self.open_online(
            key, LOAD, command.data[5:], balance=self.balance, amount=amount, counter=self.load_counter
        )
        return amount_bytes([self.balance]) + self.load_counter.to_bytes(2, "big") + tail

    def _credit(self, command: Received) -> bytes:
        """CREDIT FOR LOAD; its record has the amount as the account's, as PERS §5.3 B120 shows."""
        opened = self.take(Online, {LOAD})
        need_form(command, (0x00, 0x00), 11)
        time = self.need_grant(opened, opened.amount, command.data)
        amount = int.from_bytes(opened.amount, "big")
        after = self.balance + amount
        done = self.conclude(opened, opened.amount, time, balance=after)

        def change() -> None:
            self.balance = after
            self.load_counter += 1

        self._book(done, (amount, 0, 0), change)
        return done.tac

    # ---- settlement ------------------------------------------------------------------------------------------

    def _initialize_purchase(self, command: Received) -> bytes:
        command.need(19)
        self.need_pin()
        key = self.need_key(KeyKind.PURCHASE, command.data[0], self.purchase_counter)
        amounts = tuple(int.from_bytes(command.data[at : at + 4], "big") for at in (1, 5, 9))
        if amounts[0] > self.balance:
            raise Status(0x9401)
        opened = Offline(SETTLEMENT, amounts, command.data[13:], key, self.card.random(4), self.purchase_counter)
        totals = amount_bytes([self.balance, self.self_paid, self.pool]) + self._year()
        return totals + self.purchase_counter.to_bytes(2, "big") + self.open_offline(opened)

    def _debit(self, command: Received) -> bytes:
        opened = self.take(Offline, {SETTLEMENT})
        need_form(command, (0x01, 0x00), 15)
        done = self.judge(opened, command.data)
        account, self_pay, pool = opened.amounts

        def change() -> None:
            self.balance -= account
            self._accumulate(self_pay, pool, int(done.time[:4].hex()))
            self.purchase_counter += 1

        self._book(done, opened.amounts, change)
        return done.tac + done.mac

    def _accumulate(self, self_pay: int, pool: int, day: int) -> None:
        """The yearly totals restart with the first settlement of a new payment year (SSC §7.2)."""
        if day - (self.payment_year * YEAR + self.start_day) < YEAR:
            # No source says what a card does when a total no longer fits; ours stands still at the largest one.
            self.self_paid = min(self.self_paid + self_pay, MAX_TOTAL)
            self.pool = min(self.pool + pool, MAX_TOTAL)
        else:
            self.payment_year = day // YEAR - (1 if day % YEAR < self.start_day else 0)
            self.self_paid = self_pay
            self.pool = pool

    def _book(self, done: Done, amounts: tuple[int, ...], change: Callable[[], None]) -> None:
        """Write a transaction with its record of EF08 (SSC §4.5)."""
        record = self.logged_number(done) + bytes([done.kind]) + done.terminal + done.time + amount_bytes(amounts)
        self.complete(done, record, change)

    # ---- the rest --------------------------------------------------------------------------------------------

    def _prove(self, command: Received) -> bytes:
        """GET TRANSACTION PROOF; that of a load has a zero MAC, after EW PC-18."""
        command.need(2)
        kind = PROOF_TYPES.get(command.p2)
        if kind is None:
            raise Status(0x6A86)
        return self.prove(kind, command.data)

    def _starting_day(self, command: Received) -> bytes:
        """UPDATE STARTING DAY (P1 00) and GET STARTING DAY (P1 01).

        Setting it ends an opened transaction, whose year it may change; SSC §5.4 leaves that open.
        """
        match command.parameters:
            case 0x01, 0x00:
                command.need(0)
                return bytes.fromhex(f"{self.start_day:04d}")
            case 0x00, 0x00:
                command.need(2)
                return self._set_starting_day(command.data.hex())
        raise Status(0x6A86)

    def _set_starting_day(self, mmdd: str) -> bytes:
        self.reset()
        if STARTING_DAY_KEY not in self.card.rights():
            raise Status(0x6982)
        if not mmdd.isdecimal() or not _is_day(int(mmdd)):
            raise Status(0x6A80)

        def write() -> None:
            self.start_day = int(mmdd)

        self.card.commit(write)
        return b""


def _is_day(mmdd: int) -> bool:
    """Whether some year has that day."""
    try:
        date(LEAP_YEAR, *divmod(mmdd, 100))
    except ValueError:
        return False
    return True
