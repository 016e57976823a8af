"""The PBOC electronic purse: commands 80 50, 80 54, 80 5A, 80 5C (EW §3.2)."""

from __future__ import annotations

from collections.abc import Iterator

from cardio.apdu.command import Command
from cardio.apdu.status import PURSE
from cardio.files.reading import FileReader
from cardio.files.wallet.log import AMOUNT_MASK, EF18_LOG, WalletLogRecord
from cardio.purse.purse import Initialized, LogEntry, Purse, PurseInstructions, PurseKind, exact
from cardio.transport.channel import Disclosure

ELECTRONIC_PURSE = 0x02
PURCHASE = 0x06
PURCHASE_TYPES = frozenset({"05", "06", "09"})
"""ED purchase, EP purchase, composite purchase (EW §4.6)."""
MAX_AMOUNT = 0x7FFFFFFF


class WalletPurse(Purse):
    """A selected EP purse."""

    kind = PurseKind.WALLET
    transaction_type = PURCHASE
    instructions = PurseInstructions(
        cla=0x80, debit=0x54, proof=0x5A, proof_name="GET TRANSACTION PROVE", proof_type=PURCHASE
    )

    def balance(self) -> int:
        """GET BALANCE (80 5C)."""
        command = Command(
            "GET BALANCE",
            0x80,
            0x5C,
            0x00,
            ELECTRONIC_PURSE,
            le=4,
            outcomes=PURSE,
            disclosure=Disclosure.ALL,
        )
        data = exact(self._card.call(command), 4, command.name)
        return int.from_bytes(data, "big") & AMOUNT_MASK

    def initialize(self, amounts: tuple[int, ...], terminal: bytes, key_index: int) -> Initialized:
        """INITIALIZE FOR PURCHASE (80 50 01 02): balance 4, counter 2, overdraft 3, version, algorithm, random 4."""
        (amount,) = amounts
        command = Command(
            "INITIALIZE FOR PURCHASE",
            0x80,
            0x50,
            0x01,
            ELECTRONIC_PURSE,
            data=bytes([key_index]) + amount.to_bytes(4, "big") + terminal,
            le=15,
            outcomes=PURSE,
            disclosure=Disclosure.ALL,
        )
        data = exact(self._card.call(command), 15, command.name)
        return Initialized(
            balance_fen=int.from_bytes(data[0:4], "big") & AMOUNT_MASK,
            counter=int.from_bytes(data[4:6], "big"),
            key_version=data[9],
            algorithm_id=data[10],
            random=data[11:15],
        )

    def log(self) -> Iterator[LogEntry]:
        """EF18, newest first."""
        for record in FileReader(self._card).read_log(EF18_LOG, WalletLogRecord):
            raw = record.encode()
            yield LogEntry(
                number=record.number,
                amounts=(record.amount_fen & AMOUNT_MASK,),
                purchase=record.kind in PURCHASE_TYPES,
                terminal=raw[10:16],
                time=raw[16:23],
            )
