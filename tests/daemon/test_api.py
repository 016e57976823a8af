"""The API as cashier software meets it."""

from __future__ import annotations

import threading
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_mock import MockerFixture

from cardio.errors import CardioError
from cardio.products.catalogue import Catalogue
from cardio.virtual.building import find_directory, find_file
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.cards import citizen_card
from cardio.virtual.products import example_card
from cardiod.api.problems import STATUS
from cardiod.settings import Scope
from tests.counter import account_of, eventually, tear, wallet_of
from tests.daemon.callers import call, refused
from tests.daemon.conftest import TOKEN, Daemon, StartDaemon
from tests.daemon.sales import BILL, debit, read, settle


def wallet(daemon: Daemon) -> int:
    card: Any = daemon.citizen.card
    return wallet_of(card).balance


# ---- the work ------------------------------------------------------------------------------------------------


def test_a_debit_answers_201_with_tac_balances_and_voucher(daemon: Daemon) -> None:
    answer = debit(daemon)
    done = answer.json()
    assert answer.status_code == 201
    assert (done["state"], done["money"]) == ("completed", "moved")
    assert (done["balance_before_fen"], done["balance_after_fen"]) == (10000, 8766)
    assert len(done["tac"]) == 8
    assert "¥12.34" in done["voucher"]["zh"]
    assert wallet(daemon) == 8766


def test_the_same_key_gets_the_same_bytes(daemon: Daemon) -> None:
    first = debit(daemon)
    again = debit(daemon)
    assert (again.status_code, again.content) == (201, first.content)
    by_id = daemon.http("GET", f"/v1/transactions/{first.json()['id']}")
    assert (by_id.status_code, by_id.content) == (200, first.content)
    assert wallet(daemon) == 8766


def test_reader_and_waiting_do_not_belong_to_the_request(daemon: Daemon) -> None:
    first = debit(daemon, reader="citizen", wait_s=1)
    assert debit(daemon, wait_s=2).content == first.content


def test_a_settlement_pays_both_legs_and_its_voucher_holds_them(daemon: Daemon) -> None:
    answer = settle(daemon)
    done = answer.json()
    assert answer.status_code == 201
    assert [leg["purse"] for leg in done["legs"]] == ["medical", "wallet"]
    assert done["due_fen"] == 0
    assert all(leg["tac"] in done["voucher"]["en"] for leg in done["legs"])
    assert settle(daemon).content == answer.content
    assert daemon.http("GET", f"/v1/settlements/{done['id']}").content == answer.content
    assert wallet(daemon) == 8500


def test_a_settlement_waits_for_the_wallet_and_goes_on_with_it(daemon: Daemon) -> None:
    card = daemon.take_citizen_out()
    waiting = settle(daemon, wait_s=1.5)
    assert (waiting.status_code, waiting.json()["state"], waiting.json()["due_fen"]) == (202, "awaiting_card", 1500)
    threading.Timer(0.2, daemon.citizen.insert, [card]).start()
    done = settle(daemon, wait_s=10)
    assert (done.status_code, done.json()["due_fen"]) == (201, 0)
    social: Any = daemon.social.card
    assert account_of(social).purchase_counter == 1


def test_a_debit_waits_for_the_card(daemon: Daemon) -> None:
    card = daemon.take_citizen_out()
    assert card is not None
    threading.Timer(0.3, daemon.citizen.insert, [card]).start()
    assert debit(daemon, wait_s=10).status_code == 201


def test_reading_gives_each_group_its_data_or_its_error(daemon: Daemon) -> None:
    groups = read(daemon, "card", "holder", "medical", "wallet", reader="social").json()["groups"]
    assert groups["holder"]["data"]["name"] == "测试甲"
    assert groups["medical"]["data"]["balance_fen"] == 50000
    assert groups["wallet"]["error"]["code"] == "operation.unsupported"


