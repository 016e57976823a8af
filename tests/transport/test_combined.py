"""Several drivers as one: their readers together, and services that stop one by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import pytest

from cardio.errors import ReaderServiceStopped, ReaderUnavailable
from cardio.transport.channel import ReaderDriver, SlotState
from cardio.transport.combined import CombinedDriver
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from tests.transport.test_embedded import COMMAND, OK, Card

SOON = 5.0


class Service(EmbeddedDriver):
    """Readers of a service that can be stopped."""

    def __init__(self, *names: str) -> None:
        super().__init__(EmbeddedReader(name) for name in names)
        self.stopped = False
        self.released = 0

    def readers(self) -> dict[str, SlotState]:
        if self.stopped:
            raise ReaderServiceStopped
        return super().readers()

    def wait(self, known: Mapping[str, SlotState], timeout: float) -> dict[str, SlotState]:
        if self.stopped:
            raise ReaderServiceStopped
        return super().wait(known, timeout)

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def pcsc() -> Service:
    return Service("counter", "sam")


@pytest.fixture
def serial() -> Service:
    return Service("gate")


@pytest.fixture
def driver(pcsc: Service, serial: Service) -> CombinedDriver:
    return CombinedDriver([pcsc, serial])


def test_readers_of_all_drivers_stand_together(driver: ReaderDriver) -> None:
    assert list(driver.readers()) == ["counter", "sam", "gate"]


def test_a_reader_is_powered_by_its_own_driver(driver: CombinedDriver, serial: Service, pcsc: Service) -> None:
    card = Card()
    serial.slots["gate"].insert(card)
    assert driver.connect("gate").transmit(COMMAND) == COMMAND + OK
    with pytest.raises(ReaderUnavailable, match="cellar"):
        driver.connect("cellar")
    driver.release()
    assert pcsc.released == serial.released == 1


@pytest.mark.parametrize("name", ["counter", "gate"])
def test_waiting_sees_a_card_in_any_reader(driver: CombinedDriver, pcsc: Service, serial: Service, name: str) -> None:
    known = driver.readers()
    slots = pcsc.slots | serial.slots
    timer = threading.Timer(0.1, slots[name].insert, [Card()])
    timer.start()
    begun = time.monotonic()
    assert driver.wait(known, SOON)[name].present
    assert time.monotonic() - begun < SOON
    timer.join()


def test_waiting_ends_in_time(driver: CombinedDriver) -> None:
    known = driver.readers()
    begun = time.monotonic()
    assert driver.wait(known, 0.3) == known
    assert 0.25 < time.monotonic() - begun < 2


def test_a_service_that_stops_takes_only_its_own_readers_away(driver: CombinedDriver, pcsc: Service) -> None:
    known = driver.readers()
    pcsc.stopped = True
    alone = driver.wait(known, SOON)
    assert list(alone) == ["gate"]
    assert driver.readers() == alone
    assert driver.wait(alone, 0.1) == alone
    pcsc.stopped = False
    assert driver.wait(alone, SOON) == known


def test_without_any_service_the_service_has_stopped(driver: CombinedDriver, pcsc: Service, serial: Service) -> None:
    known = driver.readers()
    pcsc.stopped = serial.stopped = True
    with pytest.raises(ReaderServiceStopped):
        driver.readers()
    with pytest.raises(ReaderServiceStopped):
        driver.wait(known, SOON)
