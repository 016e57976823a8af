"""Both clients of the API behind one face, so that one test holds for both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from cardiod.client import AsyncClient, Client

Tills = Callable[..., Client]


class Awaited:
    """An `AsyncClient` whose methods block: each runs in the event loop of `runner`."""

    def __init__(self, client: AsyncClient, runner: asyncio.Runner) -> None:
        self._client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def blocking(*arguments: Any, **named: Any) -> Any:
            made = method(*arguments, **named)
            return self._runner.run(made) if inspect.iscoroutine(made) else self._one_by_one(made)

        return blocking

    def _one_by_one(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        async def following() -> Any:
            return await anext(items, None)

        try:
            while (item := self._runner.run(following())) is not None:
                yield item
        finally:
            self._runner.run(cast("Any", items).aclose())


@contextmanager
def opened(kind: str, *arguments: Any, **named: Any) -> Iterator[Client]:
    """A client that is closed at the end.

    Args:
        kind: `sync` or `async`.
        arguments: Those of the client.
        named: Those of the client.
    """
    with ExitStack() as stack:
        if kind == "sync":
            yield stack.enter_context(Client(*arguments, **named))
            return
        runner = stack.enter_context(asyncio.Runner())
        client = AsyncClient(*arguments, **named)
        stack.callback(lambda: runner.run(client.close()))
        yield cast("Client", Awaited(client, runner))
