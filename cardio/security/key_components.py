"""Keys in parts: each custodian knows one, and all of them together, by exclusive or, are the key (PERS §3.2)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Self

from cardio.crypto.check_values import SIZES, KeyAlgorithm, key_check_value
from cardio.crypto.ciphers import xor
from cardio.errors import KeyRejected
from cardio.security.key_quality import check_key, odd_parity
from cardio.security.keyring import Keyring, RootKey

FILE_KEY = "COMPONENT"
"""Name of the only key in the file of a component, which is a keyring with the custodian's name."""
FILE_PREFIX = "keyring:"


@dataclass(frozen=True)
class KeyComponent:
    """One custodian's part.

    Attributes:
        custodian: Who knows it.
        algorithm: What the whole key is for.
        value: As many bytes as the key; never shown.
    """

    custodian: str
    algorithm: KeyAlgorithm
    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_key(self.value, self.algorithm)
        if self.algorithm is KeyAlgorithm.TRIPLE_DES and odd_parity(self.value) != self.value:
            raise KeyRejected("a byte of the component does not have odd parity: it was mistyped, or is no DES key")

    @classmethod
    def generate(cls, custodian: str, algorithm: KeyAlgorithm) -> Self:
        """A random one of the algorithm's largest size."""
        value = secrets.token_bytes(SIZES[algorithm][-1])
        return cls(custodian, algorithm, odd_parity(value) if algorithm is KeyAlgorithm.TRIPLE_DES else value)

    @classmethod
    def typed(cls, custodian: str, algorithm: KeyAlgorithm, text: str) -> Self:
        """From hexadecimal digits with or without spaces.

        Raises:
            KeyRejected: They are none, or no component of that algorithm; the message does not tell them.
        """
        try:
            value = bytes.fromhex(text)
        except ValueError:
            raise KeyRejected("a component consists of hexadecimal digits") from None
        return cls(custodian, algorithm, value)

    @property
    def kcv(self) -> bytes:
        """Check value, 3 bytes."""
        return key_check_value(self.algorithm, self.value)

    def save(self, path: Path, passphrase: str) -> None:
        """Write it to a new file, under its custodian's passphrase.

        Raises:
            KeyringInvalid: The file exists, or cannot be written.
        """
        Keyring(self.custodian, {FILE_KEY: RootKey(self.value, 0)}, test=False).save(path, passphrase)

    @classmethod
    def load(cls, path: Path, passphrase: str, algorithm: KeyAlgorithm) -> Self:
        """Read the file of a component.

        Raises:
            KeyringInvalid: It cannot be read.
            SamKeyMissing: It is a keyring, but not of a component.
            KeyRejected: It is no component of that algorithm.
        """
        file = Keyring.load(path, passphrase)
        return cls(file.name.removeprefix(FILE_PREFIX), algorithm, file.root(FILE_KEY).key)


def combine(components: Sequence[KeyComponent], levels: int) -> RootKey:
    """The key that the components are; a DES key gets odd parity.

    Raises:
        KeyRejected: They are fewer than two, of several sizes or algorithms, or the key is weak.
    """
    if len(components) < 2:
        raise KeyRejected("a key has two components at least")
    if len({(component.algorithm, len(component.value)) for component in components}) > 1:
        raise KeyRejected("the components are of different kinds or sizes")
    algorithm = components[0].algorithm
    key = reduce(xor, (component.value for component in components))
    check_key(key, algorithm)
    return RootKey(odd_parity(key) if algorithm is KeyAlgorithm.TRIPLE_DES else key, levels)
