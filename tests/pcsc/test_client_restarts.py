"""A till's client while the daemon is stopped, killed and started again, on a real pcscd."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from cardio.virtual.card import Moment
from cardio.virtual.cards import citizen_card, psam
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.vpcd import VpcdLink
from cardiod.client import Client, Transaction
from tests.counter import eventually, wallet_of
from tests.daemon_process import TOKEN, DaemonProcess, running
from tests.pcsc.test_killed_daemon import kill_at_debit

pytestmark = pytest.mark.pcsc


class Sale:
    """A debit that runs in a thread of its own."""

    def __init__(self, daemon: DaemonProcess) -> None:
        self._daemon = daemon
        self._ended: list[Transaction] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with Client(self._daemon.url, TOKEN, patience_s=60) as client:
            sale = client.debit(1234, "SALE", key="k", wait_s=30)
            while sale.uncertain:
                again = client.ask_again(sale)
                assert isinstance(again, Transaction)
                sale = again
            self._ended.append(sale)

    def ended(self) -> Transaction:
        self._thread.join()
        (sale,) = self._ended
        return sale


def test_a_sale_that_waits_for_its_card_outlives_a_restart(pcscd: PrivatePcscd, tmp_path: Path) -> None:
    card = citizen_card(balance_fen=10000)
    with (
        VpcdLink(psam(), port=pcscd.port(2)),
        running(tmp_path) as daemon,
        VpcdLink(card, port=pcscd.port(0)) as link,
    ):
        link.remove()
        sale = Sale(daemon)
        eventually(lambda: daemon.journal.exists() and len(daemon.rows()) == 1)
        daemon.process.terminate()
        assert daemon.process.wait(30) == 0
        daemon.start()
        link.insert()
        assert sale.ended().completed
        assert (wallet_of(card).balance, wallet_of(card).offline_counter, len(daemon.rows())) == (8766, 1, 1)


def test_a_sale_whose_daemon_is_killed_at_the_debit_is_completed_once(pcscd: PrivatePcscd, tmp_path: Path) -> None:
    card = citizen_card(balance_fen=10000)
    with (
        VpcdLink(psam(), port=pcscd.port(2)),
        VpcdLink(card, port=pcscd.port(0)) as link,
        running(tmp_path) as daemon,
    ):
        kill_at_debit(card, daemon, Moment.AFTER_COMMIT)
        sale = Sale(daemon)
        daemon.process.wait(30)
        link.remove()
        daemon.start()
        link.insert()
        done = sale.ended()
        assert (done.completed, done.document["recovered"]) == (True, True)
        assert (wallet_of(card).balance, wallet_of(card).offline_counter, len(daemon.rows())) == (8766, 1, 1)
