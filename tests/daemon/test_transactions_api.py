"""Transactions as a resource: begun, found, listed, cancelled, recovered, resolved."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest

from cardio.files.dates import encode_time
from cardio.ledger.ledger import now
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.card import Moment
from cardio.virtual.cards import citizen_card
from cardio.virtual.hosts import load_host
from cardio.virtual.received import Received
from cardio.virtual.sams import psam
from cardiod.settings import Scope
from tests.counter import account_of, eventually, tear, wallet_of
from tests.daemon.callers import call, make_token, refused
from tests.daemon.conftest import PIN, Bench, Daemon, StartDaemon
from tests.daemon.sales import DEBIT, accepted, begun_by, debit, money, new_key, settle, settled, sold, torn

TRANSACTIONS = "transactions"


def begin(daemon: Daemon, kind: str, key: str | None = None, **changes: Any) -> httpx.Response:
    body = {"kind": kind, "amount_fen": 1000, "reference": "sale", "reader": "citizen", **changes}
    return money(daemon, TRANSACTIONS, body, key or new_key())


def one(daemon: Daemon, identifier: str) -> dict[str, Any]:
    document: dict[str, Any] = daemon.http("GET", f"/v1/transactions/{identifier}").json()
    return document


def post(daemon: Daemon, identifier: str, what: str, **body: Any) -> httpx.Response:
    return daemon.http("POST", f"/v1/transactions/{identifier}/{what}", json=body)


def listed(daemon: Daemon, **filters: Any) -> dict[str, Any]:
    answer = daemon.http("GET", "/v1/transactions", params=filters)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def in_background(call_it: Any, *arguments: Any, **named: Any) -> Future[httpx.Response]:
    return ThreadPoolExecutor(1).submit(call_it, *arguments, **named)


# ---- kinds ---------------------------------------------------------------------------------------------------


def test_a_debit_is_the_same_as_by_its_short_address(shared: Daemon) -> None:
    done = begin(shared, "debit")
    assert (done.status_code, done.json()["operation"], done.json()["balance_after_fen"]) == (201, "purchase", 9000)


def test_a_load_goes_through_the_host_with_the_pin(shared: Daemon) -> None:
    refused(begin(shared, "load"), 403, "pin.required")
    done = begin(shared, "load", pin=PIN)
    assert (done.status_code, done.json()["money"], done.json()["balance_after_fen"]) == (201, "moved", 11000)
    short = money(shared, "load", {"amount_fen": 500, "reference": "order", "reader": "citizen", "pin": PIN}, new_key())
    assert (short.status_code, short.json()["balance_after_fen"]) == (201, 11500)
    medical = begin(shared, "load", purse="medical", reader="social")
    assert (medical.status_code, medical.json()["balance_after_fen"]) == (201, 51000)


def test_without_a_load_host_nothing_is_loaded(daemon: Daemon) -> None:
    refused(begin(daemon, "load", pin=PIN), 503, "host.missing")


def city(folder: Path, **changes: str) -> Path:
    """A folder with the wallet of a city that has something more."""
    shipped = files("cardio_profiles") / "citizen-wallet.toml"
    text = shipped.read_text(encoding="utf-8")
    values = "\n".join(f"{name} = {value}" for name, value in changes.items())
    (folder / "profiles").mkdir()
    (folder / "profiles" / shipped.name).write_text(text.replace("confirmed = true", f"confirmed = true\n{values}"))
    return folder / "profiles"


def test_a_passbook_is_unloaded_and_gets_an_overdraft(start_daemon: StartDaemon, tmp_path: Path) -> None:
    card = citizen_card(balance_fen=0, passbook_fen=10000)
    bench = Bench(citizen=EmbeddedReader("citizen", card))
    profiles = [city(tmp_path, purse='"passbook"')]
    daemon = start_daemon(host=load_host(lambda: encode_time(now())), bench=bench, profiles=profiles)
    unloaded = begin(daemon, "unload", pin=PIN, wait_s=10)
    assert (unloaded.status_code, unloaded.json()["operation"]) == (201, "unload")
    assert unloaded.json()["balance_after_fen"] == 9000
    limited = begin(daemon, "overdraft", pin=PIN, amount_fen=3000)
    assert (limited.status_code, limited.json()["operation"]) == (201, "overdraft")
    assert limited.json()["balance_after_fen"] == 12000


def test_a_fuel_card_is_locked_and_then_charged(start_daemon: StartDaemon, tmp_path: Path) -> None:
    card = citizen_card(balance_fen=10000, grey_lock=True)
    bench = Bench(citizen=EmbeddedReader("citizen", card), sam=EmbeddedReader("sam", psam(grey_lock=True)))
    daemon = start_daemon(bench=bench, profiles=[city(tmp_path, grey_lock="true")])
    lock = begin(daemon, "grey-lock", amount_fen=0, wait_s=10)
    assert (lock.status_code, lock.json()["state"], lock.json()["money"]) == (201, "completed", "none")
    refused(begin(daemon, "debit"), 409, "card.grey-locked")
    fuel = begin(daemon, "grey-debit", amount_fen=2500, lock=lock.json()["id"])
    assert (fuel.status_code, fuel.json()["grey_lock"]) == (201, lock.json()["id"])
    assert wallet_of(card).balance == 7500
    refused(begin(daemon, "grey-debit", amount_fen=1, lock=lock.json()["id"]), 409, "grey-lock.closed")


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"kind": "theft"}, 400, "input.invalid"),
        ({"kind": "debit", "purse": "medical"}, 400, "input.invalid"),
        ({"kind": "debit", "amount_fen": 0}, 422, "amount.invalid"),
        ({"kind": "load", "amount_fen": -1}, 422, "amount.invalid"),
        ({"kind": "unload", "purse": "medical"}, 422, "operation.unsupported"),
        ({"kind": "grey-debit"}, 400, "input.invalid"),
        ({"kind": "grey-debit", "lock": "none"}, 409, "grey-lock.closed"),
        ({"kind": "grey-lock", "amount_fen": 5}, 422, "amount.invalid"),
        ({"kind": "debit", "lock": "0192f0c1"}, 400, "input.invalid"),
        ({"kind": "debit", "reference": ""}, 400, "input.invalid"),
        ({"kind": "debit", "wait_s": 301}, 400, "input.invalid"),
        ({"kind": "debit", "wait_s": False}, 400, "input.invalid"),
        ({"kind": "debit", "wait_s": "1"}, 400, "input.invalid"),
        ({"kind": "debit", "reader": ""}, 400, "input.invalid"),
        ({"kind": "debit", "reader": "nowhere"}, 503, "reader.unavailable"),
        ({"kind": "debit", "colour": "red"}, 400, "input.invalid"),
    ],
)
def test_what_no_card_could_do_is_refused_before_anything(
    shared: Daemon, wrong: dict[str, Any], status: int, code: str
) -> None:
    before = listed(shared)["transactions"][:1]
    refused(begin(shared, **{"wait_s": 0, **wrong}), status, code)
    if status in {400, 422}:
        assert listed(shared)["transactions"][:1] == before


def test_a_key_is_wanted_and_belongs_to_one_request(shared: Daemon) -> None:
    body = {"kind": "debit", "amount_fen": 100, "reference": "sale", "reader": "citizen"}
    refused(money(shared, TRANSACTIONS, body, None), 400, "idempotency.missing")
    key = new_key()
    first = begin(shared, "debit", key)
    assert begin(shared, "debit", key).content == first.content
    refused(begin(shared, "debit", key, amount_fen=1), 422, "idempotency.mismatch")
    refused(begin(shared, "load", key), 422, "idempotency.mismatch")


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [({Scope.DEBIT}, "debit"), ({Scope.LOAD}, "load"), ({Scope.READ_CARD}, ""), ({Scope.SETTLE, Scope.REVERSE}, "")],
)
def test_each_kind_wants_its_scope(shared: Daemon, scopes: set[Scope], allowed: str) -> None:
    token = make_token(shared, new_key(), scopes=frozenset(scopes))
    for kind in ("debit", "load", "unload", "overdraft", "grey-lock", "grey-debit"):
        body = {"kind": kind, "amount_fen": 0, "reference": "sale", "wait_s": 0}
        answer = call(shared, token, "POST", "/v1/transactions", json=body, headers={"Idempotency-Key": new_key()})
        forbidden = answer.json().get("code") == "client.forbidden"
        own = {"debit", "grey-lock", "grey-debit"} if allowed == "debit" else {"load", "unload", "overdraft"}
        assert forbidden is not (bool(allowed) and kind in own), kind


# ---- what became of it ---------------------------------------------------------------------------------------


def test_a_key_is_asked_about_without_moving_anything(shared: Daemon) -> None:
    key = new_key()
    answer = shared.http("GET", "/v1/transactions", params={"idempotency_key": key})
    assert refused(answer, 404, "transaction.unknown")["detail"] == "this key never came"
    done = debit(shared, key, reader="citizen").json()
    assert listed(shared, idempotency_key=key) == {"transactions": [done], "totals": [], "next": None}


def test_a_key_of_a_settlement_is_no_transactions_and_the_other_way_round(shared: Daemon) -> None:
    key, other = new_key(), new_key()
    bill = settle(shared, key).json()
    answer = shared.http("GET", "/v1/transactions", params={"idempotency_key": key})
    assert "another kind" in refused(answer, 404, "transaction.unknown")["detail"]
    found = shared.http("GET", "/v1/settlements", params={"idempotency_key": key}).json()
    assert found == {"settlements": [bill], "next": None}
    debit(shared, other, reader="citizen")
    refused(shared.http("GET", "/v1/settlements", params={"idempotency_key": other}), 404, "transaction.unknown")


def test_keys_of_another_caller_are_nobodys_business(shared: Daemon) -> None:
    key = new_key()
    sale = debit(shared, key, reader="citizen").json()
    token = make_token(shared, new_key())
    answer = call(shared, token, path="/v1/transactions", params={"idempotency_key": key})
    refused(answer, 404, "transaction.unknown")
    own = call(
        shared,
        token,
        "POST",
        "/v1/debit",
        json={**DEBIT, "reader": "citizen"},
        headers={"Idempotency-Key": key},
    )
    assert own.status_code == 201
    assert own.json()["id"] != sale["id"], "the same key of two callers means two sales"


def test_a_list_is_filtered_paged_and_summed(shared: Daemon) -> None:
    reference = new_key()
    shift = shared.http("POST", "/v1/shifts", json={"operator": reference}).json()["id"]
    sales = [sold(shared, amount_fen=amount, reference=reference, operator=reference) for amount in (100, 200, 300)]
    too_much = debit(shared, new_key(), amount_fen=99999, reference=reference, operator=reference, reader="citizen")
    declined = too_much.json()["transaction"]["id"]
    newest_first = [declined, *(sale["id"] for sale in reversed(sales))]
    whole = listed(shared, reference=reference)
    assert [found["id"] for found in whole["transactions"]] == newest_first
    total = {"purse": "wallet", "operation": "purchase"}
    assert whole["totals"] == [
        {**total, "state": "completed", "count": 3, "amount_fen": 600},
        {**total, "state": "declined", "count": 1, "amount_fen": 99999},
    ]
    assert listed(shared, shift=shift)["transactions"] == whole["transactions"]
    completed = listed(shared, reference=reference, state="completed", limit=2)
    assert [found["id"] for found in completed["transactions"]] == newest_first[1:3]
    rest = listed(shared, reference=reference, state="completed", limit=2, before=completed["next"])
    assert ([found["id"] for found in rest["transactions"]], rest["next"]) == (newest_first[3:], None)
    begun = sales[1]["created_at"]
    assert [found["id"] for found in listed(shared, reference=reference, since=begun)["transactions"]] == newest_first[
        :3
    ]
    assert [found["id"] for found in listed(shared, reference=reference, until=begun)["transactions"]] == newest_first[
        3:
    ]
    assert listed(shared, reference="nobody's") == {"transactions": [], "totals": [], "next": None}


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "lost"},
        {"limit": 0},
        {"limit": 101},
        {"since": "2026-01-01T00:00:00"},
        {"since": "2026-01-01"},
        {"since": "1767225600"},
        {"until": "2026-13-01T00:00:00+08:00"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59-12:00"},
        {"reference": "x" * 65},
    ],
)
def test_a_filter_of_the_wrong_form_is_400(lasting_daemon: Daemon, wrong: dict[str, Any]) -> None:
    for kind in ("transactions", "settlements"):
        refused(lasting_daemon.http("GET", f"/v1/{kind}", params=wrong), 400, "input.invalid")


def test_a_page_behind_something_unknown_is_404_and_not_an_empty_one(lasting_daemon: Daemon) -> None:
    for kind in ("transactions", "settlements"):
        answer = lasting_daemon.http("GET", f"/v1/{kind}", params={"before": "none"})
        refused(answer, 404, "transaction.unknown")


def test_an_unknown_id_is_404_and_one_that_can_be_none_is_400(lasting_daemon: Daemon) -> None:
    for what in ("cancel", "recover"):
        refused(post(lasting_daemon, "none", what), 404, "transaction.unknown")
        refused(post(lasting_daemon, "a b", what), 400, "input.invalid")
    persons = {"money": "none", "persons": ["01", "02"], "reason": "compared"}
    refused(post(lasting_daemon, "none", "resolve", **persons), 404, "transaction.unknown")


# ---- cancelling ----------------------------------------------------------------------------------------------


def test_a_debit_that_waits_for_its_card_is_cancelled_and_its_caller_is_told_at_once(shared: Daemon) -> None:
    card, key = shared.take_out(shared.citizen), new_key()
    waiting = in_background(debit, shared, key, reader="citizen", wait_s=300)
    identifier = eventually_begun(shared, key)
    cancelled = post(shared, identifier, "cancel")
    assert (cancelled.status_code, cancelled.json()["state"], cancelled.json()["money"]) == (200, "cancelled", "none")
    answer = waiting.result(timeout=60)
    story = refused(answer, 409, "transaction.cancelled")
    assert story["transaction"] == cancelled.json()
    shared.citizen.insert(card)
    assert debit(shared, key, reader="citizen").content == answer.content
    assert wallet_of(card).balance == 10000
    assert post(shared, identifier, "cancel").json() == cancelled.json()


def eventually_begun(daemon: Daemon, key: str, kind: str = TRANSACTIONS) -> str:
    """Id of what a request in another thread begins."""
    eventually(lambda: daemon.http("GET", f"/v1/{kind}", params={"idempotency_key": key}).is_success)
    return begun_by(daemon, key, kind)


def test_what_nobody_waits_for_any_more_is_cancelled_too(shared: Daemon) -> None:
    key = new_key()
    identifier = accepted(shared, key)
    assert post(shared, identifier, "cancel").status_code == 200
    shared.put_in((shared.citizen, citizen_card(balance_fen=5000)))
    refused(debit(shared, key, reader="citizen"), 409, "transaction.cancelled")


def test_what_has_reached_a_card_is_not_cancelled(shared: Daemon) -> None:
    sale = sold(shared)
    answer = post(shared, sale["id"], "cancel")
    assert (answer.status_code, answer.json()["code"], answer.json()["money"]) == (409, "transaction.passed", "moved")
    identifier, _ = torn(shared)
    answer = post(shared, identifier, "cancel")
    assert (answer.status_code, answer.json()["money"]) == (409, "unknown")
    leg = settled_leg(shared)
    assert post(shared, leg, "cancel").json()["code"] == "transaction.passed"


def settled_leg(daemon: Daemon) -> str:
    """The wallet's part of a settlement that waits for the wallet."""
    daemon.empty_citizen()
    waiting = settle(daemon, new_key(), wait_s=0)
    assert waiting.json()["state"] == "awaiting_card", waiting.text
    return str(waiting.json()["legs"][0]["id"])


