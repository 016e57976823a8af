"""Times as the journal's rows hold them, in text and in ids: both sort as the times do."""

from __future__ import annotations

from datetime import datetime

from cardio.files.dates import CARD_TIMEZONE


def stamp(at: datetime) -> str:
    """A time as text, always in the cards' zone."""
    return at.astimezone(CARD_TIMEZONE).isoformat()


def first_id(at: datetime) -> str:
    """Smallest id of a time: ids are UUIDv7, whose first 48 bits are milliseconds (RFC 9562 §5.7).

    By it the primary key finds what is newer or older without an index of its own.
    """
    time = f"{int(at.timestamp() * 1000):012x}"
    return f"{time[:8]}-{time[8:]}"
