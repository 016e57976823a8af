"""Cryptographic suites of the two card families, over either cipher.

A suite says how keys are diversified, how session keys are made, and how MAC, TAC and authentication data are
computed. The families agree in 3DES and differ in SM4, so each is a class: `PbocSuite` for wallets (EW §4) and
`LdtSuite` for social security cards (SSC §5.5).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from enum import StrEnum

from cardio.crypto.ciphers import Algorithm, BlockCipher, cipher_for, complement, pad80, xor

MAC_SIZE = 4


class Sm4SessionInput(StrEnum):
    """How the SM4 session-key input is filled up to 16 bytes: no source decides it (EW PC-14)."""

    ISO = "iso"
    ZERO = "zero"
    COMPLEMENT = "complement"


class CipherSuite(ABC):
    """What both families share: diversification, session-level MAC and the TAC."""

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        self.cipher: BlockCipher = cipher_for(algorithm)

    def diversify(self, key: bytes, factors: Iterable[bytes]) -> bytes:
        """Derive a key through 8-byte factors, highest authority first, card last (EW §4.2, SSC §6.3)."""
        for factor in factors:
            if len(factor) != 8:
                raise ValueError(f"a diversification factor has 8 bytes, not {len(factor)}")
            key = self._diversify_once(key, factor)
        return key

    def _diversify_once(self, key: bytes, factor: bytes) -> bytes:
        if len(key) == 8:
            return self.cipher.encrypt(key, factor)
        return self.cipher.encrypt(key, factor + complement(factor))

    @abstractmethod
    def session_key(self, key: bytes, seed: bytes) -> bytes:
        """Session key of one purse transaction.

        Args:
            key: Diversified purchase, load, unload or overdraft key.
            seed: The variable part: random 4 ‖ counter 2, for purchases ‖ last 2 bytes of the terminal sequence.
        """

    @abstractmethod
    def shorten(self, block: bytes) -> bytes:
        """The 4 bytes of MAC that a CBC-MAC block gives."""

    def mac(self, key: bytes, data: bytes) -> bytes:
        """MAC of 4 bytes under a session key, initial value zero."""
        return self.shorten(self.cipher.mac_block(key, data))

    def tac(self, key: bytes, data: bytes) -> bytes:
        """TAC of 4 bytes under a diversified TAC key."""
        return self.mac(self.tac_key(key), data)

    def tac_key(self, key: bytes) -> bytes:
        """Working key of the TAC: 3DES folds the halves, SM4 and single DES take the key (SSC §5.5, EW PC-15)."""
        return key if self.algorithm is Algorithm.SM4 or len(key) == 8 else xor(key[:8], key[8:])


class PbocSuite(CipherSuite):
    """Wallets of the PBOC, CJ/T 166 and JT/T 978 families (EW §4)."""

    def __init__(self, algorithm: Algorithm, sm4_input: Sm4SessionInput = Sm4SessionInput.ISO) -> None:
        super().__init__(algorithm)
        self.sm4_input = sm4_input

    def session_key(self, key: bytes, seed: bytes) -> bytes:
        """EW §4.3 for 3DES; EW §4.9 and PC-14 for SM4."""
        short = _pad_to_eight(seed)
        if self.algorithm is Algorithm.TRIPLE_DES:
            return self.cipher.encrypt(key, short)
        if self.sm4_input is Sm4SessionInput.ISO:
            return self.cipher.encrypt(key, pad80(seed, 16))
        filler = bytes(8) if self.sm4_input is Sm4SessionInput.ZERO else complement(short)
        return self.cipher.encrypt(key, short + filler)

    def shorten(self, block: bytes) -> bytes:
        """First 4 bytes (EW §4.1, §4.9)."""
        return block[:MAC_SIZE]

    def line_mac(self, key: bytes, challenge: bytes, data: bytes) -> bytes:
        """Line-protection MAC: the 4-byte challenge, zero filled, is the initial value (EW §4.7)."""
        iv = challenge + bytes(self.cipher.block - len(challenge))
        return self.shorten(self.cipher.mac_block(key, data, iv))

    def line_encrypt(self, key: bytes, data: bytes) -> bytes:
        """Line encryption: length byte ‖ data, padded only if needed, ECB (EW §4.1 `ENC`)."""
        return self.cipher.encrypt(key, with_length(data, self.cipher.block))

    def line_decrypt(self, key: bytes, data: bytes) -> bytes:
        """Inverse of `line_encrypt`.

        Raises:
            ValueError: Not whole blocks, or no such length and padding inside.
        """
        return _without_length(self.cipher.decrypt(key, data), self.cipher.block)

    def external_authentication(self, key: bytes, challenge: bytes) -> bytes:
        """Cryptogram of 8 bytes over a challenge of 4 or 8 bytes (EW §4.7, §4.9)."""
        block = self.cipher.encrypt(key, challenge + bytes(self.cipher.block - len(challenge)))
        return block if self.cipher.block == 8 else xor(block[:8], block[8:])


class LdtSuite(CipherSuite):
    """Social security cards (SSC §5.5)."""

    def session_key(self, key: bytes, seed: bytes) -> bytes:
        """The 8-byte purse input, zero filled to a block."""
        return self.challenge_key(key, _pad_to_eight(seed))

    def challenge_key(self, key: bytes, challenge: bytes) -> bytes:
        """Session key from a challenge of 4, 8 or (SM4) 16 bytes, zero filled to a block."""
        return self.cipher.encrypt(key, challenge + bytes(self.cipher.block - len(challenge)))

    def shorten(self, block: bytes) -> bytes:
        """First 4 bytes; of 16-byte blocks the exclusive or of the four words."""
        if self.cipher.block == 8:
            return block[:MAC_SIZE]
        folded = xor(block[:8], block[8:])
        return xor(folded[:4], folded[4:])

    def authentication(self, session: bytes, original: bytes) -> bytes:
        """Authentication data of 8 bytes over an 8-byte original under a session key."""
        block = self.cipher.encrypt(session, original + bytes(self.cipher.block - len(original)))
        return block if self.cipher.block == 8 else xor(block[:8], block[8:])

    def encrypt(self, session: bytes, data: bytes) -> bytes:
        """Data encryption: length byte ‖ data, padded only if needed, ECB."""
        return self.cipher.encrypt(session, with_length(data, self.cipher.block))

    def decrypt(self, session: bytes, data: bytes) -> bytes:
        """Inverse of `encrypt`.

        Raises:
            ValueError: Not whole blocks, or no such length and padding inside.
        """
        return _without_length(self.cipher.decrypt(session, data), self.cipher.block)


def _pad_to_eight(seed: bytes) -> bytes:
    """Random ‖ counter (6 bytes) is completed by 8000; a purchase seed is already 8 bytes."""
    return seed if len(seed) == 8 else pad80(seed, 8)


def with_length(data: bytes, block: int) -> bytes:
    """What is encrypted on the line: length byte ‖ data, padded by `pad80` only if a block is incomplete."""
    plain = bytes([len(data)]) + data
    return plain if len(plain) % block == 0 else pad80(plain, block)


def _without_length(plain: bytes, block: int) -> bytes:
    data = plain[1 : 1 + plain[0]] if plain else b""
    if not plain or with_length(data, block) != plain:
        raise ValueError("the length or the padding inside does not fit")
    return data
