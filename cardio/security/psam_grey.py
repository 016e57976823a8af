"""The PSAM's side of a grey lock: the purse is locked before refuelling and debited after it (EW §3.5).

Between lock and debit minutes pass and the PSAM may serve other purses: the debit names the card and its counter, by
which the PSAM finds the lock again. No public document says how many locks a PSAM can keep open (EW §3.5 leaves it
open); one that has forgotten this one refuses the debit, and the purse stays locked until it is unlocked on-line.
"""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.command import Command
from cardio.apdu.status import SAM
from cardio.errors import OperationUnsupported
from cardio.security.keys import Mac2, SamApplication
from cardio.security.psam_exchange import Send, call_with_factors, exact, present_mac2

_OUTCOMES = SAM.extended({0x6D00: OperationUnsupported, 0x6E00: OperationUnsupported})
"""A PSAM without grey locks does not know the commands."""


@dataclass(frozen=True)
class GreyOrder:
    """Everything that the PSAM needs to lock one purse.

    Attributes:
        application: The PSAM's application.
        random: Card random, 4 bytes.
        counter: Card's off-line counter as INITIALIZE FOR GREY LOCK answered it.
        balance: Balance as it answered it, fen.
        kind: Transaction type: 0x91 for ED, 0x92 for EP.
        time: 7 bytes YYYYMMDDhhmmss.
        key_version: As INITIALIZE answered it.
        algorithm_id: As INITIALIZE answered it.
        factors: Diversification factors of 8 bytes, highest authority first, card last.
    """

    application: SamApplication
    random: bytes
    counter: int
    balance: int
    kind: int
    time: bytes
    key_version: int
    algorithm_id: int
    factors: tuple[bytes, ...]


@dataclass(frozen=True)
class GreyAuthorization:
    """What GREY LOCK of the card takes.

    Attributes:
        sequence: Terminal transaction sequence, 0 to 0xFFFFFFFF.
        terminal_random: 4 bytes.
        mac1: 4 bytes.
    """

    sequence: int
    terminal_random: bytes
    mac1: bytes


@dataclass(frozen=True)
class GreyDebit:
    """Answer to the amount that was refuelled.

    Attributes:
        gmac: 4 bytes for DEBIT FOR UNLOCK.
        tac: The PSAM's TAC, 4 bytes, for the record of a card that never came back.
    """

    gmac: bytes
    tac: bytes


class PsamGrey:
    """Grey lock commands over a held PSAM whose application is selected; `Psam.grey` makes it.

    Args:
        send: Sends a command to the PSAM.
    """

    def __init__(self, send: Send) -> None:
        self._send = send

    def lock(self, order: GreyOrder) -> GreyAuthorization:
        """E0 40: make MAC1 for GREY LOCK; data of 28 bytes with one factor, 36 with two.

        Raises:
            OperationUnsupported: The PSAM has no grey locks.
            SamKeyMissing: It has no such key, or no number of levels fits.
            SamError: It refuses; nothing was sent to the card.
        """
        head = b"".join(
            (
                order.random,
                order.counter.to_bytes(2, "big"),
                order.balance.to_bytes(4, "big"),
                bytes([order.kind]),
                order.time,
                bytes([order.key_version, order.algorithm_id]),
            )
        )
        levels = order.application.levels
        answer = call_with_factors(self._send, levels, order.factors, lambda used: _lock(head + used), 12)
        return GreyAuthorization(int.from_bytes(answer[:4], "big"), answer[4:8], answer[8:])

    def check(self, mac2: bytes) -> Mac2:
        """E0 42: the card's MAC2 of GREY LOCK; UNCHECKED when the PSAM cannot tell."""
        return present_mac2(self._send, _command("CHECK GREY LOCK", 0x42, mac2))

    def debit(self, kind: int, card_factor: bytes, counter: int, amount: int) -> GreyDebit:
        """E0 44: make GMAC for DEBIT FOR UNLOCK.

        Args:
            kind: Transaction type: 0x93 for ED, 0x94 for EP.
            card_factor: The card's own factor, 8 bytes.
            counter: The counter of the lock.
            amount: Fen, 0 to the balance that was locked.

        Raises:
            SamError: The PSAM does not know the lock any more, or failed; nothing was sent to the card.
        """
        data = bytes([kind]) + card_factor + counter.to_bytes(2, "big") + amount.to_bytes(4, "big")
        command = _command("DEBIT GREY LOCK", 0x44, data, 8)
        answer = exact(command, self._send(command), 8)
        return GreyDebit(answer[:4], answer[4:])


def _lock(data: bytes) -> Command:
    return _command("INIT GREY LOCK", 0x40, data, 12)


def _command(name: str, ins: int, data: bytes, le: int | None = None) -> Command:
    return Command(name, 0xE0, ins, data=data, le=le, outcomes=_OUTCOMES, repeatable=False)
