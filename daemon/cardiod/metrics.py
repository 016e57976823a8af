"""Figures of the counter for Prometheus (OPS §4.13); no card and no person is among their labels."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime

import prometheus_client
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from cardio.ledger.ledger import now
from cardio.readers.owner import OwnerState
from cardio.transport.measuring import LOST, Measured
from cardiod import counter as counters
from cardiod.events import Event

MEDIA_TYPE = CONTENT_TYPE_LATEST
VERIFY = "20"
PIN_RESULTS = {
    "9000": "verified",
    "6983": "blocked",
    "63C0": "blocked",
    "6400": "timeout",
    "6401": "cancelled",
    LOST: "lost",
}
WRONG_PIN = "63C"
FINAL = frozenset({"completed", "not_genuine", "not_debited", "declined", "cancelled", "resolved"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REMEMBERED = 10_000
"""Transactions whose begin is remembered for their duration; one that is older was waited for by nobody."""
SHORT = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
LONG = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)

# When a series began says nothing about a counter, and doubles the text.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The figures of one counter.

    Args:
        counter: The counter; its events are counted from now on.
    """

    def __init__(self, counter: counters.Counter) -> None:
        self._counter = counter
        self.registry = registry = CollectorRegistry()
        self._accepted: OrderedDict[str, datetime] = OrderedDict()
        self._armed: OrderedDict[str, datetime] = OrderedDict()
        self._transactions = Counter(
            "cardio_transactions", "Transactions that have ended", ["kind", "result"], registry=registry
        )
        self._recovered = Counter(
            "cardio_recovered", "Open outcomes that were found out", ["result"], registry=registry
        )
        self._duration = Histogram(
            "cardio_transaction_seconds", "From request to end", ["kind"], buckets=LONG, registry=registry
        )
        self._proven = Histogram(
            "cardio_armed_to_proven_seconds", "From ARMED to the proof", buckets=LONG, registry=registry
        )
        self._apdus = Histogram(
            "cardio_apdu_seconds", "Exchanges with cards", ["ins"], buckets=SHORT, registry=registry
        )
        self._status_words = Counter("cardio_sw", "Answers of cards", ["ins", "sw"], registry=registry)
        self._pins = Counter("cardio_pin_attempts", "PINs that were presented", ["result"], registry=registry)
        self._insertions = Counter("cardio_card_insertions", "Cards that were put in", registry=registry)
        self._requests = Counter("cardio_http_requests", "Requests", ["method", "route", "status"], registry=registry)
        self._syncs = Histogram("cardio_journal_fsync_seconds", "Synced commits", buckets=SHORT, registry=registry)
        self._gauges = {
            name: Gauge(f"cardio_{name}", about, registry=registry)
            for name, about in {
                "uncertain_open": "Transactions whose outcome is open",
                "outbox_depth": "Records that the settlement centre has not acknowledged",
                "outbox_oldest_seconds": "Age of the oldest of them",
                "journal_seq": "Number of the newest row of the chain",
            }.items()
        }
        self._reader_up = _Up(Gauge("cardio_reader_up", "1 while a reader works", ["reader"], registry=registry))
        self._sam_up = _Up(Gauge("cardio_sam_up", "1 while a source of keys is in service", ["sam"], registry=registry))
        counter.events.listen(self._on_event)
        counter.engine.ledger.watch_commits(self._syncs.observe)

    def on_exchange(self, exchange: Measured) -> None:
        """Count one exchange with a card."""
        self._apdus.labels(exchange.instruction).observe(exchange.seconds)
        self._status_words.labels(exchange.instruction, exchange.status).inc()
        if exchange.instruction == VERIFY and exchange.with_data:
            self._pins.labels(_pin_result(exchange.status)).inc()

    def on_request(self, method: str, route: str, status: int) -> None:
        """Count one request, by the pattern of its address; a method can be any word that a caller likes."""
        self._requests.labels(method if method in METHODS else "other", route, str(status)).inc()

    async def exposition(self) -> bytes:
        """All figures in Prometheus's text."""
        await self._counter.work.journal(self._read_journal)
        presence = self._counter.presence
        ids, states = presence.ids, presence.states
        self._reader_up.set({one: states.get(name) is not OwnerState.POISONED for one, name in ids.items()})
        psams = [one for one, name in ids.items() if name in presence.sams.readers]
        self._sam_up.set(dict.fromkeys([*psams, *(source.name for source in presence.keys.others)], True))
        return generate_latest(self.registry)

    def _read_journal(self) -> None:
        ledger = self._counter.engine.ledger
        depth, oldest = ledger.outbox
        self._gauges["uncertain_open"].set(ledger.uncertain)
        self._gauges["outbox_depth"].set(depth)
        self._gauges["outbox_oldest_seconds"].set((now() - oldest).total_seconds() if oldest else 0)
        self._gauges["journal_seq"].set(ledger.head[0])

    def _on_event(self, event: Event) -> None:
        if event.type == "card.inserted":
            self._insertions.inc()
        area, _, result = event.type.partition(".")
        if area != "transaction" or event.transaction is None:
            return
        if result == "accepted":
            _remember(self._accepted, event)
        elif result == "armed":
            _remember(self._armed, event)
        elif result in FINAL:
            self._on_end(event.transaction, result, event)

    def _on_end(self, identifier: str, result: str, event: Event) -> None:
        kind = str(event.data.get("operation", ""))
        self._transactions.labels(kind, result).inc()
        if event.data.get("recovered"):
            self._recovered.labels(result).inc()
        accepted, armed = self._accepted.pop(identifier, None), self._armed.pop(identifier, None)
        if accepted is not None:
            self._duration.labels(kind).observe((event.time - accepted).total_seconds())
        if armed is not None:
            self._proven.observe((event.time - armed).total_seconds())


def _remember(times: OrderedDict[str, datetime], event: Event) -> None:
    times[str(event.transaction)] = event.time
    if len(times) > REMEMBERED:
        times.popitem(last=False)


def _pin_result(status: str) -> str:
    """What became of a PIN, by the status word of its VERIFY; a pad that was not content with it sent none."""
    return PIN_RESULTS.get(status) or ("wrong" if status.startswith(WRONG_PIN) else "refused")


class _Up:
    """A gauge of things that work or do not; what was there once and is gone does not work."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._seen: set[str] = set()

    def set(self, up: Mapping[str, bool]) -> None:
        """Set all at once, by their ids, which stay when a thing is plugged in anew."""
        self._seen |= up.keys()
        for identifier in self._seen:
            self._gauge.labels(identifier).set(up.get(identifier, False))
