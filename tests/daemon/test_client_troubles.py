"""The client of the API when answers are lost, cut, late or refused: the same key, one debit, and the truth."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from cardio.errors import ExitCode, Money, Retry, ServiceUnavailable, TransactionUncertain
from cardio.virtual.card import Moment
from cardiod.client import Bill, Client, KeyStore, OutcomeUnknown, Transaction, calls
from tests.counter import account_of, eventually, tear, wallet_of
from tests.daemon.callers import make_token
from tests.daemon.conftest import TOKEN, Daemon
from tests.daemon.proxy import FaultProxy, Trouble, fault_proxy
from tests.daemon.tills import Tills

PIN = "123456"
BILL = Bill(10000, 6000, 2500, 1500)
TILL = """
import sys
from pathlib import Path
from cardiod.client import Client, KeyStore

url, token, file = sys.argv[1:]
with Client(url, token, write_down=KeyStore(Path(file)).write) as client:
    client.debit(1234, "SALE-1")
"""
"""A till's program, to be killed."""


@pytest.fixture
def proxy(daemon: Daemon) -> Iterator[FaultProxy]:
    """Stands before the daemon."""
    with fault_proxy(daemon.url) as made:
        yield made


@pytest.fixture
def till(proxy: FaultProxy, till_of: Tills) -> Client:
    """A client behind the proxy, with patience for all troubles of a test."""
    return till_of(proxy.url, TOKEN)


@pytest.fixture
def hasty(proxy: FaultProxy, till_of: Tills) -> Client:
    """A client that gives up after its second attempt."""
    return till_of(proxy.url, TOKEN, patience_s=0.15)


def card(daemon: Daemon) -> Any:
    return daemon.citizen.card


def debits(daemon: Daemon) -> tuple[int, int]:
    """What is left in the wallet, and how often it was debited."""
    wallet = wallet_of(card(daemon))
    return wallet.balance, wallet.offline_counter


# ---- one debit, whatever happens -----------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [Trouble.LOST, Trouble.CUT])
def test_after_a_lost_answer_the_same_key_is_sent_again_and_the_card_is_debited_once(
    daemon: Daemon, proxy: FaultProxy, till: Client, trouble: Trouble
) -> None:
    proxy.plan.extend([trouble, trouble])
    sale = till.debit(1234, "SALE")
    assert sale.completed
    assert sale.request is not None
    assert proxy.keys == [sale.request.key] * 3
    assert debits(daemon) == (8766, 1)


def test_a_late_answer_is_not_waited_for_beyond_its_time(
    daemon: Daemon, proxy: FaultProxy, till: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "QUICK_S", 0.5)
    proxy.plan.append(Trouble.LATE)
    assert till.debit(1234, "SALE", wait_s=0.5).completed
    assert len(set(proxy.keys)) == 1
    assert debits(daemon) == (8766, 1)


def test_a_sale_that_still_waits_for_its_card_is_waited_for_under_the_same_key(
    daemon: Daemon, proxy: FaultProxy, till: Client
) -> None:
    removed = daemon.take_citizen_out()
    proxy.plan.append(Trouble.HUNG_UP)

    def insert() -> None:
        # The daemon waits for the card under this key, and has said so twice.
        eventually(lambda: len(proxy.keys) >= 3)
        daemon.citizen.insert(removed)

    inserting = threading.Thread(target=insert)
    inserting.start()
    sale = till.debit(1234, "SALE")
    inserting.join()
    assert sale.completed
    assert len(set(proxy.keys)) == 1
    assert debits(daemon) == (8766, 1)


def test_a_daemon_that_comes_back_gets_the_sale(daemon: Daemon, proxy: FaultProxy, till: Client) -> None:
    proxy.down()
    back = threading.Timer(0.3, proxy.up)
    back.start()
    assert till.debit(1234, "SALE").completed
    back.join()
    assert debits(daemon) == (8766, 1)


