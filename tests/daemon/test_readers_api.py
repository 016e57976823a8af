"""Readers and sources of keys as resources."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.cards import psam
from cardiod.settings import Scope
from tests.counter import eventually
from tests.daemon.callers import call, make_token, refused
from tests.daemon.conftest import Daemon
from tests.daemon.sales import debit, new_key


def readers(daemon: Daemon) -> dict[str, dict[str, Any]]:
    return {reader["id"]: reader for reader in daemon.http("GET", "/v1/readers").json()["readers"]}


def post(daemon: Daemon, path: str) -> httpx.Response:
    return daemon.http("POST", f"/v1/{path}", json={})


def terminals(daemon: Daemon) -> list[str]:
    return [sam["terminal_number"] for sam in daemon.http("GET", "/v1/sams").json()["sams"]]


# ---- readers -------------------------------------------------------------------------------------------------


def test_each_reader_says_what_it_is_and_what_lies_in_it(shared: Daemon) -> None:
    handles = {name: card["handle"] for name, card in shared.cards.items()}
    expected = {
        name: {
            "id": name,
            "name": name,
            "kind": "sam" if name == "sam" else "card",
            "state": "ready",
            "card_present": True,
            "pin_pad": name == "social",
            "card": handles.get(name),
        }
        for name in ("citizen", "social", "sam")
    }
    assert readers(shared) == expected
    for name, document in expected.items():
        assert shared.http("GET", f"/v1/readers/{name}").json() == document


def test_an_empty_reader_is_there_all_the_same(shared: Daemon) -> None:
    shared.take_out(shared.citizen)
    assert readers(shared)["citizen"]["card_present"] is False


def test_a_reader_comes_and_goes_and_keeps_its_id_under_another_number(shared: Daemon) -> None:
    card, _ = shared.bench.restore()
    driver = shared.bench.driver
    driver.plug(EmbeddedReader("ACS ACR39U 02 00", card))
    eventually(lambda: readers(shared).get("acs-acr39u", {}).get("card") is not None)
    assert readers(shared)["acs-acr39u"]["name"] == "ACS ACR39U 02 00"
    assert debit(shared, new_key(), reader="acs-acr39u", amount_fen=100).status_code == 201
    driver.unplug("ACS ACR39U 02 00")
    eventually(lambda: "acs-acr39u" not in readers(shared))
    refused(shared.http("GET", "/v1/readers/acs-acr39u"), 503, "reader.unavailable")
    driver.plug(EmbeddedReader("ACS ACR39U 00 00", card))
    eventually(lambda: readers(shared).get("acs-acr39u", {}).get("card") is not None)
    assert debit(shared, new_key(), reader="acs-acr39u", amount_fen=100).json()["balance_after_fen"] == 9800
    driver.unplug("ACS ACR39U 00 00")
    eventually(lambda: "acs-acr39u" not in readers(shared))


def test_a_reset_card_gets_another_handle_and_is_known_again(shared: Daemon) -> None:
    before = shared.cards["citizen"]["handle"]
    answer = post(shared, "readers/citizen/reset")
    assert (answer.status_code, answer.json()["id"]) == (200, "citizen")
    assert answer.json()["card"] != before
    eventually(lambda: "citizen" in shared.cards)
    assert shared.cards["citizen"]["handle"] == answer.json()["card"]
    refused(shared.http("GET", f"/v1/cards/{before}"), 409, "card.changed")


def test_a_card_that_was_let_go_comes_back_by_a_reset(shared: Daemon) -> None:
    shared.http("DELETE", f"/v1/cards/{shared.cards['citizen']['handle']}")
    assert post(shared, "readers/citizen/reset").status_code == 200
    eventually(lambda: "citizen" in shared.cards)


def test_an_empty_reader_has_nothing_to_reset_or_to_power(shared: Daemon) -> None:
    shared.take_out(shared.citizen)
    refused(post(shared, "readers/citizen/reset"), 409, "card.absent")
    tested = post(shared, "readers/citizen/self-test").json()
    assert (tested["ok"], tested["protocol"], tested["error"]["code"]) == (False, None, "card.absent")


def test_a_self_test_powers_the_card(shared: Daemon) -> None:
    tested = post(shared, "readers/social/self-test")
    assert (tested.status_code, tested.json()) == (
        200,
        {"reader": "social", "ok": True, "protocol": "T=0", "error": None},
    )


@pytest.mark.parametrize("what", ["", "/reset", "/self-test"])
def test_an_unknown_reader_is_503_and_none_is_shown_without_the_scope(lasting_daemon: Daemon, what: str) -> None:
    method = "POST" if what else "GET"
    body: dict[str, str] | None = {} if what else None
    answer = lasting_daemon.http(method, f"/v1/readers/nowhere{what}", json=body)
    refused(answer, 503, "reader.unavailable")
    token = make_token(lasting_daemon, new_key(), scopes=frozenset(Scope) - {Scope.READ_CARD})
    refused(call(lasting_daemon, token, method, f"/v1/readers/citizen{what}", json=body), 403, "client.forbidden")


# ---- sources of keys -----------------------------------------------------------------------------------------


def test_a_psam_says_whose_terminal_it_is_and_answers_when_asked(shared: Daemon) -> None:
    (sam,) = shared.http("GET", "/v1/sams").json()["sams"]
    assert sam == {
        "id": "sam",
        "kind": "psam",
        "reader": "sam",
        "terminal_number": "999999000001",
        "virtual": True,
        "state": "ready",
    }
    checked = post(shared, "sams/sam/check")
    assert (checked.status_code, checked.json()) == (200, sam)
    refused(post(shared, "sams/citizen/check"), 503, "sam.absent")
    token = make_token(shared, new_key(), scopes=frozenset(Scope) - {Scope.READ_CARD})
    refused(call(shared, token, path="/v1/sams"), 403, "client.forbidden")
    refused(call(shared, token, "POST", "/v1/sams/sam/check", json={}), 403, "client.forbidden")


def test_a_psam_that_leaves_is_out_of_service_until_it_is_back(shared: Daemon) -> None:
    card = shared.sam.remove()
    assert card is not None
    eventually(lambda: terminals(shared) == [])
    assert readers(shared)["sam"]["kind"] == "card"
    refused(post(shared, "sams/sam/check"), 503, "sam.absent")
    refused(debit(shared, new_key(), reader="citizen", wait_s=0), 503, "sam.absent")
    shared.sam.insert(card)
    eventually(lambda: terminals(shared) == ["999999000001"])
    assert debit(shared, new_key(), reader="citizen").status_code == 201


def test_several_psams_are_asked_in_order(shared: Daemon) -> None:
    shared.bench.driver.plug(EmbeddedReader("second sam", psam(terminal=bytes.fromhex("999999000002"))))
    eventually(lambda: terminals(shared) == ["999999000001", "999999000002"])
    assert {sam["id"] for sam in shared.http("GET", "/v1/sams").json()["sams"]} == {"sam", "second-sam"}
    shared.bench.driver.unplug("second sam")
    eventually(lambda: terminals(shared) == ["999999000001"])