def test_who_may_only_read_cancels_and_recovers_nothing(shared: Daemon) -> None:
    identifier = accepted(shared)
    token = make_token(shared, new_key(), scopes=frozenset({Scope.READ_CARD, Scope.EVENTS}))
    for what in ("cancel", "recover", "resolve"):
        answer = call(
            shared,
            token,
            "POST",
            f"/v1/transactions/{identifier}/{what}",
            json={"money": "none", "persons": ["01", "02"], "reason": "x"} if what == "resolve" else {},
        )
        refused(answer, 403, "client.forbidden")
    assert one(shared, identifier)["state"] == "accepted"


# ---- recovering ----------------------------------------------------------------------------------------------


def test_a_card_that_is_back_answers_by_itself_and_recovering_again_changes_nothing(shared: Daemon) -> None:
    identifier, card = torn(shared)
    shared.put_in((shared.citizen, card))
    eventually(lambda: one(shared, identifier)["state"] == "completed")
    found = post(shared, identifier, "recover")
    assert (found.status_code, found.json()["recovered"], found.json()["money"]) == (200, True, "moved")
    assert found.json() == one(shared, identifier)


def test_recovering_says_whether_there_is_no_card_or_another_one(shared: Daemon) -> None:
    identifier, card = torn(shared)
    answer = post(shared, identifier, "recover", reader="citizen", wait_s=0)
    assert (answer.status_code, answer.json()["code"], answer.json()["money"]) == (409, "card.absent", "unknown")
    shared.put_in((shared.citizen, citizen_card(serial=f"{9:020}", balance_fen=5000)))
    answer = post(shared, identifier, "recover", reader="citizen", wait_s=5)
    assert (answer.status_code, answer.json()["code"], answer.json()["money"]) == (409, "card.changed", "unknown")
    shared.put_in((shared.citizen, card))
    eventually(lambda: one(shared, identifier)["state"] == "completed")


