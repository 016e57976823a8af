"""The PBOC purses: electronic purse (EP) and electronic passbook (ED) (EW §3.2, §4), and their grey lock (EW §3.5)."""

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
from cardio.purse.purse import MAC_SIZE, Initialized, LogEntry, Purse, PurseRules, Step, exact
from cardio.security.keys import Family
from cardio.security.psam_grey import GreyAuthorization, GreyOrder
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


def _grey_steps(file: PurseFile, lock: int, debit: int) -> dict[Operation, Step]:
    """Steps of the grey lock, by the transaction types of a purse.

    Only the debit leaves a proof. It has no INITIALIZE of its own: that of the lock goes before both.
    """
    return {
        Operation.GREY_LOCK: Step("GREY LOCK", lock, lock, 0x08, "GREY LOCK", (0x7C, 0x08, 0x00), 0xE0, 0x7A),
        Operation.GREY_DEBIT: Step("GREY LOCK", debit, debit, 0x08, "DEBIT FOR UNLOCK", (0x7E, 0x08, file), 0xE0, 0x7A),
    }


STEPS = {PurseFile.PURSE: EP_STEPS, PurseFile.PASSBOOK: ED_STEPS}
GREY_STEPS = {
    PurseFile.PURSE: _grey_steps(PurseFile.PURSE, 0x92, 0x94),
    PurseFile.PASSBOOK: _grey_steps(PurseFile.PASSBOOK, 0x91, 0x93),
}
"""Of cards with the grey lock (EW §3.5); layouts that it calls uncertain follow the vector `3des-grey-lock`."""
_WITHOUT_AMOUNT = frozenset({Operation.OVERDRAFT, Operation.GREY_LOCK, Operation.GREY_DEBIT})
"""Their INITIALIZE names the terminal only."""


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
        """Those of EP or ED, and of the grey lock where the product has it."""
        return STEPS[self.file] | (GREY_STEPS[self.file] if self.rules.grey_lock else {})

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
        """80 50, of a grey lock E0 7A: balance 4, counter 2, overdraft 3, version, algorithm, random 4.

        On-line operations answer MAC1 besides, and of them only the overdraft update answers the limit.
        """
        (amount,) = amounts
        limited = not operation.online or operation is Operation.OVERDRAFT
        data = bytes([key_index])
        data += terminal if operation in _WITHOUT_AMOUNT else amount.to_bytes(4, "big") + terminal
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

    # ---- grey lock -----------------------------------------------------------------------------------------------

    def grey_order(self, initialized: Initialized, time: bytes) -> GreyOrder:
        """What the terminal's keys need to make MAC1 of a grey lock; the time as 7 bytes."""
        return GreyOrder(
            application=self.rules.sam,
            random=initialized.random,
            counter=initialized.counter,
            balance=initialized.balance_sent,
            kind=self.step(Operation.GREY_LOCK).kind,
            time=time,
            key_version=initialized.key_version,
            algorithm_id=initialized.algorithm_id,
            factors=self._factors,
        )

    def lock_command(self, authorization: GreyAuthorization, time: bytes) -> Command:
        """GREY LOCK, ready to be sent once the journal is armed; answers GTAC ‖ MAC2."""
        sequence = authorization.sequence.to_bytes(4, "big")
        data = sequence + authorization.terminal_random + time + authorization.mac1
        return self._commit(Operation.GREY_LOCK, data, 2 * MAC_SIZE)

    def debit_for_unlock_command(
        self, amount_fen: int, *, counter: int, terminal: bytes, sequence: int, time: bytes, gmac: bytes
    ) -> Command:
        """DEBIT FOR UNLOCK, ready to be sent once the journal is armed; answers TAC.

        It names the lock, so that sent twice it could not take twice.

        Args:
            amount_fen: What the fuel cost, 0 to the balance.
            counter: Off-line counter that the lock found.
            terminal: Terminal number of the lock, 6 bytes.
            sequence: Terminal sequence of the lock.
            time: Time of the debit, 7 bytes.
            gmac: 4 bytes from the terminal's keys.
        """
        lock = counter.to_bytes(2, "big") + terminal + sequence.to_bytes(4, "big")
        return self._commit(Operation.GREY_DEBIT, amount_fen.to_bytes(4, "big") + lock + time + gmac, MAC_SIZE)

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
