"""Joins the exchanges that complete one command: GET RESPONSE after 61xx, a repetition after 6Cxx (SSC §5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cardio.cli.trace.apdu import TracedAnswer, TracedCommand, parse_answer, parse_command
from cardio.cli.trace.source import Reset
from cardio.transport.recording import Exchange

GET_RESPONSE = 0xC0


@dataclass(frozen=True)
class Call:
    """One command with its complete answer.

    Attributes:
        numbers: Numbers of its exchanges, from 1.
        command: The command as it was sent last.
        answer: All data of its answers, and the last status word.
        time: When it was sent, if known.
    """

    numbers: tuple[int, ...]
    command: TracedCommand
    answer: TracedAnswer
    time: str = ""


def join(events: Iterable[Reset | Exchange]) -> Iterator[Reset | Call]:
    """Resets and calls in order."""
    call: Call | None = None
    number = 0
    for event in events:
        if isinstance(event, Reset):
            if call is not None:
                yield call
            call = None
            yield event
            continue
        number += 1
        command, answer = parse_command(event.command), parse_answer(event.answer)
        joined = None if call is None else _continued(call, number, command, answer)
        if joined is None:
            if call is not None:
                yield call
            joined = Call((number,), command, answer, event.time)
        call = joined
    if call is not None:
        yield call


def _continued(call: Call, number: int, command: TracedCommand, answer: TracedAnswer) -> Call | None:
    """The call with this exchange added; None if it begins another one."""
    numbers = (*call.numbers, number)
    header = command.header
    sw = call.answer.sw or 0
    fetches = header is not None and header[1] == GET_RESPONSE
    if sw >> 8 == 0x61 and fetches:
        return Call(numbers, call.command, TracedAnswer(call.answer.octets + answer.octets, answer.status), call.time)
    if sw >> 8 == 0x6C and fetches and len(call.numbers) > 1:
        return Call(numbers, call.command, TracedAnswer(call.answer.octets + answer.octets, answer.status), call.time)
    same = (
        command.octets[: command.start + command.size] == call.command.octets[: call.command.start + call.command.size]
    )
    if sw >> 8 == 0x6C and _repeats(call.command, command, same=same):
        return Call(numbers, command, answer, call.time)
    return None


def _repeats(first: TracedCommand, second: TracedCommand, *, same: bool) -> bool:
    """Whether the second command is the first one with another Le."""
    if first.size or second.size:
        return same
    return first.octets[:4] == second.octets[:4] and first.whole and second.whole
