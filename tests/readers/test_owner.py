"""Owners of readers: one job at a time, and what becomes of a reader that hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from cardio.errors import CardAbsent, CardRemoved, Money, ReaderBusy, ReaderPoisoned, ReaderUnavailable
from cardio.readers.owner import OwnerState, ReaderOwner, SamOwner
from cardio.readers.owners import ReaderOwners
from cardio.security.psam import Psam
from cardio.transport.channel import Channel, PinChangePrompt, PinPadChannel, PinPrompt
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.cards import citizen_card, psam
from cardio.virtual.pin_pad import VirtualPinPad
from tests.counter import eventually
from tests.readers.stuck import LIMIT, StuckCard

SELECT = bytes.fromhex("00A40000023F00")
SELECT_HEADER = SELECT[:2]


def select(channel: Channel) -> bytes:
    return channel.transmit(SELECT)


class Bench:
    """A reader whose card can hang, one whose card cannot, and their owners."""

    def __init__(self) -> None:
        self.card = StuckCard(citizen_card(), SELECT_HEADER)
        self.reader = EmbeddedReader("hangs", self.card)
        self.other = EmbeddedReader("other", citizen_card(serial="00008600000000000124"))
        self.driver = EmbeddedDriver([self.reader, self.other])
        self.owners = ReaderOwners(self.driver, limit=LIMIT)
        self.owners.update(self.driver.readers())

    def hang(self, money: Money = Money.UNKNOWN) -> Future[bytes]:
        future = self.owners.submit("hangs", select, money)
        assert self.card.hangs.wait(5)
        return future

    def state(self, name: str = "hangs") -> OwnerState:
        return self.owners.states[name]


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.card.free.set()
    bench.owners.stop()


def poisoned(future: Future[Any]) -> ReaderPoisoned:
    with pytest.raises(ReaderPoisoned) as caught:
        future.result(5)
    return caught.value


# ---- jobs --------------------------------------------------------------------------------------------------------


def test_one_job_may_wait_and_the_next_is_told_that_the_reader_is_busy(bench: Bench) -> None:
    go = threading.Event()

    def wait(channel: Channel) -> bool:
        return go.wait(5)

    first, second = bench.owners.submit("other", wait), bench.owners.submit("other", wait)
    with pytest.raises(ReaderBusy):
        bench.owners.submit("other", wait)
    assert bench.state("other") is OwnerState.WORKING
    go.set()
    assert (first.result(5), second.result(5)) == (True, True)
    eventually(lambda: bench.state("other") is OwnerState.READY)


def test_a_job_longer_than_the_limit_is_not_stuck_as_long_as_its_calls_return(bench: Bench) -> None:
    def slow(channel: Channel) -> bytes:
        for _ in range(4):
            select(channel)
            time.sleep(LIMIT / 2)
        return select(channel)

    assert bench.owners.submit("other", slow).result(5).endswith(b"\x90\x00")


def test_a_job_may_raise_and_the_next_one_runs(bench: Bench) -> None:
    bench.other.remove()
    with pytest.raises(CardAbsent):
        bench.owners.submit("other", select).result(5)
    bench.other.insert(citizen_card())
    assert bench.owners.submit("other", select).result(5)


def test_a_stopped_owner_takes_no_job(bench: Bench) -> None:
    owner = ReaderOwner("other", bench.driver, limit=LIMIT)
    owner.stop()
    assert owner.state is OwnerState.STOPPED
    with pytest.raises(ReaderUnavailable):
        owner.submit(select)


def test_a_stopped_owner_finishes_the_jobs_that_it_took(bench: Bench) -> None:
    owner = ReaderOwner("other", bench.driver, limit=LIMIT)
    futures = [owner.submit(select), owner.submit(select)]
    owner.stop()
    assert all(future.done() for future in futures)


# ---- a call that never returns -----------------------------------------------------------------------------------


def test_a_call_that_never_returns_poisons_its_reader_after_the_limit(bench: Bench) -> None:
    began = time.monotonic()
    error = poisoned(bench.hang())
    assert LIMIT <= time.monotonic() - began < 5
    assert (error.code, error.money, bench.state()) == ("reader.poisoned", Money.UNKNOWN, OwnerState.POISONED)


def test_a_job_that_moves_no_money_says_so_when_its_reader_hangs(bench: Bench) -> None:
    assert poisoned(bench.hang(Money.NONE)).money is Money.NONE


def test_jobs_that_wait_for_a_reader_that_hangs_fail_too_and_moved_nothing(bench: Bench) -> None:
    bench.hang()
    waiting = bench.owners.submit("hangs", select)
    assert poisoned(waiting).money is Money.NONE
    with pytest.raises(ReaderPoisoned) as refused:
        bench.owners.submit("hangs", select)
    assert refused.value.money is Money.NONE


def test_other_readers_work_on_while_one_hangs(bench: Bench) -> None:
    future = bench.hang()
    for _ in range(20):
        assert bench.owners.submit("other", select).result(5)
    poisoned(future)
    assert bench.owners.submit("other", select).result(5)


def test_the_late_answer_is_not_used(bench: Bench) -> None:
    seen: list[str] = []

    def job(channel: Channel) -> None:
        for _ in range(2):
            try:
                select(channel)
            except ReaderPoisoned:
                seen.append("refused")

    future = bench.owners.submit("hangs", job)
    poisoned(future)
    bench.card.free.set()
    eventually(lambda: seen == ["refused", "refused"])


def test_a_reader_whose_stuck_call_returned_is_served_again_by_another_thread(bench: Bench) -> None:
    poisoned(bench.hang())
    bench.card.free.set()
    eventually(lambda: bench.state() is OwnerState.READY)
    threads = {bench.owners.submit("hangs", lambda _: threading.current_thread()).result(5) for _ in range(2)}
    assert len(threads) == 1
    assert bench.owners.submit("hangs", select).result(5)


def test_a_reader_that_hangs_again_is_poisoned_again(bench: Bench) -> None:
    for _ in range(2):
        bench.card.stuck_at = SELECT_HEADER
        bench.card.hangs.clear()
        bench.card.free.clear()
        poisoned(bench.hang())
        bench.card.free.set()
        eventually(lambda: bench.state() is OwnerState.READY)


def test_a_reader_that_was_plugged_in_anew_is_served_though_the_old_call_still_hangs(bench: Bench) -> None:
    poisoned(bench.hang())
    reader = bench.driver.unplug("hangs")
    bench.owners.update(bench.driver.readers())
    bench.driver.plug(reader)
    bench.owners.update(bench.driver.readers())
    assert bench.owners.submit("hangs", select).result(5)
    assert bench.state() is OwnerState.READY
    bench.card.free.set()
    # The old thread ends, and lets go of nothing that is the new one's.
    eventually(lambda: sum(thread.name == "reader hangs" for thread in threading.enumerate()) == 1)
    assert bench.owners.submit("hangs", select).result(5)


def test_powering_a_card_may_hang_too_and_what_comes_late_is_given_back(bench: Bench) -> None:
    go, entered = threading.Event(), threading.Event()
    connect = bench.driver.connect

    def slow(reader: str) -> Channel:
        entered.set()
        go.wait(5)
        return connect(reader)

    bench.driver.connect = slow  # type: ignore[method-assign]
    future = bench.owners.submit("other", select)
    poisoned(future)
    go.set()
    eventually(lambda: bench.state("other") is OwnerState.READY)
    assert bench.owners.submit("other", select).result(5)


def test_stopping_does_not_wait_for_a_reader_that_hangs(bench: Bench) -> None:
    poisoned(bench.hang())
    began = time.monotonic()
    bench.owners.stop()
    assert time.monotonic() - began < 1
    bench.card.free.set()
    eventually(lambda: all("hangs" not in thread.name for thread in threading.enumerate()))


def test_a_pin_pad_has_longer_and_stays_a_pin_pad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cardio.readers.watch.PIN_ENTRY", 5.0)

    class SlowPad(VirtualPinPad):
        def verify(self, prompt: PinPrompt, send: Callable[[bytes], bytes]) -> bytes:
            time.sleep(2 * LIMIT)
            return super().verify(prompt, send)

        def modify(self, prompt: PinChangePrompt, send: Callable[[bytes], bytes]) -> bytes:
            time.sleep(2 * LIMIT)
            return super().modify(prompt, send)

    reader = EmbeddedReader("pad", citizen_card(), SlowPad("123456", "654321"))
    owner = ReaderOwner("pad", EmbeddedDriver([reader]), limit=LIMIT)

    def verify(channel: Channel) -> bytes:
        assert isinstance(channel, PinPadChannel)
        return channel.verify_pin(PinPrompt(bytes.fromhex("00200000"), 4, 12))

    def change(channel: Channel) -> bytes:
        assert isinstance(channel, PinPadChannel)
        return channel.modify_pin(PinChangePrompt(bytes.fromhex("805E010007FFFFFFFFFFFFFF"), 6, 0, 4))

    assert owner.submit(verify).result(5) == b"\x90\x00"
    assert owner.submit(change).result(5) == b"\x90\x00"
    owner.stop()


# ---- readers that come and go ------------------------------------------------------------------------------------


def test_a_reader_unplugged_in_mid_command_loses_its_card_and_works_when_it_is_back(bench: Bench) -> None:
    future = bench.hang()
    reader = bench.driver.unplug("hangs")
    bench.card.free.set()
    with pytest.raises(CardRemoved):
        future.result(5)
    bench.owners.update(bench.driver.readers())
    with pytest.raises(ReaderUnavailable):
        bench.owners.submit("hangs", select)
    bench.driver.plug(reader)
    bench.owners.update(bench.driver.readers())
    assert bench.owners.submit("hangs", select).result(5)


def test_a_reader_that_is_back_before_its_job_ended_does_not_meet_two_jobs_at_once(bench: Bench) -> None:
    go, at_once = threading.Event(), []

    def wait(channel: Channel) -> None:
        at_once.append("first")
        go.wait(5)
        at_once.append("first ended")

    first = bench.owners.submit("other", wait)
    eventually(lambda: bool(at_once))
    reader = bench.driver.unplug("other")
    bench.owners.update(bench.driver.readers())
    bench.driver.plug(reader)
    bench.owners.update(bench.driver.readers())
    second = bench.owners.submit("other", lambda _: at_once.append("second"))
    go.set()
    first.result(5)
    second.result(5)
    assert at_once == ["first", "first ended", "second"]


def test_readers_that_left_for_good_leave_no_thread(bench: Bench) -> None:
    for number in range(5):
        reader = EmbeddedReader(f"passing {number}", citizen_card())
        bench.driver.plug(reader)
        bench.owners.update(bench.driver.readers())
        assert bench.owners.submit(reader.name, select).result(5)
        eventually(lambda name=reader.name: bench.state(name) is OwnerState.READY)  # type: ignore[misc]
        bench.driver.unplug(reader.name)
        bench.owners.update(bench.driver.readers())
    eventually(lambda: all("passing" not in thread.name for thread in threading.enumerate()))


# ---- SAMs --------------------------------------------------------------------------------------------------------


def test_a_sam_that_hangs_is_absent_for_purchases_and_serves_again_when_it_answers() -> None:
    card = StuckCard(psam(), SELECT_HEADER)
    owner = SamOwner("sam", EmbeddedDriver([EmbeddedReader("sam", card)]), virtual=True, limit=LIMIT)
    sam = Psam(owner)
    with pytest.raises(Exception, match=r"sam\.absent"):
        sam.terminal_number()
    assert owner.state is OwnerState.POISONED
    card.free.set()
    eventually(lambda: owner.state is OwnerState.READY)
    assert sam.terminal_number().hex() == "999999000001"
    owner.stop()
