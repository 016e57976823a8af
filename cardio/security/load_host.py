"""The host that authorizes what adds money to a card, or takes it back: load, unload, overdraft limit.

Load keys never sit in a terminal. The terminal relays the card's INITIALIZE answer; the host checks MAC1, books, and
answers its time and MAC2. Afterwards it is told how it ended: `confirm` with the card's proof, or `reverse`. Source:
EW §5.5, SSC §7.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from cardio.crypto.ciphers import Algorithm
from cardio.security.keys import Family


class HostOperation(StrEnum):
    """What the host is asked for."""

    LOAD = "load"
    UNLOAD = "unload"
    OVERDRAFT = "overdraft"

    def balance_after(self, before: int, amount: int, old_limit: int = 0) -> int:
        """Balance that the card will have, in fen.

        Args:
            before: Balance before.
            amount: Amount, or the new limit of an overdraft update.
            old_limit: Overdraft limit before; the balance of a passbook includes its limit (EW §4.4).
        """
        match self:
            case HostOperation.LOAD:
                return before + amount
            case HostOperation.UNLOAD:
                return before - amount
            case HostOperation.OVERDRAFT:
                return before + amount - old_limit


@dataclass(frozen=True)
class HostRequest:
    """One request, as INITIALIZE answered it.

    Attributes:
        id: The terminal's transaction; the host books it once.
        operation: What it is.
        family: Whose cryptography the card uses.
        algorithm: Cipher of the card's keys.
        factors: Diversification factors of 8 bytes, highest authority first, card last.
        key_index: Key that was named to the card.
        key_version: As the card answered.
        algorithm_id: As the card answered.
        kind: Transaction type byte.
        balance: Balance before, fen.
        amount: Fen to load or unload; of an overdraft update the new limit.
        old_limit: Overdraft limit before, fen; 0 for loads and unloads.
        counter: On-line counter before.
        random: Card random, 4 bytes.
        terminal: Terminal number, 6 bytes.
        mac1: The card's MAC1, 4 bytes.
        card_number: Number by which the host finds the holder's account.
    """

    id: str
    operation: HostOperation
    family: Family
    algorithm: Algorithm
    factors: tuple[bytes, ...]
    key_index: int
    key_version: int
    algorithm_id: int
    kind: int
    balance: int
    amount: int
    old_limit: int
    counter: int
    random: bytes
    terminal: bytes
    mac1: bytes
    card_number: str = field(repr=False)

    @property
    def balance_after(self) -> int:
        """Balance that the card will have, in fen."""
        return self.operation.balance_after(self.balance, self.amount, self.old_limit)


@dataclass(frozen=True)
class HostGrant:
    """The host has booked.

    Attributes:
        time: Host time, 7 bytes YYYYMMDDhhmmss, part of MAC2, TAC and the card's log.
        mac2: 4 bytes for the card.
    """

    time: bytes
    mac2: bytes


class LoadHost(Protocol):
    """A host, reached over whatever link.

    `confirm` and `reverse` may come any number of times, in any later process, and in either case for a request that
    the host never saw: they must then do nothing, and not fail.
    """

    @property
    def name(self) -> str:
        """Name for the journal, without secrets."""

    @property
    def test(self) -> bool:
        """Whether its keys are test keys, which a card that is not virtual must never meet."""

    def authorize(self, request: HostRequest) -> HostGrant:
        """Check MAC1, book the money, and allow the card to change.

        Raises:
            HostRefused: The host booked nothing: MAC1 is wrong, or its rules forbid it.
            HostUnreachable: The request did not reach it.
            HostAnswerLost: It may have booked; `reverse` will follow.
        """

    def confirm(self, identifier: str, proof: bytes | None) -> None:
        """The card has changed. `proof` is its TAC or MAC3 of 4 bytes, None if it could not be had any more.

        Raises:
            HostUnreachable: It will be told again.
        """

    def reverse(self, identifier: str) -> None:
        """The card has not changed: undo the booking, if there is one.

        Raises:
            HostUnreachable: It will be told again.
        """
