"""How the data of a virtual JavaCard's commands are taken apart (PERS §2.5)."""

from __future__ import annotations

from cardio.apdu.tlv import Tlv, iterate_ber
from cardio.errors import CardDataInvalid
from cardio.virtual.received import Status


def fields(data: bytes, count: int) -> list[bytes]:
    """The fields of INSTALL, each with its length before it.

    Raises:
        Status: 6A80, there are more or fewer, or one is cut short.
    """
    found = []
    for _ in range(count):
        size, start = _length(data)
        if len(data) < start + size:
            raise Status(0x6A80)
        found.append(data[start : start + size])
        data = data[start + size :]
    if data:
        raise Status(0x6A80)
    return found


def objects(data: bytes) -> list[Tlv]:
    """The BER-TLV objects of a command.

    Raises:
        Status: 6A80, one is malformed.
    """
    try:
        return list(iterate_ber(data))
    except CardDataInvalid:
        raise Status(0x6A80) from None


def value_of(data: bytes, tag: int) -> bytes | None:
    """Value of the first object with a tag; None if there is none.

    Raises:
        Status: 6A80, an object is malformed.
    """
    return next((tlv.value for tlv in objects(data) if tlv.tag == tag), None)


def need_aid(aid: bytes) -> None:
    """Insist on the length of an AID.

    Raises:
        Status: 6A80.
    """
    if not 5 <= len(aid) <= 16:
        raise Status(0x6A80)


def _length(data: bytes) -> tuple[int, int]:
    """A BER length of one or two bytes, and where the value begins."""
    if not data:
        raise Status(0x6A80)
    if data[0] != 0x81:
        return data[0], 1
    return int.from_bytes(data[1:2], "big"), 2
