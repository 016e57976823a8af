"""Times that callers give."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from cardio.files.dates import CARD_TIMEZONE

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")


def _rfc3339(given: object) -> object:
    """Numbers and bare dates are times to pydantic, and a time without its offset could be anybody's."""
    if not isinstance(given, str) or not _RFC3339.fullmatch(given):
        raise ValueError("times are as 2026-01-31T08:00:00+08:00, with their offset")
    return given


def _here(time: datetime) -> datetime:
    """The time in the zone of the cards, as the journal has it."""
    try:
        return time.astimezone(CARD_TIMEZONE)
    except OverflowError:
        raise ValueError("no clock here ever shows that time") from None


Time = Annotated[datetime, BeforeValidator(_rfc3339), AfterValidator(_here)]
"""RFC 3339, in the zone of the cards."""
