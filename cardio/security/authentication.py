"""What an authentication needs from the keys, wherever they live (SSC §5.5, §6.4, §6.5).

Internal authentication proves the card to the terminal, external authentication proves the terminal to the card; both
are one computation: a session key from the card's key and a factor, and 8 bytes over an original.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from cardio.crypto.ciphers import Algorithm
from cardio.security.card_keys import CardKey
from cardio.security.keys import SamApplication

SIZE = 8
"""Bytes of the factor, of the original and of the answer (SSC §5.1)."""


@dataclass(frozen=True)
class AuthenticationOrder:
    """Everything that the authentication data of one card key depend on.

    Attributes:
        key: The card's key.
        application: Where a PSAM keeps the root of it.
        algorithm: Cipher of the card.
        factors: Diversification factors of 8 bytes in the order of use: province, city, card.
        session_factor: 8 bytes: the card's challenge, or the terminal's for internal authentication.
        original: 8 bytes that are enciphered.
    """

    key: CardKey
    application: SamApplication
    algorithm: Algorithm
    factors: tuple[bytes, ...]
    session_factor: bytes
    original: bytes


class AuthenticationKeys(Protocol):
    """A source of authentication keys: PSAM, HSM or keyring."""

    @property
    def name(self) -> str:
        """Name for messages, without secrets."""

    @property
    def test(self) -> bool:
        """Whether the keys are test keys, which a card that is not virtual must never meet."""

    def authenticate(self, order: AuthenticationOrder) -> bytes:
        """Authentication data of 8 bytes.

        Raises:
            SamKeyMissing: The source does not have the key.
            SamError: It failed.
        """


@runtime_checkable
class AuthenticityCodes(Protocol):
    """A source that can judge the authenticity code of CJ/T 166 cards: a PSAM, whose method is secret (EW §1.3)."""

    def check_authenticity_code(self, application: SamApplication, code: bytes) -> None:
        """Check a card's code of 9 bytes.

        Raises:
            CardNotGenuine: The PSAM refuses it.
            SamError: The PSAM failed.
        """
