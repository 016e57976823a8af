"""PUT KEY as a virtual JavaCard takes it (PERS §2.5)."""

from __future__ import annotations

from collections.abc import Mapping

from cardio.crypto.globalplatform.keys import KeyType, StaticKeys
from cardio.crypto.globalplatform.session import Session
from cardio.virtual.globalplatform_channel import KeySet
from cardio.virtual.received import Received, Status

SEVERAL_FROM_FIRST = 0x81
"""P2: several keys, the first of them number 1."""
LAST_VERSION = 0x7F
KEYS = 3
CHECK_SIZE = 3


def put_key(command: Received, key_sets: Mapping[int, KeySet], key_type: KeyType, session: Session) -> KeySet:
    """The set that a PUT KEY brings; nothing is written yet.

    Args:
        command: The command, without its protection.
        key_sets: Sets that the card has.
        key_type: Algorithm that its protocol wants.
        session: The channel, whose DEK protects the keys.

    Raises:
        Status: 6A88 no set to replace, 6985 the new version is there, 6A80 malformed, 6A86 P2, 9484 another algorithm,
            9485 a check value is wrong.
    """
    if command.p2 != SEVERAL_FROM_FIRST:
        raise Status(0x6A86)
    if command.p1 and command.p1 not in key_sets:
        raise Status(0x6A88)
    version, rest = command.data[:1], command.data[1:]
    if not version or not 1 <= version[0] <= LAST_VERSION:
        raise Status(0x6A80)
    if version[0] in key_sets and version[0] != command.p1:
        raise Status(0x6985)
    values = []
    for _ in range(KEYS):
        value, rest = _key(rest, key_type, session)
        values.append(value)
    if rest:
        raise Status(0x6A80)
    return KeySet(StaticKeys(values[0], values[1], values[2], type=key_type, version=version[0]))


def _key(data: bytes, key_type: KeyType, session: Session) -> tuple[bytes, bytes]:
    """One key, and what comes after it: type ‖ length ‖ value under DEK ‖ 03 ‖ check value."""
    if len(data) < 2 or len(data) < 2 + data[1] + 1 + CHECK_SIZE:
        raise Status(0x6A80)
    if data[0] != key_type:
        raise Status(0x9484)
    coded, rest = data[2 : 2 + data[1]], data[2 + data[1] :]
    size = len(coded)
    if len(coded) % session.block == 1:  # the clear length stands before the value (PERS §2.5)
        size, coded = coded[0], coded[1:]
    if not coded or len(coded) % session.block or size not in key_type.sizes or size > len(coded):
        raise Status(0x6A80)
    value = session.decrypt_key(coded)[:size]
    if rest[0] != CHECK_SIZE:
        raise Status(0x6A80)
    if rest[1 : 1 + CHECK_SIZE] != key_type.check_value(value):
        raise Status(0x9485)
    return value, rest[1 + CHECK_SIZE :]
