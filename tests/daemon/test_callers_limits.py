"""How much money and how many requests a caller may have, and the last try of a PIN."""

from __future__ import annotations

import threading
from typing import Any

import httpx
from pytest_mock import MockerFixture

from cardio.errors import RateLimited
from cardio.ledger.ledger import now
from cardio.virtual.card import Moment
from cardiod.api.rates import Rates
from tests.counter import eventually, tear, wallet_of
from tests.daemon.callers import call, debit, make_token, refused
from tests.daemon.conftest import TOKEN, Daemon, StartDaemon

BILL = {"total_fen": 10000, "fund_fen": 6000, "account_fen": 2500, "self_pay_fen": 1500}


def settle(daemon: Daemon, token: str, key: str, tender: str = "wallet", **changes: Any) -> httpx.Response:
    body = {"bill": BILL, "tender": tender, "reference": "bill", **changes}
    return call(daemon, token, "POST", "/v1/settle", json=body, headers={"Idempotency-Key": key})


def balance(daemon: Daemon) -> int:
    card: Any = daemon.citizen.card
    return wallet_of(card).balance


# ---- money ---------------------------------------------------------------------------------------------------


def test_more_than_a_request_may_move_is_refused_and_nothing_is_charged(daemon: Daemon) -> None:
    token = make_token(daemon, max_amount_fen=500)
    refused(debit(daemon, token, "a", amount_fen=501), 403, "client.limit")
    assert debit(daemon, token, "a2", amount_fen=500).status_code == 201
    assert balance(daemon) == 9500


def test_a_day_has_one_sum_and_the_answers_of_old_keys_stay(daemon: Daemon) -> None:
    token = make_token(daemon, max_day_fen=1000)
    first = debit(daemon, token, "a", amount_fen=600)
    refused(debit(daemon, token, "b", amount_fen=401), 403, "client.limit")
    assert debit(daemon, token, "c", amount_fen=400).status_code == 201
    refused(debit(daemon, token, "d", amount_fen=1), 403, "client.limit")
    assert debit(daemon, token, "a", amount_fen=600).content == first.content
    assert debit(daemon, TOKEN, "a", amount_fen=600).status_code == 201  # another client has its own sum


def test_an_uncertain_debit_counts_and_one_that_did_not_happen_does_not(daemon: Daemon) -> None:
    token = make_token(daemon, max_day_fen=1000)
    card: Any = daemon.citizen.card
    tear(card, Moment.AFTER_COMMIT)
    assert debit(daemon, token, "a", amount_fen=600).status_code == 202
    refused(debit(daemon, token, "b", amount_fen=600), 403, "client.limit")
    daemon.citizen.insert(card)
    assert debit(daemon, token, "a", amount_fen=600).status_code == 201
    tear(card, Moment.COMMAND)
    assert debit(daemon, token, "c", amount_fen=400).status_code == 202
    daemon.citizen.insert(card)
    refused(debit(daemon, token, "c", amount_fen=400), 409, "transaction.not-debited")
    assert debit(daemon, token, "d", amount_fen=400).status_code == 201


def test_a_settlement_counts_with_what_it_takes_from_cards(daemon: Daemon) -> None:
    token = make_token(daemon, max_amount_fen=3999)
    refused(settle(daemon, token, "a"), 403, "client.limit")
    assert settle(daemon, token, "b", tender="cash").status_code == 201


def test_both_legs_of_a_settlement_count_for_the_day(daemon: Daemon) -> None:
    token = make_token(daemon, max_day_fen=4100)
    assert settle(daemon, token, "a").status_code == 201
    refused(debit(daemon, token, "b", amount_fen=101), 403, "client.limit")
    assert debit(daemon, token, "c", amount_fen=100).status_code == 201


def test_a_settlement_that_took_its_first_part_is_never_stopped_half_way(daemon: Daemon) -> None:
    token = make_token(daemon, max_day_fen=4000)
    card = daemon.take_citizen_out()
    assert card is not None
    assert settle(daemon, token, "a", wait_s=1).status_code == 202
    daemon.citizen.insert(card)
    assert debit(daemon, token, "b", amount_fen=1500).status_code == 201  # the settlement's rest has not been taken yet
    assert settle(daemon, token, "a").status_code == 201


