"""Who read personal data: written down with the purpose, proved by the chain, forgotten after its time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cardio.errors import StorageUnavailable
from cardio.ledger.ledger import now
from tests.counter import TestCounter
from tests.ledger.conftest import on_disk

CARD = "ab" * 32


def read(counter: TestCounter, purpose: str, card_key: str | None = CARD) -> None:
    counter.ledger.privacy.note_access("till", purpose, ["holder", "medical"], operator="lili", card_key=card_key)


def test_a_reading_is_noted_with_all_that_is_known_of_it(counter: TestCounter) -> None:
    before = now()
    read(counter, "settlement")
    counter.ledger.privacy.note_access("other", "look-up", ["holder"])
    first, second = counter.ledger.privacy.accesses()
    assert (first.client, first.operator, first.purpose, first.fields, first.card_key) == (
        *("till", "lili", "settlement", ("holder", "medical"), CARD),
    )
    assert (second.client, second.operator, second.card_key) == ("other", None, None)
    assert before <= first.time <= second.time <= now()


def test_readings_are_found_by_their_time(counter: TestCounter) -> None:
    for purpose in ("a", "b", "c"):
        read(counter, purpose)
    times = [access.time for access in counter.ledger.privacy.accesses()]
    find = counter.ledger.privacy.accesses
    assert [access.purpose for access in find(since=times[1])] == ["b", "c"]
    assert [access.purpose for access in find(until=times[1])] == ["a"]
    assert [access.purpose for access in find(times[1], times[2])] == ["b"]


def test_the_chain_holds_a_fingerprint_and_nothing_of_the_reading(counter: TestCounter) -> None:
    read(counter, "settlement")
    read(counter, "settlement")
    query = "SELECT subject, payload FROM journal WHERE kind = 'person.read'"
    rows = counter.ledger._database.read(lambda db: db.execute(query).fetchall())
    assert [row["subject"] for row in rows] == ["journal", "journal"]
    assert len({row["payload"] for row in rows}) == 2, "a salt keeps equal readings apart"
    for row in rows:
        for told in ("till", "lili", "settlement", "holder", CARD):
            assert told not in row["payload"]


def test_a_reading_is_never_rewritten(counter: TestCounter) -> None:
    read(counter, "settlement")
    with pytest.raises(StorageUnavailable, match="never rewritten"):
        counter.ledger._database.write(lambda db: db.execute("UPDATE access_log SET client = 'nobody'"))


def test_after_its_time_it_is_forgotten_and_the_chain_holds(counter: TestCounter) -> None:
    for purpose in ("first of all", "second of all", "new"):
        read(counter, purpose)
    third = counter.ledger.privacy.accesses()[2].time
    assert counter.ledger.privacy.forget_accesses(third) == 2
    assert [access.purpose for access in counter.ledger.privacy.accesses()] == ["new"]
    assert b"of all" not in on_disk(counter)
    assert counter.audit().accesses == 1
    assert counter.ledger.privacy.forget_accesses(third) == 0
    assert counter.ledger.privacy.forget_accesses(now() + timedelta(days=1)) == 1
    assert counter.audit().accesses == 0
