"""Data groupings, in which personal data go to an applet by STORE DATA (PERS §2.5, §3.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import groupby

from cardio.crypto.ciphers import pad80

LONG_LENGTH = 0xFF
"""First byte of a length of 2 bytes more."""


class DgiProtection(Enum):
    """How the value of a grouping is sent, besides the protection of the channel."""

    PLAIN = "plain"
    ENCRYPTED = "encrypted"
    """Under DEK, whole blocks; so are keys (EMV CPS 1.1)."""
    PADDED = "padded"
    """Under DEK, padded by 80 00 … first."""


@dataclass(frozen=True)
class Dgi:
    """One data grouping.

    Attributes:
        identifier: 0000 to FFFF.
        value: Up to 65535 bytes; not shown, for it may be a key or a name.
        protection: How it is sent.
    """

    identifier: int
    value: bytes = field(repr=False)
    protection: DgiProtection = DgiProtection.PLAIN

    def encode(self, encrypt: Callable[[bytes], bytes], block: int) -> bytes:
        """Identifier ‖ length ‖ value.

        Args:
            encrypt: Encryption under the channel's DEK.
            block: Its block size in bytes.

        Raises:
            ValueError: An encrypted value without padding is no multiple of a block.
        """
        value = self.value
        if self.protection is DgiProtection.PADDED:
            value = pad80(value, block)
        if self.protection is not DgiProtection.PLAIN:
            if len(value) % block:
                raise ValueError(f"DGI {self.identifier:04X}: {len(value)} bytes are no whole blocks of {block}")
            value = encrypt(value)
        length = bytes([len(value)]) if len(value) < LONG_LENGTH else b"\xff" + len(value).to_bytes(2, "big")
        return self.identifier.to_bytes(2, "big") + length + value


@dataclass(frozen=True)
class DataBlock:
    """Data of one STORE DATA command.

    Attributes:
        data: Data groupings, or a piece of a long one.
        encrypted: Whether their values are under DEK.
    """

    data: bytes = field(repr=False)
    encrypted: bool


def data_blocks(
    groupings: Iterable[Dgi], capacity: int, encrypt: Callable[[bytes], bytes], block: int
) -> Iterator[DataBlock]:
    """Groupings in as few commands as their order allows.

    Encrypted ones do not share a command with plain ones, as P1 tells for all; one that is longer than a command goes
    on in the next.

    Args:
        groupings: In the order in which the applet wants them.
        capacity: Bytes that a command takes.
        encrypt: Encryption under the channel's DEK.
        block: Its block size in bytes.
    """
    for encrypted, alike in groupby(groupings, lambda dgi: dgi.protection is not DgiProtection.PLAIN):
        waiting = b""
        for coded in (dgi.encode(encrypt, block) for dgi in alike):
            if waiting and len(waiting) + len(coded) > capacity:
                yield DataBlock(waiting, encrypted)
                waiting = b""
            waiting += coded
            while len(waiting) > capacity:
                yield DataBlock(waiting[:capacity], encrypted)
                waiting = waiting[capacity:]
        yield DataBlock(waiting, encrypted)
