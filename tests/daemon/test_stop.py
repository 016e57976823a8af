"""What ends when the daemon ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

from cardio.ledger.ledger import Ledger
from cardiod.events import Event, EventLog
from cardiod.work import Work


def test_a_stream_that_comes_after_the_others_were_ended_ends_at_once(tmp_path: Path) -> None:
    # A screen that comes back on its kept connection would hold up the stop, which waits for all answers.
    ledger = Ledger(tmp_path / "journal.db")

    async def story() -> list[Event | None]:
        work = Work()
        work.begin()
        events = EventLog(ledger, work)
        events.begin()
        events.end()
        async with asyncio.timeout(5):
            return [event async for event in events.stream(None)]

    assert asyncio.run(story()) == []
    ledger.close()
