"""Keys in the key files of FMCOS (EW §4.8, PERS §1.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.virtual.received import Status
from cardio.virtual.tries import Secret


class KeyKind(IntEnum):
    """Type byte of a key, without the bits that say how it is changed."""

    ENCRYPT = 0x30
    DECRYPT = 0x31
    MAC = 0x32
    TAC = 0x34
    LINE = 0x36
    PIN_UNBLOCK = 0x37
    PIN_RELOAD = 0x38
    EXTERNAL = 0x39
    PIN = 0x3A


@dataclass(kw_only=True)
class FmcosKey(Secret):
    """One record of a key file.

    Attributes:
        kind: Its type.
        id: Identifier; 00 if it is the only one of its type. External key 00 is the directory's master key.
        value: The key, 8 or 16 bytes, already diversified; of a PIN its packed digits.
        use: Access byte for using it.
        change: Access byte for changing it.
        follow_up: State of the directory after it was presented, in the low nibble.
        max_tries: Limit of the error counter, 1 to 15; `33` is 3.
        tries_left: Tries left now.
        algorithm: Cipher of a key of 16 bytes; 8 bytes are single DES.
    """

    kind: KeyKind
    id: int = 0
    use: int = 0xF0
    change: int = 0xEF
    follow_up: int = 0x00
    max_tries: int = 3
    tries_left: int = 3
    algorithm: Algorithm = Algorithm.TRIPLE_DES

    @property
    def suite(self) -> PbocSuite:
        """Cryptography of the key."""
        return PbocSuite(self.algorithm)


class KeyFile:
    """The keys of one directory.

    Args:
        keys: Its records.
    """

    def __init__(self, keys: Iterable[FmcosKey]) -> None:
        self.keys = list(keys)

    def find(self, kind: KeyKind, *identifiers: int) -> FmcosKey:
        """The key of a type with the first of these identifiers that is there; without any, the first of its type.

        Raises:
            Status: 6A88.
        """
        found = {key.id: key for key in reversed(self.keys) if key.kind == kind}
        wanted = identifiers or tuple(reversed(found))
        for identifier in wanted:
            if identifier in found:
                return found[identifier]
        raise Status(0x6A88)