def test_many_requests_at_a_time_do_not_each_have_the_rest_of_the_day(daemon: Daemon) -> None:
    token = make_token(daemon, max_day_fen=1000)
    card = daemon.take_citizen_out()
    daemon.social.remove()
    answers: list[int] = []

    def sell(key: str) -> None:
        status = 423
        while status == 423:  # the other sale and the first look at the card may fill the reader's queue
            status = debit(daemon, token, key, amount_fen=400).status_code
        answers.append(status)

    tries = [threading.Thread(target=sell, args=[f"k{n}"]) for n in range(6)]
    for one in tries:
        one.start()
    eventually(lambda: answers.count(403) == 4)
    assert card is not None
    daemon.citizen.insert(card)
    for one in tries:
        one.join()
    assert sorted(answers) == [201, 201, 403, 403, 403, 403]
    assert balance(daemon) == 9200


def test_a_request_that_ran_into_nothing_does_not_use_up_the_day(daemon: Daemon) -> None:
    token = make_token(daemon, max_day_fen=1000)
    card = daemon.take_citizen_out()
    for n in range(3):
        refused(debit(daemon, token, f"k{n}", amount_fen=900, reader="citizen", wait_s=0), 409, "card.absent")
    assert card is not None
    daemon.citizen.insert(card)
    assert debit(daemon, token, "k0", amount_fen=900).status_code == 201
    refused(debit(daemon, token, "k1", amount_fen=900), 403, "client.limit")


def test_the_next_day_begins_anew_but_keys_of_the_last_one_cannot_be_hoarded(
    daemon: Daemon, mocker: MockerFixture
) -> None:
    token = make_token(daemon, max_day_fen=1000)
    first = debit(daemon, token, "a", amount_fen=1000)
    card = daemon.take_citizen_out()
    assert card is not None
    token_without = make_token(daemon, "hoarder", max_day_fen=1000)
    refused(debit(daemon, token_without, "h", amount_fen=900, reader="citizen", wait_s=0), 409, "card.absent")
    daemon.citizen.insert(card)
    mocker.patch("cardiod.api.spending.day_begun", now)
    assert debit(daemon, token, "b", amount_fen=1000).status_code == 201
    assert debit(daemon, token, "a", amount_fen=1000).content == first.content
    assert refused(debit(daemon, token_without, "h", amount_fen=900), 403, "client.limit")["retry"] == "new_key"


# ---- requests ------------------------------------------------------------------------------------------------


def test_who_calls_too_often_is_429_and_told_when_to_come_back(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(rate_per_s=0.1, rate_burst=3)
    token = make_token(daemon)
    for _ in range(3):
        assert call(daemon, token).status_code == 200
    answer = call(daemon, token)
    assert refused(answer, 429, "rate.limited")["retry"] == "same_key"
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert call(daemon, TOKEN).status_code == 200  # others are not kept waiting
    assert call(daemon, None, path="/healthz").status_code == 200


def test_a_bucket_fills_steadily_and_no_further_than_its_burst() -> None:
    at = 0.0
    rates = Rates(2.0, 3, lambda: at)

    def admitted() -> int:
        count = 0
        while True:
            try:
                rates.admit("till")
            except RateLimited:
                return count
            count += 1

    assert admitted() == 3
    at = 1.0
    assert admitted() == 2
    at = 1000.0
    assert admitted() == 3


# ---- the last try --------------------------------------------------------------------------------------------


def test_no_caller_can_ask_for_the_last_try_of_a_pin(daemon: Daemon) -> None:
    card: Any = daemon.social.card
    card.pin.tries_left = 1
    token = make_token(daemon)
    refused(settle(daemon, token, "a", allow_last_try=True), 400, "input.invalid")
    refused(settle(daemon, token, "b"), 403, "pin.last-try")
    assert card.pin.tries_left == 1
