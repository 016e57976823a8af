"""One HTTP connection: uvicorn's, which also tells the application who is there, and waits for nobody for ever."""

from __future__ import annotations

from asyncio import BaseTransport, TimerHandle, Transport
from typing import cast

import h11
from fastapi.responses import JSONResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

from cardio.errors import CardioError, InputInvalid, RequestTimeout
from cardiod.api.problems import problem_response
from cardiod.peers import peer_of

HEADER_SECONDS = 10.0
"""Until the header of a request must be there; uvicorn itself would wait as long as the caller likes."""
STALLED_SECONDS = 10.0
"""Until some of an answer must have been taken; a stop, too, would wait for somebody who reads no events any more."""


class Connection(H11Protocol):
    """A connection that finds out its peer, and ends if requests do not come or answers are not taken."""

    _deadline: TimerHandle | None = None
    _stalled: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Look at who is there; the application finds it as `request.state.peer`."""
        super().connection_made(cast("Transport", transport))
        self.app_state = {**self.app_state, "peer": peer_of(cast("Transport", transport))}
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for any more."""
        self._forget()
        self._taken()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The peer takes nothing for the moment."""
        super().pause_writing()
        self._stalled = self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The peer goes on."""
        self._taken()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Take what came, and watch how long the rest of a header takes."""
        super().data_received(data)
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP, or has too long a header, is told as everything else is; uvicorn would send bare text."""
        self._refuse(InputInvalid(msg))

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._forget()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _taken(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self._refuse(RequestTimeout("the header of the request"))

    def _refuse(self, error: CardioError) -> None:
        """Answer outside of the application, and close."""
        answer: JSONResponse = problem_response(error)
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headers = [*answer.raw_headers, (b"connection", b"close")]
            for event in (
                h11.Response(status_code=answer.status_code, headers=headers),
                h11.Data(data=bytes(answer.body)),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
