"""Giving payments back: by an order to the centre, or by a load of the card that paid."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cardio.virtual.card import Moment
from cardio.virtual.cards import citizen_card
from cardiod.settings import Scope
from tests.counter import eventually, tear, wallet_of
from tests.daemon.callers import call, make_token, refused
from tests.daemon.conftest import PIN, Daemon
from tests.daemon.sales import accepted, debit, money, new_key, settled, sold, torn


def reverse(daemon: Daemon, identifier: str, key: str | None = "", kind: str = "transactions", **changes: Any) -> Any:
    body = {"by": "order", "reason": "goods returned", **changes}
    return money(daemon, f"{kind}/{identifier}/reverse", body, new_key() if key == "" else key)


def load_back(daemon: Daemon, identifier: str, key: str = "", **changes: Any) -> httpx.Response:
    answer: httpx.Response = reverse(
        daemon, identifier, key, **{"by": "load", "reader": "citizen", "pin": PIN, **changes}
    )
    return answer


def given_back(daemon: Daemon, identifier: str) -> list[str]:
    document = daemon.http("GET", f"/v1/transactions/{identifier}").json()
    return list(document.get("reversed_by") or ())


# ---- by order ------------------------------------------------------------------------------------------------


def test_an_order_gives_all_back_that_was_not_given_back_yet(shared: Daemon) -> None:
    sale = sold(shared)
    part = reverse(shared, sale["id"], amount_fen=234)
    assert (part.status_code, part.json()["amount_fen"], part.json()["by"]) == (201, 234, "order")
    rest = reverse(shared, sale["id"])
    assert (rest.json()["amount_fen"], rest.json()["reverses"], rest.json()["transaction"]) == (1000, sale["id"], None)
    assert given_back(shared, sale["id"]) == [part.json()["id"], rest.json()["id"]]
    refused(reverse(shared, sale["id"], amount_fen=1), 409, "transaction.not-reversible")


def test_the_same_key_gives_back_once(shared: Daemon) -> None:
    sale, key = sold(shared), new_key()
    first = reverse(shared, sale["id"], key)
    assert (reverse(shared, sale["id"], key).json(), first.status_code) == (first.json(), 201)
    assert given_back(shared, sale["id"]) == [first.json()["id"]]
    refused(reverse(shared, sale["id"], key, amount_fen=1), 422, "idempotency.mismatch")
    refused(reverse(shared, sold(shared)["id"], key), 422, "idempotency.mismatch")
    refused(debit(shared, key), 422, "idempotency.mismatch")


@pytest.mark.parametrize("amount", [0, -1, 1235, 2**40])
def test_more_than_was_taken_or_nothing_is_not_given_back(shared: Daemon, amount: int) -> None:
    sale = sold(shared)
    refused(reverse(shared, sale["id"], amount_fen=amount), 409, "transaction.not-reversible")
    assert given_back(shared, sale["id"]) == []


def test_only_money_that_moved_is_given_back(shared: Daemon) -> None:
    declined = debit(shared, new_key(), amount_fen=99999, reader="citizen").json()["transaction"]["id"]
    uncertain, _ = torn(shared)
    for identifier in (declined, uncertain, accepted(shared)):
        refused(reverse(shared, identifier), 409, "transaction.not-reversible")
    refused(reverse(shared, "none"), 404, "transaction.unknown")


@pytest.mark.parametrize(
    "wrong",
    [{"by": "magic"}, {"reason": ""}, {"reason": None}, {"amount_fen": "12"}, {"amount_fen": 1.5}, {"wait_s": 500}],
)
def test_a_wish_of_the_wrong_form_is_400(shared: Daemon, wrong: dict[str, Any]) -> None:
    refused(reverse(shared, sold(shared)["id"], **wrong), 400, "input.invalid")


def test_giving_back_wants_a_key_and_its_scope(shared: Daemon) -> None:
    sale = sold(shared)
    refused(reverse(shared, sale["id"], None), 400, "idempotency.missing")
    token = make_token(shared, new_key(), scopes=frozenset(Scope) - {Scope.REVERSE})
    for kind in ("transactions", "settlements"):
        answer = call(
            shared,
            token,
            "POST",
            f"/v1/{kind}/{sale['id']}/reverse",
            json={"by": "order", "reason": "x"},
            headers={"Idempotency-Key": new_key()},
        )
        refused(answer, 403, "client.forbidden")


# ---- by load -------------------------------------------------------------------------------------------------


def test_a_load_puts_it_back_on_the_card_that_paid(shared: Daemon) -> None:
    sale, key = sold(shared), new_key()
    back = load_back(shared, sale["id"], key, amount_fen=1000)
    document = back.json()
    assert (back.status_code, document["by"], document["reverses"]) == (201, "load", sale["id"])
    assert (document["transaction"]["operation"], document["transaction"]["reverses"]) == ("load", sale["id"])
    assert document["transaction"]["balance_after_fen"] == 10000 - 1234 + 1000
    assert load_back(shared, sale["id"], key, amount_fen=1000).json() == document
    assert given_back(shared, sale["id"]) == [document["id"]]
    refused(load_back(shared, sale["id"], amount_fen=235), 409, "transaction.not-reversible")


def test_a_load_without_an_amount_gives_all_back_that_is_left(shared: Daemon) -> None:
    sale, key = sold(shared), new_key()
    reverse(shared, sale["id"], amount_fen=234)
    rest = load_back(shared, sale["id"], key)
    assert (rest.status_code, rest.json()["amount_fen"]) == (201, 1000)
    assert load_back(shared, sale["id"], key).json() == rest.json()
    refused(load_back(shared, sale["id"]), 409, "transaction.not-reversible")
    order = new_key()
    other = sold(shared)["id"]
    reverse(shared, other, order, amount_fen=1)
    refused(load_back(shared, other, order), 422, "idempotency.mismatch")


def test_another_card_gets_nothing_back(shared: Daemon) -> None:
    sale = sold(shared)
    other = citizen_card(serial=f"{7:020}", balance_fen=10)
    shared.put_in((shared.citizen, other))
    refused(load_back(shared, sale["id"]), 409, "card.changed")
    assert wallet_of(other).balance == 10


def test_what_waits_for_its_card_is_given_back_by_nobody_else(shared: Daemon) -> None:
    sale, key = sold(shared), new_key()
    card: Any = shared.citizen.remove()
    refused(load_back(shared, sale["id"], key, wait_s=0), 409, "card.absent")
    refused(reverse(shared, sale["id"]), 409, "transaction.not-reversible")
    shared.put_in((shared.citizen, card))
    assert load_back(shared, sale["id"], key).status_code == 201
    assert wallet_of(card).balance == 10000


def test_a_wrong_pin_gives_nothing_back_and_leaves_the_key_free(shared: Daemon) -> None:
    sale, key = sold(shared), new_key()
    refused(load_back(shared, sale["id"], key, pin="654321"), 403, "pin.wrong")
    assert load_back(shared, sale["id"], key).status_code == 201


def test_a_torn_load_is_202_and_found_out_when_the_card_is_back(shared: Daemon) -> None:
    sale, key = sold(shared), new_key()
    card: Any = shared.citizen.card
    tear(card, Moment.AFTER_COMMIT, {(0x80, 0x52)})
    back = load_back(shared, sale["id"], key)
    assert (back.status_code, back.json()["transaction"]["state"]) == (202, "uncertain")
    refused(reverse(shared, sale["id"]), 409, "transaction.not-reversible")
    shared.put_in((shared.citizen, card))
    identifier = back.json()["id"]
    eventually(lambda: shared.http("GET", f"/v1/transactions/{identifier}").json()["state"] == "completed")
    assert load_back(shared, sale["id"], key).status_code == 201
    assert wallet_of(card).balance == 10000


def test_a_load_that_two_persons_resolved_is_told_as_such(shared: Daemon) -> None:
    sale, key = sold(shared), new_key()
    card: Any = shared.citizen.card
    tear(card, Moment.AFTER_COMMIT, {(0x80, 0x52)})
    identifier = load_back(shared, sale["id"], key).json()["id"]
    persons = {"money": "moved", "persons": ["01", "02"], "reason": "the holder shows it"}
    shared.http("POST", f"/v1/transactions/{identifier}/resolve", json=persons)
    told = load_back(shared, sale["id"], key)
    assert (told.status_code, told.json()["transaction"]["state"]) == (200, "resolved")


def test_a_load_that_does_not_fit_the_card_is_a_problem_with_the_whole_story(shared: Daemon) -> None:
    sale, key = sold(shared), new_key()
    card: Any = shared.citizen.card
    wallet_of(card).max_balance = 9000
    told = refused(load_back(shared, sale["id"], key), 422, "card.balance-limit")
    assert (told["transaction"]["state"], told["transaction"]["reverses"]) == ("declined", sale["id"])
    assert reverse(shared, sale["id"]).json()["amount_fen"] == 1234


def test_without_a_load_host_there_is_still_the_order(daemon: Daemon) -> None:
    sale = sold(daemon)
    refused(load_back(daemon, sale["id"]), 503, "host.missing")


# ---- settlements ---------------------------------------------------------------------------------------------


def test_a_bill_is_given_back_whole_by_orders_and_in_cash(shared: Daemon) -> None:
    by_card = settled(shared)
    back = reverse(shared, by_card["id"], kind="settlements")
    assert (back.status_code, back.json()["settlement"], back.json()["cash_back_fen"]) == (201, by_card["id"], 0)
    assert [refund["amount_fen"] for refund in back.json()["refunds"]] == [2500, 1500]
    assert [refund["reverses"] for refund in back.json()["refunds"]] == [leg["id"] for leg in by_card["legs"]]
    in_cash = settled(shared, tender="cash")
    back = reverse(shared, in_cash["id"], kind="settlements")
    assert (len(back.json()["refunds"]), back.json()["cash_back_fen"]) == (1, 1500)


def test_a_bill_is_given_back_once(shared: Daemon) -> None:
    bill, key = settled(shared), new_key()
    first = reverse(shared, bill["id"], key, kind="settlements")
    assert reverse(shared, bill["id"], key, kind="settlements").json() == first.json()
    refused(reverse(shared, bill["id"], kind="settlements"), 409, "transaction.not-reversible")
    refused(reverse(shared, bill["legs"][1]["id"]), 409, "transaction.not-reversible")


def test_a_bill_of_which_a_part_was_given_back_is_not_given_back_whole(shared: Daemon) -> None:
    bill = settled(shared)
    assert reverse(shared, bill["legs"][1]["id"], amount_fen=1).status_code == 201
    refused(reverse(shared, bill["id"], kind="settlements"), 409, "transaction.not-reversible")


@pytest.mark.parametrize("wish", [{"by": "load"}, {"amount_fen": 1}])
def test_a_bill_is_not_given_back_in_another_way(shared: Daemon, wish: dict[str, Any]) -> None:
    refused(reverse(shared, settled(shared)["id"], kind="settlements", **wish), 422, "operation.unsupported")


def test_an_unknown_bill_is_404(shared: Daemon) -> None:
    refused(reverse(shared, "none", kind="settlements"), 404, "transaction.unknown")
    refused(reverse(shared, sold(shared)["id"], kind="settlements"), 404, "transaction.unknown")
