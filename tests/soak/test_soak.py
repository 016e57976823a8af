"""A short day of the soak; `make soak` is the whole one, which is long enough to tell about memory."""

from __future__ import annotations

from pathlib import Path

from tests.counter import wallet_of
from tests.soak.day import live
from tests.soak.outside import WALLET_LANES
from tests.summary import SUMMARY

TRANSACTIONS = 300


def test_a_short_day_with_faults_ends_with_balanced_books(tmp_path: Path) -> None:
    lived = live(tmp_path, TRANSACTIONS, seed=2)
    books = lived.books()
    SUMMARY["soak"] = f"a short day: {lived.told(books)}"
    assert books.failures == []
    assert (len(lived.day.requests), lived.day.faults > 0) == (TRANSACTIONS, True)
    wallet = wallet_of(lived.outside.holders[WALLET_LANES[0]][0].card)
    wallet.balance -= 1
    assert lived.books().lost == 1, "a missing fen was not noticed"
