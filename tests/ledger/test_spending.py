"""What a client's limit is compared with: money that was moved, or may have been."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cardio.engine.requests import DebitRequest
from cardio.errors import Money
from cardio.ledger.ledger import now
from cardio.ledger.model import Request, Resolution, State, Transaction
from cardio.ledger.spending import Spending
from cardio.virtual.card import Moment
from tests.counter import TestCounter, request, tear


def spent(counter: TestCounter, *running: str, key: str = "new", client: str = "test", hours: int = 1) -> Spending:
    asked = Request(client, key, "debit", b"")
    return counter.ledger.spending(asked, now() - timedelta(hours=hours), running)


def uncertain(counter: TestCounter, amount: int) -> Transaction:
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    found = counter.debit(amount)
    assert found.state is State.UNCERTAIN
    return found


def test_completed_and_uncertain_debits_count_for_their_client(counter: TestCounter) -> None:
    counter.debit(100)
    uncertain(counter, 20)
    assert spent(counter).moved_fen == 120
    assert spent(counter, client="other").moved_fen == 0
    assert spent(counter, hours=0).moved_fen == 0


def test_what_was_only_begun_or_declined_does_not_count(counter: TestCounter) -> None:
    counter.engine.begin_debit(DebitRequest(request(key="begun"), 5000, "sale"))
    counter.debit(20000)
    found = spent(counter, key="begun")
    assert (found.moved_fen, found.state) == (0, State.ACCEPTED)
    assert found.begun_at is not None
    assert spent(counter) == Spending(0, None, None)


@pytest.mark.parametrize(("money", "counted"), [(Money.MOVED, 300), (Money.UNKNOWN, 300), (Money.NONE, 0)])
def test_of_a_resolved_debit_counts_what_two_persons_found(counter: TestCounter, money: Money, counted: int) -> None:
    found = uncertain(counter, 300)
    counter.ledger.resolve(found.id, Resolution(money, ("one", "other"), "the card was read elsewhere"))
    assert spent(counter).moved_fen == counted


def test_requests_that_run_are_counted_by_whoever_runs_them(counter: TestCounter) -> None:
    counter.debit(100, key="a")
    counter.debit(20, key="b")
    assert spent(counter, "a").moved_fen == 20
    assert spent(counter, "a", "b", "never seen").moved_fen == 0
