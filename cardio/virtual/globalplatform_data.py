"""What a virtual JavaCard tells about itself by GET DATA (PERS §2.5)."""

from __future__ import annotations

from cardio.apdu.tlv import encode_ber
from cardio.crypto.globalplatform.keys import KeyIdentifier
from cardio.crypto.globalplatform.scp02 import Scp02Options
from cardio.virtual.globalplatform_channel import CardChannel
from cardio.virtual.globalplatform_registry import Registry
from cardio.virtual.received import Received, Status

GLOBALPLATFORM = bytes.fromhex("2A864886FC6B")
"""Object identifier 1.2.840.114283 in BER."""
CARD_RECOGNITION, MANAGEMENT, IDENTIFICATION, SCP = b"\x01", b"\x02\x02\x02", b"\x03", b"\x04"
PRODUCTION_DATA_SIZE = 42
SERIAL_PLACE, SERIAL_SIZE = 12, 4
"""IC serial number in the production data (GlobalPlatformPro: GPData, CPLC)."""


class CardObjects:
    """Data objects of a card.

    Args:
        registry: What is on it.
        channel: Its keys and its protocol.
        serial: Its serial number, in the production data, 4 bytes.
    """

    def __init__(self, registry: Registry, channel: CardChannel, serial: int) -> None:
        self._registry = registry
        self._channel = channel
        self._serial = serial

    def get(self, command: Received) -> bytes:
        """Answer to GET DATA.

        Raises:
            Status: 6A88.
        """
        match (command.p1, command.p2):
            case (0x00, 0x66):
                return self._card_data()
            case (0x00, 0xE0):
                return self._keys()
            case (0x9F, 0x7F):
                return encode_ber(0x9F7F, self._production_data())
        raise Status(0x6A88)

    def _card_data(self) -> bytes:
        options = self._channel.options
        protocol = 0x02 if isinstance(options, Scp02Options) else 0x03
        content = _identifier(CARD_RECOGNITION)
        content += encode_ber(0x60, _identifier(MANAGEMENT)) + encode_ber(0x63, _identifier(IDENTIFICATION))
        content += encode_ber(0x64, _identifier(SCP + bytes([protocol, options.i])))
        return encode_ber(0x66, encode_ber(0x73, content))

    def _production_data(self) -> bytes:
        """Nobody produced this card: all fields but its serial number are zero."""
        serial = self._serial.to_bytes(SERIAL_SIZE, "big")
        return (bytes(SERIAL_PLACE) + serial).ljust(PRODUCTION_DATA_SIZE, b"\x00")

    def _keys(self) -> bytes:
        entries = (
            encode_ber(0xC0, bytes([number, version, one.keys.type, len(one.keys.enc)]))
            for version, one in self._channel.key_sets.items()
            for number in KeyIdentifier
        )
        return encode_ber(0xE0, b"".join(entries))


def _identifier(end: bytes) -> bytes:
    return encode_ber(0x06, GLOBALPLATFORM + end)
