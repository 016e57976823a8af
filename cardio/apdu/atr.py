"""Answer to reset: the historical bytes, which hold a social security card's diversification factor.

Source: ISO 7816-3 §8.2, SSC §1.1; PC/SC part 3 for the ATR that readers make up for contactless cards.
"""

from __future__ import annotations

from cardio.errors import CardDataInvalid

MIN_SIZE = 2


def historical_bytes(atr: bytes) -> bytes:
    """The historical bytes of an ATR, 0 to 15 bytes.

    Raises:
        CardDataInvalid: The ATR is cut short.
    """
    if len(atr) < MIN_SIZE:
        raise CardDataInvalid(f"ATR of {len(atr)} bytes")
    count = atr[1] & 0x0F
    position = 2
    present = atr[1] >> 4
    while True:
        interface_bytes = (present & 0x7).bit_count()
        position += interface_bytes
        if not present & 0x8:
            break
        if position >= len(atr):
            raise CardDataInvalid("ATR is cut short")
        present = atr[position] >> 4
        position += 1
    if len(atr) < position + count:
        raise CardDataInvalid("ATR is cut short")
    return atr[position : position + count]


def card_factor(atr: bytes) -> bytes:
    """Diversification factor of a social security card: the last 8 historical bytes (SSC §1.1).

    Raises:
        CardDataInvalid: Fewer than 8 historical bytes.
    """
    historical = historical_bytes(atr)
    if len(historical) < 8:
        raise CardDataInvalid(f"{len(historical)} historical bytes hold no card factor")
    return historical[-8:]