def test_a_medical_account_is_asked_with_the_pin(shared: Daemon) -> None:
    card: Any = shared.social.card
    tear(card, Moment.AFTER_COMMIT)
    torn_bill = settle(shared, new_key(), tender="cash")
    assert (torn_bill.status_code, torn_bill.json()["state"]) == (202, "uncertain")
    leg = torn_bill.json()["legs"][0]["id"]
    shared.pad.typed = ""  # the holder cancels, so that the card cannot answer by itself
    shared.put_in((shared.social, card))
    answer = post(shared, leg, "recover", reader="social", wait_s=5)
    assert (answer.status_code, answer.json()["code"], answer.json()["money"]) == (409, "pin.cancelled", "unknown")
    found = post(shared, leg, "recover", reader="social", wait_s=5, pin=PIN)
    assert (found.status_code, found.json()["state"]) == (200, "completed")
    assert account_of(card).balance == 47500


def test_a_card_that_leaves_again_is_no_answer_to_an_open_question(shared: Daemon) -> None:
    key = new_key()
    identifier, card = torn(shared, key=key)
    tear(card, Moment.COMMAND, {(0x80, 0x5A)})
    asking = in_background(debit, shared, key, reader="citizen", wait_s=1)
    shared.citizen.insert(card)
    answer = asking.result(timeout=60)
    assert (answer.status_code, answer.json()["money"], answer.json()["id"]) == (202, "unknown", identifier)
    shared.put_in((shared.citizen, card))
    eventually(lambda: one(shared, identifier)["state"] == "completed")


