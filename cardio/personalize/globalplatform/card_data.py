"""What a card tells about itself by GET DATA: protocols, keys, production data (PERS §2.5)."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.tlv import find_ber, iterate_ber
from cardio.crypto.globalplatform.scp02 import Scp02Options
from cardio.errors import CardDataInvalid

SCP_IDENTIFIER = bytes.fromhex("2A864886FC6B04")
"""Object identifier 1.2.840.114283.4, before protocol and options."""

CHIP_SIZE = 18
"""Bytes of fabricator, type, operating system, its date and level, fabrication date: 2 each; serial number 4, batch 2
(GlobalPlatformPro: GPData, CPLC)."""


@dataclass(frozen=True)
class CardData:
    """Card recognition data, object 66.

    Attributes:
        protocols: Secure channel protocols with their implementation options `i`.
    """

    protocols: tuple[tuple[int, int], ...]

    @property
    def scp02(self) -> Scp02Options | None:
        """Options of SCP02, which INITIALIZE UPDATE does not tell; None if the card does not speak it."""
        return next((Scp02Options(i) for protocol, i in self.protocols if protocol == 0x02), None)

    @classmethod
    def decode(cls, data: bytes) -> CardData:
        """Read object 66.

        Raises:
            CardDataInvalid: It is malformed.
        """
        template = find_ber(data, 0x66, 0x73)
        if template is None:
            raise CardDataInvalid("card data have no template 73")
        identifiers = [find_ber(tlv.value, 0x06) for tlv in iterate_ber(template) if tlv.tag == 0x64]
        protocols = [(found[-2], found[-1]) for found in identifiers if found and found[:-2] == SCP_IDENTIFIER]
        return cls(tuple(protocols))


@dataclass(frozen=True)
class KeyInformation:
    """One key of the key information template, object E0.

    Attributes:
        identifier: 01 ENC, 02 MAC, 03 DEK in a usual set.
        version: Version of its set.
        type: Type byte of its first component: 80 3DES, 88 AES.
        size: Bytes of that component.
    """

    identifier: int
    version: int
    type: int
    size: int


def chip_of(data: bytes) -> bytes:
    """What tells a chip from all others in production data 9F7F: what its maker wrote, with serial number and batch.

    The fields behind it are written while a card is made, and change.

    Returns:
        18 bytes; none if they are all zero, as on a card that tells nothing.

    Raises:
        CardDataInvalid: It is malformed.
    """
    production = find_ber(data, 0x9F7F)
    if production is None or len(production) < CHIP_SIZE:
        raise CardDataInvalid("production data are malformed")
    chip = production[:CHIP_SIZE]
    return chip if any(chip) else b""


def parse_key_information(data: bytes) -> tuple[KeyInformation, ...]:
    """Read object E0; of keys with several components, as RSA's, the first one is told.

    Raises:
        CardDataInvalid: It is malformed.
    """
    template = find_ber(data, 0xE0)
    if template is None:
        raise CardDataInvalid("key information has no template E0")
    keys = []
    for tlv in iterate_ber(template):
        if tlv.tag != 0xC0 or len(tlv.value) < 4:
            raise CardDataInvalid("an entry of the key information is malformed")
        identifier, version, kind, size = tlv.value[:4]
        if kind == 0xFF:  # extended: FF, type, length of 2 bytes
            kind, size = tlv.value[3], int.from_bytes(tlv.value[4:6], "big")
        keys.append(KeyInformation(identifier, version, kind, size))
    return tuple(keys)
