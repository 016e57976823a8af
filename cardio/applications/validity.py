"""Whether a card may be used today."""

from __future__ import annotations

from datetime import date

from cardio.errors import CardExpired, CardNotYetValid
from cardio.files.dates import CardDate


def check_validity(starts: CardDate | None, ends: CardDate | None, today: date) -> None:
    """Both end days are allowed; an unwritten date limits nothing (EW §2.3).

    Raises:
        CardNotYetValid: Today is before the first day.
        CardExpired: Today is after the last day.
    """
    if starts is not None and today < starts.first:
        raise CardNotYetValid(f"valid from {starts}")
    if ends is not None and today > ends.last:
        raise CardExpired(f"valid to {ends}")