def test_a_wrong_pin_does_not_make_an_open_question_look_answered(shared: Daemon) -> None:
    card: Any = shared.social.card
    tear(card, Moment.AFTER_COMMIT, {(0xB0, 0x2A)})
    key = new_key()
    load = {"purse": "medical", "reader": "social", "wait_s": 5}
    assert begin(shared, "load", key, **load).json()["state"] == "uncertain"
    shared.pad.typed = ""
    shared.put_in((shared.social, card))
    answer = begin(shared, "load", key, **load, pin="000000")
    assert (answer.status_code, answer.json()["code"], answer.json()["money"]) == (403, "pin.wrong", "unknown")
    assert begin(shared, "load", key, **load, pin=PIN).status_code == 201


# ---- resolving -----------------------------------------------------------------------------------------------

PERSONS = {"money": "moved", "persons": ["01", "02"], "reason": "the log of the card shows it"}


def test_two_persons_end_a_question_that_no_card_will_answer(shared: Daemon) -> None:
    key = new_key()
    identifier, _ = torn(shared, key=key)
    ended = post(shared, identifier, "resolve", **PERSONS)
    assert (ended.status_code, ended.json()["state"], ended.json()["money"]) == (200, "resolved", "moved")
    assert ended.json()["resolution"] == PERSONS
    again = debit(shared, key, reader="citizen")
    assert (again.status_code, again.content) == (200, ended.content)
    answer = post(shared, identifier, "resolve", **PERSONS)
    assert (answer.status_code, answer.json()["code"]) == (409, "transaction.closed")


