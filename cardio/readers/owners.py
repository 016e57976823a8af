"""The owners of all readers that are there, kept in step with what the monitor sees."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import TypeVar

from cardio.errors import Money, ReaderUnavailable
from cardio.readers.owner import OwnerState, ReaderOwner
from cardio.readers.watch import CALL_LIMIT
from cardio.transport.channel import Channel, ReaderDriver

T = TypeVar("T")


class ReaderOwners:
    """One owner for each reader; for use from one thread.

    Args:
        driver: Driver of the readers.
        limit: Seconds that one driver call may take.
    """

    def __init__(self, driver: ReaderDriver, *, limit: float = CALL_LIMIT) -> None:
        self._driver = driver
        self._limit = limit
        self._owners: dict[str, ReaderOwner] = {}

    @property
    def states(self) -> dict[str, OwnerState]:
        """What each owner is doing, by reader."""
        return {name: owner.state for name, owner in self._owners.items()}

    def update(self, readers: Collection[str]) -> None:
        """Take the readers into service that came, and those out of it that left.

        A reader that left while its job runs keeps its owner until that has ended: if the reader is back before, its
        card must not meet two jobs at once. A stuck job is not waited for; it reaches no card any more.
        """
        for name in self._owners.keys() - set(readers):
            if self._owners[name].state is not OwnerState.WORKING:
                self._owners.pop(name).stop(0)
        for name in readers:
            if name not in self._owners:
                self._owners[name] = ReaderOwner(name, self._driver, limit=self._limit)

    def submit(self, reader: str, job: Callable[[Channel], T], money: Money = Money.UNKNOWN) -> Future[T]:
        """Run a job on the card in a reader; as `ReaderOwner.submit`.

        Raises:
            ReaderUnavailable: There is no such reader.
            ReaderBusy: Too many jobs wait for it.
            ReaderPoisoned: It hangs.
        """
        owner = self._owners.get(reader)
        if owner is None:
            raise ReaderUnavailable(reader)
        return owner.submit(job, money)

    def stop(self) -> None:
        """Finish the jobs that were accepted, and end all threads."""
        for owner in self._owners.values():
            owner.stop()
