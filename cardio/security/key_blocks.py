"""Keys on their way between two sources: wrapped under a key that both have (PERS §3.3).

Two forms. TR-31 (ANSI X9.143) binds a key to its header by a MAC; what the key is for in native terms, which no usage
letter of TR-31 says, stands in a proprietary optional block: name and levels. The other, older form is the plain ECB
encryption under a KEK; it binds a key to nothing, so that it is taken only together with its check value.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from hmac import compare_digest

import psec
from cryptography.utils import CryptographyDeprecationWarning

from cardio.crypto.check_values import SIZES, KeyAlgorithm, key_check_value
from cardio.crypto.ciphers import SM4_CIPHER, TRIPLE_DES, BlockCipher
from cardio.errors import KeyCheckFailed, KeyRejected
from cardio.security.key_quality import NAME, accept
from cardio.security.keyring import Keyring, RootKey

NATIVE_BLOCK = "10"
"""Optional block `NAME/LEVELS`; identifiers of digits are for proprietary use. Project choice (PERS §3.3)."""
USAGE = "E6"
"""TR-31: issuer master key, other. Project choice: the nearest to a root of cards."""
DERIVES, UNRESTRICTED = "X", "N"
LETTERS = {KeyAlgorithm.TRIPLE_DES: "T", KeyAlgorithm.AES: "A", KeyAlgorithm.SM4: "0"}
"""Algorithms in the header. SM4 has no letter; digits are for proprietary use (project choice)."""
ALGORITHMS = {letter: algorithm for algorithm, letter in LETTERS.items()} | {"D": KeyAlgorithm.TRIPLE_DES}
NATIVE = re.compile(rf"(?P<name>{NAME.pattern})/(?P<levels>[0-3])")


MINIMUM_SIZE = 16


class Tr31Version(StrEnum):
    """Which wrapping: B under a 3DES key, D under an AES key."""

    TRIPLE_DES = "B"
    AES = "D"


@dataclass(frozen=True)
class Arrival:
    """A key that was unwrapped and is not yet in a keyring.

    Attributes:
        algorithm: As its block says.
        name: Name as its block says; empty when it does not.
        levels: Levels as its block says; 0 when it does not.
        key: The key; never shown.
    """

    algorithm: KeyAlgorithm
    name: str
    levels: int
    key: bytes = field(repr=False)

    def check(self, kcv: bytes) -> None:
        """Compare a check value that came another way.

        Raises:
            KeyCheckFailed: It is another.
        """
        if not compare_digest(key_check_value(self.algorithm, self.key), kcv):
            raise KeyCheckFailed(f"{kcv.hex().upper()} is not the check value of the key that was unwrapped")

    @property
    def kcv(self) -> bytes:
        """Check value, 3 bytes."""
        return key_check_value(self.algorithm, self.key)

    def accepted(self, keyring: Keyring, name: str, levels: int) -> Keyring:
        """A keyring with this key.

        Raises:
            KeyRejected: See `key_quality.accept`.
        """
        return accept(keyring, name, RootKey(self.key, levels), self.algorithm)


def tr31_wrap(keyring: Keyring, name: str, kek: str, version: Tr31Version, algorithm: KeyAlgorithm) -> str:
    """A key of a keyring as a TR-31 key block.

    Args:
        keyring: Where both keys are.
        name: The key that travels.
        kek: Name of the key under which it travels, which the receiver has.
        version: Which wrapping; it says what `kek` is: a 3DES or an AES key.
        algorithm: What the key is for, which a keyring does not know.

    Raises:
        SamKeyMissing: The keyring does not have one of them.
        KeyRejected: One of them has not the size for it, or the name cannot stand in a block.
    """
    root = _sized(keyring, name, algorithm)
    native = f"{name}/{root.levels}"
    if not NATIVE.fullmatch(native):
        raise KeyRejected(f"{name} cannot travel: a name consists of A to Z, digits and -")
    mode = DERIVES if root.levels else UNRESTRICTED
    header = psec.tr31.Header(version.value, USAGE, LETTERS[algorithm], mode, "00", "E")
    header.blocks[NATIVE_BLOCK] = native
    with _deprecated_3des():
        return psec.tr31.wrap(_protecting(keyring, kek, version), header, root.key)


def tr31_unwrap(keyring: Keyring, kek: str, block: str) -> Arrival:
    """The key in a TR-31 key block of version B or D; its MAC proves that nobody changed the block.

    Args:
        keyring: Where the key is under which it travelled.
        kek: Name of that key.
        block: The key block.

    Raises:
        SamKeyMissing: The keyring does not have it.
        KeyRejected: It is no such block, was changed or wrapped under another key, or holds no symmetric key.
    """
    text = block.strip()
    if text[:1] not in set(Tr31Version):
        raise KeyRejected("it is no TR-31 key block of version B or D")
    try:
        with _deprecated_3des():
            header, key = psec.tr31.unwrap(_protecting(keyring, kek, Tr31Version(text[0])), text)
    except ValueError:
        # The cause quotes the block.
        raise KeyRejected(f"the key block was changed, or is not wrapped under {kek}") from None
    algorithm = ALGORITHMS.get(header.algorithm)
    if algorithm is None:
        raise KeyRejected(f"the key block holds no symmetric key, but one of algorithm {header.algorithm}")
    native = NATIVE.fullmatch(header.blocks.get(NATIVE_BLOCK, ""))
    return Arrival(algorithm, native["name"] if native else "", int(native["levels"]) if native else 0, key)


def ecb_wrap(keyring: Keyring, name: str, kek: str, algorithm: KeyAlgorithm) -> bytes:
    """A key of a keyring, encrypted block by block under another of the same algorithm, 3DES or SM4.

    For receivers who take nothing better: whoever handles it can exchange its halves, or call it another key.

    Raises:
        SamKeyMissing: The keyring does not have one of them.
        KeyRejected: One of them has not the size for it.
    """
    protecting = _sized(keyring, kek, algorithm)
    return _card_cipher(algorithm).encrypt(protecting.key, _sized(keyring, name, algorithm).key)


def ecb_unwrap(keyring: Keyring, kek: str, wrapped: bytes, algorithm: KeyAlgorithm, kcv: bytes) -> Arrival:
    """A key that was encrypted block by block; its check value is all that shows whether it is the right one.

    Raises:
        SamKeyMissing: The keyring does not have the KEK.
        KeyRejected: The KEK or the key has not the size of the algorithm.
        KeyCheckFailed: Another key came out.
    """
    protecting = _sized(keyring, kek, algorithm)
    if len(wrapped) not in SIZES[algorithm]:
        raise KeyRejected(f"no {algorithm} key has {len(wrapped)} bytes")
    arrival = Arrival(algorithm, "", 0, _card_cipher(algorithm).decrypt(protecting.key, wrapped))
    arrival.check(kcv)
    return arrival


def _card_cipher(algorithm: KeyAlgorithm) -> BlockCipher:
    if algorithm is KeyAlgorithm.AES:
        raise KeyRejected("AES keys travel in TR-31 key blocks only")
    return SM4_CIPHER if algorithm is KeyAlgorithm.SM4 else TRIPLE_DES


def _sized(keyring: Keyring, name: str, algorithm: KeyAlgorithm) -> RootKey:
    root = keyring.root(name)
    if len(root.key) not in SIZES[algorithm]:
        raise KeyRejected(f"{name} has not the size of a {algorithm} key")
    return root


def _protecting(keyring: Keyring, kek: str, version: Tr31Version) -> bytes:
    """Key block protection key; B takes no single DES key."""
    root = _sized(keyring, kek, KeyAlgorithm.AES if version is Tr31Version.AES else KeyAlgorithm.TRIPLE_DES)
    if len(root.key) < MINIMUM_SIZE:
        raise KeyRejected(f"{kek} is single DES, which protects no key block")
    return root.key


@contextmanager
def _deprecated_3des() -> Iterator[None]:
    """Psec takes 3DES from where cryptography no longer wants it to be taken, and says so at every use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield
