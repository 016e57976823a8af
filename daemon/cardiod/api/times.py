"""Times that callers give."""

from __future__ import annotations

from datetime import datetime

from cardio.errors import InputInvalid


def aware(time: datetime | None) -> datetime | None:
    """Insist on the offset of a time.

    Raises:
        InputInvalid: It has none.
    """
    if time is not None and time.tzinfo is None:
        raise InputInvalid("times need their offset, as +08:00")
    return time
