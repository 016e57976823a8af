"""Tag-length-value codings: BER-TLV of FCI templates and simple TLV of card records.

Source: ISO 7816-4 §5.2, SSC §2.1 and §4.0, EW §1.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cardio.errors import CardDataInvalid


@dataclass(frozen=True)
class Tlv:
    """One tag with its value."""

    tag: int
    value: bytes


def iterate_ber(data: bytes) -> Iterator[Tlv]:
    """The BER-TLV objects of `data`, one level deep; tags of 1 to 3 bytes, lengths of 1 to 3 bytes.

    Raises:
        CardDataInvalid: An object is cut short or has an unsupported length form.
    """
    position = 0
    while position < len(data):
        if data[position] in {0x00, 0xFF}:  # filler between objects (ISO 7816-4 §5.2.2.1)
            position += 1
            continue
        tag, position = _ber_tag(data, position)
        length, position = _ber_length(data, position)
        if position + length > len(data):
            raise CardDataInvalid(f"object {tag:X} is cut short")
        yield Tlv(tag, data[position : position + length])
        position += length


def find_ber(data: bytes, *path: int) -> bytes | None:
    """Value of the object reached by descending through the tags of `path`, or None."""
    for tag in path:
        found = next((tlv.value for tlv in iterate_ber(data) if tlv.tag == tag), None)
        if found is None:
            return None
        data = found
    return data


def encode_ber(tag: int, value: bytes) -> bytes:
    """One BER-TLV object; the length takes the short form, 81 or 82."""
    tag_bytes = tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big")
    return tag_bytes + encode_ber_length(len(value)) + value


def encode_ber_length(size: int) -> bytes:
    """A BER length, 0 to 65535, in the short form, 81 or 82."""
    if size < 0x80:
        return bytes([size])
    if size < 0x100:
        return bytes([0x81, size])
    return b"\x82" + size.to_bytes(2, "big")


def iterate_simple(data: bytes) -> Iterator[Tlv]:
    """The simple TLV objects of `data`: tag 1 byte, length 1 byte (SSC §4.0).

    Raises:
        CardDataInvalid: An object is cut short.
    """
    position = 0
    while position < len(data):
        header = data[position : position + 2]
        if len(header) < 2 or position + 2 + header[1] > len(data):
            raise CardDataInvalid(f"item at byte {position} is cut short")
        yield Tlv(header[0], data[position + 2 : position + 2 + header[1]])
        position += 2 + header[1]


def encode_simple(tag: int, value: bytes) -> bytes:
    """One simple TLV object."""
    return bytes([tag, len(value)]) + value


def _ber_tag(data: bytes, position: int) -> tuple[int, int]:
    tag = data[position]
    position += 1
    if tag & 0x1F == 0x1F:
        while True:
            if position >= len(data) or tag > 0xFFFF:
                raise CardDataInvalid("tag is cut short")
            tag = tag << 8 | data[position]
            position += 1
            if not tag & 0x80:
                break
    return tag, position


def _ber_length(data: bytes, position: int) -> tuple[int, int]:
    if position >= len(data):
        raise CardDataInvalid("length is missing")
    first = data[position]
    position += 1
    if first < 0x80:
        return first, position
    size = first & 0x7F
    if size not in {1, 2} or position + size > len(data):
        raise CardDataInvalid("length form is not supported")
    return int.from_bytes(data[position : position + size], "big"), position + size
