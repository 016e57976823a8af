"""Diversification factors of social security cards (SSC §6.3)."""

from __future__ import annotations

PROVINCE_SUFFIX = b"sh"
CITY_SUFFIX = b"sx"
ZHEJIANG = "33"


def province_factor(region: str) -> bytes:
    """Factor of the province of a 6-digit region code."""
    return region[:2].encode("ascii") + b"0000" + PROVINCE_SUFFIX


def city_factor(region: str) -> bytes:
    """Factor of the city of a 6-digit region code; Zhejiang counts only four digits."""
    digits = region[:4] + "00" if region.startswith(ZHEJIANG) else region
    return digits.encode("ascii") + CITY_SUFFIX
