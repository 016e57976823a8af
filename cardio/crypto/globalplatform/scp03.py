"""Secure Channel Protocol 03: AES (PERS §2.3; GlobalPlatform Card Specification, amendment D)."""

from __future__ import annotations

from dataclasses import dataclass, field

from cardio.crypto import aes
from cardio.crypto.ciphers import pad80, unpad80
from cardio.crypto.globalplatform.keys import StaticKeys
from cardio.crypto.globalplatform.session import (
    MAX_DATA,
    SECURE_MESSAGING,
    SecurityLevel,
    Session,
    announced,
    on_basic_channel,
    plain,
    same,
    sealed,
)
from cardio.errors import SecureChannelBroken

CARD_CRYPTOGRAM, HOST_CRYPTOGRAM, CARD_CHALLENGE = 0x00, 0x01, 0x02
S_ENC, S_MAC, S_RMAC = 0x04, 0x06, 0x07
COUNTER_SIZE = 3
"""Bytes of a card's sequence counter."""
S8, S16 = 8, 16
"""Bytes of challenges, cryptograms and MACs in the two modes."""
ANSWER = 0x80
"""First byte of the counter from which the initial value of an encrypted answer comes."""


@dataclass(frozen=True)
class Scp03Options:
    """Implementation options `i` of a card.

    Attributes:
        i: One byte: 00, 10, 20, 30, 60 or 70.
    """

    i: int

    @property
    def pseudo_random(self) -> bool:
        """Whether the card challenge can be computed; its sequence counter is told then."""
        return bool(self.i & 0x10)

    @property
    def response_mac(self) -> bool:
        """Whether answers can carry a MAC."""
        return bool(self.i & 0x20)

    @property
    def response_encryption(self) -> bool:
        """Whether answers can be encrypted."""
        return self.i & 0x60 == 0x60


@dataclass(frozen=True)
class Scp03Keys:
    """Session keys, which last for one channel.

    Attributes:
        enc: Data of commands and answers.
        mac: Cryptograms and MACs of commands.
        r_mac: MACs of answers.
        dek: Keys that are sent: the static one.
    """

    enc: bytes = field(repr=False)
    mac: bytes = field(repr=False)
    r_mac: bytes = field(repr=False)
    dek: bytes = field(repr=False)

    @classmethod
    def derive(cls, static: StaticKeys, context: bytes) -> Scp03Keys:
        """Keys for host challenge ‖ card challenge."""
        size = len(static.enc)
        return cls(
            aes.derive_scp03(static.enc, S_ENC, context, size),
            aes.derive_scp03(static.mac, S_MAC, context, size),
            aes.derive_scp03(static.mac, S_RMAC, context, size),
            static.dek,
        )


def card_challenge(static: StaticKeys, sequence: int, security_domain: bytes, size: int = S8) -> bytes:
    """Pseudo-random card challenge.

    Args:
        static: The card's keys.
        sequence: Its sequence counter, 0 to FFFFFF.
        security_domain: AID of the security domain.
        size: Bytes: 8, or 16 in mode S16.
    """
    context = sequence.to_bytes(COUNTER_SIZE, "big") + security_domain
    return aes.derive_scp03(static.enc, CARD_CHALLENGE, context, size)


