"""The key block of WRITE KEY (PERS §1.4)."""

from __future__ import annotations

from cardio.crypto.ciphers import Algorithm
from cardio.files.file_header import ENCRYPTION_BIT, NEVER_BYTE
from cardio.files.key_file import CHANGED_UNDER_PROTECTION, NOT_USED, VERSIONED, WITH_STATE
from cardio.virtual.creation import TYPE_BITS
from cardio.virtual.fmcos_keys import FmcosKey, KeyKind
from cardio.virtual.received import Status

KEY_HEADER = 5
PIN_SIZES = range(2, 9)
KEY_SIZES = {Algorithm.TRIPLE_DES: frozenset({8, 16}), Algorithm.SM4: frozenset({16})}
PLAIN_LENGTHS = frozenset({*range(0x07, 0x0E), 0x15})
"""Lc of WRITE KEY in plain: PINs of 2 to 8 bytes, keys of 8 and 16."""
PROTECTED_LENGTHS = {Algorithm.TRIPLE_DES: frozenset({0x0C, 0x14, 0x1C}), Algorithm.SM4: frozenset({0x14, 0x24})}
"""Lc of WRITE KEY with protection, MAC included, by the cipher of the master."""


def decode_key(block: bytes, identifier: int, algorithm: Algorithm) -> FmcosKey:
    """The key of a block.

    Args:
        block: Header of 5 bytes and the key.
        identifier: P2 of WRITE KEY.
        algorithm: Cipher of the card's keys.

    Raises:
        Status: 6A80 no such type or a header that the type cannot have; 6700 no such length.
    """
    if len(block) <= KEY_HEADER:
        raise Status(0x6700)
    kind, changing = _type(block[0])
    _, use, change, fourth, fifth = block[:KEY_HEADER]
    value = block[KEY_HEADER:]
    if len(value) not in (PIN_SIZES if kind is KeyKind.PIN else KEY_SIZES[algorithm]):
        raise Status(0x6700)
    key = FmcosKey(value, kind=kind, id=identifier, use=use, change=change, algorithm=algorithm, changing=changing)
    if kind is KeyKind.PIN and change != NEVER_BYTE:
        raise Status(0x6A80)
    if kind in VERSIONED:
        key.version, key.algorithm_id = fourth, fifth
        return key
    if kind in WITH_STATE:
        key.follow_up = fourth
    elif fourth != NOT_USED:
        raise Status(0x6A80)
    key.max_tries, key.tries_left = fifth >> 4, fifth & 0x0F
    # No source says what a counter above its limit does.
    if not key.max_tries or key.tries_left > key.max_tries:
        raise Status(0x6A80)
    return key


def _type(byte: int) -> tuple[KeyKind, int]:
    """Kind, and the bits that say how the key is changed: both or none; a PIN may have bit 7 alone."""
    changing = byte & CHANGED_UNDER_PROTECTION
    try:
        kind = KeyKind(byte & TYPE_BITS)
    except ValueError:
        raise Status(0x6A80) from None
    alone = changing == ENCRYPTION_BIT and kind is KeyKind.PIN
    if changing not in {0, CHANGED_UNDER_PROTECTION} and not alone:
        raise Status(0x6A80)
    return kind, changing
