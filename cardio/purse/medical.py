"""The medical account of a social security card: commands B0 26, B0 28, B0 2C, B0 2E (SSC §5.4, §7.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cardio.apdu.command import Command
from cardio.apdu.status import PURSE
from cardio.files.dates import encode_time
from cardio.files.reading import FileReader
from cardio.files.social_security.medical import EF08_MEDICAL_LOG, MedicalLogRecord
from cardio.purse.purse import Initialized, LogEntry, Purse, PurseInstructions, PurseKind, exact
from cardio.transport.channel import Disclosure

SETTLEMENT = 0x32
"""Type byte of a settlement: the character "2" (SSC §7.2)."""
PROOF_OF_SETTLEMENT = 0x02
"""Type of GET TRANSACTION PROOF: 02 or 32 are accepted (SSC §5.4, project choice)."""
MAX_AMOUNT = 0xFFFFFFFE
CLA = 0xB0
TERMINAL_SIZE = 6


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
    transaction_type = SETTLEMENT
    instructions = PurseInstructions(
        cla=CLA, debit=0x2C, proof=0x2E, proof_name="GET TRANSACTION PROOF", proof_type=PROOF_OF_SETTLEMENT
    )

    def balance(self) -> int:
        """GET BALANCE (B0 26 00 01): the personal account on the card."""
        return int.from_bytes(exact(self._card.call(_get_balance(1, 4)), 4, "GET BALANCE"), "big")

    def yearly_self_paid(self) -> YearlyTotal:
        """GET BALANCE (B0 26 00 02)."""
        return self._yearly(2)

    def yearly_pool(self) -> YearlyTotal:
        """GET BALANCE (B0 26 00 03)."""
        return self._yearly(3)

    def _yearly(self, which: int) -> YearlyTotal:
        data = exact(self._card.call(_get_balance(which, 6)), 6, "GET BALANCE")
        digits = data[4:].hex()
        return YearlyTotal(int.from_bytes(data[:4], "big"), int(digits) if digits.isdecimal() else 0)

    def initialize(self, amounts: tuple[int, ...], terminal: bytes, key_index: int) -> Initialized:
        """INITIALIZE FOR PURCHASE (B0 28 01 01) with account, self-paid and pool amount.

        The answer: balance 4, yearly self-paid 4, yearly pool 4, payment year 2, counter 2, key version 1,
        algorithm 1, random 4.
        """
        account, self_pay, pool = amounts
        command = Command(
            "INITIALIZE FOR PURCHASE",
            CLA,
            0x28,
            0x01,
            0x01,
            data=b"".join(
                (
                    bytes([key_index]),
                    account.to_bytes(4, "big"),
                    self_pay.to_bytes(4, "big"),
                    pool.to_bytes(4, "big"),
                    terminal,
                )
            ),
            le=22,
            outcomes=PURSE,
            disclosure=Disclosure.ALL,
        )
        data = exact(self._card.call(command), 22, command.name)
        return Initialized(
            balance_fen=int.from_bytes(data[0:4], "big"),
            counter=int.from_bytes(data[14:16], "big"),
            key_version=data[16],
            algorithm_id=data[17],
            random=data[18:22],
        )

    def log(self) -> Iterator[LogEntry]:
        """EF08, newest first."""
        for record in FileReader(self._card).read_log(EF08_MEDICAL_LOG, MedicalLogRecord):
            yield LogEntry(
                number=record.number,
                amounts=(record.account_fen, record.self_pay_fen, record.pool_fen),
                purchase=record.kind == chr(SETTLEMENT),
                terminal=bytes.fromhex(record.terminal.ljust(2 * TERMINAL_SIZE, "f")),
                time=encode_time(record.time),
            )


def _get_balance(which: int, size: int) -> Command:
    return Command(
        "GET BALANCE",
        CLA,
        0x26,
        0x00,
        which,
        le=size,
        outcomes=PURSE,
        disclosure=Disclosure.ALL,
    )
