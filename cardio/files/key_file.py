"""Key records of native card operating systems: kinds, headers, and how many bytes they take (PERS §1.1, §1.4)."""

from __future__ import annotations

from enum import IntEnum

KEY_OVERHEAD = 8
"""Bytes that a key file needs for a record besides its key (PERS §1.1)."""
CHANGED_UNDER_PROTECTION = 0xC0
"""Bits of a type byte: from then on the key is changed with class 84 only."""
NOT_USED = 0xFF


class KeyKind(IntEnum):
    """Type byte of a key, without the bits that say how it is changed."""

    ENCRYPT = 0x30
    DECRYPT = 0x31
    MAC = 0x32
    TAC = 0x34
    LINE = 0x36
    PIN_UNBLOCK = 0x37
    PIN_RELOAD = 0x38
    EXTERNAL = 0x39
    PIN = 0x3A
    OVERDRAFT = 0x3C
    UNLOAD = 0x3D
    PURCHASE = 0x3E
    LOAD = 0x3F


VERSIONED = frozenset(
    {
        KeyKind.ENCRYPT,
        KeyKind.DECRYPT,
        KeyKind.MAC,
        KeyKind.TAC,
        KeyKind.OVERDRAFT,
        KeyKind.UNLOAD,
        KeyKind.PURCHASE,
        KeyKind.LOAD,
    }
)
"""Kinds whose header ends in version and algorithm; that of the others ends in follow-up state and error counter."""
WITH_STATE = frozenset({KeyKind.EXTERNAL, KeyKind.PIN})
"""Kinds that bring their directory into a state."""
