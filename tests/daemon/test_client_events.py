"""Events of the counter, followed by the client through broken connections."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import takewhile

import pytest

from cardio.errors import ServiceUnavailable
from cardiod.client import ApiProblem, Event
from tests.daemon.conftest import TOKEN, Daemon
from tests.daemon.proxy import FaultProxy, fault_proxy
from tests.daemon.tills import Tills


@pytest.fixture
def proxy(daemon: Daemon) -> Iterator[FaultProxy]:
    """Stands before the daemon."""
    with fault_proxy(daemon.url) as made:
        yield made


def up_to(events: Iterator[Event], kind: str) -> list[Event]:
    """The next events before one of a kind, which is taken, too."""
    return list(takewhile(lambda event: event.type != kind, events))


def test_a_snapshot_comes_first_and_then_what_happens(daemon: Daemon, till_of: Tills) -> None:
    till = till_of(daemon.url, TOKEN)
    till.wait_for_card(purse="wallet")
    events = till.events()
    first = next(events)
    assert (first.type, first.id) == ("snapshot", None)
    assert {card["reader"] for card in first.document["cards"]} >= {"citizen"}
    sale = till.debit(1234, "SALE")
    told = [event for event in up_to(events, "transaction.completed") if event.document.get("transaction") == sale.id]
    assert [event.type for event in told] == ["transaction.accepted", "transaction.armed"]
    events.close()


def test_after_a_broken_connection_nothing_is_missing_and_nothing_comes_twice(
    daemon: Daemon, proxy: FaultProxy, till_of: Tills
) -> None:
    till = till_of(daemon.url, TOKEN)
    events = till_of(proxy.url, TOKEN).events()
    till.debit(1, "SALE-1")
    seen = [next(events)]
    till.debit(2, "SALE-2")
    seen += up_to(events, "transaction.completed")
    proxy.down()
    missed = till.debit(3, "SALE-3")
    proxy.up()
    after = [*up_to(events, "transaction.completed")]
    assert after[0].type == "snapshot"
    assert [event.type for event in after[1:]] == ["transaction.accepted", "transaction.armed"]
    assert {event.document["transaction"] for event in after[1:]} == {missed.id}
    numbers = [event.id for event in seen + after if event.id is not None]
    assert numbers == sorted(set(numbers))
    events.close()


def test_events_since_a_known_one_come_first(daemon: Daemon, till_of: Tills) -> None:
    till = till_of(daemon.url, TOKEN)
    known = till.get("events", {"after": "0"})["next"]
    sale = till.debit(1, "SALE")
    events = till.events(after=known)
    told = [event for event in up_to(events, "transaction.completed") if event.document.get("transaction") == sale.id]
    assert [event.type for event in told] == ["transaction.accepted", "transaction.armed"]
    events.close()


def test_a_follower_gives_up_after_its_patience(till_of: Tills) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = free.getsockname()[1]
    with pytest.raises(ServiceUnavailable, match="no connection for events"):
        next(till_of(f"http://127.0.0.1:{nobody}", TOKEN, patience_s=0.2).events())


def test_a_follower_without_the_right_token_is_told(daemon: Daemon, till_of: Tills) -> None:
    with pytest.raises(ApiProblem, match=r"client\.unauthorised"):
        next(till_of(daemon.url, "wrong").events())
