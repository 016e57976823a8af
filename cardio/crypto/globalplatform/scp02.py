"""Secure Channel Protocol 02: 3DES (PERS §2.2; GlobalPlatform Card Specification, annex E).

Only explicit initiation is built: a channel begins with INITIALIZE UPDATE. No public vector shows an implicit one.

PROJECT CHOICE: the chain of R-MACs begins with the C-MAC of EXTERNAL AUTHENTICATE, as kaoh/globalplatform has it, and
error status words carry no R-MAC, as in SCP03. No public vector shows an R-MAC of SCP02.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cardio.crypto.ciphers import TRIPLE_DES, pad80, unpad80
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

BLOCK = 8
COUNTER_LIMIT = 0x7FFF
"""Last value of a card's sequence counter."""
C_MAC, R_MAC, S_DEK, S_ENC = b"\x01\x01", b"\x01\x02", b"\x01\x81", b"\x01\x82"


@dataclass(frozen=True)
class Scp02Options:
    """Implementation options `i` of a card.

    Attributes:
        i: One byte; usual are 15, and 55 with a pseudo-random challenge.
    """

    i: int

    @property
    def three_keys(self) -> bool:
        """Whether the three keys of a set differ; else ENC stands for all."""
        return bool(self.i & 0x01)

    @property
    def unmodified(self) -> bool:
        """Whether the C-MAC covers the command as it was before protection."""
        return bool(self.i & 0x02)

    @property
    def explicit(self) -> bool:
        """Whether a channel begins with INITIALIZE UPDATE."""
        return bool(self.i & 0x04)

    @property
    def encrypted_chain(self) -> bool:
        """Whether a C-MAC is encrypted before the next one goes on with it."""
        return bool(self.i & 0x10)

    @property
    def response_mac(self) -> bool:
        """Whether answers can carry a MAC."""
        return bool(self.i & 0x20)

    @property
    def pseudo_random(self) -> bool:
        """Whether the card challenge can be computed."""
        return bool(self.i & 0x40)


USUAL_OPTIONS = Scp02Options(0x15)


@dataclass(frozen=True)
class Scp02Keys:
    """Session keys, which last for one channel.

    Attributes:
        enc: Cryptograms and command data.
        c_mac: MACs of commands.
        r_mac: MACs of answers.
        dek: Keys that are sent.
    """

    enc: bytes = field(repr=False)
    c_mac: bytes = field(repr=False)
    r_mac: bytes = field(repr=False)
    dek: bytes = field(repr=False)

    @classmethod
    def derive(cls, static: StaticKeys, sequence: int, options: Scp02Options) -> Scp02Keys:
        """Keys for the value of the card's sequence counter, 0 to 7FFF."""
        enc, mac, dek = static.values() if options.three_keys else (static.enc,) * 3

        def make(key: bytes, constant: bytes) -> bytes:
            return TRIPLE_DES.encrypt_cbc(key, constant + sequence.to_bytes(2, "big") + bytes(12))

        return cls(make(enc, S_ENC), make(mac, C_MAC), make(mac, R_MAC), make(dek, S_DEK))

    def card_challenge(self, security_domain: bytes) -> bytes:
        """Pseudo-random card challenge, 6 bytes, of the security domain with this AID."""
        return TRIPLE_DES.mac_block(self.c_mac, security_domain)[:6]

    def cryptogram(self, data: bytes) -> bytes:
        """A cryptogram, 8 bytes."""
        return TRIPLE_DES.encrypt_cbc(self.enc, pad80(data, BLOCK))[-BLOCK:]


