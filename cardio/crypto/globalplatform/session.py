"""An open secure channel as one end sees it, the same for SCP02 and SCP03 (PERS §2.1).

Both ends hold a `Session` in the same state. The terminal calls `protect` on a command and `open` on its answer, the
card `unprotect` and `seal`; each call moves the state on. An error from `unprotect` or `open` leaves an end that
nobody can follow any more: the channel is over.
"""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from enum import IntFlag

from cardio.errors import SecureChannelBroken

SECURE_MESSAGING = 0x04
"""Bit of CLA that announces protection."""
CHANNEL_BITS = 0x03
"""Bits of CLA with the number of the logical channel, which no MAC covers."""
MAX_DATA = 255
SUCCESS = 0x9000
WARNINGS = frozenset({0x62, 0x63})


class SecurityLevel(IntFlag):
    """What is protected: P1 of EXTERNAL AUTHENTICATE."""

    NONE = 0x00
    C_MAC = 0x01
    C_DEC = 0x02
    R_MAC = 0x10
    R_ENC = 0x20


class Session(ABC):
    """One end of a secure channel.

    Attributes:
        protocol: 02 or 03.
        levels: Security levels that the protocol knows.
        block: Bytes of a cipher block.
        mac_size: Bytes of a MAC and of a cryptogram.
        level: What is protected now: the C-MAC of EXTERNAL AUTHENTICATE itself, then what it asks for.
        card_cryptogram: By which the card proves that it has the keys.
        host_cryptogram: By which the terminal proves it.
    """

    protocol: int
    levels: frozenset[int]
    block: int
    mac_size: int = 8
    card_cryptogram: bytes
    host_cryptogram: bytes

    def __init__(self) -> None:
        self.level = SecurityLevel.C_MAC

    # ---- what the protocols differ in ------------------------------------------------------------------------

    @abstractmethod
    def allows(self, level: SecurityLevel) -> bool:
        """Whether the card's implementation options have a level."""

    @abstractmethod
    def protect(self, header: bytes, data: bytes) -> tuple[bytes, bytes]:
        """Protect a command, as the terminal does.

        Args:
            header: CLA INS P1 P2.
            data: Command data, at most `capacity` bytes.

        Returns:
            Header and data to send.
        """

    @abstractmethod
    def unprotect(self, header: bytes, data: bytes) -> tuple[bytes, bytes]:
        """Check a command and take its protection off, as the card does.

        Raises:
            SecureChannelBroken: Its protection is missing or wrong.
        """

    @abstractmethod
    def seal(self, data: bytes, sw: int) -> bytes:
        """Protect the answer data of the last command, as the card does."""

    @abstractmethod
    def open(self, data: bytes, sw: int) -> bytes:
        """Check answer data and take their protection off, as the terminal does.

        Raises:
            SecureChannelBroken: Their protection is missing or wrong.
        """

    @abstractmethod
    def encrypt_key(self, value: bytes) -> bytes:
        """A key, or other sensitive data, under the channel's DEK; whole blocks."""

    @abstractmethod
    def decrypt_key(self, value: bytes) -> bytes:
        """Inverse of `encrypt_key`."""

    # ---- what they share -------------------------------------------------------------------------------------

    def begin(self, level: SecurityLevel) -> None:
        """Go on with the level that EXTERNAL AUTHENTICATE asked for."""
        self.level = level

    @property
    def capacity(self) -> int:
        """Largest command data in bytes, before protection."""
        if not self.level & SecurityLevel.C_MAC:
            return MAX_DATA
        room = MAX_DATA - self.mac_size
        # Padding takes at least one byte.
        return room // self.block * self.block - 1 if self.level & SecurityLevel.C_DEC else room

    def check_size(self, data: bytes) -> None:
        """Refuse command data that would not fit.

        Raises:
            ValueError: They are too long; nothing was done yet.
        """
        if len(data) > self.capacity:
            raise ValueError(f"{len(data)} bytes of data do not fit a protected command, {self.capacity} do")

    def split_mac(self, data: bytes, what: str) -> tuple[bytes, bytes]:
        """Data and the MAC at their end.

        Raises:
            SecureChannelBroken: They are too short for a MAC.
        """
        if len(data) < self.mac_size:
            raise SecureChannelBroken(f"{what} is missing")
        return data[: -self.mac_size], data[-self.mac_size :]


def same(expected: bytes, received: bytes, what: str) -> None:
    """Compare MACs without telling by the time where they differ.

    Raises:
        SecureChannelBroken: They differ.
    """
    if not hmac.compare_digest(expected, received):
        raise SecureChannelBroken(f"{what} is wrong")


def sealed(sw: int) -> bool:
    """Whether an answer with this status word is protected: success and warnings are, errors are not."""
    return sw == SUCCESS or sw >> 8 in WARNINGS


def announced(header: bytes) -> bytes:
    """The header of a protected command."""
    return bytes([header[0] | SECURE_MESSAGING]) + header[1:]


def plain(header: bytes) -> bytes:
    """The header of a protected command without its protection."""
    return bytes([header[0] & ~SECURE_MESSAGING]) + header[1:]


def on_basic_channel(header: bytes) -> bytes:
    """The header as a MAC covers it: without the number of the logical channel."""
    return bytes([header[0] & ~CHANNEL_BITS]) + header[1:]
