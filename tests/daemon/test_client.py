"""The client of the API at a running daemon; with troubles on the way see test_client_troubles."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cardio.errors import (
    CardAbsent,
    InputInvalid,
    MaintenanceKeysMissing,
    Money,
    PinWrong,
    ServiceUnavailable,
    StorageUnavailable,
)
from cardio.ledger.model import State
from cardio.virtual.card import Moment
from cardiod.client import ApiProblem, Bill, BillDetails, Client, FundShare, KeyStore, Request, Settlement, Transaction
from cardiod.settings import PeerRule
from tests.counter import account_of, eventually, tear, wallet_of
from tests.daemon.callers import make_token
from tests.daemon.conftest import TOKEN, Daemon, StartDaemon
from tests.daemon.test_callers_peers import Authority
from tests.daemon.tills import Tills

BILL = Bill(10000, 6000, 2500, 1500)
PIN = "123456"


@pytest.fixture
def till(daemon: Daemon, till_of: Tills) -> Client:
    """A client of the daemon."""
    return till_of(daemon.url, TOKEN)


def wallet(daemon: Daemon) -> int:
    card: Any = daemon.citizen.card
    return wallet_of(card).balance


# ---- a counter's work ----------------------------------------------------------------------------------------


def test_a_card_is_read_group_by_group(till: Client) -> None:
    reading = till.read(["card", "holder", "medical", "wallet"], "test", reader="social")
    assert (reading.reader, reading.masked, len(reading.card)) == ("social", False, 32)
    assert reading["holder"]["name"] == "测试甲"
    assert reading["medical"]["balance_fen"] == 50000
    with pytest.raises(ApiProblem) as refused:
        reading["wallet"]
    assert (refused.value.code, refused.value.money) == ("operation.unsupported", Money.NONE)


def test_a_debit_is_completed_with_tac_balances_and_voucher(daemon: Daemon, till: Client) -> None:
    sale = till.debit(1234, "SALE-1", key="k", operator="till-1")
    assert (sale.state, sale.money, sale.completed, sale.uncertain) == (State.COMPLETED, Money.MOVED, True, False)
    assert (sale.balance_before_fen, sale.balance_after_fen, sale.amount_fen) == (10000, 8766, 1234)
    assert len(sale.tac or "") == 8
    assert "¥12.34" in (sale.voucher("zh") or "")
    assert "till-1" in (sale.voucher("en") or "")
    assert (sale.action, sale.text("zh"), sale.text("en")) == (None, "", "")
    assert till.debit(1234, "SALE-1", key="k", operator="till-1") == sale
    assert till.ask_again(sale) == sale
    assert till.transaction(sale.id).document == sale.document
    assert wallet(daemon) == 8766


def test_the_pin_of_a_card_is_asked_for_changed_and_verified(till: Client) -> None:
    card = till.wait_for_card(reader="social")
    assert till.pin_state(card) == {"state": "required", "tries_left": 6}
    assert till.change_pin(card, PIN, "654321")["state"] == "required"
    assert till.verify_pin(card, "654321") == {"state": "verified", "tries_left": None}
    with pytest.raises(ApiProblem) as refused:
        till.verify_pin(card, PIN, allow_last_try=True)
    assert refused.value.code == PinWrong.code
    with pytest.raises(ApiProblem) as refused:
        till.unblock_pin(card, "654321", replace=True)
    assert refused.value.code == MaintenanceKeysMissing.code


def test_without_a_key_each_sale_has_a_new_one(daemon: Daemon, till: Client) -> None:
    first, second = (till.debit(100, "SALE") for _ in range(2))
    assert first.request is not None
    assert second.request is not None
    assert len({first.request.key, second.request.key}) == 2
    assert wallet(daemon) == 9800


@pytest.mark.parametrize("key", ["", "a b", "键", "k" * 256])
def test_a_key_that_does_not_fit_the_header_is_refused_before_anything_is_sent(
    daemon: Daemon, till: Client, key: str
) -> None:
    with pytest.raises(InputInvalid, match="255"):
        till.debit(100, "SALE", key=key)
    assert wallet(daemon) == 10000


def test_a_settlement_has_a_leg_for_each_purse(daemon: Daemon, till: Client) -> None:
    settled = till.settle(BILL, "wallet", "BILL-1")
    assert (settled.completed, settled.due_fen) == (True, 0)
    medical, paid = settled.legs
    assert (medical.amount_fen, medical.balance_after_fen) == (2500, 47500)
    assert (paid.amount_fen, paid.balance_after_fen, wallet(daemon)) == (1500, 8500, 8500)
    assert till.settlement(settled.id).document == settled.document


def test_a_bill_is_settled_with_what_the_centre_told_of_it(daemon: Daemon, till: Client) -> None:
    details = BillDetails(person_fen=4000, funds=(FundShare("310100", 6000),), centre_settlement="9999000000012345")
    settled = till.settle(BILL, "cash", "BILL-1", details=details)
    shown = settled.document["bill_details"]
    assert (shown["centre_settlement"], shown["funds"][0]["amount_fen"]) == ("9999000000012345", 6000)
    assert all(check["holds"] for check in settled.document["bill_checks"])
    assert "310100" in (settled.voucher("zh") or "")


def test_a_settlement_awaits_the_wallet_and_goes_on_when_asked_again(daemon: Daemon, till: Client) -> None:
    card = daemon.take_citizen_out()
    waiting = till.settle(BILL, "wallet", "BILL-1", wait_s=0.5)
    assert (waiting.state, waiting.due_fen, waiting.action) == (State.AWAITING_CARD, 1500, "present_card")
    assert (waiting.text("zh"), waiting.text("en")) == (CardAbsent.zh, CardAbsent.en)
    daemon.citizen.insert(card)
    done = till.ask_again(waiting)
    assert isinstance(done, Settlement)
    assert (done.completed, done.due_fen, wallet(daemon)) == (True, 0, 8500)


def test_a_refusal_is_a_problem_with_code_money_action_and_both_texts(daemon: Daemon, till: Client) -> None:
    with pytest.raises(ApiProblem) as refused:
        till.debit(10001, "SALE")
    problem = refused.value
    assert (problem.code, problem.money, problem.retry) == ("funds.insufficient", Money.NONE, "new_key")
    assert (problem.action, problem.text("zh")) == ("other_tender", "余额不足，未扣款")
    assert problem.text("en") == "Not enough balance, nothing charged"
    assert problem.outcome is not None
    assert problem.outcome["state"] == "declined"


def test_a_wrong_pin_tells_the_tries_left(daemon: Daemon, till: Client) -> None:
    daemon.pad.typed = "000000"
    with pytest.raises(ApiProblem) as refused:
        till.settle(BILL, "wallet", "BILL-1")
    error = refused.value.as_error()
    assert isinstance(error, PinWrong)
    assert (refused.value.document["tries_left"], error.values["tries_left"]) == (5, 5)


def test_any_resource_and_operation_can_be_reached(daemon: Daemon, till: Client) -> None:
    assert till.get("cards").keys() == {"cards"}
    body = {"purse": "wallet", "amount_fen": 5, "reference": "S", "reader": "citizen"}
    assert till.post("debit", body, "k")["state"] == "completed"
    with pytest.raises(ApiProblem, match=r"transaction\.unknown"):
        till.transaction("none")
    with pytest.raises(ApiProblem, match=r"idempotency\.missing"):
        till.post("debit", body)
    assert wallet(daemon) == 9995


def test_a_card_is_waited_for(daemon: Daemon, till: Client) -> None:
    assert till.wait_for_card(purse="wallet").reader == "citizen"
    card = till.wait_for_card(reader="social")
    assert (card.purses, len(card.handle)) == (("medical",), 32)
    daemon.take_citizen_out()
    with pytest.raises(ApiProblem, match=r"card\.absent"):
        till.wait_for_card(reader="citizen", wait_s=0.3)


@pytest.mark.parametrize(("form", "beginning"), [("pdf", b"%PDF"), ("html", b"<!DOCTYPE"), ("escpos", b"\x1b@")])
def test_a_receipt_comes_in_the_form_that_was_asked_for(till: Client, form: str, beginning: bytes) -> None:
    sale = till.debit(1234, "SALE")
    assert till.receipt(sale, form, language="en", width=58).startswith(beginning)
    assert "TAC" in till.receipt(sale.id).decode()
    settled = till.settle(BILL, "wallet", "BILL")
    assert till.receipt(settled, form).startswith(beginning)


# ---- what became of it ---------------------------------------------------------------------------------------


def test_a_key_tells_what_became_of_it_and_moves_nothing(daemon: Daemon, till: Client) -> None:
    assert till.find("never sent") is None
    sale = till.debit(1234, "SALE", key="k")
    assert sale.request is not None
    assert (till.find("k"), till.find(sale.request)) == (Transaction(sale.document), sale)
    daemon.take_citizen_out()
    with pytest.raises(ApiProblem, match=r"card\.absent"):
        till.debit(1234, "SALE", key="l", reader="citizen", wait_s=0.3)
    begun = till.find("l")
    assert begun is not None
    assert (begun.state, begun.money) == (State.ACCEPTED, Money.NONE)


def test_the_key_of_a_settlement_tells_what_became_of_it_among_others(till: Client) -> None:
    first, second = (till.settle(BILL, "cash", "BILL", key=key) for key in ("first", "second"))
    assert first.request is not None
    assert (till.find(first.request), till.find("second")) == (first, Settlement(second.document))


def test_a_sale_that_waits_for_its_card_is_cancelled(daemon: Daemon, till: Client) -> None:
    daemon.take_citizen_out()
    ended: list[ApiProblem] = []

    def debit() -> None:
        with pytest.raises(ApiProblem) as refused, Client(daemon.url, TOKEN) as other:
            other.debit(1234, "SALE", key="k", reader="citizen")
        ended.append(refused.value)

    waiting = threading.Thread(target=debit)
    waiting.start()
    eventually(lambda: len(till.get("transactions")["transactions"]) == 1)
    begun = till.find("k")
    assert begun is not None
    assert till.cancel(begun).state is till.cancel(begun.id).state is State.CANCELLED
    waiting.join()
    assert [(problem.code, problem.money) for problem in ended] == [("transaction.cancelled", Money.NONE)]
    settled = till.settle(BILL, "cash", "BILL")
    with pytest.raises(ApiProblem, match=r"transaction\.passed"):
        till.cancel(settled)


# ---- torn cards ----------------------------------------------------------------------------------------------


def test_an_uncertain_sale_is_returned_with_what_to_do_and_completed_when_the_card_is_back(
    daemon: Daemon, till: Client
) -> None:
    card: Any = daemon.citizen.card
    tear(card, Moment.AFTER_COMMIT)
    sale = till.debit(1234, "SALE")
    assert (sale.state, sale.money, sale.action) == (State.UNCERTAIN, Money.UNKNOWN, "present_same_card")
    assert (sale.uncertain, sale.completed, sale.voucher("zh")) == (True, False, None)
    assert "请勿重复收款" in sale.text("zh")
    assert "Put the same card back" in sale.text("en")
    eventually(lambda: len(till.get("cards")["cards"]) == 1)
    assert till.ask_again(sale, wait_s=0).uncertain
    daemon.citizen.insert(card)
    done = till.ask_again(sale)
    assert (done.id, done.completed, done.request) == (sale.id, True, sale.request)
    assert wallet_of(card).balance == 10000 - 1234


def test_an_uncertain_sale_that_was_not_debited_ends_as_a_problem_and_charges_nothing(
    daemon: Daemon, till: Client
) -> None:
    card: Any = daemon.citizen.card
    tear(card, Moment.COMMAND)
    sale = till.debit(1234, "SALE")
    daemon.citizen.insert(card)
    with pytest.raises(ApiProblem) as ended:
        till.ask_again(sale)
    assert (ended.value.code, ended.value.money) == ("transaction.not-debited", Money.NONE)
    assert wallet_of(card).balance == 10000


def test_a_torn_medical_account_wants_its_pin_again(daemon: Daemon, till: Client) -> None:
    daemon.social.pin_pad = None
    card: Any = daemon.social.card
    tear(card, Moment.AFTER_COMMIT)
    torn = till.settle(BILL, "cash", "BILL-1", pin=PIN)
    assert torn.uncertain
    daemon.social.insert(card)
    done = till.ask_again(torn, pin=PIN)
    assert (done.completed, account_of(card).balance, account_of(card).purchase_counter) == (True, 47500, 1)


def test_a_wallet_that_is_pulled_away_is_awaited_and_the_bill_goes_on_with_it(daemon: Daemon, till: Client) -> None:
    paying: Any = daemon.citizen.card
    tear(paying, Moment.COMMAND, {(0x80, 0x50)})
    pulled = till.settle(BILL, "wallet", "BILL")
    assert (pulled.state, pulled.money) == (State.AWAITING_CARD, Money.MOVED)
    daemon.citizen.insert(paying)
    assert till.ask_again(pulled).completed
    assert wallet_of(paying).balance == 8500


def test_an_outcome_that_is_known_by_its_id_alone_cannot_be_asked_again(till: Client) -> None:
    known = till.transaction(till.debit(100, "SALE").id)
    with pytest.raises(ValueError, match="your books"):
        till.ask_again(known)


# ---- written down before it is sent --------------------------------------------------------------------------


def test_a_request_is_written_down_once_before_it_is_sent_and_without_its_pin(
    daemon: Daemon, till_of: Tills, tmp_path: Path
) -> None:
    store, seen = KeyStore(tmp_path / "till.db"), []

    def write_down(request: Request) -> None:
        seen.append((request.key, daemon_knows(daemon)))
        store.write(request)

    daemon.social.pin_pad = None
    till = till_of(daemon.url, TOKEN, write_down=write_down)
    settled = till.settle(BILL, "cash", "BILL-1", key="k", pin=PIN, reader="social")
    assert seen == [("k", 0)]
    assert store.open() == [settled.request]
    assert (tmp_path / "till.db").stat().st_mode & 0o777 == 0o600
    assert PIN.encode() not in (tmp_path / "till.db").read_bytes()
    till.ask_again(settled)
    assert seen == [("k", 0)]
    store.forget("k")
    store.forget("k")
    assert store.open() == []


def daemon_knows(daemon: Daemon) -> int:
    """How many settlements the daemon has heard of."""
    connection = sqlite3.connect(f"file:{daemon.settings.journal}?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT COUNT(*) FROM settlements").fetchone()[0])
    finally:
        connection.close()


def test_a_request_that_cannot_be_written_down_is_not_sent(daemon: Daemon, till_of: Tills, tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "nowhere" / "till.db")
    till = till_of(daemon.url, TOKEN, write_down=store.write)
    with pytest.raises(StorageUnavailable, match=r"till\.db"):
        till.debit(100, "SALE")
    assert wallet(daemon) == 10000


# ---- ways to the daemon --------------------------------------------------------------------------------------


def test_over_the_unix_socket_no_token_is_needed(start_daemon: StartDaemon, till_of: Tills, tmp_path: Path) -> None:
    start_daemon(socket=tmp_path / "s", peers=(PeerRule(user=str(os.getuid())),))
    assert till_of(f"unix:{tmp_path / 's'}").debit(100, "SALE").completed


def test_on_the_lan_a_certificate_is_enough(start_daemon: StartDaemon, till_of: Tills, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "hospital")
    certificate, key = authority.issue("terminal")
    daemon = start_daemon(
        tls_listen="127.0.0.1:0",
        tls_certificate=certificate,
        tls_key=key,
        tls_client_ca=authority.file,
        peers=(PeerRule(certificate="his-server"),),
    )
    url = f"https://127.0.0.1:{daemon.tls_port}"
    till = till_of(url, certificate=authority.issue("his-server"), authority=authority.file)
    assert till.debit(100, "SALE").completed
    with pytest.raises(InputInvalid, match=r"none\.pem"):
        till_of(url, authority=tmp_path / "none.pem")


def test_without_an_address_the_environment_the_socket_and_the_port_are_tried(
    start_daemon: StartDaemon, till_of: Tills, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = start_daemon(socket=tmp_path / "s", peers=(PeerRule(user=str(os.getuid())),))
    monkeypatch.setenv("CARDIO_SOCKET", str(tmp_path / "s"))
    assert till_of().debit(100, "SALE").completed
    monkeypatch.setenv("CARDIO_URL", daemon.url)
    monkeypatch.setenv("CARDIO_TOKEN", TOKEN)
    assert till_of().debit(100, "SALE").completed
    assert wallet(daemon) == 9800


@pytest.mark.parametrize("url", ["127.0.0.1:7816", "ftp://host", "/run/cardio/cardio.sock"])
def test_an_address_of_another_form_is_refused(till_of: Tills, url: str) -> None:
    with pytest.raises(InputInvalid, match="unix:"):
        till_of(url)


def test_a_wrong_token_is_told_at_once(daemon: Daemon, till_of: Tills) -> None:
    with pytest.raises(ApiProblem, match=r"client\.unauthorised"):
        till_of(daemon.url, "wrong").debit(100, "SALE")


def test_a_limit_of_requests_is_waited_for(start_daemon: StartDaemon, till_of: Tills) -> None:
    daemon = start_daemon(rate_per_s=2, rate_burst=1)
    token = make_token(daemon)
    till = till_of(daemon.url, token)
    assert [till.debit(1, "SALE").completed for _ in range(3)] == [True] * 3
    assert wallet(daemon) == 9997


# ---- privacy -------------------------------------------------------------------------------------------------


def test_a_pin_is_in_no_exception_and_no_representation(daemon: Daemon, till_of: Tills) -> None:
    secret = "98765432"
    daemon.social.pin_pad = None
    till = till_of(daemon.url, TOKEN, patience_s=0.2)
    shown: list[str] = []

    def attempt(call: Callable[[], object]) -> None:
        try:
            shown.append(repr(call()))
        except (ApiProblem, ServiceUnavailable) as error:
            shown.extend([repr(error), *traceback.format_exception(error), repr(vars(error))])

    attempt(lambda: till.settle(BILL, "cash", "BILL-1", pin=secret))
    attempt(lambda: till.read(["medical"], "test", reader="social", pin=secret))
    attempt(lambda: till.settle(BILL, "cash", "BILL-2", pin=PIN))
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = free.getsockname()[1]
    gone = till_of(f"http://127.0.0.1:{nobody}", TOKEN, patience_s=0.2)
    attempt(lambda: gone.settle(BILL, "cash", "BILL-3", pin=secret))
    attempt(lambda: gone.read(["medical"], "test", pin=secret))
    assert ["pin.wrong" in "".join(shown), "ConnectError" in "".join(shown)] == [True, True]
    assert secret not in "".join(shown)
    assert PIN not in "".join(shown)


# ---- several at a time ---------------------------------------------------------------------------------------


def test_a_client_that_waits_for_a_card_can_ask_other_things(daemon: Daemon) -> None:
    card = daemon.take_citizen_out()
    with Client(daemon.url, TOKEN) as client:
        sales: list[bool] = []
        waiting = threading.Thread(target=lambda: sales.append(client.debit(100, "SALE").completed))
        waiting.start()
        eventually(lambda: len(client.get("transactions")["transactions"]) == 1)
        daemon.citizen.insert(card)
        waiting.join()
    assert (sales, wallet(daemon)) == ([True], 9900)
