"""The client that blocks."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

import httpx
from httpx_sse import connect_sse

from cardiod.client.addresses import Address
from cardiod.client.caller import Caller
from cardiod.client.calls import Calls
from cardiod.client.exchange import Reply, Sending, Steps, answered, lost
from cardiod.client.following import Following
from cardiod.client.results import Event

P = ParamSpec("P")
T = TypeVar("T")


def _blocking(call: Callable[Concatenate[Calls, P], Steps[T]]) -> Callable[Concatenate[Client, P], T]:
    """A method that carries the steps of a call out."""

    @functools.wraps(call)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._carry_out(call(self._calls, *args, **kwargs))

    return method


class Client(Caller):
    """A caller of one daemon, with the arguments of `Caller`; safe for use from several threads.

    What its methods do, raise and return is described in `Calls`.
    """

    def _open(self, address: Address) -> None:
        transport = httpx.HTTPTransport(**address.transport_arguments())
        self._http = httpx.Client(transport=transport, **address.client_arguments())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    read = _blocking(Calls.read)
    debit = _blocking(Calls.debit)
    load = _blocking(Calls.load)
    settle = _blocking(Calls.settle)
    ask_again = _blocking(Calls.ask_again)
    find = _blocking(Calls.find)
    transaction = _blocking(Calls.transaction)
    settlement = _blocking(Calls.settlement)
    cancel = _blocking(Calls.cancel)
    receipt = _blocking(Calls.receipt)
    wait_for_card = _blocking(Calls.wait_for_card)
    pin_state = _blocking(Calls.pin_state)
    verify_pin = _blocking(Calls.verify_pin)
    change_pin = _blocking(Calls.change_pin)
    unblock_pin = _blocking(Calls.unblock_pin)
    get = _blocking(Calls.get)
    post = _blocking(Calls.post)

    def events(self, after: int | None = None) -> Generator[Event, None, None]:
        """Events as they happen, first a snapshot; goes on by itself when the connection breaks.

        Args:
            after: Number of the last event that is known; those since then come first.

        Raises:
            ApiProblem: The daemon refused.
            ServiceUnavailable: There has been no connection for `patience_s` seconds.
        """
        following = Following(after, self._patience_s)
        while True:
            try:
                with connect_sse(self._http, **following.arguments()) as source:
                    if source.response.is_success:
                        following.connected()
                        for sent in source.iter_sse():
                            event = following.took(sent)
                            if event is not None:
                                yield event
                    else:
                        source.response.read()
                        following.check(answered(source.response))
            except httpx.TransportError:
                pass
            time.sleep(following.pause_s())

    def _carry_out(self, steps: Steps[T]) -> T:
        """Carry steps out to their end."""
        try:
            sending = next(steps)
            while True:
                sending = steps.send(self._send(sending))
        except StopIteration as end:
            result: T = end.value
            return result

    def _send(self, sending: Sending) -> Reply:
        if sending.new is not None and self._write_down is not None:
            self._write_down(sending.new)
        time.sleep(sending.pause_s)
        try:
            return answered(self._http.request(**sending.arguments()))
        except httpx.HTTPError as error:
            return lost(error)
