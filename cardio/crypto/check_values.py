"""Key check values: three bytes by which a key is recognized and its transfer checked, without telling the key.

Source: PERS §2.4 (3DES, AES). SM4 as 3DES, a block of zeros: no source of the cards says it.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from cardio.crypto.ciphers import BlockCipher

SIZE = 3
"""Bytes of a key check value."""


def check_value(cipher: BlockCipher, key: bytes) -> bytes:
    """Check value of a card key: the first 3 bytes of a block of zeros under it; 8-byte keys are single DES."""
    return cipher.encrypt(key, bytes(cipher.block))[:SIZE]


def aes_check_value(key: bytes) -> bytes:
    """Check value of an AES key as GlobalPlatform has it: 3 bytes of 16 bytes 01 under it (PERS §2.4).

    It is not what a PKCS#11 token calls CKA_CHECK_VALUE, which is over zeros.
    """
    encryptor = Cipher(AES(key), modes.ECB()).encryptor()  # noqa: S305 - one block, as the check value is defined
    return encryptor.update(b"\x01" * 16)[:SIZE]
