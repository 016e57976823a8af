"""Runs a job on several readers side by side, one thread a reader (PERS §3.2)."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from cardio.apdu.connection import CardConnection
from cardio.errors import (
    CardAbsent,
    CardChanged,
    CardioError,
    CardKeysDiffer,
    CardNotBlank,
    CardRejected,
    InputInvalid,
    LayoutInvalid,
    ReaderError,
    SamError,
    StoreError,
    TestKeysRefused,
    TransportKeyWrong,
)
from cardio.ledger.ledger import now
from cardio.personalize.attempts import CardState
from cardio.personalize.jobs import Job
from cardio.personalize.personalizer import Personalizer, Prepared
from cardio.personalize.register import Register
from cardio.transport.channel import Channel, ReaderDriver, SlotState

LOOK = 0.5
"""Seconds between looks whether the run is to end."""
MAX_REJECTIONS = 3
"""Cards that one row may cost in a run: what every card refuses is the row's fault, or the layout's."""
INTERRUPTED, REFUSED = "interrupted", "refused"
UNTOUCHED = (CardChanged, CardNotBlank, CardRejected, InputInvalid, LayoutInvalid, TestKeysRefused)
"""Errors that are told before the card is begun."""
ENDING = (CardKeysDiffer, LayoutInvalid, SamError, StoreError, TestKeysRefused, TransportKeyWrong)
"""Errors that the next card would meet too: a wrong transport key must not cost every card of a lot a try."""


@dataclass(frozen=True)
class Result:
    """What became of one card in the hand.

    Attributes:
        record: Row of the job; None for a card that was not touched.
        number: Number of the card; empty if the row has none.
        identity: ATR, UID and production data of the card in hex, as far as it tells them.
        reader: Where it lay.
        state: `finished`, `rejected`, `interrupted`: it is gone on with when it comes back; or `refused`: not touched.
        reason: Why, in one line without secrets.
        kcvs: Check values of the keys that it got, in hex.
        started: When it was taken.
        seconds: How long it took.
    """

    record: str | None
    number: str
    identity: str
    reader: str
    state: str
    reason: str = ""
    kcvs: dict[str, str] = field(default_factory=dict)
    started: datetime = field(default_factory=now)
    seconds: float = 0.0


class Batch:
    """One run of a job.

    Args:
        maker: Makes the cards.
        job: The job.
        register: Where everything is written down before it is done.
        driver: The readers.
        readers: Names of those that are to be used.
        report: Told every result, in the thread of its reader, one at a time.
        try_again: Whether cards that were rejected are tried once more.
    """

    def __init__(
        self,
        maker: Personalizer,
        job: Job,
        register: Register,
        driver: ReaderDriver,
        readers: Iterable[str],
        report: Callable[[Result], None],
        *,
        try_again: bool = False,
    ) -> None:
        self._maker = maker
        self._job = job
        self._register = register
        self._driver = driver
        self._readers = tuple(readers)
        self._report = report
        self._try_again = try_again
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._rows = {row.data.record: row for row in job.rows}
        self._waiting: deque[str] = deque()
        self._made: set[str] = set()
        self._rejections: Counter[str] = Counter()
        self._set_aside: set[str] = set()
        self._in_hand: set[str] = set()
        self._put_down = threading.Condition()

    def stop(self) -> None:
        """Have every reader end after its card; may be called from a signal handler."""
        self._stop.set()

    def run(self) -> set[str]:
        """Make cards until all rows are made or set aside, or until stopped; returns the rows that are made.

        Raises:
            InputInvalid: The job's name stands for another job.
            StoreError: The register cannot be written; nothing is done that it does not know.
            SamError: The source of keys failed.
            TransportKeyWrong: A card has another master; the others of the lot are spared.
            CardKeysDiffer: A JavaCard has other transport keys; the others of the lot are not tried.
        """
        self._register.open_job(self._job.head)
        self._made = self._register.made(self._job.head.id)
        attempts = self._register.attempts(self._job.head.id)
        taken = self._made | {attempt.record for attempt in attempts if not attempt.state.final}
        self._waiting.extend(record for record in self._rows if record not in taken)
        threads = [threading.Thread(target=self._work, args=(reader,), name=reader) for reader in self._readers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failure is not None:
            raise self._failure
        return set(self._made)

    # ---- one reader ------------------------------------------------------------------------------------------

    def _work(self, reader: str) -> None:
        done: SlotState | None = None
        try:
            while not self._ended():
                done = self._next_card(reader, done)
        except BaseException as error:  # noqa: BLE001 - the run ends with it, and raises it
            self._failure = self._failure or error
            self._stop.set()
        finally:
            self._driver.release()

    def _ended(self) -> bool:
        with self._lock:
            return self._stop.is_set() or len(self._made | self._set_aside) == len(self._rows)

    def _next_card(self, reader: str, done: SlotState | None) -> SlotState | None:
        """Make the card in a reader, unless it is the one that was made last; wait for another if there is none."""
        states = self._driver.readers()
        slot = states.get(reader)
        if slot is None or not slot.present or slot == done:
            self._driver.wait(states, LOOK)
            return done
        try:
            channel = self._driver.connect(reader)
        except (CardAbsent, ReaderError):
            # It was just being put in or taken out.
            self._stop.wait(LOOK)
            return done
        try:
            self._make(channel)
        finally:
            channel.close()
        return slot

    def _make(self, channel: Channel) -> None:
        begun, result = time.monotonic(), Result(None, "", "", channel.reader, REFUSED)
        row: Prepared | None = None
        ends: CardioError | None = None
        try:
            identity = self._maker.identity(CardConnection(channel))
            result = replace(result, identity=identity)
            with self._taken_in_hand(identity):
                row = self._take(identity)
                if row is None:
                    return
                attempt = self._maker.personalize(
                    channel, row, self._register, self._job.head.id, try_again=self._try_again
                )
            result = replace(_of_row(result, row, attempt.state.value), kcvs=attempt.kcvs)
        except CardioError as error:
            result = replace(self._failed(result, row, error), reason=error.describe())
            ends = error if isinstance(error, ENDING) else None
        with self._lock:
            if row is not None:
                self._settle(row.data.record, result)
            self._report(replace(result, seconds=time.monotonic() - begun))
        if ends is not None:
            raise ends

    @contextmanager
    def _taken_in_hand(self, identity: str) -> Iterator[None]:
        """Of cards that look the same from outside one at a time is worked on; the others wait in their readers.

        Raises:
            InputInvalid: The one before was interrupted: it is certainly not this one, which was there all the time.
        """
        with self._put_down:
            waited = identity in self._in_hand
            self._put_down.wait_for(lambda: identity not in self._in_hand)
            self._in_hand.add(identity)
        try:
            known = self._register.newest(identity) if waited else None
            if known is not None and not known.state.final:
                raise InputInvalid(
                    f"a card that looks the same was interrupted at row {known.record}: put that one in first, or"
                    f" `cardio register give-up {known.id}`"
                )
            yield
        finally:
            with self._put_down:
                self._in_hand.discard(identity)
                self._put_down.notify_all()

    def _take(self, identity: str) -> Prepared | None:
        """The row that a card was begun for, or the next one; None if none is left for it."""
        known = self._register.newest(identity)
        ours = known is not None and known.job == self._job.head.id
        if known is not None and ours and not known.state.final:
            return self._rows.get(known.record)
        with self._lock:
            if known is not None and ours and known.record in self._waiting:
                # It was rejected: a card that was closed can hold this row only.
                self._waiting.remove(known.record)
                return self._rows[known.record]
            return self._rows[self._waiting.popleft()] if self._waiting else None

    def _failed(self, result: Result, row: Prepared | None, error: CardioError) -> Result:
        """What an error came to: the register knows whether the card was begun, and is open still."""
        if row is None or isinstance(error, UNTOUCHED):
            return result
        known = self._register.newest(result.identity)
        if known is None or (known.job, known.record) != (self._job.head.id, row.data.record):
            return result
        return _of_row(result, row, CardState.REJECTED.value if known.state.final else INTERRUPTED)

    def _settle(self, record: str, result: Result) -> None:
        """A row whose card is not made and not open either is free for another card."""
        if result.state == CardState.FINISHED.value:
            self._made.add(record)
        elif result.state == REFUSED:
            self._waiting.appendleft(record)
        elif result.state == CardState.REJECTED.value:
            self._rejections[record] += 1
            if self._rejections[record] < MAX_REJECTIONS:
                self._waiting.appendleft(record)
            else:
                self._set_aside.add(record)


def _of_row(result: Result, row: Prepared, state: str) -> Result:
    return replace(result, record=row.data.record, number=row.data.identity, state=state)
