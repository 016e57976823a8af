"""AES as GlobalPlatform's SCP03 uses it: ECB, CBC, CMAC, and the key derivation on top (PERS §2.3, §2.4).

Keys have 16, 24 or 32 bytes.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

BLOCK = 16
"""Bytes of a block."""


def encrypt_block(key: bytes, block: bytes) -> bytes:
    """One block of 16 bytes."""
    encryptor = Cipher(AES(key), modes.ECB()).encryptor()  # noqa: S305 - a single block, to make an initial value
    return encryptor.update(block) + encryptor.finalize()


def encrypt_cbc(key: bytes, data: bytes, iv: bytes = bytes(BLOCK)) -> bytes:
    """CBC over whole blocks."""
    encryptor = Cipher(AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def decrypt_cbc(key: bytes, data: bytes, iv: bytes = bytes(BLOCK)) -> bytes:
    """Inverse of `encrypt_cbc`."""
    decryptor = Cipher(AES(key), modes.CBC(iv)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def cmac(key: bytes, data: bytes) -> bytes:
    """CMAC of 16 bytes (NIST SP 800-38B)."""
    mac = CMAC(AES(key))
    mac.update(data)
    return mac.finalize()


def derive_scp03(key: bytes, constant: int, context: bytes, size: int) -> bytes:
    """Key derivation of SCP03: SP 800-108 in counter mode over CMAC.

    Args:
        key: Static key, or S-MAC for the cryptograms.
        constant: What is derived: 00, 01 cryptograms, 02 card challenge, 04, 06, 07 session keys.
        context: Host challenge ‖ card challenge; sequence counter ‖ AID for a card challenge.
        size: Bytes to derive, 8 to 32.
    """
    label = bytes(11) + bytes([constant])
    bits = (size * 8).to_bytes(2, "big")
    blocks = (cmac(key, label + b"\x00" + bits + bytes([number]) + context) for number in _numbers(size))
    return b"".join(blocks)[:size]


def derive_kdf3(key: bytes, purpose: int, diversification_data: bytes) -> bytes:
    """A card's key from a master key by KDF3: as long as the master key.

    Args:
        key: Master key.
        purpose: 1 ENC, 2 MAC, 3 DEK.
        diversification_data: The card's, 10 bytes.
    """
    label = bytes([0, 0, 0, purpose, 0])
    blocks = (cmac(key, bytes([number]) + label + diversification_data) for number in _numbers(len(key)))
    return b"".join(blocks)[: len(key)]


def _numbers(size: int) -> range:
    """Counter values of the blocks that `size` bytes need."""
    return range(1, -(-size // BLOCK) + 1)
