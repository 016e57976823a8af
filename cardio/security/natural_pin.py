"""PINs that are made from a key and the card's number, so that nobody has to keep them (IBM 3624 natural PIN).

The encrypted number is written in decimal digits, A to F as 0 to 5, and its first digits are the PIN. Whoever has the
key can print the PIN mailer again; without it, PINs of other cards tell nothing.
"""

from __future__ import annotations

from cardio.security.issuing import CardKeyReference, IssuingKeys

VALIDATION_DIGITS = 16
DIGITS = 6
"""Digits of a PIN at issue, as social security cards have them (SSC §5.1)."""
_DECIMAL = str.maketrans("ABCDEF", "012345")


def natural_pin(keys: IssuingKeys, key: CardKeyReference, number: str, digits: int = DIGITS) -> str:
    """The PIN of a card.

    Args:
        keys: The issuer's keys.
        key: The PIN generation key.
        number: Number of the card, up to 16 hexadecimal digits.
        digits: Length of the PIN, 4 to 12.

    Raises:
        SamKeyMissing: The source does not have the key.
        ValueError: The number has more digits, or others.
    """
    if len(number) > VALIDATION_DIGITS:
        raise ValueError(f"a number of up to {VALIDATION_DIGITS} digits is needed")
    validation = bytes.fromhex(number.rjust(VALIDATION_DIGITS, "0"))
    return keys.cryptogram(key, validation).hex().upper().translate(_DECIMAL)[:digits]