def test_a_settlement_whose_answer_is_lost_is_settled_once(daemon: Daemon, proxy: FaultProxy, till: Client) -> None:
    proxy.plan.append(Trouble.LOST)
    assert till.settle(BILL, "wallet", "BILL").completed
    social: Any = daemon.social.card
    assert account_of(social).purchase_counter == 1
    assert debits(daemon) == (8500, 1)


# ---- uncertain -----------------------------------------------------------------------------------------------


def test_a_torn_card_and_a_lost_answer_leave_an_uncertain_sale_that_its_card_resolves(
    daemon: Daemon, proxy: FaultProxy, till: Client
) -> None:
    torn = card(daemon)
    tear(torn, Moment.AFTER_COMMIT)
    proxy.plan.append(Trouble.LOST)
    sale = till.debit(1234, "SALE", wait_s=0.5)
    assert sale.uncertain
    daemon.citizen.insert(torn)
    proxy.plan.append(Trouble.CUT)
    assert till.ask_again(sale).completed
    assert len(set(proxy.keys)) == 1
    assert debits(daemon) == (8766, 1)


def test_a_card_that_is_torn_again_leaves_the_question_open(daemon: Daemon, proxy: FaultProxy, hasty: Client) -> None:
    torn = card(daemon)
    tear(torn, Moment.AFTER_COMMIT)
    sale = hasty.debit(1234, "SALE")
    assert sale.uncertain
    tear(torn, Moment.COMMAND, {(0x00, 0xA4)})
    daemon.citizen.insert(torn)
    try:
        money = hasty.ask_again(sale, wait_s=0.2).money
    except OutcomeUnknown as unknown:
        money = unknown.money
    assert money is Money.UNKNOWN
    daemon.citizen.insert(torn)
    eventually(lambda: hasty.transaction(sale.id).completed)
    assert hasty.ask_again(sale).completed
    assert debits(daemon) == (8766, 1)


def test_a_wrong_pin_is_sent_once_and_the_tries_that_are_left_are_told(
    daemon: Daemon, proxy: FaultProxy, till: Client
) -> None:
    daemon.social.pin_pad = None
    torn: Any = daemon.social.card
    tear(torn, Moment.AFTER_COMMIT)
    settled = till.settle(BILL, "cash", "BILL", pin=PIN)
    assert settled.uncertain
    daemon.social.insert(torn)
    sent = len(proxy.keys)
    with pytest.raises(OutcomeUnknown) as unknown:
        till.ask_again(settled, pin="654321")
    problem = unknown.value.problem
    assert problem is not None
    assert (problem.code, problem.money, problem.document["tries_left"]) == ("pin.wrong", Money.UNKNOWN, 5)
    assert len(proxy.keys) == sent + 1
    assert till.ask_again(settled, pin=PIN).completed


# ---- nobody knows --------------------------------------------------------------------------------------------


def test_after_its_patience_the_client_says_that_the_money_is_unknown_and_under_which_key(
    daemon: Daemon, proxy: FaultProxy, hasty: Client
) -> None:
    proxy.plan.extend([Trouble.LOST] * 9)
    with pytest.raises(OutcomeUnknown) as raised:
        hasty.debit(1234, "SALE", key="my-key", wait_s=0)
    unknown = raised.value
    assert isinstance(unknown, TransactionUncertain)
    assert (unknown.key, unknown.money, unknown.retry) == ("my-key", Money.UNKNOWN, Retry.SAME_KEY)
    assert (unknown.exit_code, unknown.problem) == (ExitCode.UNKNOWN, None)
    assert "my-key" in str(unknown)
    assert "请勿重复收款" in unknown.text("zh")
    proxy.plan.clear()
    assert hasty.ask_again(unknown.request).completed
    assert debits(daemon) == (8766, 1)


