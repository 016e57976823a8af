"""How personal values are shown where they may not be shown in full (OPS §4.8, T-20)."""

from __future__ import annotations

from enum import StrEnum, auto

HIDDEN = "***"


class Mask(StrEnum):
    """Kind of a personal value, declared with its field."""

    NAME = auto()
    ID_NUMBER = auto()
    CARD_NUMBER = auto()
    DATE = auto()
    HIDDEN = auto()

    def apply(self, value: object) -> str:
        """The masked form: family name, first 3 and last 4 digits, last 4 digits, year, or nothing."""
        if isinstance(value, bytes):
            return HIDDEN
        text = str(value)
        match self:
            case Mask.NAME:
                return text[:1] + "*" * max(1, len(text) - 1)
            case Mask.ID_NUMBER if len(text) > 7:
                return text[:3] + "*" * (len(text) - 7) + text[-4:]
            case Mask.CARD_NUMBER if len(text) > 4:
                return "****" + text[-4:]
            case Mask.DATE:
                return text[:4]
        return HIDDEN
