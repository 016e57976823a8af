"""One thread per reader: whoever wants its card hands over a job.

PC/SC handles belong to the thread that made them, a card understands one conversation at a time, and a transmit that
never returns must poison its reader only.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from cardio.apdu.connection import CardConnection
from cardio.errors import ReaderBusy, ReaderError, ReaderUnavailable
from cardio.transport.channel import Channel, ReaderDriver

T = TypeVar("T")
WAITING_JOBS = 1
"""Jobs that may wait behind the running one; further ones are told that the reader is busy (OPS §4.4)."""
SAM_WAITING_JOBS = 64
"""A SAM is shared by all readers, whose purchases wait for each other in `Psam.hold`."""


class ReaderOwner:
    """Owns one reader; its jobs run one after the other.

    Args:
        name: Name of the reader.
        driver: Driver of the reader.
        waiting: Jobs that may wait.
    """

    def __init__(self, name: str, driver: ReaderDriver, waiting: int = WAITING_JOBS) -> None:
        self.name = name
        self._driver = driver
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._places = threading.BoundedSemaphore(waiting + 1)
        self._thread = threading.Thread(target=self._work, name=f"reader {name}", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[Channel], T]) -> Future[T]:
        """Run `job` on the reader's card, powered for this job and reset after it.

        The future raises what the job raises, or `CardAbsent`, `ReaderBusy`, `ReaderUnavailable` from powering.

        Raises:
            ReaderBusy: Too many jobs wait already.
        """

        def powered() -> T:
            channel = self._driver.connect(self.name)
            try:
                return job(channel)
            finally:
                channel.close()

        return self._submit(powered)

    def _submit(self, job: Callable[[], T]) -> Future[T]:
        if not self._places.acquire(blocking=False):
            raise ReaderBusy(self.name)
        future: Future[T] = Future()

        def run() -> None:
            try:
                if future.set_running_or_notify_cancel():
                    _fulfil(future, job)
            finally:
                self._places.release()

        self._jobs.put(run)
        return future

    def stop(self, timeout: float = 10.0) -> None:
        """Finish the jobs that were accepted, then end the thread."""
        self._jobs.put(None)
        self._thread.join(timeout)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
        self._release()

    def _release(self) -> None:
        self._driver.release()


class SamOwner(ReaderOwner):
    """Owns the reader of a SAM, which stays powered between jobs: its purchase spans several of them.

    Args:
        name: Name of the reader.
        driver: Driver of the reader.
        virtual: Whether the SAM is virtual, as found when it was discovered.
    """

    def __init__(self, name: str, driver: ReaderDriver, *, virtual: bool) -> None:
        self.virtual = virtual
        self._connection: CardConnection | None = None
        super().__init__(name, driver, SAM_WAITING_JOBS)

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
            channel = self._driver.connect(self.name)
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


def _fulfil(future: Future[Any], job: Callable[[], Any]) -> None:
    try:
        result = job()
    except BaseException as error:  # noqa: BLE001 (it belongs to whoever waits for the future)
        future.set_exception(error)
    else:
        future.set_result(result)
