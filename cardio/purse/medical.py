"""The medical account of a social security card: commands B0 26, 28, 2A, 2C, 2E, 56 (SSC §5.4, §7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from cardio.apdu.command import Command
from cardio.apdu.status import FILE, LOAD, PURSE
from cardio.files.dates import encode_time
from cardio.files.reading import FileReader
from cardio.files.social_security.medical import EF08_MEDICAL_LOG, MedicalLogRecord
from cardio.purse.operation import Operation, PurseKind
from cardio.purse.purse import TERMINAL_SIZE, Initialized, LogEntry, Purse, Step, exact
from cardio.security.keys import Family
from cardio.transport.channel import Disclosure

MAX_AMOUNT = 0xFFFFFFFE
FIRST_KEY_SET = 0x01
"""P2 of INITIALIZE (SSC §5.4)."""

STEPS = {
    # The type is a character in MACs and log; GET TRANSACTION PROOF takes 01/31 and 02/32 (SSC §5.4, choice).
    Operation.LOAD: Step("LOAD", 0x31, 0x01, 0x00, "CREDIT FOR LOAD", (0x2A, 0x00, 0x00)),
    Operation.PURCHASE: Step("PURCHASE", 0x32, 0x02, 0x01, "DEBIT FOR PURCHASE", (0x2C, 0x01, 0x00)),
}
_START_DAY = re.compile(r"[0-9]{4}")
_LEAP_YEAR = 2000


@dataclass(frozen=True)
class YearlyTotal:
    """An accumulated amount with the year it belongs to.

    Attributes:
        amount_fen: Total in fen.
        year: Payment year, for example 2026.
    """

    amount_fen: int
    year: int


class MedicalPurse(Purse):
    """A selected medical account; the PIN must have been presented."""

    kind = PurseKind.MEDICAL
    family = Family.LDT
    cla = 0xB0
    initialize_ins = 0x28
    proof_ins = 0x2E
    proof_name = "GET TRANSACTION PROOF"

    @property
    def steps(self) -> dict[Operation, Step]:
        """Load and settlement."""
        return STEPS

    def balance(self) -> int:
        """GET BALANCE (B0 26 00 01): the personal account on the card."""
        return int.from_bytes(exact(self._card.call(self._get_balance(1, 4)), 4, "GET BALANCE"), "big")

    def yearly_self_paid(self) -> YearlyTotal:
        """GET BALANCE (B0 26 00 02)."""
        return self._yearly(2)

    def yearly_pool(self) -> YearlyTotal:
        """GET BALANCE (B0 26 00 03)."""
        return self._yearly(3)

    def _yearly(self, which: int) -> YearlyTotal:
        data = exact(self._card.call(self._get_balance(which, 6)), 6, "GET BALANCE")
        digits = data[4:].hex()
        return YearlyTotal(int.from_bytes(data[:4], "big"), int(digits) if digits.isdecimal() else 0)

    def initialize(
        self, operation: Operation, amounts: tuple[int, ...], terminal: bytes, key_index: int
    ) -> Initialized:
        """B0 28: for a settlement with account, self-paid and pool amount, for a load with the amount.

        A settlement answers balance 4, yearly self-paid 4, yearly pool 4, payment year 2, counter 2, version,
        algorithm, random 4; a load balance 4, counter 2, version, algorithm, random 4, MAC1 4.
        """
        coded = b"".join(amount.to_bytes(4, "big") for amount in amounts)
        data = bytes([key_index]) + coded + terminal
        size, at = (16, 4) if operation.online else (22, 14)
        answer = self._initialize(operation, FIRST_KEY_SET, data, size, LOAD if operation.online else PURSE)
        return Initialized(
            balance_fen=int.from_bytes(answer[0:4], "big"),
            counter=int.from_bytes(answer[at : at + 2], "big"),
            key_version=answer[at + 2],
            algorithm_id=answer[at + 3],
            random=answer[at + 4 : at + 8],
            mac1=answer[at + 8 :],
            balance_sent=int.from_bytes(answer[0:4], "big"),
        )

    def log(self) -> Iterator[LogEntry]:
        """EF08, newest first."""
        for record in FileReader(self._card).read_log(EF08_MEDICAL_LOG, MedicalLogRecord):
            amounts = (record.account_fen, record.self_pay_fen, record.pool_fen)
            kind = ord(record.kind[:1] or "\0")
            yield LogEntry(
                number=record.number,
                amounts=amounts[:1] if kind == STEPS[Operation.LOAD].kind else amounts,
                kind=kind,
                terminal=bytes.fromhex(record.terminal.ljust(2 * TERMINAL_SIZE, "f")),
                time=encode_time(record.time),
            )

    def starting_day(self) -> str:
        """GET STARTING DAY (B0 56 01 00): first day of the payment year, `mmdd`."""
        command = Command("GET STARTING DAY", self.cla, 0x56, 0x01, 0x00, le=2, outcomes=PURSE)
        return exact(self._card.call(command), 2, command.name).hex()

    def update_starting_day(self, day: str) -> None:
        """UPDATE STARTING DAY (B0 56 00 00); the key DSK must have been authenticated.

        Args:
            day: `mmdd`.

        Raises:
            ValueError: Not a day of a year.
            AccessDenied: DSK has not been authenticated.
        """
        if not _is_day(day):
            raise ValueError(f"{day} is not mmdd")
        data = bytes.fromhex(day)
        self._card.call(Command("UPDATE STARTING DAY", self.cla, 0x56, 0x00, 0x00, data=data, outcomes=FILE))

    def _get_balance(self, which: int, size: int) -> Command:
        return Command("GET BALANCE", self.cla, 0x26, 0x00, which, le=size, outcomes=PURSE, disclosure=Disclosure.ALL)

    @property
    def _nothing(self) -> tuple[int, ...]:
        return 0, 0, 0


def _is_day(day: str) -> bool:
    """Whether `day` is `mmdd`, of a leap year at least."""
    if not _START_DAY.fullmatch(day):
        return False
    try:
        date(_LEAP_YEAR, int(day[:2]), int(day[2:]))
    except ValueError:
        return False
    return True
