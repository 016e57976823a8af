"""Keys in the key files of FMCOS (EW §4.8, PERS §1.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.files.file_header import NEVER_BYTE
from cardio.files.key_file import CHANGED_UNDER_PROTECTION, KEY_OVERHEAD
from cardio.files.key_file import KeyKind as KeyKind
from cardio.virtual.received import Status
from cardio.virtual.stored import Byte, Tries
from cardio.virtual.tries import Secret

MASTER_KEY = 0x00
"""Identifier of the external key that is the directory's master (EW §4.8)."""
ONLY_VERSION = 0x01
"""Version byte under which LD/T commands find a key record, which has one version only."""


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
        changing: Bits 8 and 7 of the type byte as stored: once one is set, only class 84 changes the key (PERS §1.4).
        version: Version that a purse tells.
        algorithm_id: Algorithm identifier that a purse tells; nothing is computed by it (EW §4.8).
    """

    kind: KeyKind
    id: Byte = 0
    use: Byte = 0xF0
    change: Byte = NEVER_BYTE
    follow_up: Byte = 0x00
    max_tries: Tries = 3
    tries_left: Tries = 3
    algorithm: Algorithm = Algorithm.TRIPLE_DES
    changing: Byte = 0x00
    version: Byte = 0x01
    algorithm_id: Byte = 0x00

    @property
    def suite(self) -> PbocSuite:
        """Cryptography of the key."""
        return PbocSuite(self.algorithm)

    @property
    def type_byte(self) -> int:
        """First byte of the record."""
        return self.kind | self.changing & CHANGED_UNDER_PROTECTION

    @property
    def cost(self) -> int:
        """Bytes that the record takes (PERS §1.1)."""
        return len(self.value) + KEY_OVERHEAD

    def of_version(self, number: int | None) -> bytes:
        """The key itself, for LD/T commands that name a version.

        Raises:
            Status: 6A88.
        """
        if number not in {None, ONLY_VERSION}:
            raise Status(0x6A88)
        return self.value


class KeyFile:
    """The keys of one directory.

    Args:
        keys: Its records.
        size: Bytes for records; None for a file that was built and not created.
        add: Access byte for adding keys.
    """

    def __init__(self, keys: Iterable[FmcosKey], size: int | None = None, add: int = NEVER_BYTE) -> None:
        self.keys = list(keys)
        self.size = size
        self.add = add

    @property
    def room(self) -> int:
        """Bytes that are left for records."""
        return (self.size or 0) - sum(key.cost for key in self.keys)

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
