"""Static keys of a security domain, and how cards get keys of their own (PERS §2.4).

Key values are never shown: neither by `repr`, nor in an error.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol

from cardio.crypto import aes
from cardio.crypto.check_values import aes_check_value, check_value
from cardio.crypto.ciphers import TRIPLE_DES

DIVERSIFICATION_SIZE = 10
"""Bytes of a card's diversification data, the beginning of its answer to INITIALIZE UPDATE."""


class KeyType(IntEnum):
    """Algorithm of a key, by its type byte in PUT KEY (PERS §2.5)."""

    TRIPLE_DES = 0x80
    AES = 0x88

    @property
    def sizes(self) -> frozenset[int]:
        """Lengths that keys may have, in bytes."""
        return frozenset({16, 24, 32}) if self is KeyType.AES else frozenset({16})

    def check_value(self, key: bytes) -> bytes:
        """Key check value, 3 bytes."""
        return aes_check_value(key) if self is KeyType.AES else check_value(TRIPLE_DES, key)


class KeyIdentifier(IntEnum):
    """Identifiers of the three keys of a set, which are also their numbers in diversification."""

    ENC = 1
    MAC = 2
    DEK = 3


class Diversification(StrEnum):
    """How a card's keys come from master keys (PERS §2.4)."""

    EMV = "emv"
    VISA2 = "visa2"
    KDF3 = "kdf3"

    def derive(self, key: bytes, purpose: KeyIdentifier, data: bytes) -> bytes:
        """One key of a card; KDF3 takes AES keys, the other two 3DES keys.

        Args:
            key: Master key.
            purpose: Which of the three.
            data: Diversification data, 10 bytes.
        """
        if self is Diversification.KDF3:
            return aes.derive_kdf3(key, purpose, data)
        half = data[4:10] if self is Diversification.EMV else data[0:2] + data[4:8]
        return TRIPLE_DES.encrypt(key, half + bytes([0xF0, purpose]) + half + bytes([0x0F, purpose]))


class CardKeySource(Protocol):
    """Where the keys of a card come from."""

    def for_card(self, diversification_data: bytes) -> StaticKeys:
        """Keys of the card that tells these 10 bytes about itself."""


@dataclass(frozen=True)
class StaticKeys:
    """A key set of a security domain.

    Attributes:
        enc: Key for encryption and, in SCP02, the cryptograms.
        mac: Key for MACs.
        dek: Key under which other keys are sent.
        type: Algorithm of all three.
        version: Key version number, 01 to 7F, FF for the initial keys of a blank card; 00 stands for "any".
    """

    enc: bytes = field(repr=False)
    mac: bytes = field(repr=False)
    dek: bytes = field(repr=False)
    _: KW_ONLY
    type: KeyType
    version: int = 0

    def __post_init__(self) -> None:
        if any(len(key) not in self.type.sizes for key in self.values()) or not 0 <= self.version <= 0xFF:
            raise ValueError(f"{self.type.name} keys have {sorted(self.type.sizes)} bytes, versions one byte")

    def values(self) -> tuple[bytes, bytes, bytes]:
        """ENC, MAC, DEK, in the order of their identifiers."""
        return self.enc, self.mac, self.dek

    def check_values(self) -> tuple[bytes, ...]:
        """Check values of ENC, MAC and DEK, 3 bytes each."""
        return tuple(self.type.check_value(key) for key in self.values())

    def for_card(self, diversification_data: bytes) -> StaticKeys:  # noqa: ARG002 - the same keys for all cards
        """These keys themselves."""
        return self


@dataclass(frozen=True)
class MasterKeys:
    """Keys of many cards: each card's come from them by its diversification data.

    Attributes:
        masters: Master keys, often three times the same.
        method: How the card's keys are derived.
    """

    masters: StaticKeys
    method: Diversification

    def __post_init__(self) -> None:
        if (self.method is Diversification.KDF3) is not (self.masters.type is KeyType.AES):
            raise ValueError(f"{self.method} does not take {self.masters.type.name} keys")

    def for_card(self, diversification_data: bytes) -> StaticKeys:
        """Keys of one card.

        Args:
            diversification_data: The 10 bytes with which its answer to INITIALIZE UPDATE begins.
        """
        if len(diversification_data) != DIVERSIFICATION_SIZE:
            raise ValueError("diversification data have 10 bytes")
        enc, mac, dek = (
            self.method.derive(key, purpose, diversification_data)
            for key, purpose in zip(self.masters.values(), KeyIdentifier, strict=True)
        )
        return StaticKeys(enc, mac, dek, type=self.masters.type, version=self.masters.version)


def default_test_keys(key_type: KeyType, version: int = 0xFF) -> StaticKeys:
    """The published keys of blank cards, three times 40 41 … 4F: anybody can use a card that still has them."""
    key = bytes(range(0x40, 0x50))
    return StaticKeys(key, key, key, type=key_type, version=version)
