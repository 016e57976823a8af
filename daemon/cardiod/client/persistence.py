"""How long and how often the client asks, and what it concludes: the one place for both clients.

A request that moves money is sent again under the same key, never under another, until the daemon tells what became of
it or time is over. Whoever is told that no money moved can rely on it: once an answer is missing, only one that tells
of the transaction itself ends the doubt.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from cardio.errors import ServiceUnavailable
from cardiod.client.exchange import GARBLED, Answer, Lost, Reply, Sending, Steps
from cardiod.client.problems import OutcomeUnknown, problem_of
from cardiod.client.requests import Request

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0


def pauses() -> Iterator[float]:
    """Seconds between two attempts: doubled each time, up to a second."""
    pause = FIRST_PAUSE_S
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE_S)


@dataclass(frozen=True)
class Persistence:
    """Patience of a client.

    Attributes:
        patience_s: Seconds to go on asking after the first attempt failed.
        clock: Seconds that only ever grow.
    """

    patience_s: float
    clock: Callable[[], float] = time.monotonic

    def ask(self, sending: Sending, *, wait_s: float = 0.0, repeatable: bool = True) -> Steps[Answer]:
        """Send something that moves no money, until it is answered.

        Args:
            sending: What to send.
            wait_s: Seconds that the daemon may wait for a card.
            repeatable: Whether it does no harm when it is carried out twice.

        Raises:
            ApiProblem: The daemon refused.
            ServiceUnavailable: No answer in time.
        """

        def again(reply: Reply) -> bool:
            if isinstance(reply, Lost):
                return repeatable or not reply.sent
            problem = problem_of(reply)
            return repeatable if problem is None else problem.passes

        *_, last = yield from self._repeat(sending, wait_s, again)
        if isinstance(last, Lost):
            raise ServiceUnavailable(last.reason)
        if last.whole(sending):
            return last
        raise problem_of(last) or ServiceUnavailable(GARBLED)

    def ask_money(self, sending: Sending, request: Request, *, wait_s: float, sent_before: bool) -> Steps[Answer]:
        """Send a request that moves money, until the daemon tells what became of it.

        Args:
            sending: The request with its key.
            request: The same, as it was written down.
            wait_s: Seconds that the daemon may wait for a card.
            sent_before: Whether it may have been carried out before.

        Raises:
            ApiProblem: The daemon refused, and its `money` is true of the request as a whole.
            ServiceUnavailable: Nothing was sent.
            OutcomeUnknown: Anything else, after the last attempt.
        """
        replies = yield from self._repeat(sending, wait_s, _not_told)
        last = replies[-1]
        problem = None
        if isinstance(last, Answer):
            if last.whole(sending):
                return last
            problem = problem_of(last, request)
        doubt = sent_before or any(_carried_out_perhaps(reply) for reply in replies)
        if problem is not None and (problem.tells or not doubt):
            raise problem
        reason = last.reason if isinstance(last, Lost) else GARBLED if problem is None else problem.code
        if doubt:
            raise OutcomeUnknown(request, reason, problem)
        raise ServiceUnavailable(reason)

    def _repeat(self, sending: Sending, wait_s: float, again: Callable[[Reply], bool]) -> Steps[list[Reply]]:
        """Send until a reply is not worth another attempt, or time is over.

        Time runs from the first reply on. Where the daemon may be at work for an earlier attempt, it also has the
        seconds that it may wait for a card.
        """
        replies: list[Reply] = []
        since, patience_s = 0.0, self.patience_s
        for pause in pauses():
            reply = yield sending
            if not replies:
                since = self.clock()
            replies.append(reply)
            if isinstance(reply, Answer):
                if reply.whole(sending):
                    break
                pause = max(pause, reply.retry_after_s)
            if _carried_out_perhaps(reply):
                patience_s = self.patience_s + wait_s
            if not again(reply) or self.clock() + pause > since + patience_s:
                break
            sending = replace(sending, pause_s=pause, new=None)
        return replies


def _not_told(reply: Reply) -> bool:
    """Whether the same key should be asked again, because nobody has told yet what became of the request."""
    problem = problem_of(reply) if isinstance(reply, Answer) else None
    return problem is None or problem.open or problem.passes


def _carried_out_perhaps(reply: Reply) -> bool:
    """Whether the request may have been carried out although this came back."""
    if isinstance(reply, Lost):
        return reply.sent
    problem = problem_of(reply)
    return problem is None or problem.open