@pytest.mark.parametrize(
    "wrong",
    [
        {"persons": ["01", "01"]},
        {"persons": ["01", " 01 "]},
        {"persons": ["Li", "li"]},
        {"persons": ["01"]},
        {"persons": ["01", "02", "03"]},
        {"persons": ["01", ""]},
        {"persons": ["01", " "]},
        {"reason": ""},
        {"reason": " "},
        {"money": "perhaps"},
    ],
)
def test_one_person_or_no_reason_ends_nothing(shared: Daemon, wrong: dict[str, Any]) -> None:
    identifier, _ = torn(shared)
    refused(post(shared, identifier, "resolve", **{**PERSONS, **wrong}), 400, "input.invalid")
    assert one(shared, identifier)["state"] == "uncertain"
    assert post(shared, identifier, "resolve", **PERSONS).status_code == 200


def test_what_has_ended_or_not_begun_is_not_resolved(shared: Daemon) -> None:
    for identifier in (sold(shared)["id"], accepted(shared)):
        answer = post(shared, identifier, "resolve", **PERSONS)
        assert (answer.status_code, answer.json()["code"]) == (409, "transaction.closed")


# ---- within the caller's time --------------------------------------------------------------------------------


@pytest.fixture
def hold(shared: Daemon, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], threading.Event]]:
    """Lets the citizen card take its time over its next command of an instruction; its caller does not wait so long."""
    monkeypatch.setattr("cardiod.api.answers.GRACE", 0.05)
    go_on = threading.Event()
    card: Any = shared.citizen.card

    def at(instruction: int) -> threading.Event:
        def hook(moment: Moment, command: Received) -> None:
            if moment is Moment.COMMAND and command.ins == instruction:
                card.hook = None
                assert go_on.wait(60)

        card.hook = hook
        return go_on

    yield at
    go_on.set()


