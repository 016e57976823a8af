"""What the daemon adds to a debit: its time above the cards' APDUs and the journal's synced writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, psam
from cardiod.listening import listeners
from cardiod.service import background, counter_on, server
from cardiod.settings import Settings, hash_token
from tests.bench.clock import Sample, Stopwatch, percentile99, seconds
from tests.bench.machine import journal_folder
from tests.bench.rows import Effort, Row, Subject, timed
from tests.bench.servers import TOKEN, Caller, bare_command, free_port, service

WALLET, SAM = "wallet", "sam"
MEDIAN_BOUND, P99_BOUND = 3.0, 10.0
"""ms (design §6)."""
WARM_UP = 30

SUBJECT = Subject(
    "What the daemon adds to a debit",
    "`POST /v1/debit` on a virtual wallet and a virtual PSAM, from the request until the caller has the whole answer. "
    "What the cards compute and the commits of the journal, each with its sync, are measured inside and taken off; "
    "all else is the daemon's: HTTP, checks, SQL, threads, the vouchers, and the caller's own client. The peer is "
    "FastAPI and uvicorn answering the same request without doing anything. A customer never notices a few "
    "milliseconds beside the card's 100; they bound how many lanes one computer can serve. What is above the bound "
    "goes, by a profile, into SQL and its rows (about 1 ms), HTTP and its checks (0.8 ms), the hops between the "
    "threads of loop, journal, reader and PSAM (0.6 ms), the signed voucher (0.2 ms) and the keys (0.45 ms): one "
    "thread writes the journal and one owns each reader, so that a hung reader hangs nothing else.",
    lambda effort: _rows(effort),
)


def _rows(effort: Effort) -> Iterator[Row]:
    whole, cards, commits, peer = [], [], [], []
    at_cards, at_commits = Stopwatch(), Stopwatch()
    port = free_port()
    with _watched(at_cards, at_commits), _daemon() as ours, service(bare_command(port), port):
        theirs = Caller(port)
        for number in range(WARM_UP + effort.some):
            at_cards.taken()
            at_commits.taken()
            taken = seconds(lambda: ours.debit(WALLET, f"key-{number}"))  # noqa: B023 (called at once)
            bare = seconds(lambda: theirs.debit(WALLET, f"key-{number}"))  # noqa: B023
            if number >= WARM_UP:
                whole.append(taken)
                cards.append(at_cards.taken())
                commits.append(at_commits.taken())
                peer.append(bare)
        theirs.close()
    above = [taken - card - commit for taken, card, commit in zip(whole, cards, commits, strict=True)]
    name = "daemon's time of a debit above APDUs and synced writes"
    yield timed(f"{name}, median", "ms", above, peer, bound=MEDIAN_BOUND)
    yield Row(f"{name}, p99", percentile99(above) * 1000, "ms", percentile99(peer) * 1000, P99_BOUND)
    in_cards, in_commits, in_http, in_daemon = (Sample.of(part, 1000).median for part in (cards, commits, peer, above))
    told_apart = {
        "cards": in_cards,
        "synced writes": in_commits,
        "HTTP, as the peer takes": in_http,
        "the daemon's own": in_daemon - in_http,
    }
    yield replace(timed("a whole debit over HTTP, cards without a wire", "ms", whole), parts=told_apart)
    yield timed("synced writes of a debit", "ms", commits)


@contextmanager
def _watched(cards: Stopwatch, commits: Stopwatch) -> Iterator[None]:
    """Time all commands of virtual cards, and all commits."""

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            if sql != "COMMIT":
                return super().execute(sql, *arguments)
            return commits.around(super().execute)(sql)

    connect = sqlite3.connect
    with (
        patch.object(VirtualCard, "transmit", cards.around(VirtualCard.transmit)),
        patch.object(sqlite3, "connect", lambda *arguments, **named: connect(*arguments, factory=Connection, **named)),
    ):
        yield


@contextmanager
def _daemon() -> Iterator[Caller]:
    """A daemon in this process that has seen its wallet and its PSAM."""
    card = EmbeddedReader(WALLET, citizen_card(balance_fen=1_000_000))
    driver = EmbeddedDriver([card, EmbeddedReader(SAM, psam())])
    with journal_folder() as folder:
        settings = Settings(
            port=0, socket=None, journal=folder / "journal.db", token_sha256=hash_token(TOKEN), rate_per_s=1e6
        )
        with (
            listeners(settings) as bound,
            counter_on(driver, settings) as counter,
            background(server(counter, settings), bound) as url,
        ):
            caller = Caller(int(url.rpartition(":")[2]))
            caller.wait_for_cards([WALLET], sams=1)
            yield caller
            caller.close()
