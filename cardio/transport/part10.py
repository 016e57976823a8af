"""PC/SC part 10: what a reader with a PIN pad can do, and how it is asked for a PIN (PERS §4.2; PCSC reader.h).

The pad builds VERIFY itself: it packs the digits, sets Lc, sends the command and gives back the status word. Into a
CHANGE PIN, which has two PINs and a separator, it only puts the digits: their places and Lc are given.
"""

from __future__ import annotations

import struct

from cardio.transport.channel import PinChangePrompt, PinPrompt

GET_FEATURE_REQUEST = 3400
"""CM_IOCTL_GET_FEATURE_REQUEST, the number of the control code."""
VERIFY_PIN_DIRECT = 0x06
MODIFY_PIN_DIRECT = 0x07
GET_TLV_PROPERTIES = 0x12
PIN_SECONDS = 30
"""Time to type, 1 to 255 s, before the first digit and after it."""
CHINESE = 0x0804
"""wLangId zh-CN."""

_FEATURE = struct.Struct(">BBI")
_PIN_VERIFY = struct.Struct("=BBBBBHBBHB3sI")
"""PIN_VERIFY_STRUCTURE without its template: packed, in the host's byte order."""
_PIN_MODIFY = struct.Struct("=BBBBBBBHBBBHBBB3sI")
"""PIN_MODIFY_STRUCTURE without its template."""
_BCD_LEFT = 0x81
"""bmFormatString: units of bytes, PIN at byte 0 of the data, left justified, BCD."""
_NO_BLOCK = 0x00
"""bmPINBlockString: no length in the data, no fixed block. Our cards take as many bytes as there are digits (SSC §5.2:
Lc 02 to 08), so the pad sets Lc; the template then ends before it. With an odd number of digits the pad must fill the
last nibble with F; no source says that each does: UNCERTAIN."""
_NO_LENGTH = 0x00
"""bmPINLengthFormat: no length in the data."""
_BY_KEY = 0x02
"""bEntryValidationCondition: the holder presses the confirmation key, since a PIN may be shorter than allowed."""
_ONE_MESSAGE = 1
_ENTER_PIN, _NEW_PIN, _NEW_PIN_AGAIN = 0, 1, 2
_CONFIRM, _ASK_OLD = 0x01, 0x02
"""bConfirmPIN: the new PIN is typed twice; the old one is typed first."""
_MIN_PIN_SIZE = 6
_MAX_PIN_SIZE = 7


def features(answer: bytes) -> dict[int, int]:
    """Control codes of a reader's features, from the answer to `GET_FEATURE_REQUEST`.

    Tag 1, length 4, control code 4 in big-endian; what does not have this form, and all after it, is left out.
    """
    found: dict[int, int] = {}
    for start in range(0, len(answer) - _FEATURE.size + 1, _FEATURE.size):
        tag, length, code = _FEATURE.unpack_from(answer, start)
        if length != _FEATURE.size - 2:
            break
        found[tag] = code
    return found


def within_pad(prompt: PinPrompt, properties: bytes) -> PinPrompt:
    """The prompt with the PIN lengths that the pad can take; one that cannot take any keeps the card's.

    Args:
        prompt: What the card needs.
        properties: Answer to `GET_TLV_PROPERTIES`: tag 1, length 1, value; empty if the pad does not tell.
    """
    sizes = _properties(properties)
    shortest = max(prompt.min_digits, sizes.get(_MIN_PIN_SIZE, 0))
    longest = min(prompt.max_digits, sizes.get(_MAX_PIN_SIZE) or prompt.max_digits)
    return PinPrompt(prompt.header, shortest, longest) if shortest <= longest else prompt


def _properties(answer: bytes) -> dict[int, int]:
    """Properties of one byte."""
    found: dict[int, int] = {}
    start = 0
    while start + 2 <= len(answer):
        tag, length = answer[start : start + 2]
        value = answer[start + 2 : start + 2 + length]
        if len(value) == 1:
            found[tag] = value[0]
        start += 2 + length
    return found


def pin_verify(prompt: PinPrompt) -> bytes:
    """PIN_VERIFY_STRUCTURE, 23 bytes: 19 and the header of the command as template."""
    fields = _PIN_VERIFY.pack(
        PIN_SECONDS,
        PIN_SECONDS,
        _BCD_LEFT,
        _NO_BLOCK,
        _NO_LENGTH,
        prompt.min_digits << 8 | prompt.max_digits,
        _BY_KEY,
        _ONE_MESSAGE,
        CHINESE,
        _ENTER_PIN,
        bytes(3),  # bTeoPrologue: the driver's business
        len(prompt.header),
    )
    return fields + prompt.header


def pin_modify(prompt: PinChangePrompt) -> bytes:
    """PIN_MODIFY_STRUCTURE: 24 bytes and the command as template, whose FF the digits replace.

    One message for each PIN that is typed; a card without an old PIN is asked for the new one twice.
    """
    messages = (_NEW_PIN, _NEW_PIN_AGAIN, 0) if prompt.old_at is None else (_ENTER_PIN, _NEW_PIN, _NEW_PIN_AGAIN)
    fields = _PIN_MODIFY.pack(
        PIN_SECONDS,
        PIN_SECONDS,
        _BCD_LEFT,
        (prompt.digits + 1) // 2,  # bmPINBlockString: bytes of each PIN
        _NO_LENGTH,
        prompt.old_at or 0,
        prompt.new_at,
        prompt.digits << 8 | prompt.digits,
        _CONFIRM if prompt.old_at is None else _CONFIRM | _ASK_OLD,
        _BY_KEY,
        2 if prompt.old_at is None else 3,
        CHINESE,
        *messages,
        bytes(3),  # bTeoPrologue: the driver's business
        len(prompt.command),
    )
    return fields + prompt.command
