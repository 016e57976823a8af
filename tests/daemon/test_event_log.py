"""What the event log remembers when its memory is smaller than what happens."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio.ledger.ledger import Ledger
from cardiod import events
from cardiod.events import Event, EventLog
from cardiod.work import Work

RING = 6
ROW, MEMORY = "service.started", "reader.attached"


@pytest.fixture(scope="module", autouse=True)
def small_memory() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "RING", RING)
        yield


@asynccontextmanager
async def a_log() -> AsyncIterator[tuple[Ledger, EventLog, list[Event]]]:
    """A log that follows a new journal, and all that it told."""
    with tempfile.TemporaryDirectory() as folder:
        ledger, work = Ledger(Path(folder) / "journal.db"), Work()
        told: list[Event] = []
        log = EventLog(ledger, work)
        log.listen(told.append)
        work.begin()
        log.begin()
        try:
            yield ledger, log, told
        finally:
            await work.finish()
            ledger.close()


async def happen(ledger: Ledger, log: EventLog, kinds: list[str]) -> None:
    """Let events of these kinds happen, one after the other."""
    for kind in kinds:
        if kind == ROW:
            # The event is on its way to this loop before the writer is told that the row is on disk.
            await asyncio.to_thread(ledger.note_start, "cardio 1")
        else:
            log.publish(kind, reader="r")


@settings(max_examples=60, deadline=None)
@given(kinds=st.lists(st.sampled_from((ROW, MEMORY, MEMORY)), max_size=25), limit=st.integers(1, 30), data=st.data())
def test_all_that_the_journal_keeps_and_the_newest_of_the_rest_can_be_had_again(
    kinds: list[str], limit: int, data: st.DataObject
) -> None:
    async def scenario() -> None:
        async with a_log() as (ledger, log, told):
            begun = log.last
            await happen(ledger, log, kinds)
            assert [event.type for event in told] == kinds
            ids = [event.id for event in told]
            assert ids == sorted(set(ids))
            last = data.draw(st.sampled_from([begun, *ids, 2**53]))
            kept = [
                event
                for place, event in enumerate(told)
                if event.id > last and (event.type == ROW or place >= len(told) - RING)
            ]
            assert await log.after(last) == kept
            assert await log.after(last, limit) == kept[:limit]
            paged: list[Event] = []
            while page := await log.after(paged[-1].id if paged else last, limit):
                paged += page
            assert paged == kept

    asyncio.run(scenario())


def test_an_id_is_exact_in_javascript_for_as_long_as_a_terminal_lives() -> None:
    rows_a_second, years = 10, 20
    assert (rows_a_second * 86400 * 365 * years) << events.ROW_SHIFT < 2**53
