"""The log: JSON lines on standard error, with nothing in them that was not meant to be there (OPS §4.8, §4.13)."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

import structlog

FIELDS = frozenset(
    {
        # of every line
        "event",
        "level",
        "timestamp",
        # who asked for what
        "request",
        "client",
        "method",
        "path",
        "status",
        "seconds",
        # what it was about
        "transaction",
        "transactions",
        "settlement",
        "shift",
        "batch",
        "state",
        "reader",
        "handle",
        "terminal",
        "virtual",
        # what went wrong, and where in the program
        "code",
        "reason",
        "kind",
        "at",
        "logger",
    }
)
"""All that a line may hold. What else a call names is left out, so that no name, number or PIN slips in."""
PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""Levels of syslog, by which the system's journal files lines (sd-daemon(3))."""

Event = MutableMapping[str, Any]


def configure_logging(level: str = "info") -> None:
    """Write what is worth `level`: our own lines with their listed fields, and those of libraries without values."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _listed_fields,
            _for_the_journal if into_the_journal() else _plain,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: _StandardError(),
    )
    # What libraries say below a warning is for whoever looks for a bug in them.
    libraries = threshold if threshold == logging.DEBUG else max(threshold, logging.WARNING)
    logging.basicConfig(handlers=[LibraryRecords()], level=libraries, force=True)


class LibraryRecords(logging.Handler):
    """Lines of the server and the event loop: the first of their text with no values filled in, and an error's kind."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        error = record.exc_info[0] if record.exc_info else None
        log = structlog.get_logger()
        text = str(record.msg).partition("\n")[0]
        log.log(record.levelno, text, logger=record.name, **({} if error is None else {"kind": error.__name__}))


class _StandardError:
    """Writes log lines to whatever standard error is now; a log that cannot be written never stops a sale."""

    def msg(self, message: str) -> None:
        """Write one line."""
        with suppress(OSError, ValueError):
            print(message, file=sys.stderr, flush=True)

    debug = info = warning = error = critical = msg


def _listed_fields(_: object, __: str, event: Event) -> Event:
    return {name: value for name, value in event.items() if name in FIELDS}


_plain = structlog.processors.JSONRenderer(ensure_ascii=False)


def _for_the_journal(logger: object, method: str, event: Event) -> str:
    """The same line, with its priority in front for systemd, which takes it off again."""
    priority = PRIORITIES.get(str(event.get("level")), PRIORITIES["info"])
    return f"<{priority}>{_plain(logger, method, event)!s}"


def into_the_journal() -> bool:
    """Whether standard error leads to the system's journal: systemd tells the stream's device and inode."""
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