class Scp02Session(Session):
    """One end of an SCP02 channel.

    Args:
        static: The card's keys.
        host_challenge: 8 bytes.
        sequence: Sequence counter that the card told.
        card_challenge: 6 bytes.
        options: The card's implementation options.
    """

    protocol = 0x02
    levels = frozenset({0x00, 0x01, 0x03, 0x10, 0x11, 0x13})
    block = BLOCK

    def __init__(
        self, static: StaticKeys, host_challenge: bytes, sequence: int, card_challenge: bytes, options: Scp02Options
    ) -> None:
        super().__init__()
        self.options = options
        self.keys = Scp02Keys.derive(static, sequence, options)
        counted = sequence.to_bytes(2, "big") + card_challenge
        self.card_cryptogram = self.keys.cryptogram(host_challenge + counted)
        self.host_cryptogram = self.keys.cryptogram(counted + host_challenge)
        self._chain = bytes(BLOCK)
        self._last_mac = bytes(BLOCK)
        self._answer_chain = bytes(BLOCK)
        self._command = b""

    def allows(self, level: SecurityLevel) -> bool:
        """R-MAC needs its option."""
        return level in self.levels and (self.options.response_mac or not level & SecurityLevel.R_MAC)

    def begin(self, level: SecurityLevel) -> None:
        """The chain of R-MACs begins with the C-MAC of EXTERNAL AUTHENTICATE."""
        super().begin(level)
        self._answer_chain = self._last_mac

    def protect(self, header: bytes, data: bytes) -> tuple[bytes, bytes]:
        """C-MAC over the plain data, then encryption."""
        self.check_size(data)
        self._remember(header, data)
        if not self.level & SecurityLevel.C_MAC:
            return header, data
        mac = self._mac(header, data)
        self._advance(mac)
        if data and self.level & SecurityLevel.C_DEC:
            data = TRIPLE_DES.encrypt_cbc(self.keys.enc, pad80(data, BLOCK))
        return announced(header), data + mac

    def unprotect(self, header: bytes, data: bytes) -> tuple[bytes, bytes]:
        """Decryption, then the check of the C-MAC."""
        if self.level & SecurityLevel.C_MAC:
            if not header[0] & SECURE_MESSAGING:
                raise SecureChannelBroken("C-MAC is missing")
            header = plain(header)
            data, received = self.split_mac(data, "C-MAC")
            if data and self.level & SecurityLevel.C_DEC:
                data = self._decrypt(data)
            mac = self._mac(header, data)
            same(mac, received, "C-MAC")
            self._advance(mac)
        self._remember(header, data)
        return header, data

    def seal(self, data: bytes, sw: int) -> bytes:
        """R-MAC over command and answer."""
        if not self.level & SecurityLevel.R_MAC or not sealed(sw):
            return data
        self._answer_chain = self._answer_mac(data, sw)
        return data + self._answer_chain

    def open(self, data: bytes, sw: int) -> bytes:
        """The check of the R-MAC."""
        if not self.level & SecurityLevel.R_MAC or not sealed(sw):
            return data
        data, received = self.split_mac(data, "R-MAC")
        mac = self._answer_mac(data, sw)
        same(mac, received, "R-MAC")
        self._answer_chain = mac
        return data

    def encrypt_key(self, value: bytes) -> bytes:
        """ECB under S-DEK."""
        return TRIPLE_DES.encrypt(self.keys.dek, value)

    def decrypt_key(self, value: bytes) -> bytes:
        """Inverse of `encrypt_key`."""
        return TRIPLE_DES.decrypt(self.keys.dek, value)

    def _decrypt(self, data: bytes) -> bytes:
        try:
            return unpad80(TRIPLE_DES.decrypt_cbc(self.keys.enc, data))
        except ValueError as error:
            raise SecureChannelBroken("encrypted data are malformed") from error

    def _mac(self, header: bytes, data: bytes) -> bytes:
        size = len(data)
        if not self.options.unmodified:
            header, size = announced(header), size + self.mac_size
        covered = on_basic_channel(header) + bytes([size & MAX_DATA]) + data
        return TRIPLE_DES.mac_block(self.keys.c_mac, covered, self._chain)

    def _advance(self, mac: bytes) -> None:
        self._last_mac = mac
        self._chain = TRIPLE_DES.encrypt(self.keys.c_mac[:8], mac) if self.options.encrypted_chain else mac

    def _remember(self, header: bytes, data: bytes) -> None:
        """What of a command the MAC of its answer covers."""
        self._command = on_basic_channel(header) + bytes([len(data) & 0xFF]) + data

    def _answer_mac(self, data: bytes, sw: int) -> bytes:
        covered = self._command + bytes([len(data) & 0xFF]) + data + sw.to_bytes(2, "big")
        return TRIPLE_DES.mac_block(self.keys.r_mac, covered, self._answer_chain)
