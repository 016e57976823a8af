"""The PBOC purses: electronic purse (EP) and electronic passbook (ED) (EW §3.2, §4)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import LOAD, PURSE
from cardio.crypto.ciphers import Algorithm
from cardio.files.reading import FileReader
from cardio.files.wallet.log import AMOUNT_MASK, EF18_LOG, WalletLogRecord
from cardio.purse.composite import RecordUpdate
from cardio.purse.operation import Operation, PurseKind
from cardio.purse.purse import Initialized, LogEntry, Purse, PurseRules, Step, exact
from cardio.security.keys import Family
from cardio.transport.channel import Disclosure

MAX_AMOUNT = 0x7FFFFFFF
MAX_LIMIT = 0xFFFFFF
"""Largest overdraft limit: 3 bytes (EW §3.2)."""
SM4_KEY_OFFSET = 0x40
"""SM4 keys lie under other indices than 3DES keys: 01 becomes 41 (EW §4.9)."""


class PurseFile(IntEnum):
    """Which purse of the application; P2 of its commands."""

    PASSBOOK = 0x01
    PURSE = 0x02


_DEBIT = (0x54, 0x01, 0x00)
_CREDIT = (0x52, 0x00, 0x00)

EP_STEPS = {
    Operation.PURCHASE: Step("PURCHASE", 0x06, 0x06, 0x01, "DEBIT FOR PURCHASE", _DEBIT),
    Operation.COMPOSITE: Step("CAPP PURCHASE", 0x09, 0x09, 0x03, "DEBIT FOR CAPP PURCHASE", _DEBIT),
    Operation.LOAD: Step("LOAD", 0x02, 0x02, 0x00, "CREDIT FOR LOAD", _CREDIT),
}
"""Money leaves an EP by purchases only: it has no unload (EW §3.6, PC-9)."""
ED_STEPS = {
    Operation.PURCHASE: Step("PURCHASE", 0x05, 0x05, 0x01, "DEBIT FOR PURCHASE", _DEBIT),
    Operation.CASH: Step("CASH WITHDRAW", 0x04, 0x04, 0x02, "DEBIT FOR CASH WITHDRAW", _DEBIT),
    Operation.LOAD: Step("LOAD", 0x01, 0x01, 0x00, "CREDIT FOR LOAD", _CREDIT),
    Operation.UNLOAD: Step("UNLOAD", 0x03, 0x03, 0x05, "DEBIT FOR UNLOAD", (0x54, 0x03, 0x00)),
    Operation.OVERDRAFT: Step("UPDATE", 0x07, 0x07, 0x04, "UPDATE OVERDRAW LIMIT", (0x58, 0x00, 0x00)),
}


class WalletPurse(Purse):
    """A selected EP, or ED whose PIN has been presented.

    Args:
        card: Connection on which the wallet is selected.
        rules: What the product says.
        factors: Diversification factors.
        file: EP or ED.
    """

    kind = PurseKind.WALLET
    family = Family.PBOC
    cla = 0x80
    initialize_ins = 0x50
    proof_ins = 0x5A
    proof_name = "GET TRANSACTION PROVE"

    def __init__(
        self,
        card: CardConnection,
        rules: PurseRules,
        factors: tuple[bytes, ...],
        file: PurseFile = PurseFile.PURSE,
    ) -> None:
        super().__init__(card, rules, factors)
        self.file = file

    @property
    def steps(self) -> dict[Operation, Step]:
        """Those of EP or ED."""
        return EP_STEPS if self.file is PurseFile.PURSE else ED_STEPS

    def key_index(self, index: int) -> int:
        """Of SM4 cards the 3DES index + 40 (EW §4.9)."""
        return index + SM4_KEY_OFFSET if self.rules.algorithm is Algorithm.SM4 and index < SM4_KEY_OFFSET else index

    def balance(self) -> int:
        """GET BALANCE (80 5C)."""
        command = Command(
            "GET BALANCE",
            self.cla,
            0x5C,
            0x00,
            self.file,
            le=4,
            outcomes=PURSE,
            disclosure=Disclosure.ALL,
        )
        data = exact(self._card.call(command), 4, command.name)
        return int.from_bytes(data, "big") & AMOUNT_MASK

    def initialize(
        self, operation: Operation, amounts: tuple[int, ...], terminal: bytes, key_index: int
    ) -> Initialized:
        """80 50: off-line balance 4, counter 2, overdraft 3, version, algorithm, random 4.

        On-line operations answer MAC1 besides, and only the overdraft update answers the limit.
        """
        (amount,) = amounts
        limited = not operation.online or operation is Operation.OVERDRAFT
        data = bytes([key_index])
        data += terminal if operation is Operation.OVERDRAFT else amount.to_bytes(4, "big") + terminal
        size = 12 + (3 if limited else 0) + (4 if operation.online else 0)
        outcomes = LOAD if operation is Operation.LOAD else PURSE
        answer = self._initialize(operation, self.file, data, size, outcomes)
        at = 9 if limited else 6
        return Initialized(
            balance_fen=int.from_bytes(answer[0:4], "big") & AMOUNT_MASK,
            counter=int.from_bytes(answer[4:6], "big"),
            key_version=answer[at],
            algorithm_id=answer[at + 1],
            random=answer[at + 2 : at + 6],
            overdraft_fen=int.from_bytes(answer[6:9], "big") if limited else 0,
            mac1=answer[at + 6 :],
            balance_sent=int.from_bytes(answer[0:4], "big"),
        )

    def update_record(self, update: RecordUpdate) -> None:
        """UPDATE CAPP DATA CACHE (80 DC): the record changes together with DEBIT, or not at all (EW §6.4).

        Raises:
            RecordLocked: 9407, the record's lock flag is set.
            CardError: The card refuses; nothing has changed.
        """
        self._card.call(update.command())

    def log(self) -> Iterator[LogEntry]:
        """EF18, newest first."""
        for record in FileReader(self._card).read_log(EF18_LOG, WalletLogRecord):
            raw = record.encode()
            yield LogEntry(
                number=record.number,
                amounts=(record.amount_fen & AMOUNT_MASK,),
                kind=raw[9],
                terminal=raw[10:16],
                time=raw[16:23],
            )

    @property
    def _nothing(self) -> tuple[int, ...]:
        return (0,)
