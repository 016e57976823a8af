"""What a crash leaves behind: its kind and place, and nothing of what was in memory (OPS §4.8).

Messages of exceptions hold values, and a value may be a PIN or a name; so do dumps of memory.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

import structlog

PR_SET_DUMPABLE = 4
"""Of Linux's prctl.h."""
log = structlog.get_logger("cardiod.crashes")


def tell(error: BaseException) -> None:
    """Log an error that is a bug: its kind and its place, not its message."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    log.error("internal error", kind=type(error).__name__, at=place)


def leave_nothing_behind() -> None:
    """Have nothing of this process's memory dumped, and no message of an exception printed, from now on."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The limit does not hold for a dump that the kernel hands to a program, as systemd-coredump.
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    sys.excepthook = _on_uncaught
    threading.excepthook = _on_thread_error
    sys.unraisablehook = _on_unraisable


def on_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What an event loop does with an error that nobody awaits; its own handler would print the message."""
    error = context.get("exception")
    if isinstance(error, BaseException):
        tell(error)
    else:
        log.error("internal error", kind="asyncio")


def _on_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        tell(error)


def _on_thread_error(thrown: threading.ExceptHookArgs) -> None:
    if thrown.exc_value is not None:
        tell(thrown.exc_value)


def _on_unraisable(thrown: sys.UnraisableHookArgs) -> None:
    if thrown.exc_value is not None:
        tell(thrown.exc_value)
