"""The client for programs with an event loop."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx
from httpx_sse import aconnect_sse

from cardiod.client.addresses import Address
from cardiod.client.caller import Caller
from cardiod.client.calls import Calls
from cardiod.client.exchange import Reply, Sending, Steps, answered, lost
from cardiod.client.following import Following
from cardiod.client.results import Event

P = ParamSpec("P")
T = TypeVar("T")


def _awaiting(
    call: Callable[Concatenate[Calls, P], Steps[T]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]:
    """A method that carries the steps of a call out."""

    @functools.wraps(call)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._carry_out(call(self._calls, *args, **kwargs))

    return method


class AsyncClient(Caller):
    """A caller of one daemon, with the arguments of `Caller`, for one event loop.

    Its methods are those of `Client`, to be awaited. `write_down` is called in a thread, since it waits for a disk.
    """

    def _open(self, address: Address) -> None:
        transport = httpx.AsyncHTTPTransport(**address.transport_arguments())
        self._http = httpx.AsyncClient(transport=transport, **address.client_arguments())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    read = _awaiting(Calls.read)
    debit = _awaiting(Calls.debit)
    load = _awaiting(Calls.load)
    settle = _awaiting(Calls.settle)
    ask_again = _awaiting(Calls.ask_again)
    find = _awaiting(Calls.find)
    transaction = _awaiting(Calls.transaction)
    settlement = _awaiting(Calls.settlement)
    cancel = _awaiting(Calls.cancel)
    receipt = _awaiting(Calls.receipt)
    wait_for_card = _awaiting(Calls.wait_for_card)
    pin_state = _awaiting(Calls.pin_state)
    verify_pin = _awaiting(Calls.verify_pin)
    change_pin = _awaiting(Calls.change_pin)
    unblock_pin = _awaiting(Calls.unblock_pin)
    get = _awaiting(Calls.get)
    post = _awaiting(Calls.post)

    async def events(self, after: int | None = None) -> AsyncGenerator[Event, None]:
        """As `Client.events`."""
        following = Following(after, self._patience_s)
        while True:
            try:
                async with aconnect_sse(self._http, **following.arguments()) as source:
                    if source.response.is_success:
                        following.connected()
                        async for sent in source.aiter_sse():
                            event = following.took(sent)
                            if event is not None:
                                yield event
                    else:
                        await source.response.aread()
                        following.check(answered(source.response))
            except httpx.TransportError:
                pass
            await asyncio.sleep(following.pause_s())

    async def _carry_out(self, steps: Steps[T]) -> T:
        """Carry steps out to their end."""
        try:
            sending = next(steps)
            while True:
                sending = steps.send(await self._send(sending))
        except StopIteration as end:
            result: T = end.value
            return result

    async def _send(self, sending: Sending) -> Reply:
        if sending.new is not None and self._write_down is not None:
            await asyncio.to_thread(self._write_down, sending.new)
        await asyncio.sleep(sending.pause_s)
        try:
            return answered(await self._http.request(**sending.arguments()))
        except httpx.HTTPError as error:
            return lost(error)