def test_personal_data_are_masked_without_the_scope(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(scopes=frozenset({Scope.READ_CARD}))
    answer = read(daemon, "holder", "card", reader="social")
    assert answer.json()["masked"] is True
    assert answer.json()["groups"]["holder"]["data"]["social_security_number"] == "999***********0016"
    for secret in ("测试甲", "999999199001010016", "A00000126", "1990-01-01"):
        assert secret not in answer.text


def test_readers_and_cards_are_listed_without_numbers_or_names(daemon: Daemon) -> None:
    eventually(lambda: all(c["identified"] for c in daemon.http("GET", "/v1/cards").json()["cards"]))
    cards = daemon.http("GET", "/v1/cards").json()["cards"]
    assert {(card["reader"], tuple(card["purses"])) for card in cards} == {
        ("citizen", ("wallet",)),
        ("social", ("medical",)),
    }
    assert daemon.http("GET", "/v1/readers").json()["sam"] == "sam"
    assert "A00000126" not in daemon.http("GET", "/v1/cards").text


# ---- bookkeeping on the card ---------------------------------------------------------------------------------


def special_card(daemon: Daemon) -> VirtualCard:
    """A social security card with all its files in the reader."""
    card = example_card(Catalogue.load()["ssc-2.0"])
    daemon.social.insert(card)
    return card


def test_a_special_settlement_is_noted_on_the_card(daemon: Daemon) -> None:
    card = special_card(daemon)
    answer = settle(daemon, tender="cash", settlement_class="2", wait_s=10)
    done = answer.json()
    assert (answer.status_code, done["settlement_class"], done["temporary_offline"]) == (201, "2", False)
    assert daemon.http("GET", f"/v1/settlements/{done['id']}").json()["legs"][0]["notes"] == [
        {"kind": "special-settlement", "state": "written", "error": None, "number": 0, "settlement_class": "2"}
    ]
    assert find_file(find_directory(card, "DF04"), "EF15").records[0].hex() == "000032"
    assert settle(daemon, tender="cash", settlement_class="2").content == answer.content
    assert settle(daemon, tender="cash", settlement_class="3").json()["code"] == "idempotency.mismatch"


def test_a_settlement_while_the_line_is_down_needs_a_product_that_has_it(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    plain = start_daemon()
    special_card(plain)
    refused = settle(plain, tender="cash", temporary_offline=True, wait_s=10)
    assert (refused.status_code, refused.json()["code"]) == (422, "operation.unsupported")
    shipped = files("cardio_profiles") / "ssc-2.0.toml"
    changed = shipped.read_text(encoding="utf-8").replace("temporary_offline = false", "temporary_offline = true")
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / shipped.name).write_text(changed, encoding="utf-8")
    daemon = start_daemon(journal=tmp_path / "other.db", profiles=[tmp_path / "profiles"])
    special_card(daemon)
    done = settle(daemon, tender="cash", temporary_offline=True, wait_s=10).json()
    now = daemon.http("GET", f"/v1/settlements/{done['id']}").json()
    assert [(note["kind"], note["state"], note["count"]) for note in now["legs"][0]["notes"]] == [
        ("offline-settlement", "written", 8)
    ]


@pytest.mark.parametrize("wrong", [{"settlement_class": "4"}, {"settlement_class": 1}, {"temporary_offline": "yes"}])
def test_a_class_or_a_mark_of_the_wrong_form_is_400(daemon: Daemon, wrong: dict[str, Any]) -> None:
    assert settle(daemon, **wrong).status_code == 400


# ---- torn cards ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("moment", "status", "taken"), [(Moment.COMMAND, 409, 0), (Moment.AFTER_COMMIT, 201, 1234)])
def test_a_torn_debit_is_202_and_resolved_when_the_card_comes_back(
    daemon: Daemon, moment: Moment, status: int, taken: int
) -> None:
    card: Any = daemon.citizen.card
    tear(card, moment)
    torn = debit(daemon, wait_s=5)
    assert (torn.status_code, torn.json()["state"], torn.json()["money"]) == (202, "uncertain", "unknown")
    assert torn.json()["action"] == "present_same_card"
    daemon.citizen.insert(card)
    identifier = torn.json()["id"]
    eventually(lambda: daemon.http("GET", f"/v1/transactions/{identifier}").json()["state"] != "uncertain")
    final = debit(daemon)
    assert final.status_code == status
    assert debit(daemon).content == final.content
    assert wallet_of(card).balance == 10000 - taken


def test_another_card_does_not_answer_an_open_question(daemon: Daemon) -> None:
    card: Any = daemon.citizen.card
    tear(card, Moment.AFTER_COMMIT)
    debit(daemon)
    other = citizen_card(serial="00008600000000000456", balance_fen=5000)
    daemon.citizen.insert(other)
    assert debit(daemon, wait_s=2).status_code == 202
    assert debit(daemon, key="other").status_code == 201
    assert (wallet_of(other).balance, wallet_of(card).balance) == (5000 - 1234, 10000 - 1234)


def test_a_torn_settlement_goes_on_under_the_same_key(daemon: Daemon) -> None:
    card: Any = daemon.social.card
    tear(card, Moment.AFTER_COMMIT)
    assert settle(daemon).status_code == 202
    daemon.social.insert(card)
    assert settle(daemon).status_code == 201
    assert (account_of(card).balance, wallet(daemon)) == (47500, 8500)


# ---- bad input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", [0, -5, 0x80000000])
def test_an_impossible_amount_is_422(daemon: Daemon, amount: int) -> None:
    refused(debit(daemon, amount_fen=amount), 422, "amount.invalid")
    assert debit(daemon).status_code == 201


@pytest.mark.parametrize("amount", ["12", 12.5, True, None, "x", [1]])
def test_an_amount_that_is_no_integer_is_400(daemon: Daemon, amount: Any) -> None:
    assert "amount_fen" in refused(debit(daemon, amount_fen=amount), 400, "input.invalid")["detail"]


def test_more_than_the_limit_is_422_and_the_key_stays_free(daemon: Daemon) -> None:
    refused(debit(daemon, amount_fen=100001), 422, "amount.limit")


def test_an_unknown_field_is_400_and_named(daemon: Daemon) -> None:
    assert "colour" in refused(debit(daemon, colour="red"), 400, "input.invalid")["detail"]


def test_a_body_that_is_no_json_is_400(daemon: Daemon) -> None:
    answer = daemon.http("POST", "/v1/debit", content=b"{", headers={"Content-Type": "application/json"})
    refused(answer, 400, "input.invalid")


def test_a_missing_key_is_400(daemon: Daemon) -> None:
    refused(debit(daemon, key=None), 400, "idempotency.missing")
    assert wallet(daemon) == 10000


def test_the_same_key_with_another_body_is_422_and_debits_nothing(daemon: Daemon) -> None:
    debit(daemon)
    refused(debit(daemon, amount_fen=1), 422, "idempotency.mismatch")
    refused(settle(daemon, key="k"), 422, "idempotency.mismatch")
    assert wallet(daemon) == 8766


def test_no_card_is_409_and_the_key_stays_free(daemon: Daemon) -> None:
    card = daemon.take_citizen_out()
    daemon.social.remove()
    refused(debit(daemon, wait_s=0.1), 409, "card.absent")
    assert card is not None
    daemon.citizen.insert(card)
    assert debit(daemon).status_code == 201


def test_a_wrong_card_is_422_and_named(daemon: Daemon) -> None:
    refused(debit(daemon, reader="social", wait_s=0.1), 422, "operation.unsupported")


def test_a_missing_sam_does_not_keep_an_open_question_from_being_answered(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    card: Any = daemon.citizen.card
    tear(card, Moment.AFTER_COMMIT)
    assert debit(daemon).status_code == 202
    daemon.sam.remove()
    daemon.citizen.insert(card)
    assert debit(daemon).status_code == 201


def test_an_unknown_reader_is_503(daemon: Daemon) -> None:
    refused(debit(daemon, reader="nowhere", wait_s=0), 503, "reader.unavailable")


def test_two_cards_that_fit_must_be_told_apart_by_the_reader(daemon: Daemon) -> None:
    daemon.social.insert(citizen_card(serial="00008600000000000456"))
    eventually(lambda: "wallet" in daemon.cards.get("social", {}).get("purses", ()))
    refused(debit(daemon, wait_s=1), 409, "card.multiple")
    assert debit(daemon, reader="citizen").status_code == 201


def test_a_card_pulled_while_it_is_read_is_409(daemon: Daemon) -> None:
    card: Any = daemon.social.card
    eventually(lambda: len(daemon.http("GET", "/v1/cards").json()["cards"]) == 2)
    eventually(lambda: all(c["identified"] for c in daemon.http("GET", "/v1/cards").json()["cards"]))
    tear(card, Moment.COMMAND, {(0x00, 0xA4)})
    refused(read(daemon, "card", reader="social"), 409, "card.removed")


def test_a_wrong_pin_is_403_with_the_tries_that_are_left(daemon: Daemon) -> None:
    daemon.pad.typed = "000000"
    assert refused(settle(daemon), 403, "pin.wrong")["tries_left"] == 5
    daemon.pad.typed = "123456"
    assert settle(daemon).status_code == 201


def test_the_last_pin_try_is_never_spent_by_us(daemon: Daemon) -> None:
    card: Any = daemon.social.card
    card.pin.tries_left = 1
    refused(settle(daemon), 403, "pin.last-try")
    assert card.pin.tries_left == 1


def test_a_blocked_pin_is_403(daemon: Daemon) -> None:
    card: Any = daemon.social.card
    card.pin.tries_left = 0
    refused(settle(daemon), 403, "pin.blocked")


def test_a_missing_sam_is_503(daemon: Daemon) -> None:
    daemon.sam.remove()
    refused(debit(daemon), 503, "sam.absent")
    assert wallet(daemon) == 10000


def test_too_little_money_is_402_with_the_whole_story(daemon: Daemon) -> None:
    document = refused(debit(daemon, amount_fen=10001), 402, "funds.insufficient")
    assert document["transaction"]["state"] == "declined"


def test_a_bill_that_does_not_add_up_is_422(daemon: Daemon) -> None:
    refused(settle(daemon, bill={**BILL, "total_fen": 1}), 422, "bill.inconsistent")


def test_an_unknown_transaction_is_404(daemon: Daemon) -> None:
    refused(daemon.http("GET", "/v1/transactions/none"), 404, "transaction.unknown")
    refused(daemon.http("GET", "/v1/settlements/none"), 404, "transaction.unknown")


def test_a_pin_in_a_bad_request_is_not_repeated(daemon: Daemon) -> None:
    answer = settle(daemon, pin="987654321098765", colour="red")
    assert answer.status_code == 400
    assert "98765" not in answer.text


def test_a_bug_is_told_without_its_message_and_leaves_the_money_open(daemon: Daemon, mocker: MockerFixture) -> None:
    mocker.patch("cardiod.payments.Payments.debit", side_effect=ValueError("测试甲"))
    answer = debit(daemon)
    assert (answer.status_code, answer.json()["code"], answer.json()["money"]) == (500, "internal", "unknown")
    assert "测试甲" not in answer.text


# ---- callers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic " + TOKEN}])
def test_without_the_right_token_nobody_gets_in(daemon: Daemon, header: dict[str, str]) -> None:
    for method, path in (("POST", "/v1/debit"), ("GET", "/v1/cards"), ("GET", "/v1/transactions/x")):
        answer = httpx.request(method, daemon.url + path, headers=header, json={}, trust_env=False)
        refused(answer, 401, "client.unauthorised")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_foreign_host_name_is_421(daemon: Daemon) -> None:
    refused(daemon.http("GET", "/healthz", headers={"Host": "evil.example"}), 421, "host.forbidden")


def test_a_token_without_the_scope_cannot_debit(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(scopes=frozenset({Scope.READ_CARD}))
    refused(debit(daemon), 403, "client.forbidden")
    refused(settle(daemon), 403, "client.forbidden")


def test_health_needs_no_token_and_answers_while_callers_wait_for_cards(daemon: Daemon) -> None:
    card = daemon.take_citizen_out()
    waiting = [
        threading.Thread(target=debit, args=[daemon, f"w{number}"], kwargs={"wait_s": 300, "reader": "citizen"})
        for number in range(20)
    ]
    for thread in waiting:
        thread.start()
    for _ in range(20):
        assert call(daemon, None, path="/healthz").json() == {"status": "ok"}
    assert any(thread.is_alive() for thread in waiting)
    assert card is not None
    daemon.citizen.insert(card)
    for thread in waiting:
        thread.join()


def test_the_same_key_twice_at_a_time_runs_once(daemon: Daemon) -> None:
    card = daemon.take_citizen_out()
    answers: list[httpx.Response] = []

    def wait_for_the_card() -> None:
        # One of our own probes below may hold the key at the moment when this one asks.
        while not answers or answers[-1].json().get("code") == "idempotency.in-progress":
            answers.append(debit(daemon, wait_s=10))

    first = threading.Thread(target=wait_for_the_card)
    first.start()
    eventually(lambda: debit(daemon, wait_s=0).json().get("code") == "idempotency.in-progress")
    daemon.citizen.insert(card)
    first.join()
    assert answers[-1].status_code == 201
    assert wallet(daemon) == 8766


def test_every_error_has_a_status_and_both_texts() -> None:
    assert set(STATUS) == set(CardioError.catalogue)
    for code, kind in CardioError.catalogue.items():
        error = kind()
        assert error.text("zh"), code
        assert error.text("en"), code
        assert error.text("zh") != error.text("en"), code
