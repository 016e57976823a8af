"""A daemon killed with SIGKILL between ARMED and its answer, on a real pcscd (design §3, OPS §4.3 C3 and C4).

The cards live in the test's process: when DEBIT reaches one, the daemon is killed, and the card then executes the
command or not.
"""

from __future__ import annotations

import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from cardio.applications.medical import CardMode
from cardio.errors import CardRemoved
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.received import Received
from cardio.virtual.vpcd import VpcdLink
from tests.counter import DEBIT_INSTRUCTIONS, account_of, eventually, wallet_of
from tests.daemon_process import DaemonProcess, running

pytestmark = pytest.mark.pcsc

DEBIT = {"purse": "wallet", "amount_fen": 1234, "reference": "sale", "wait_s": 20}
SETTLE = {
    "bill": {"total_fen": 1000, "fund_fen": 500, "account_fen": 400, "self_pay_fen": 100},
    "tender": "cash",
    "reference": "bill",
    "pin": "123456",
    "wait_s": 20,
}


def kill_at_debit(card: VirtualCard, daemon: DaemonProcess, moment: Moment) -> None:
    """Kill the daemon when DEBIT reaches the card; the card is torn at `moment`."""

    def hook(reached: Moment, command: Received) -> None:
        if command.instruction in DEBIT_INSTRUCTIONS:
            if daemon.process.poll() is None:
                daemon.kill()
            if reached is moment:
                card.hook = None
                raise CardRemoved("torn by the test")

    card.hook = hook


@pytest.mark.parametrize(("moment", "state"), [(Moment.COMMAND, "not_debited"), (Moment.AFTER_COMMIT, "completed")])
def test_a_killed_debit_is_uncertain_after_the_restart_and_resolved_by_the_card(
    pcscd: PrivatePcscd, tmp_path: Path, moment: Moment, state: str
) -> None:
    card = citizen_card(balance_fen=10000)
    with (
        VpcdLink(psam(), port=pcscd.port(2)),
        VpcdLink(card, port=pcscd.port(0)) as link,
        running(tmp_path) as daemon,
    ):
        kill_at_debit(card, daemon, moment)
        with pytest.raises(httpx.HTTPError):
            daemon.post("debit", DEBIT, "k")
        ((identifier, on_disk),) = daemon.rows()
        assert on_disk == "armed"
        link.remove()
        daemon.start()
        assert daemon.get(f"transactions/{identifier}")["state"] == "uncertain"
        assert daemon.post("debit", {**DEBIT, "wait_s": 0}, "k").status_code == 202
        link.insert()
        final = daemon.post("debit", DEBIT, "k")
        document = daemon.get(f"transactions/{identifier}")
        assert (document["id"], document["state"], document["recovered"]) == (identifier, state, True)
        assert daemon.post("debit", DEBIT, "k").content == final.content
        assert final.status_code == (201 if state == "completed" else 409)
        wallet = wallet_of(card)
        assert wallet.balance == (8766 if state == "completed" else 10000)
        if state == "completed":
            assert wallet.proof is not None
            assert document["tac"] == wallet.proof.tac.hex().upper()


def test_a_killed_settlement_is_finished_when_the_card_and_its_pin_are_back(
    pcscd: PrivatePcscd, tmp_path: Path
) -> None:
    card = social_security_card(mode=CardMode.OFFLINE, balance_fen=50000)
    with (
        VpcdLink(psam(), port=pcscd.port(2)),
        VpcdLink(card, port=pcscd.port(0)) as link,
        running(tmp_path) as daemon,
    ):
        kill_at_debit(card, daemon, Moment.AFTER_COMMIT)
        with pytest.raises(httpx.HTTPError):
            daemon.post("settle", SETTLE, "s")
        link.remove()
        daemon.start()
        link.insert()
        done = daemon.post("settle", SETTLE, "s")
        assert done.status_code == 201
        assert done.json()["legs"][0]["recovered"] is True
        assert account_of(card).balance == 50000 - 400
        assert account_of(card).purchase_counter == 1


def test_a_daemon_that_was_stopped_politely_leaves_nothing_open(pcscd: PrivatePcscd, tmp_path: Path) -> None:
    card = citizen_card(balance_fen=10000)
    with (
        VpcdLink(psam(), port=pcscd.port(2)),
        VpcdLink(card, port=pcscd.port(0)),
        running(tmp_path) as daemon,
    ):
        assert daemon.post("debit", DEBIT, "k").status_code == 201
        assert daemon.stop() == 0
        assert [state for _, state in daemon.rows()] == ["completed"]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_daemon_that_is_stopped_twice_in_the_middle_of_a_debit_finishes_it(
    pcscd: PrivatePcscd, tmp_path: Path, sent: signal.Signals
) -> None:
    """The second signal hurries nothing: the debit is armed, and only the card's answer may end it."""
    card = citizen_card(balance_fen=10000)
    debiting, goes_on = threading.Event(), threading.Event()

    def hook(reached: Moment, command: Received) -> None:
        if reached is Moment.COMMAND and command.instruction in DEBIT_INSTRUCTIONS:
            debiting.set()
            assert goes_on.wait(30)

    card.hook = hook
    with (
        VpcdLink(psam(), port=pcscd.port(2)),
        VpcdLink(card, port=pcscd.port(0)),
        running(tmp_path) as daemon,
    ):
        answers: list[httpx.Response] = []
        cashier = threading.Thread(target=lambda: answers.append(daemon.post("debit", DEBIT, "k")))
        cashier.start()
        assert debiting.wait(30)
        daemon.process.send_signal(sent)
        eventually(lambda: not connects(daemon))
        daemon.process.send_signal(sent)
        assert [state for _, state in daemon.rows()] == ["armed"]
        assert daemon.process.poll() is None
        goes_on.set()
        assert daemon.process.wait(30) == 0
        cashier.join()
        assert (answers[0].status_code, answers[0].json()["state"]) == (201, "completed")
        assert [state for _, state in daemon.rows()] == ["completed"]
        assert wallet_of(card).balance == 8766


def connects(daemon: DaemonProcess) -> bool:
    """Whether it still takes new callers."""
    url = httpx.URL(daemon.url)
    with socket.socket() as probe:
        return probe.connect_ex((url.host, url.port)) == 0


def test_a_daemon_that_is_stopped_does_not_wait_for_cards_that_never_come(pcscd: PrivatePcscd, tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        answers: list[httpx.Response] = []
        waiting = threading.Thread(target=lambda: answers.append(daemon.post("debit", {**DEBIT, "wait_s": 50}, "k")))
        waiting.start()
        eventually(lambda: daemon.journal.exists() and len(daemon.rows()) == 1)
        started = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - started < 15
        waiting.join()
        assert (answers[0].status_code, answers[0].json()["money"]) == (503, "none")
