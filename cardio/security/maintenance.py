"""What the maintenance of a card in use needs from the keys: protected commands (SSC §5.5, EW §4.7).

A MAC under a key of the card proves the issuer: PIN unblock and reload, blocks, protected writing. Only the commands'
data and their protection cross this interface, never a key. PSAMs of terminals are not asked: their maintenance keys
belong to the issuer's own (EW §5.1, usage 25 and 45).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import MAC_SIZE
from cardio.security.keys import Family

LINE_CHALLENGE_SIZE = 4
"""Bytes of the challenge under which a wallet's line protection is made (EW §4.7)."""
SESSION_CHALLENGE_SIZE = 8
"""Bytes of the challenge that makes a social security card's session key (SSC §5.5)."""
SECURE_MESSAGING = 0x04
"""Low nibble of the class byte of a protected command (SSC §5.5, EW §4.7)."""


class MaintenanceKey(StrEnum):
    """Names of wallet maintenance keys' roots, as sources of keys know them (EW §3.4, PERS §5.2).

    Those of social security cards are named as SSC §6.2 has them: STKSSSE, STKDF01 and so on.
    """

    LINE = "WALLET-DAMK"
    MASTER_LINE = "WALLET-CLK"
    PIN_UNBLOCK = "WALLET-DPUK"
    PIN_RELOAD = "WALLET-DRPK"


class ReloadMac(StrEnum):
    """What the MAC of a wallet's RELOAD PIN covers (EW §4.7, rules A and B)."""

    PIN_ONLY = "pin-only"
    WHOLE_COMMAND = "whole-command"


@dataclass(frozen=True)
class KeyOfCard:
    """One key of one card.

    Attributes:
        name: Name of the key.
        family: Whose cryptography it has.
        algorithm: Its cipher.
        factors: Diversification factors of 8 bytes in the order of use: highest authority first, card last.
    """

    name: str
    family: Family
    algorithm: Algorithm
    factors: tuple[bytes, ...]


@runtime_checkable
class MaintenanceKeys(Protocol):
    """A source of maintenance keys: HSM or keyring."""

    @property
    def name(self) -> str:
        """Name for messages, without secrets."""

    @property
    def test(self) -> bool:
        """Whether the keys are test keys, which a card that is not virtual must never meet."""

    def protect(
        self, key: KeyOfCard, challenge: bytes, header: bytes, data: bytes = b"", *, encrypt: bool = False
    ) -> bytes:
        """Data of a protected command: `data`, encrypted if wanted, and the MAC of 4 bytes over header, Lc and them.

        Args:
            key: Key of the card.
            challenge: The card's last GET CHALLENGE: 8 bytes of a social security card, 4 of a wallet.
            header: CLA INS P1 P2; the low nibble of CLA is 4.
            data: Plain data.
            encrypt: Whether they go encrypted, as a PIN does.

        Raises:
            SamKeyMissing: The source does not have the key.
            SamError: It failed.
        """

    def reload_mac(self, key: KeyOfCard, data: bytes) -> bytes:
        """MAC of 4 bytes of a wallet's RELOAD PIN, which needs no challenge (EW §4.7).

        Args:
            key: DRPK of the card.
            data: What the card's rule covers: the PIN, or the whole command.

        Raises:
            SamKeyMissing: The source does not have the key.
            SamError: It failed.
        """


def header_with_length(header: bytes, body: bytes) -> bytes:
    """What the MAC of a protected command covers before its body: CLA INS P1 P2 and Lc, which counts the MAC."""
    return header + bytes([len(body) + MAC_SIZE])