class Scp03Session(Session):
    """One end of an SCP03 channel; the length of the challenges decides between modes S8 and S16.

    Args:
        static: The card's keys.
        host_challenge: 8 or 16 bytes.
        card_challenge: As many.
        options: The card's implementation options.
    """

    protocol = 0x03
    levels = frozenset({0x00, 0x01, 0x03, 0x11, 0x13, 0x33})
    block = aes.BLOCK

    def __init__(self, static: StaticKeys, host_challenge: bytes, card_challenge: bytes, options: Scp03Options) -> None:
        super().__init__()
        self.options = options
        self.mac_size = len(host_challenge)
        context = host_challenge + card_challenge
        self.keys = Scp03Keys.derive(static, context)
        self.card_cryptogram = aes.derive_scp03(self.keys.mac, CARD_CRYPTOGRAM, context, self.mac_size)
        self.host_cryptogram = aes.derive_scp03(self.keys.mac, HOST_CRYPTOGRAM, context, self.mac_size)
        self._chain = bytes(aes.BLOCK)
        self._counter = 0

    def allows(self, level: SecurityLevel) -> bool:
        """R-MAC and R-ENC need their options."""
        mac_lacks = level & SecurityLevel.R_MAC and not self.options.response_mac
        encryption_lacks = level & SecurityLevel.R_ENC and not self.options.response_encryption
        return level in self.levels and not mac_lacks and not encryption_lacks

    def begin(self, level: SecurityLevel) -> None:
        """Commands are counted from here: the next one is the first."""
        super().begin(level)
        self._counter = 0

    def protect(self, header: bytes, data: bytes) -> tuple[bytes, bytes]:
        """Encryption, then C-MAC over the data as sent."""
        self.check_size(data)
        self._counter += 1
        if not self.level & SecurityLevel.C_MAC:
            return header, data
        if data and self.level & SecurityLevel.C_DEC:
            data = aes.encrypt_cbc(self.keys.enc, pad80(data, aes.BLOCK), self._initial_value())
        self._chain = self._mac(announced(header), data)
        return announced(header), data + self._chain[: self.mac_size]

    def unprotect(self, header: bytes, data: bytes) -> tuple[bytes, bytes]:
        """The check of the C-MAC, then decryption."""
        self._counter += 1
        if not self.level & SecurityLevel.C_MAC:
            return header, data
        if not header[0] & SECURE_MESSAGING:
            raise SecureChannelBroken("C-MAC is missing")
        data, received = self.split_mac(data, "C-MAC")
        chain = self._mac(header, data)
        same(chain[: self.mac_size], received, "C-MAC")
        self._chain = chain
        if data and self.level & SecurityLevel.C_DEC:
            data = self._decrypt(data, self._initial_value())
        return plain(header), data

    def seal(self, data: bytes, sw: int) -> bytes:
        """Encryption, then R-MAC."""
        if not self.level & SecurityLevel.R_MAC or not sealed(sw):
            return data
        if data and self.level & SecurityLevel.R_ENC:
            data = aes.encrypt_cbc(self.keys.enc, pad80(data, aes.BLOCK), self._initial_value(ANSWER))
        return data + self._answer_mac(data, sw)

    def open(self, data: bytes, sw: int) -> bytes:
        """The check of the R-MAC, then decryption."""
        if not self.level & SecurityLevel.R_MAC or not sealed(sw):
            return data
        data, received = self.split_mac(data, "R-MAC")
        same(self._answer_mac(data, sw), received, "R-MAC")
        if data and self.level & SecurityLevel.R_ENC:
            data = self._decrypt(data, self._initial_value(ANSWER))
        return data

    def encrypt_key(self, value: bytes) -> bytes:
        """CBC under the static DEK."""
        return aes.encrypt_cbc(self.keys.dek, value)

    def decrypt_key(self, value: bytes) -> bytes:
        """Inverse of `encrypt_key`."""
        return aes.decrypt_cbc(self.keys.dek, value)

    def _initial_value(self, first: int = 0x00) -> bytes:
        return aes.encrypt_block(self.keys.enc, bytes([first]) + self._counter.to_bytes(aes.BLOCK - 1, "big"))

    def _decrypt(self, data: bytes, iv: bytes) -> bytes:
        try:
            return unpad80(aes.decrypt_cbc(self.keys.enc, data, iv))
        except ValueError as error:
            raise SecureChannelBroken("encrypted data are malformed") from error

    def _mac(self, header: bytes, data: bytes) -> bytes:
        size = bytes([(len(data) + self.mac_size) & MAX_DATA])
        return aes.cmac(self.keys.mac, self._chain + on_basic_channel(header) + size + data)

    def _answer_mac(self, data: bytes, sw: int) -> bytes:
        return aes.cmac(self.keys.r_mac, self._chain + data + sw.to_bytes(2, "big"))[: self.mac_size]
