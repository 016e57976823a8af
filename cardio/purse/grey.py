"""Grey lock of fuel cards: lock the purse, fuel, debit and unlock (EW §3.5).

GREY LOCK freezes the purse, DEBIT FOR UNLOCK takes the amount and frees it. It names the off-line number of the lock,
so that sent twice it cannot take twice. A lock whose debit never came is freed on-line, by the host's GREY UNLOCK.
Layouts that EW §3.5 calls uncertain follow the vector `3des-grey-lock`.
"""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import PURSE
from cardio.files.wallet.log import AMOUNT_MASK
from cardio.purse.purse import MAC_SIZE, CardProof, exact
from cardio.purse.wallet import PurseFile
from cardio.transport.channel import Disclosure

CLA = 0xE0
LOCK_KINDS = {PurseFile.PASSBOOK: 0x91, PurseFile.PURSE: 0x92}
DEBIT_KINDS = {PurseFile.PASSBOOK: 0x93, PurseFile.PURSE: 0x94}
UNLOCK_KINDS = {PurseFile.PASSBOOK: 0x95, PurseFile.PURSE: 0x96}
"""Transaction types (EW §4.6)."""


@dataclass(frozen=True)
class GreyInitialized:
    """Answer to INITIALIZE FOR GREY LOCK or GREY UNLOCK.

    Attributes:
        balance_fen: Balance.
        offline_counter: Off-line counter: the number of the lock.
        online_counter: On-line counter; None for a lock.
        overdraft_fen: Overdraft limit; 0 for an unlock.
        key_version: Version of the card's key.
        algorithm_id: The card's algorithm byte.
        random: 4 bytes.
        mac1: The card's MAC1 for the host; empty for a lock.
        balance_sent: The balance as the card sent it and covered by MACs: a few cards set bit 31 (EW §2.7).
    """

    balance_fen: int
    offline_counter: int
    online_counter: int | None
    overdraft_fen: int
    key_version: int
    algorithm_id: int
    random: bytes
    mac1: bytes = b""
    balance_sent: int = 0


@dataclass(frozen=True)
class GreyDebit:
    """What DEBIT FOR UNLOCK carries.

    Attributes:
        amount_fen: What the fuel cost; at most the balance.
        offline_counter: Number of the lock.
        terminal: Terminal number of the lock, 6 bytes.
        sequence: Terminal sequence of the lock.
        time: Time of the debit, 7 bytes.
        gmac: 4 bytes from the terminal's keys.
    """

    amount_fen: int
    offline_counter: int
    terminal: bytes
    sequence: int
    time: bytes
    gmac: bytes


class GreyPurse:
    """The grey lock commands of a selected wallet.

    Args:
        card: Connection on which the wallet is selected.
        file: EP or ED.
    """

    def __init__(self, card: CardConnection, file: PurseFile = PurseFile.PURSE) -> None:
        self._card = card
        self._file = file

    def initialize_lock(self, terminal: bytes, key_index: int) -> GreyInitialized:
        """INITIALIZE FOR GREY LOCK (E0 7A 08); changes nothing.

        Raises:
            PurseGreyLocked: The purse is locked already.
            CardError: The card refuses, or has no grey lock.
        """
        data = self._initialize("INITIALIZE FOR GREY LOCK", 0x08, terminal, key_index, 15)
        return GreyInitialized(
            balance_fen=int.from_bytes(data[0:4], "big") & AMOUNT_MASK,
            offline_counter=int.from_bytes(data[4:6], "big"),
            online_counter=None,
            overdraft_fen=int.from_bytes(data[6:9], "big"),
            key_version=data[9],
            algorithm_id=data[10],
            random=data[11:15],
            balance_sent=int.from_bytes(data[0:4], "big"),
        )

    def lock_command(self, sequence: int, terminal_random: bytes, time: bytes, mac1: bytes) -> Command:
        """GREY LOCK (E0 7C 08), ready to be sent once the journal is armed; answers GTAC ‖ MAC2."""
        data = sequence.to_bytes(4, "big") + terminal_random + time + mac1
        return _command("GREY LOCK", 0x7C, 0x08, 0x00, data, 2 * MAC_SIZE)

    def debit_command(self, debit: GreyDebit) -> Command:
        """DEBIT FOR UNLOCK (E0 7E 08); answers TAC. 9406 means that the lock of that number is no more."""
        data = b"".join(
            (
                debit.amount_fen.to_bytes(4, "big"),
                debit.offline_counter.to_bytes(2, "big"),
                debit.terminal,
                debit.sequence.to_bytes(4, "big"),
                debit.time,
                debit.gmac,
            )
        )
        return _command("DEBIT FOR UNLOCK", 0x7E, 0x08, self._file, data, MAC_SIZE)

    def initialize_unlock(self, terminal: bytes, key_index: int) -> GreyInitialized:
        """INITIALIZE FOR GREY UNLOCK (E0 7A 09): what the host needs to free a purse whose debit never came."""
        data = self._initialize("INITIALIZE FOR GREY UNLOCK", 0x09, terminal, key_index, 18)
        return GreyInitialized(
            balance_fen=int.from_bytes(data[0:4], "big") & AMOUNT_MASK,
            offline_counter=int.from_bytes(data[4:6], "big"),
            online_counter=int.from_bytes(data[6:8], "big"),
            overdraft_fen=0,
            key_version=data[8],
            algorithm_id=data[9],
            random=data[10:14],
            mac1=data[14:18],
            balance_sent=int.from_bytes(data[0:4], "big"),
        )

    def unlock_command(self, amount_fen: int, time: bytes, mac2: bytes) -> Command:
        """GREY UNLOCK (E0 7E 09) with the amount that the host found owing; answers TAC.

        Of the two INS that the sources print, the one that does not clash with GREY LOCK is sent (EW §3.5).
        """
        data = amount_fen.to_bytes(4, "big") + time + mac2
        return _command("GREY UNLOCK", 0x7E, 0x09, 0x00, data, MAC_SIZE)

    def _initialize(self, name: str, p1: int, terminal: bytes, key_index: int, size: int) -> bytes:
        data = bytes([key_index]) + terminal
        command = Command(
            name, CLA, 0x7A, p1, self._file, data=data, le=size, outcomes=PURSE, disclosure=Disclosure.ALL
        )
        return exact(self._card.call(command), size, name)


def parse_lock(data: bytes) -> CardProof:
    """GTAC ‖ MAC2 of GREY LOCK.

    Raises:
        CardDataInvalid: Not 8 bytes.
    """
    exact(data, 2 * MAC_SIZE, "GREY LOCK")
    return CardProof(tac=data[:MAC_SIZE], mac2=data[MAC_SIZE:])


def _command(name: str, ins: int, p1: int, p2: int, data: bytes, le: int) -> Command:
    return Command(name, CLA, ins, p1, p2, data=data, le=le, outcomes=PURSE, repeatable=False)
