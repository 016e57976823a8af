"""Whether the daemon lives and can take money, and its figures."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cardio.engine.engine import Engine
from cardio.errors import JournalBroken
from cardio.ledger.freshness import Freshness
from cardio.ledger.ledger import Ledger, now
from cardio.products.catalogue import Catalogue
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import Moment
from cardio.virtual.cards import citizen_card
from cardiod.counter import Counter
from cardiod.listening import listeners
from cardiod.service import background, server
from cardiod.settings import Scope, Settings, hash_token
from tests.counter import eventually
from tests.daemon.callers import call, make_token, refused
from tests.daemon.conftest import PIN, TOKEN, Bench, Daemon, StartDaemon
from tests.daemon.sales import debit, new_key, settled, sold, torn
from tests.readers.stuck import LIMIT, StuckCard


class Usage(NamedTuple):
    """Bytes of a disk."""

    total: int
    used: int
    free: int


GIB = 1024**3


def ready(daemon: Daemon) -> httpx.Response:
    answer: httpx.Response = daemon.http("GET", "/readyz", headers={"Authorization": ""})
    return answer


def wrong(daemon: Daemon) -> dict[str, str]:
    """Codes of the checks that fail, by their names."""
    checks = ready(daemon).json()["checks"]
    return {name: check["code"] for name, check in checks.items() if not check["ok"]}


# ---- healthz, readyz, status ---------------------------------------------------------------------------------


def test_with_readers_keys_journal_clock_and_disk_all_is_ready(shared: Daemon) -> None:
    answer = ready(shared)
    checks = {name: {"ok": True} for name in ("readers", "sams", "journal", "clock", "storage")}
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "checks": checks})


def test_without_keys_it_is_degraded_and_still_answers(shared: Daemon) -> None:
    sam: Any = shared.sam.remove()
    eventually(lambda: wrong(shared) == {"sams": "sam.absent"})
    answer = ready(shared)
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["sams"]["title"]
    assert answer.json()["checks"]["sams"]["title_en"]
    shared.sam.insert(sam)
    eventually(lambda: wrong(shared) == {})


def test_without_a_reader_for_cards_it_is_degraded(start_daemon: StartDaemon) -> None:
    bench = Bench()
    bench.driver = EmbeddedDriver([bench.sam])
    daemon = start_daemon(bench=bench)
    eventually(lambda: wrong(daemon) == {"readers": "reader.unavailable"})
    assert ready(daemon).json()["status"] == "degraded"


@pytest.mark.parametrize(
    ("usage", "low"),
    [
        (Usage(100 * GIB, 50 * GIB, 50 * GIB), False),
        (Usage(100 * GIB, 96 * GIB, 4 * GIB), True),
        (Usage(1 * GIB, 0, 190 * 1024**2), True),
        (Usage(1 * GIB, 0, 210 * 1024**2), False),
    ],
)
def test_a_disk_that_is_nearly_full_is_down(
    lasting_daemon: Daemon, monkeypatch: pytest.MonkeyPatch, usage: Usage, low: bool
) -> None:
    found = SimpleNamespace(f_bavail=usage.free, f_frsize=1, f_blocks=usage.total)
    monkeypatch.setattr(os, "statvfs", lambda _: found)
    assert wrong(lasting_daemon) == ({"storage": "storage.low"} if low else {})
    assert (ready(lasting_daemon).status_code, ready(lasting_daemon).json()["status"]) == (
        (503, "down") if low else (200, "ready")
    )


def test_a_disk_that_is_gone_is_down(lasting_daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: Path) -> os.statvfs_result:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "statvfs", gone)
    assert wrong(lasting_daemon) == {"storage": "storage.unavailable"}
    assert ready(lasting_daemon).status_code == 503


def test_a_clock_that_is_behind_the_journal_is_down(shared: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    sold(shared)
    admission = shared.counter.engine.ledger.admission
    monkeypatch.setattr(admission, "_clock", lambda: now() - timedelta(minutes=5))
    assert wrong(shared) == {"clock": "clock.untrusted"}
    assert ready(shared).status_code == 503


def test_a_journal_that_cannot_be_read_is_down(lasting_daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Freshness) -> None:
        raise JournalBroken("row 2")

    monkeypatch.setattr(Freshness, "behind", property(broken))
    assert wrong(lasting_daemon) == {"journal": "journal.broken"}
    assert ready(lasting_daemon).status_code == 503


def test_the_state_of_the_counter_at_a_glance(shared: Daemon) -> None:
    uncertain = shared.http("GET", "/v1/status").json()["uncertain"]
    torn(shared)
    status = shared.http("GET", "/v1/status").json()
    assert (status["status"], status["uncertain"], status["load_host"]) == ("ready", uncertain + 1, True)
    assert status["journal"] == shared.http("GET", "/v1/journal/head").json()
    assert "row 2" not in shared.http("GET", "/v1/status").text
    token = make_token(shared, new_key(), scopes=frozenset(Scope) - {Scope.READ_CARD})
    refused(call(shared, token, path="/v1/status"), 403, "client.forbidden")


@pytest.fixture
def stuck(tmp_path: Path) -> Iterator[tuple[Daemon, StuckCard]]:
    """A daemon that gives a reader up soon, and a card that can hang."""
    card = StuckCard(citizen_card())
    bench = Bench(citizen=EmbeddedReader("citizen", card))
    settings = Settings(port=0, socket=None, journal=tmp_path / "journal.db", token_sha256=hash_token(TOKEN))
    engine = Engine(Ledger(settings.journal), Catalogue.load(), None)
    counter = Counter(engine, bench.driver, limit=LIMIT)
    with listeners(settings) as bound, background(server(counter, settings), bound) as url:
        yield Daemon(url, settings, bench, counter), card
        card.free.set()
    engine.ledger.close()


def test_a_reader_that_hangs_is_told_everywhere(stuck: tuple[Daemon, StuckCard]) -> None:
    daemon, card = stuck
    eventually(lambda: len(daemon.cards) == 2)
    card.stuck_at = bytes.fromhex("8054")
    answer = debit(daemon, reader="citizen")
    assert (answer.status_code, answer.json()["state"]) == (202, "uncertain")
    assert wrong(daemon) == {"readers": "reader.poisoned"}
    assert ready(daemon).json()["status"] == "degraded"
    assert daemon.http("GET", "/v1/readers/citizen").json()["state"] == "poisoned"
    assert Figures(daemon).value("cardio_reader_up", reader="citizen") == 0
    refused(debit(daemon, "other", reader="citizen", wait_s=0), 503, "reader.poisoned")


# ---- metrics -------------------------------------------------------------------------------------------------


class Figures:
    """The figures of a daemon at one moment."""

    def __init__(self, daemon: Daemon) -> None:
        answer = daemon.http("GET", "/metrics")
        assert answer.status_code == 200
        self.text = answer.text
        self.samples = [one for family in text_string_to_metric_families(answer.text) for one in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """Sum of the samples of a name that have these labels."""
        return sum(one.value for one in self.samples if one.name == name and labels.items() <= one.labels.items())

    def labels(self, name: str, label: str) -> set[str]:
        """All values of a label."""
        return {one.labels[label] for one in self.samples if one.name == name}


@contextmanager
def counted(daemon: Daemon, expected: dict[tuple[str, ...], float]) -> Iterator[None]:
    """Insist that figures grow by so much; a key is a name and its labels in turn."""

    def values() -> list[float]:
        figures = Figures(daemon)
        return [figures.value(name, **dict(zip(rest[::2], rest[1::2], strict=True))) for name, *rest in expected]

    before = values()
    yield
    wanted = [value + more for value, more in zip(before, expected.values(), strict=True)]
    eventually(lambda: values() == wanted)


def test_transactions_are_counted_by_kind_and_end(shared: Daemon) -> None:
    total, seconds = "cardio_transactions_total", "cardio_transaction_seconds_count"
    with counted(
        shared,
        {
            (total, "kind", "purchase", "result", "completed"): 4,
            (total, "kind", "purchase", "result", "declined"): 1,
            (seconds, "kind", "purchase"): 5,
            ("cardio_armed_to_proven_seconds_count",): 4,
            ("cardio_recovered_total",): 0,
        },
    ):
        sold(shared)
        sold(shared, amount_fen=1)
        settled(shared)
        debit(shared, new_key(), amount_fen=99999, reader="citizen")


def test_an_outcome_that_was_found_out_is_counted_as_recovered(shared: Daemon) -> None:
    uncertain = Figures(shared).value("cardio_uncertain_open")
    for moment, result in ((Moment.AFTER_COMMIT, "completed"), (Moment.COMMAND, "not_debited")):
        with counted(
            shared,
            {
                ("cardio_recovered_total", "result", result): 1,
                ("cardio_transactions_total", "kind", "purchase", "result", result): 1,
            },
        ):
            card: Any = shared.citizen.card
            torn(shared, moment)
            assert Figures(shared).value("cardio_uncertain_open") == uncertain + 1
            shared.put_in((shared.citizen, card))
    assert Figures(shared).value("cardio_uncertain_open") == uncertain


def test_exchanges_are_counted_by_instruction_and_status_word(shared: Daemon) -> None:
    with counted(
        shared,
        {
            ("cardio_apdu_seconds_count", "ins", "54"): 1,
            ("cardio_sw_total", "ins", "54", "sw", "9000"): 1,
            ("cardio_sw_total", "ins", "50", "sw", "9401"): 1,
        },
    ):
        sold(shared)
        debit(shared, new_key(), amount_fen=99999, reader="citizen")
    with counted(shared, {("cardio_sw_total", "ins", "54", "sw", "lost"): 1}):
        torn(shared)


def test_pins_are_counted_by_their_result(shared: Daemon) -> None:
    def verify(pin: str | None = None, **more: Any) -> None:
        handle = shared.cards["social"]["handle"]
        shared.http("POST", f"/v1/cards/{handle}/pin/verify", json={"pin": pin, **more})

    def pins(**results: int) -> dict[tuple[str, ...], float]:
        names = ("verified", "wrong", "blocked", "timeout", "cancelled", "lost", "refused")
        return {("cardio_pin_attempts_total", "result", name): results.get(name, 0) for name in names}

    card: Any = shared.social.card
    with counted(shared, pins(verified=2, wrong=1, cancelled=1, timeout=1, refused=1)):
        verify(PIN)
        verify("000000")
        verify()
        for typed in ("", None, "12"):
            shared.pad.typed = typed
            verify()
    with counted(shared, pins()):
        shared.http("GET", f"/v1/cards/{shared.cards['social']['handle']}/pin")
    with counted(shared, pins(lost=1)):
        seen = iter(range(2))

        def leave(moment: Moment, command: Any) -> None:
            if moment is Moment.COMMAND and command.ins == 0x20 and command.data:
                next(seen)
                card.hook = None
                shared.social.remove()

        card.hook = leave
        verify(PIN)
    shared.put_in((shared.social, card))
    card.pin.tries_left = 1
    with counted(shared, pins(blocked=1)):
        verify("000000", allow_last_try=True)


def test_a_reader_and_a_psam_are_down_after_they_were_pulled_off(shared: Daemon) -> None:
    shared.bench.driver.plug(EmbeddedReader("Pluggable 00 00"))
    eventually(lambda: Figures(shared).value("cardio_reader_up", reader="pluggable") == 1)
    shared.bench.driver.unplug("Pluggable 00 00")
    eventually(lambda: Figures(shared).value("cardio_reader_up", reader="pluggable") == 0)
    assert "pluggable" in Figures(shared).labels("cardio_reader_up", "reader")
    shared.bench.driver.plug(EmbeddedReader("Pluggable 01 00"))
    eventually(lambda: Figures(shared).value("cardio_reader_up", reader="pluggable") == 1)
    shared.bench.driver.unplug("Pluggable 01 00")
    (sam,) = Figures(shared).labels("cardio_sam_up", "sam")
    assert Figures(shared).value("cardio_sam_up", sam=sam) == 1
    card: Any = shared.sam.remove()
    eventually(lambda: Figures(shared).value("cardio_sam_up", sam=sam) == 0)
    assert sam in Figures(shared).labels("cardio_sam_up", "sam")
    shared.sam.insert(card)
    eventually(lambda: Figures(shared).value("cardio_sam_up", sam=sam) == 1)


def test_cards_records_and_commits_are_counted(shared: Daemon) -> None:
    with counted(shared, {("cardio_card_insertions_total",): 2, ("cardio_outbox_depth",): 1}):
        card, patient = shared.bench.restore()
        shared.put_in((shared.citizen, card), (shared.social, patient))
        sold(shared)
    figures = Figures(shared)
    assert figures.value("cardio_journal_seq") == shared.http("GET", "/v1/journal/head").json()["seq"]
    assert figures.value("cardio_journal_fsync_seconds_count") > 0
    assert figures.value("cardio_outbox_oldest_seconds") > 0


def test_requests_are_counted_by_pattern_and_never_by_address(shared: Daemon) -> None:
    total = "cardio_http_requests_total"
    with counted(
        shared,
        {
            (total, "method", "GET", "route", "/v1/transactions/{identifier}", "status", "404"): 2,
            (total, "method", "GET", "route", "/v1/errors/{code}", "status", "404"): 1,
            (total, "method", "POST", "route", "/v1/debit", "status", "400"): 1,
            (total, "method", "GET", "route", "none", "status", "404"): 1,
            (total, "method", "other", "route", "/v1/cards"): 2,
            (total, "method", "GET", "route", "/healthz", "status", "200"): 1,
            (total, "method", "GET", "route", "none", "status", "421"): 1,
        },
    ):
        for path in ("/v1/transactions/canary-1", "/v1/transactions/canary-2", "/v1/errors/canary", "/v1/canary"):
            shared.http("GET", path)
        debit(shared, None)
        shared.http("CANARY", "/v1/cards")
        shared.http("BREW", "/v1/cards")
        shared.http("GET", "/healthz")
        shared.http("GET", "/healthz", headers={"Host": "canary.example"})
    assert "canary" not in Figures(shared).text.lower()


def test_figures_know_no_card_and_no_person(shared: Daemon) -> None:
    sale = sold(shared)
    text = Figures(shared).text
    for secret in (sale["id"], sale["card"].strip("*"), sale["tac"], shared.cards["citizen"]["handle"], "测试甲"):
        # As a word: the decimals of a duration may hold any four digits.
        assert not re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", text)
    labels = {label for one in Figures(shared).samples for label in one.labels}
    assert labels <= {"kind", "result", "ins", "sw", "reader", "sam", "method", "route", "status", "le"}


def test_figures_are_for_whoever_watches(lasting_daemon: Daemon) -> None:
    token = make_token(lasting_daemon, new_key(), scopes=frozenset(Scope) - {Scope.EVENTS})
    refused(call(lasting_daemon, token, path="/metrics"), 403, "client.forbidden")
    watching = make_token(lasting_daemon, new_key(), scopes=frozenset({Scope.EVENTS}))
    assert call(lasting_daemon, watching, path="/metrics").headers["content-type"].startswith("text/plain")