def test_a_request_that_was_never_sent_moved_nothing(daemon: Daemon, proxy: FaultProxy, hasty: Client) -> None:
    proxy.down()
    with pytest.raises(ServiceUnavailable) as raised:
        hasty.debit(1234, "SALE")
    assert (raised.value.money, raised.value.exit_code) == (Money.NONE, ExitCode.UNAVAILABLE)
    assert debits(daemon) == (10000, 0)


def test_a_request_that_was_sent_before_is_unknown_even_if_nobody_is_there_now(
    daemon: Daemon, proxy: FaultProxy, hasty: Client
) -> None:
    proxy.plan.extend([Trouble.LOST] * 9)
    with pytest.raises(OutcomeUnknown) as raised:
        hasty.debit(1234, "SALE", wait_s=0)
    proxy.down()
    with pytest.raises(OutcomeUnknown, match="ConnectError"):
        hasty.ask_again(raised.value.request)
    assert debits(daemon) == (8766, 1)


def test_a_refusal_at_the_door_does_not_tell_what_became_of_a_lost_request(
    daemon: Daemon, proxy: FaultProxy, till_of: Tills
) -> None:
    till = till_of(proxy.url, make_token(daemon), patience_s=0.15)
    proxy.plan.extend([Trouble.LOST] * 9)
    with pytest.raises(OutcomeUnknown) as raised:
        till.debit(1234, "SALE", wait_s=0)
    proxy.plan.clear()
    with pytest.raises(OutcomeUnknown) as again:
        till_of(proxy.url, "revoked").ask_again(raised.value.request)
    problem = again.value.problem
    assert problem is not None
    assert (problem.code, again.value.key) == ("client.unauthorised", raised.value.key)


def test_what_another_service_answers_is_no_answer(daemon: Daemon, till_of: Tills) -> None:
    with stranger(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>") as url:
        till = till_of(url, TOKEN, patience_s=0.15)
        with pytest.raises(ServiceUnavailable, match="not one of cardiod"):
            till.get("cards")
        with pytest.raises(OutcomeUnknown, match="not one of cardiod"):
            till.debit(1234, "SALE", wait_s=0)


@pytest.mark.parametrize("pin", [None, PIN])
def test_a_read_is_repeated_but_never_one_with_a_pin(
    daemon: Daemon, proxy: FaultProxy, till: Client, pin: str | None
) -> None:
    proxy.plan.append(Trouble.LOST)
    if pin is None:
        assert till.read(["wallet"], "test", reader="citizen")["wallet"]["balance_fen"] == 10000
    else:
        with pytest.raises(ServiceUnavailable):
            till.read(["medical"], "test", reader="social", pin=pin)
    assert len(proxy.keys) == (2 if pin is None else 1)


# ---- restarted tills -----------------------------------------------------------------------------------------


def test_a_till_that_was_killed_finds_its_sale_in_the_key_store(
    daemon: Daemon, proxy: FaultProxy, till_of: Tills, tmp_path: Path
) -> None:
    file = tmp_path / "till.db"
    proxy.plan.append(Trouble.LATE)
    with subprocess.Popen([sys.executable, "-c", TILL, proxy.url, TOKEN, str(file)]) as till:
        try:
            eventually(lambda: debits(daemon) == (8766, 1), timeout=60)
        finally:
            till.kill()
    assert till.returncode == -signal.SIGKILL
    store = KeyStore(file)
    (request,) = store.open()
    assert (request.operation, request.body["amount_fen"], request.key) == ("debit", 1234, proxy.keys[0])
    again = till_of(proxy.url, TOKEN, write_down=store.write)
    sale = again.find(request)
    assert isinstance(sale, Transaction)
    assert (sale.completed, sale.amount_fen, sale.request) == (True, 1234, request)
    assert again.ask_again(sale) == sale
    assert debits(daemon) == (8766, 1)


# ---- a stranger on the port ----------------------------------------------------------------------------------


@contextmanager
def stranger(answer: bytes) -> Iterator[str]:
    """Answers everything with the same bytes; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    host, port = listener.getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        # A plain close would not wake up who waits in accept.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
