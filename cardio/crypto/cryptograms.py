"""What the cryptograms of purse transactions are computed over; both families agree but for the amounts.

Off-line transactions (purchase, cash, composite) are authorized by the terminal's keys: MAC1 to the card, MAC2 and TAC
from it. On-line ones (load, unload, overdraft limit) are authorized by a host: MAC1 from the card, MAC2 to it, then a
TAC or MAC3. Source: EW §4.3, §4.4; SSC §7.1, §7.2.
"""

from __future__ import annotations

from collections.abc import Iterable

AMOUNT_SIZE = 4
LIMIT_SIZE = 3
"""Bytes of an overdraft limit (EW §3.2)."""


def amount_bytes(amounts: Iterable[int]) -> bytes:
    """Amounts in fen, 4 bytes each: one of a wallet, three of a medical account."""
    return b"".join(amount.to_bytes(AMOUNT_SIZE, "big") for amount in amounts)


def limit_bytes(limit: int) -> bytes:
    """An overdraft limit in fen, 3 bytes."""
    return limit.to_bytes(LIMIT_SIZE, "big")


def offline_seed(random: bytes, counter: int, sequence: int) -> bytes:
    """Seed of the session key of an off-line transaction: card random 4 ‖ counter 2 ‖ last 2 bytes of the sequence."""
    return random + counter.to_bytes(2, "big") + (sequence & 0xFFFF).to_bytes(2, "big")


def offline_order(amounts: bytes, kind: int, terminal: bytes, time: bytes) -> bytes:
    """MAC1 of an off-line transaction; MAC2 is over the amounts alone."""
    return amounts + bytes([kind]) + terminal + time


def offline_record(amounts: bytes, kind: int, terminal: bytes, sequence: int, time: bytes) -> bytes:
    """TAC of an off-line transaction."""
    return amounts + bytes([kind]) + terminal + sequence.to_bytes(4, "big") + time


def online_seed(random: bytes, counter: int) -> bytes:
    """Seed of the session key of an on-line transaction: card random 4 ‖ counter 2."""
    return random + counter.to_bytes(2, "big")


def online_request(balance: int, amount: bytes, kind: int, terminal: bytes) -> bytes:
    """MAC1 of an on-line transaction: balance before, then the amount (of an overdraft update the old limit)."""
    return balance.to_bytes(4, "big") + amount + bytes([kind]) + terminal


def online_grant(amount: bytes, kind: int, terminal: bytes, time: bytes) -> bytes:
    """MAC2 of an on-line transaction: the amount (of an overdraft update the new limit), and the host's time."""
    return amount + bytes([kind]) + terminal + time


def online_record(balance: int, counter: int, amount: bytes, kind: int, terminal: bytes, time: bytes) -> bytes:
    """TAC of a load or an overdraft update, MAC3 of an unload: balance after, counter before."""
    return balance.to_bytes(4, "big") + counter.to_bytes(2, "big") + online_grant(amount, kind, terminal, time)
