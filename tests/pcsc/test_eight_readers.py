"""`cardiod serve` on a real pcscd with eight readers: pcscd dies, readers and cards come and go, all during debits.

Whatever happens, cashiers ask for each sale under its key until they know its end. What they were told, what the
journal says and what the cards lost must then be the same to the fen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from cardio.applications.medical import CardMode
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import State, Transaction
from cardio.purse.operation import PurseKind
from cardio.virtual.card import Moment
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.vpcd import VpcdLink
from tests.cashiers import PATIENCE, Cashier, Told, ask_until_final
from tests.counter import PIN, account_of, eventually, tear, wallet_of
from tests.daemon_process import DaemonProcess, running
from tests.pcsc import health
from tests.pcsc.slots import READERS, Slots
from tests.summary import SUMMARY

pytestmark = [pytest.mark.pcsc, pytest.mark.timeout(240)]

WAITING = 50
HEALTH_S = 0.1
SPARE = 10
"""Slot behind those of the cards and of two PSAMs."""
BILL = {"total_fen": 1000, "fund_fen": 500, "account_fen": 400, "self_pay_fen": 100}
SETTLE = {"bill": BILL, "tender": "cash", "reference": "bill", "pin": PIN, "wait_s": 20}
DEBIT = {"purse": "wallet", "amount_fen": 100, "reference": "sale", "wait_s": 60}
BUSY = {"CARDIO_RATE_PER_S": "100000", "CARDIO_RATE_BURST": "100000"}
"""One client stands for all of the tills."""


@contextmanager
def waiting(daemon: DaemonProcess, path: str, body: dict[str, object]) -> Iterator[list[Future[Told]]]:
    """So many callers who wait for a card at a time."""
    with ThreadPoolExecutor(WAITING) as callers:
        calls = [callers.submit(ask_until_final, daemon, path, body, f"waits-{n}") for n in range(WAITING)]
        eventually(lambda: daemon.journal.exists() and len(daemon.requests()) >= WAITING)
        yield calls


def test_healthz_answers_within_100_ms_nine_times_in_ten_while_50_calls_wait_for_cards(
    pcscd: PrivatePcscd, tmp_path: Path
) -> None:
    card = citizen_card(balance_fen=10000)
    with running(tmp_path, environment={**pcscd.environment(), **BUSY}) as daemon:
        with waiting(daemon, "debit", DEBIT) as calls:
            with health.asked(daemon.port) as seconds:
                pass
            assert not any(call.done() for call in calls)
            with VpcdLink(psam(), port=pcscd.port(2)), VpcdLink(card, port=pcscd.port(0)):
                assert all(call.result().completed for call in calls)
        assert wallet_of(card).balance == 10000 - WAITING * 100
        SUMMARY["health"] = f"/healthz while {WAITING} calls wait: {health.told(seconds)}"
        assert seconds[len(seconds) * 9 // 10] < HEALTH_S, seconds


# ---- the storm -------------------------------------------------------------------------------------------------------


class Storm:
    """A daemon at work on eight readers, two cashiers at each, and what happens to it."""

    def __init__(self, daemon: DaemonProcess, slots: Slots) -> None:
        self.daemon = daemon
        self.slots = slots
        self.cashiers = [Cashier(daemon, f"{side}{n}", slots.readers[n]) for n in range(READERS) for side in "ab"]

    def sales(self) -> dict[str, int]:
        """How many sales have an end, by reader."""
        sold = dict.fromkeys(self.slots.readers, 0)
        for cashier in self.cashiers:
            sold[cashier.reader] += len(cashier.told)
        return sold

    def selling(self, slots: range = range(READERS)) -> None:
        """Wait until more has been sold at each of these readers."""
        before = self.sales()
        readers = [self.slots.readers[slot] for slot in slots]
        eventually(lambda: all(self.sales()[reader] > before[reader] for reader in readers), PATIENCE)

    def during_a_debit(self, moment: Moment, disturb: Callable[[], None]) -> None:
        """Do something while a card is being debited, put everything back, and see that all readers sell again."""
        assert self.slots.cut_next_debit(moment).wait(PATIENCE)
        disturb()
        self.slots.put_in()
        self.selling()

    def pcscd_restarts(self) -> None:
        """It ends and is started again."""
        self.slots.restart_pcscd()

    def pcscd_crashes(self) -> None:
        """It is killed and started again."""
        self.slots.restart_pcscd(crash=True)

    def readers_leave(self) -> None:
        """Two readers are gone, and the other six go on; then they are back."""
        self._leave(range(2), range(2, READERS))

    def psams_leave(self) -> None:
        """The readers of both PSAMs are gone, so that nobody can sell; then they are back."""
        self._leave(range(READERS, READERS + 2), range(0))

    def _leave(self, gone: range, stay: range) -> None:
        self.slots.restart_pcscd(unplugged=gone)
        self.slots.put_in(but=gone)
        self.selling(stay)
        self.slots.restart_pcscd()

    def cards_torn(self) -> None:
        """Each card is torn out in its next debit, at one moment or another."""
        for number, card in enumerate(self.slots.cards):
            tear(card, list(Moment)[number % len(Moment)])
        eventually(self._put_in_until_all_are_torn, PATIENCE)

    def _put_in_until_all_are_torn(self) -> bool:
        self.slots.put_in()
        return all(card.hook is None for card in self.slots.cards)

    def psam_pulled(self) -> None:
        """One PSAM is pulled out, and the other serves all readers."""
        self.slots.sam_links[0].remove()
        self.slots.put_in(but=[READERS])
        self.selling()


def test_debits_through_restarts_of_pcscd_and_lost_readers_cards_and_psams_are_all_accounted_for(
    tmp_path: Path,
) -> None:
    patient = social_security_card(mode=CardMode.OFFLINE, balance_fen=50000)
    with PrivatePcscd(SPARE + 1) as pcscd:
        slots = Slots(pcscd, sams=2)
        with running(tmp_path, environment={**pcscd.environment(), **BUSY}) as daemon:
            process = daemon.process.pid
            slots.put_in()
            with health.asked(daemon.port) as seconds, waiting(daemon, "settle", SETTLE) as settlements:
                storm = Storm(daemon, slots)
                storm.selling()
                for moment, disturb in (
                    (Moment.COMMAND, storm.pcscd_restarts),
                    (Moment.AFTER_COMMIT, storm.readers_leave),
                    (Moment.ANSWER, storm.cards_torn),
                    (Moment.AFTER_COMMIT, storm.pcscd_crashes),
                    (Moment.BEFORE_COMMIT, storm.psam_pulled),
                    (Moment.ANSWER, storm.psams_leave),
                ):
                    storm.during_a_debit(moment, disturb)
                for cashier in storm.cashiers:
                    cashier.close()
                with VpcdLink(patient, port=pcscd.port(SPARE)):
                    assert all(settlement.result().completed for settlement in settlements)
            slots.take_out()
            assert (daemon.process.pid, daemon.stop()) == (process, 0)
    assert "internal error" not in daemon.log.read_text()
    assert seconds[len(seconds) // 2] < HEALTH_S, seconds
    ledger = Ledger(daemon.journal)
    assert ledger.verify_chain() > 0
    transactions = ledger.transactions()
    ledger.close()
    recovered = sum(one.outcome.recovered for one in transactions)
    assert slots.unaccounted(transactions) == (0, 0)
    assert recovered > 0
    told = {key: one for cashier in storm.cashiers for key, one in cashier.told.items()}
    SUMMARY["storm"] = (
        f"8 readers in a storm: {len(told)} sales, {recovered} of them recovered, all accounted for; "
        f"/healthz meanwhile: {health.told(seconds)}"
    )
    _compare(told, [one for one in transactions if one.purse is PurseKind.WALLET])
    assert account_of(patient).balance == 50000 - WAITING * BILL["account_fen"]
    assert account_of(patient).purchase_counter == WAITING


def _compare(told: dict[str, Told], transactions: list[Transaction]) -> None:
    """What cashiers were told is what the journal says: of every sale, and nothing of any other."""
    journal = {one.id: (one.reference, one.amount_fen, one.state) for one in transactions}
    assert journal == {
        one.document["id"]: (key, one.amount_fen, State(one.document["state"])) for key, one in told.items()
    }
    assert {state for _, _, state in journal.values()} <= {State.COMPLETED, State.NOT_DEBITED}