def test_work_that_takes_longer_than_the_caller_waits_goes_on_and_is_found(
    shared: Daemon, hold: Callable[[int], threading.Event]
) -> None:
    go_on, key = hold(0x54), new_key()
    late = debit(shared, key, reader="citizen", wait_s=0)
    assert (late.status_code, late.json()["code"], late.json()["money"]) == (409, "idempotency.in-progress", "unknown")
    (found,) = listed(shared, idempotency_key=key)["transactions"]
    assert (found["state"], found["money"]) == ("armed", "unknown")
    assert found["id"] in late.json()["detail"]
    again = debit(shared, key, reader="citizen", wait_s=0)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency.in-progress")
    assert found["id"] in again.json()["detail"]
    go_on.set()
    eventually(lambda: one(shared, found["id"])["state"] == "completed")
    done = debit(shared, key, reader="citizen")
    assert (done.status_code, done.json()["id"]) == (201, found["id"])
    assert done.json()["balance_after_fen"] == 10000 - 1234


def test_work_that_fails_when_nobody_waits_any_more_leaves_no_noise(
    shared: Daemon, hold: Callable[[int], threading.Event], caplog: pytest.LogCaptureFixture
) -> None:
    go_on, key = hold(0xA4), new_key()
    assert debit(shared, key, reader="citizen", wait_s=0).json()["code"] == "idempotency.in-progress"
    shared.take_citizen_out()
    go_on.set()
    eventually(lambda: debit(shared, key, reader="citizen", wait_s=0).json()["code"] == "card.absent")
    gc.collect()
    assert caplog.text == ""


def test_a_caller_that_hangs_up_changes_nothing(shared: Daemon) -> None:
    card, key = shared.take_out(shared.citizen), new_key()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            shared.url + "/v1/debit",
            json={**DEBIT, "reader": "citizen", "wait_s": 60},
            headers={"Authorization": f"Bearer {make_token(shared, 'hasty')}", "Idempotency-Key": key},
            timeout=0.5,
            trust_env=False,
        )
    shared.citizen.insert(card)
    eventually(lambda: wallet_of(card).balance == 10000 - 1234)


def test_the_legs_of_a_settlement_are_transactions(shared: Daemon) -> None:
    bill = settled(shared)
    for leg in bill["legs"]:
        found = one(shared, leg["id"])
        assert (found["settlement"], found["tac"]) == (bill["id"], leg["tac"])
