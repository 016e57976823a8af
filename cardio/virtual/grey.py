"""Session key and MAC inputs of the grey lock, for card and PSAM alike (EW §3.5)."""

from __future__ import annotations

from cardio.crypto.cryptograms import offline_seed
from cardio.crypto.suites import CipherSuite


def grey_session(
    suite: CipherSuite, key: bytes, random: bytes, counter: int, sequence: int, terminal_random: bytes
) -> bytes:
    """Session key: from the purchase's one, which is temporary here, and the terminal's random of 4 bytes."""
    temporary = suite.session_key(key, offline_seed(random, counter, sequence))
    return suite.session_key(temporary, terminal_random)


def grey_order(kind: int, terminal: bytes, time: bytes) -> bytes:
    """MAC1 of a grey lock."""
    return bytes([kind]) + terminal + time


def grey_balance(balance: int, counter: int) -> bytes:
    """MAC2 of a grey lock; the manual prints 1 byte for the counter, which has 2 (UNCERTAIN)."""
    return balance.to_bytes(4, "big") + counter.to_bytes(2, "big")
