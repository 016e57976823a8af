"""Errors that are a mistake of ours: their kind and place are noted, their messages are not, which may hold a value."""

from __future__ import annotations

import traceback

import structlog

log = structlog.get_logger("cardiod")


def note_bug(error: BaseException) -> None:
    """Write down that there is a mistake, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    log.error("internal error", kind=type(error).__name__, at=place)
