"""Key check values: three bytes by which a key is recognized and its transfer checked, without telling the key.

Source: PERS §2.4 (3DES, AES). SM4 as 3DES, a block of zeros: no source of the cards says it.
"""

from __future__ import annotations

from enum import StrEnum

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from cardio.crypto.ciphers import SM4_CIPHER, TRIPLE_DES, BlockCipher

SIZE = 3
"""Bytes of a key check value."""


class KeyAlgorithm(StrEnum):
    """What a key is for: cards use 3DES and SM4; AES keys wrap other keys and open JavaCards."""

    TRIPLE_DES = "3des"
    SM4 = "sm4"
    AES = "aes"


SIZES: dict[KeyAlgorithm, tuple[int, ...]] = {
    KeyAlgorithm.TRIPLE_DES: (8, 16),
    KeyAlgorithm.SM4: (16,),
    KeyAlgorithm.AES: (16, 32),
}
"""Bytes that keys of each algorithm may have; 8 is single DES."""


def key_check_value(algorithm: KeyAlgorithm, key: bytes) -> bytes:
    """Check value of a key of any algorithm, 3 bytes."""
    if algorithm is KeyAlgorithm.AES:
        return aes_check_value(key)
    return check_value(SM4_CIPHER if algorithm is KeyAlgorithm.SM4 else TRIPLE_DES, key)


def check_value(cipher: BlockCipher, key: bytes) -> bytes:
    """Check value of a card key: the first 3 bytes of a block of zeros under it; 8-byte keys are single DES."""
    return cipher.encrypt(key, bytes(cipher.block))[:SIZE]


def aes_check_value(key: bytes) -> bytes:
    """Check value of an AES key as GlobalPlatform has it: 3 bytes of 16 bytes 01 under it (PERS §2.4).

    It is not what a PKCS#11 token calls CKA_CHECK_VALUE, which is over zeros.
    """
    encryptor = Cipher(AES(key), modes.ECB()).encryptor()  # noqa: S305 - one block, as the check value is defined
    return encryptor.update(b"\x01" * 16)[:SIZE]
