"""What was read of a card, as callers get it; and who got it, in the access log (OPS §4.8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cardio.products.group_reading import GroupReading
from cardio.products.groups import PERSONAL_GROUPS, Group
from cardiod.api.callers import Caller
from cardiod.api.problems import problem
from cardiod.counter import Counter
from cardiod.presentation import Presentation


async def reading_document(
    counter: Counter, caller: Caller, card: Presentation, readings: Mapping[Group, GroupReading], purpose: str
) -> dict[str, Any]:
    """The answer to a reading; that somebody got personal data is on disk before they leave."""
    full = caller.may_see_persons
    personal = sorted(group.value for group in readings if group in PERSONAL_GROUPS)
    if full and personal:
        note, card_key = counter.engine.ledger.privacy.note_access, counter.card_key(card)
        await counter.work.journal(lambda: note(caller.name, purpose, personal, card_key=card_key))
    groups = {group.value: group_document(reading) for group, reading in readings.items()}
    return {"reader": card.reader, "card": card.handle, "masked": not full, "groups": groups}


def group_document(reading: GroupReading) -> dict[str, Any]:
    """What was read of a group, and what kept it or the rest of it from being read."""
    document: dict[str, Any] = {} if reading.content is None else {"data": reading.content}
    return document if reading.error is None else {**document, "error": problem(reading.error)}
