"""How commands tell errors: two languages, what happened to the money, what to do now, and the exit code."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

import typer
from rich.console import Console

from cardio.errors import CardioError, ExitCode, InternalError, Money

DEBUG = "CARDIO_DEBUG"
P = ParamSpec("P")
R = TypeVar("R")

DEBIT: Mapping[Money, str] = {
    Money.NONE: "未扣款 nothing was debited",
    Money.MOVED: "已扣款 the card was debited",
    Money.UNKNOWN: "是否扣款未知 unknown whether the card was debited",
}
LOAD: Mapping[Money, str] = {
    Money.NONE: "未充值 nothing was loaded",
    Money.MOVED: "已充值 the card was loaded",
    Money.UNKNOWN: "是否充值未知 unknown whether the card was loaded",
}

stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Turn errors of the catalogue into a message and an exit code; no traceback reaches a user."""
    return _guard(command, None)


def guarded_debit(command: Callable[P, R]) -> Callable[P, R]:
    """As `guarded`, for commands that debit: the message always says whether any money moved."""
    return _guard(command, DEBIT)


def guarded_load(command: Callable[P, R]) -> Callable[P, R]:
    """As `guarded_debit`, for commands that load."""
    return _guard(command, LOAD)


def _guard(command: Callable[P, R], money: Mapping[Money, str] | None) -> Callable[P, R]:
    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except CardioError as error:
            report(error, money)
            raise typer.Exit(error.exit_code) from error
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if os.environ.get(DEBUG):
                raise
            # A bug. Its message may hold a name or a number, so only its kind is told.
            detail = f"{type(error).__name__}; {DEBUG}=1 shows where"
            report(InternalError(detail, money=None if money else Money.NONE), money)
            raise typer.Exit(InternalError.exit_code) from error
        except KeyboardInterrupt:
            stderr.print("中断 interrupted")
            raise typer.Exit(ExitCode.USAGE) from None

    return run


def report(error: CardioError, money: Mapping[Money, str] | None = None) -> None:
    """Print an error on standard error; `money` adds what became of the money even if nothing did."""
    stderr.print(f"错误 Error {error.code}: {error.text('zh')} / {error.text('en')}", markup=False)
    for line in error.detail.splitlines():
        stderr.print(f"  {line}", markup=False)
    if error.source is not None and error.source.raw:
        source = f"{error.source.layer} {error.source.command} {error.source.raw}"
        stderr.print(f"  {source}", markup=False)
    if money is not None or error.money is not Money.NONE:
        stderr.print(f"  {(money or DEBIT)[error.money]}", markup=False)
