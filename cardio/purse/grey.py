"""GREY UNLOCK: how a host frees a purse whose grey lock was never followed by its debit (EW §3.5).

Lock and debit are steps of `WalletPurse` and operations of the engine. The unlock is only these two commands: EW has no
public source for what its MAC1 and MAC2 cover, so no host of ours can check the one or make the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import PURSE
from cardio.files.wallet.log import AMOUNT_MASK
from cardio.purse.purse import MAC_SIZE, exact
from cardio.purse.wallet import PurseFile
from cardio.transport.channel import Disclosure

CLA = 0xE0
UNLOCK_KINDS = {PurseFile.PASSBOOK: 0x95, PurseFile.PURSE: 0x96}
"""Transaction types (EW §4.6)."""


@dataclass(frozen=True)
class GreyInitialized:
    """Answer to INITIALIZE FOR GREY UNLOCK.

    Attributes:
        balance_fen: Balance.
        offline_counter: Off-line counter: the number of the lock.
        online_counter: On-line counter.
        key_version: Version of the card's key.
        algorithm_id: The card's algorithm byte.
        random: 4 bytes.
        mac1: The card's MAC1 for the host.
        balance_sent: The balance as the card sent it and covered by MACs: a few cards set bit 31 (EW §2.7).
    """

    balance_fen: int
    offline_counter: int
    online_counter: int
    key_version: int
    algorithm_id: int
    random: bytes
    mac1: bytes
    balance_sent: int


class GreyPurse:
    """The unlock commands of a selected wallet.

    Args:
        card: Connection on which the wallet is selected.
        file: EP or ED.
    """

    def __init__(self, card: CardConnection, file: PurseFile = PurseFile.PURSE) -> None:
        self._card = card
        self._file = file

    def initialize_unlock(self, terminal: bytes, key_index: int) -> GreyInitialized:
        """INITIALIZE FOR GREY UNLOCK (E0 7A 09): what the host needs to free the purse; changes nothing.

        Raises:
            CardError: The card refuses, or has no grey lock.
        """
        name, size = "INITIALIZE FOR GREY UNLOCK", 18
        asked = bytes([key_index]) + terminal
        command = Command(
            name, CLA, 0x7A, 0x09, self._file, data=asked, le=size, outcomes=PURSE, disclosure=Disclosure.ALL
        )
        data = exact(self._card.call(command), size, name)
        return GreyInitialized(
            balance_fen=int.from_bytes(data[0:4], "big") & AMOUNT_MASK,
            offline_counter=int.from_bytes(data[4:6], "big"),
            online_counter=int.from_bytes(data[6:8], "big"),
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
        return Command("GREY UNLOCK", CLA, 0x7E, 0x09, 0x00, data=data, le=MAC_SIZE, outcomes=PURSE, repeatable=False)
