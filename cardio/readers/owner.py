"""One thread per reader: whoever wants its card hands over a job.

PC/SC handles belong to the thread that made them, a card understands one conversation at a time, and a transmit that
never returns must poison its reader only.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from cardio.apdu.connection import CardConnection
from cardio.errors import Money, ReaderBusy, ReaderError, ReaderPoisoned, ReaderUnavailable
from cardio.readers.watch import CALL_LIMIT, CallWatch, OwnerThread, watched
from cardio.transport.channel import Channel, ReaderDriver

T = TypeVar("T")
WAITING_JOBS = 1
"""Jobs that may wait behind the running one; further ones are told that the reader is busy (OPS §4.4)."""
SAM_WAITING_JOBS = 64
"""A SAM is shared by all readers, whose purchases wait for each other in `Psam.hold`."""


class OwnerState(StrEnum):
    """What an owner is doing."""

    READY = "ready"
    WORKING = "working"
    POISONED = "poisoned"
    STOPPED = "stopped"


class ReaderOwner:
    """Owns one reader; its jobs run one after the other.

    A driver call that does not return within `limit` poisons the reader: its job and those that wait fail with
    `ReaderPoisoned`, and so does every further one. It is served again, by a thread of its own, when the stuck call
    returns after all. A reader that was unplugged and is back gets another owner.

    Args:
        name: Name of the reader.
        driver: Driver of the reader.
        waiting: Jobs that may wait.
        limit: Seconds that one driver call may take, not the whole job.
    """

    def __init__(
        self, name: str, driver: ReaderDriver, waiting: int = WAITING_JOBS, *, limit: float = CALL_LIMIT
    ) -> None:
        self.name = name
        self._driver = driver
        self._limit = limit
        self._places = waiting + 1
        self._changed = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._running: _Job | None = None
        self._stopped = False
        self._ended = threading.Event()
        self._begin()
        threading.Thread(target=self._guard, name=f"guard of {name}", daemon=True).start()

    @property
    def state(self) -> OwnerState:
        """What it is doing."""
        with self._changed:
            if self._watch.abandoned:
                return OwnerState.POISONED
            if self._stopped:
                return OwnerState.STOPPED
            return OwnerState.READY if self._running is None and not self._jobs else OwnerState.WORKING

    def submit(self, job: Callable[[Channel], T], money: Money = Money.UNKNOWN) -> Future[T]:
        """Run `job` on the reader's card, powered for this job and reset after it.

        The future raises what the job raises; `CardAbsent`, `ReaderBusy`, `ReaderUnavailable` from powering; or
        `ReaderPoisoned`, after which only the journal says how far a debit got.

        Args:
            job: What to do.
            money: What is known about the money if the reader hangs during this job: NONE if it moves none.

        Raises:
            ReaderBusy: Too many jobs wait already.
            ReaderPoisoned: The reader hangs.
            ReaderUnavailable: The owner was stopped.
        """

        def powered() -> T:
            channel = self._connect()
            try:
                return job(channel)
            finally:
                channel.close()

        return self._submit(powered, money)

    def stop(self, timeout: float = 10.0) -> None:
        """Finish the jobs that were accepted, then end the thread; a stuck one is not waited for.

        Args:
            timeout: Seconds to wait for the end; 0 to let it come by itself.
        """
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            worker = self._worker
            if worker.watch.abandoned:
                self._ended.set()
                return
        worker.join(timeout)

    def _submit(self, job: Callable[[], T], money: Money = Money.NONE) -> Future[T]:
        future: Future[T] = Future()
        with self._changed:
            if self._watch.abandoned:
                raise ReaderPoisoned(self.name, money=Money.NONE)
            if self._stopped:
                raise ReaderUnavailable(f"{self.name}: no longer in service")
            if len(self._jobs) + (self._running is not None) >= self._places:
                raise ReaderBusy(self.name)
            self._jobs.append(_Job(future, job, money))
            self._changed.notify_all()
        return future

    def _connect(self) -> Channel:
        watch, opened = self._watch, []

        def connect() -> Channel:
            opened.append(self._driver.connect(self.name))
            return opened[0]

        try:
            return watched(watch.call(connect), watch)
        except ReaderPoisoned:
            for late in opened:
                late.close()
            raise

    # ---- the thread that works -------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._watch = CallWatch(self.name, self._limit)
        self._worker = OwnerThread(f"reader {self.name}", self._watch, self._work)
        self._worker.start()

    def _work(self) -> None:
        watch = self._watch
        while (job := self._next(watch)) is not None:
            job.run(self._done)
        self._release()
        with self._changed:
            if self._stopped:
                self._ended.set()
            else:
                # The stuck call has returned after all, and all that this thread held is given back.
                self._begin()

    def _next(self, watch: CallWatch) -> _Job | None:
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._stopped or watch.abandoned)
            if watch.abandoned or not self._jobs:
                return None
            self._running = self._jobs.popleft()
            return self._running

    def _done(self) -> None:
        """A job has ended: who learns of it may come with the next one at once."""
        with self._changed:
            self._running = None

    def _release(self) -> None:
        self._driver.release()

    # ---- the thread that watches it --------------------------------------------------------------------------

    def _guard(self) -> None:
        """Look when a call can be overdue at the earliest: once per `limit` as long as all goes well."""
        while not self._ended.wait(self._watch.patience):
            with self._changed:
                if not self._worker.abandon():
                    continue
                stuck, waiting = self._running, list(self._jobs)
                self._jobs.clear()
                if self._stopped:
                    self._ended.set()
            if stuck is not None:
                stuck.fail(ReaderPoisoned(f"{self.name}: a command does not return", money=stuck.money))
            for job in waiting:
                job.fail(ReaderPoisoned(self.name, money=Money.NONE))


class SamOwner(ReaderOwner):
    """Owns the reader of a SAM, which stays powered between jobs: its purchase spans several of them.

    Args:
        name: Name of the reader.
        driver: Driver of the reader.
        virtual: Whether the SAM is virtual, as found when it was discovered.
        limit: As of `ReaderOwner`.
    """

    def __init__(self, name: str, driver: ReaderDriver, *, virtual: bool, limit: float = CALL_LIMIT) -> None:
        self.virtual = virtual
        self._connection: CardConnection | None = None
        super().__init__(name, driver, SAM_WAITING_JOBS, limit=limit)

    def run(self, job: Callable[[CardConnection], T]) -> T:
        """Run `job` on the powered SAM; a lost SAM is powered anew by the next call.

        Raises:
            ReaderError: There is no SAM, or it stopped answering.
        """

        def on_sam() -> T:
            try:
                return job(self._powered())
            except ReaderError:
                self._release_card()
                raise

        return self._submit(on_sam).result()

    def _powered(self) -> CardConnection:
        if self._connection is None:
            channel = self._connect()
            if channel.virtual != self.virtual:
                channel.close()
                raise ReaderUnavailable(f"{self.name}: another SAM was put in; restart to accept it")
            self._connection = CardConnection(channel)
        return self._connection

    def _release_card(self) -> None:
        if self._connection is not None:
            self._connection.channel.close()
            self._connection = None

    def _release(self) -> None:
        self._release_card()
        super()._release()


@dataclass(frozen=True)
class _Job:
    """Something to do, and whoever waits for it.

    Attributes:
        future: Of the result.
        work: What to do.
        money: What is known about the money if it never ends.
    """

    future: Future[Any]
    work: Callable[[], Any]
    money: Money

    def run(self, done: Callable[[], None]) -> None:
        """Do it, unless nobody waits any more; `done` is called before anybody learns of its end."""
        if not self.future.set_running_or_notify_cancel():
            done()
            return
        # A job that was given up has its result already.
        with suppress(InvalidStateError):
            try:
                result = self.work()
            except BaseException as error:  # noqa: BLE001 (it belongs to whoever waits for the future)
                done()
                self.future.set_exception(error)
            else:
                done()
                self.future.set_result(result)

    def fail(self, error: ReaderPoisoned) -> None:
        """Tell whoever waits."""
        with suppress(InvalidStateError):
            self.future.set_exception(error)
