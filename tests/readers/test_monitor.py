"""Watching readers: what is reported, and how often."""

from __future__ import annotations

from collections.abc import Mapping

from cardio.errors import ReaderServiceStopped
from cardio.readers.monitor import ReaderMonitor
from cardio.transport.channel import Channel, SlotState
from tests.counter import eventually

EMPTY, FULL = SlotState(False, 0), SlotState(True, 1)


class Service:
    """A reader service that answers as told; an exception stands for one that does not run."""

    def __init__(self, *answers: dict[str, SlotState] | None) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.released = False

    def readers(self) -> dict[str, SlotState]:
        return self._answer()

    def wait(self, known: Mapping[str, SlotState], timeout: float) -> dict[str, SlotState]:
        return self._answer()

    def connect(self, reader: str) -> Channel:
        raise AssertionError("watching connects to no card")

    def release(self) -> None:
        self.released = True

    def _answer(self) -> dict[str, SlotState]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if answer is None:
            raise ReaderServiceStopped
        return answer


def watched(service: Service, steps: int) -> list[dict[str, SlotState]]:
    seen: list[dict[str, SlotState]] = []
    monitor = ReaderMonitor(service, seen.append)
    monitor.start()
    eventually(lambda: service.asked >= steps)
    monitor.stop()
    return seen


def test_cards_that_are_there_at_the_start_are_reported_first() -> None:
    assert watched(Service({"r": FULL}), 3) == [{"r": FULL}]


def test_only_changes_are_reported() -> None:
    service = Service({"r": EMPTY}, {"r": EMPTY}, {"r": FULL}, {"r": FULL}, {"r": EMPTY})
    assert watched(service, 8) == [{"r": EMPTY}, {"r": FULL}, {"r": EMPTY}]
    assert service.released


def test_a_service_that_is_down_is_told_once_and_its_return_tells_all_cards_anew() -> None:
    service = Service({"r": FULL}, None, None, None, {"r": FULL})
    assert watched(service, 6) == [{"r": FULL}, {}, {"r": FULL}]


def test_a_service_that_never_ran_is_told_once() -> None:
    assert watched(Service(None), 3) == [{}]
