"""Work beside the event loop: operations that go on when nobody waits any more, and calls to the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from cardio.errors import CardioError
from cardiod import crashes

P = ParamSpec("P")
T = TypeVar("T")
JOURNAL_CALLS = 4
"""Threads that wait for the journal on behalf of the event loop."""


class Work:
    """What runs at one counter; for use from its event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(JOURNAL_CALLS, thread_name_prefix="journal-call")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Belong to the running event loop from now on."""
        self._loop = asyncio.get_running_loop()

    def spawn(self, operation: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run an operation that goes on even when nobody waits for it any more."""
        task = asyncio.get_running_loop().create_task(operation)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def start(self, operation: Coroutine[Any, Any, object]) -> None:
        """Run an operation for which nobody waits."""
        self.leave(self.spawn(operation))

    def leave(self, task: asyncio.Task[Any]) -> None:
        """Wait for a task no longer: asyncio would print what goes wrong in it, values and all."""
        task.add_done_callback(_note)

    def from_elsewhere(self, call: Callable[[], object]) -> None:
        """Have the event loop make a call; for other threads and signal handlers, also when the loop has ended."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    async def journal(self, call: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Await a call that writes or reads the journal."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args, **named))

    async def finish(self) -> None:
        """Wait for all operations; nothing is cut between ARMED and its end."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._threads.shutdown()


def _note(task: asyncio.Task[Any]) -> None:
    """An error of ours is known to the journal, or moved nothing; anything else is a bug."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, CardioError):
        crashes.tell(error)
