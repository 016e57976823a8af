"""Which keys an issuer may take: what makes a key of cards weak, and two keys the same (PERS §1.1, §3.2).

DES ignores the lowest bit of each byte. So keys that differ only there are one key, and a key of two halves that agree
but for it is single DES.
"""

from __future__ import annotations

import re

from cardio.crypto.check_values import SIZES, KeyAlgorithm
from cardio.errors import KeyRejected
from cardio.security.keyring import Keyring, RootKey

_WEAK = (
    "0101010101010101",
    "FEFEFEFEFEFEFEFE",
    "E0E0E0E0F1F1F1F1",
    "1F1F1F1F0E0E0E0E",
)
"""Encryption under one of them is its own inverse."""
_SEMI_WEAK = (
    "011F011F010E010E",
    "1F011F010E010E01",
    "01E001E001F101F1",
    "E001E001F101F101",
    "01FE01FE01FE01FE",
    "FE01FE01FE01FE01",
    "1FE01FE00EF10EF1",
    "E01FE01FF10EF10E",
    "1FFE1FFE0EFE0EFE",
    "FE1FFE1FFE0EFE0E",
    "E0FEE0FEF1FEF1FE",
    "FEE0FEE0FEF1FEF1",
)
"""In pairs: each undoes what the other does."""
WEAK_DES_KEYS = frozenset(bytes.fromhex(key) for key in _WEAK + _SEMI_WEAK)
"""DES keys with odd parity that no key may contain (NIST SP 800-67 §3.3.2)."""


NAME = re.compile(r"[A-Z0-9-]+")
"""Names of keys, which also stand in key blocks."""


def odd_parity(key: bytes) -> bytes:
    """The same DES key with the lowest bit of each byte set so that the byte has an odd number of ones."""
    return bytes(byte & 0xFE | (byte >> 1).bit_count() + 1 & 1 for byte in key)


def check_key(key: bytes, algorithm: KeyAlgorithm) -> None:
    """Refuse a key that protects nothing.

    Raises:
        KeyRejected: It has a wrong size, is a weak DES key, has equal halves, or repeats one byte.
    """
    if len(key) not in SIZES[algorithm]:
        sizes = " or ".join(map(str, SIZES[algorithm]))
        raise KeyRejected(f"a {algorithm} key has {sizes} bytes, not {len(key)}")
    if algorithm is not KeyAlgorithm.TRIPLE_DES and len(set(key)) == 1:
        raise KeyRejected("all its bytes are equal")
    if len(key) not in SIZES[KeyAlgorithm.TRIPLE_DES]:
        return
    # Nothing keeps a key of another cipher from being used as a 3DES key: a keyring does not say what it is for.
    halves = [odd_parity(key[start : start + 8]) for start in range(0, len(key), 8)]
    if any(half in WEAK_DES_KEYS for half in halves):
        raise KeyRejected("it is a weak DES key")
    if len(halves) > len(set(halves)):
        raise KeyRejected("its halves are equal: it is single DES")


def accept(keyring: Keyring, name: str, root: RootKey, algorithm: KeyAlgorithm) -> Keyring:
    """A keyring with one more key, if it is a good one and the keyring does not have it under another name.

    A keyring does not remember what a key is for, so that keys must differ for all that their size allows.

    Raises:
        KeyRejected: It is not, or the name is taken. What a test could not tell apart is refused: check values are
            compared, which are the same for keys that DES cannot tell apart.
    """
    if not NAME.fullmatch(name):
        raise KeyRejected("the name of a key consists of A to Z, digits and -")
    check_key(root.key, algorithm)
    widened = keyring.with_key(name, root)
    kcvs = widened.check_values(name)
    for other in keyring.names():
        known = keyring.check_values(other)
        same = next((possible for possible, kcv in kcvs.items() if known.get(possible) == kcv), None)
        if same is not None:
            raise KeyRejected(f"it is the same key as {other}, or one that {same} cannot tell from it")
    return widened
