"""Block ciphers of the cards: two-key 3DES (single DES for 8-byte keys) and SM4.

Source: e-wallet (EW) §4.1, social-security-card (SSC) §5.5. Only what the suites need: ECB, and the CBC-MAC block.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

PlainMode = modes.ECB | modes.CBC


class Algorithm(StrEnum):
    """Algorithm of a card's symmetric keys."""

    TRIPLE_DES = "3des"
    SM4 = "sm4"


class BlockCipher(Protocol):
    """A block cipher as the suites use it; keys are 16 bytes, 3DES also takes 8."""

    algorithm: Algorithm
    block: int

    def encrypt(self, key: bytes, data: bytes) -> bytes:
        """ECB over whole blocks."""

    def decrypt(self, key: bytes, data: bytes) -> bytes:
        """Inverse of `encrypt`."""

    def mac_block(self, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
        """Last block of the CBC-MAC over `data` padded by `pad80`; `iv` is one block, default zero."""

    def mac_chain(self, key: bytes, data: bytes, iv: bytes) -> bytes:
        """The CBC-MAC so far: last block over the whole blocks of `data`, to go on with as the next `iv`."""

    def mac_end(self, key: bytes, block: bytes) -> bytes:
        """The CBC-MAC block that a chain ends with."""


def pad80(data: bytes, block: int) -> bytes:
    """Append 80 and then 00 up to a multiple of `block`; a full multiple gets a whole extra block."""
    return data + b"\x80" + bytes(-(len(data) + 1) % block)


def unpad80(padded: bytes) -> bytes:
    """What `pad80` was given.

    Raises:
        ValueError: There is no such padding.
    """
    data = padded.rstrip(b"\x00")
    if not data.endswith(b"\x80"):
        raise ValueError("padding is missing")
    return data[:-1]


def xor(left: bytes, right: bytes) -> bytes:
    """Bytewise exclusive or of two strings of equal length."""
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def complement(data: bytes) -> bytes:
    """All bits inverted."""
    return bytes(b ^ 0xFF for b in data)


class TripleDesCipher:
    """3DES with keys of 16 bytes, single DES with keys of 8 bytes."""

    algorithm = Algorithm.TRIPLE_DES
    block = 8

    def encrypt(self, key: bytes, data: bytes) -> bytes:
        """ECB, block by block (EW §4.1 `3DES`)."""
        return _finish(self._cipher(key, modes.ECB()).encryptor(), data)

    def decrypt(self, key: bytes, data: bytes) -> bytes:
        """Inverse of `encrypt`."""
        return _finish(self._cipher(key, modes.ECB()).decryptor(), data)

    def encrypt_cbc(self, key: bytes, data: bytes) -> bytes:
        """CBC over whole blocks with a zero initial value, as GlobalPlatform's SCP02 has it (PERS §2.2)."""
        return _finish(self._cipher(key, modes.CBC(bytes(8))).encryptor(), data)

    def decrypt_cbc(self, key: bytes, data: bytes) -> bytes:
        """Inverse of `encrypt_cbc`."""
        return _finish(self._cipher(key, modes.CBC(bytes(8))).decryptor(), data)

    def mac_block(self, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
        """DES-CBC under the left half; a 16-byte key ends with D(right), E(left) (retail MAC, EW §4.1)."""
        return self.mac_end(key, self.mac_chain(key, pad80(data, 8), iv or bytes(8)))

    def mac_chain(self, key: bytes, data: bytes, iv: bytes) -> bytes:
        """DES-CBC under the left half."""
        return _finish(self._cipher(key[:8], modes.CBC(iv)).encryptor(), data)[-8:]

    def mac_end(self, key: bytes, block: bytes) -> bytes:
        """D(right), E(left) of a 16-byte key."""
        return block if len(key) == 8 else self.encrypt(key[:8], self.decrypt(key[8:], block))

    @staticmethod
    def _cipher(key: bytes, mode: PlainMode) -> Cipher[PlainMode]:
        if len(key) not in {8, 16}:
            raise ValueError(f"DES keys have 8 or 16 bytes, not {len(key)}")
        # cryptography deprecates short keys: K1 K2 becomes K1 K2 K1, and K becomes K K K, which is single DES.
        return Cipher(TripleDES(key * 3 if len(key) == 8 else key + key[:8]), mode)


class Sm4Cipher:
    """SM4 with keys of 16 bytes."""

    algorithm = Algorithm.SM4
    block = 16

    def encrypt(self, key: bytes, data: bytes) -> bytes:
        """ECB, block by block."""
        return _finish(self._cipher(key, modes.ECB()).encryptor(), data)

    def decrypt(self, key: bytes, data: bytes) -> bytes:
        """Inverse of `encrypt`."""
        return _finish(self._cipher(key, modes.ECB()).decryptor(), data)

    def mac_block(self, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
        """SM4-CBC over the padded data (EW §4.9)."""
        return self.mac_end(key, self.mac_chain(key, pad80(data, 16), iv or bytes(16)))

    def mac_chain(self, key: bytes, data: bytes, iv: bytes) -> bytes:
        """SM4-CBC."""
        return _finish(self._cipher(key, modes.CBC(iv)).encryptor(), data)[-16:]

    def mac_end(self, key: bytes, block: bytes) -> bytes:  # noqa: ARG002 - SM4 ends as it went on
        """The block itself."""
        return block

    @staticmethod
    def _cipher(key: bytes, mode: PlainMode) -> Cipher[PlainMode]:
        return Cipher(SM4(key), mode)


def _finish(context: CipherContext, data: bytes) -> bytes:
    return context.update(data) + context.finalize()


TRIPLE_DES = TripleDesCipher()
SM4_CIPHER = Sm4Cipher()


def cipher_for(algorithm: Algorithm) -> BlockCipher:
    """The cipher of an algorithm."""
    return TRIPLE_DES if algorithm is Algorithm.TRIPLE_DES else SM4_CIPHER
