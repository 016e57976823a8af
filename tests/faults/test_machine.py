"""Random schedules of faults, retries, other cards and restarts: sum debited on cards = sum of completed transactions
plus what is open, and never more than one change per key (OPS §4.14)."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from cardio.applications.medical import CardMode
from cardio.engine.requests import DebitRequest, OnlineRequest, SettleRequest
from cardio.errors import CardHasPending, CardioError, Money, TransactionPassed
from cardio.ledger.bill import Bill
from cardio.ledger.model import Request, Tender, Transaction
from cardio.purse.operation import Operation, PurseKind
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, social_security_card
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.medical import MedicalFunction
from cardio.virtual.wallet import WalletFunction
from tests.faults.world import SHIPPED, Outside, Source, World
from tests.summary import SUMMARY

RUNS = int(os.environ.get("CARDIO_MACHINE_RUNS", "500"))
"""More with the variable, for a night."""
STEPS = 12
BALANCE = 100_000
CARDS = ("A", "B", "S")
"""Two citizen cards and an off-line social security card."""
LEAST = 50
"""Sales elsewhere are smaller: of the same amount they could not be told apart where log and MAC2 are closed."""

faults = st.none() | st.builds(
    FaultPlan,
    st.sampled_from(
        [
            Fault.CUT_BEFORE,
            Fault.CUT_AFTER,
            Fault.CUT_BEFORE_COMMIT,
            Fault.CUT_AFTER_COMMIT,
            Fault.MUTE,
            Fault.LATE,
            Fault.TRUNCATED,
            Fault.REFUSED,
            Fault.PROOF_GONE,
            Fault.PROOF_REFUSED,
        ]
    ),
    st.integers(1, 12),
)


@dataclass
class Sale:
    """What a caller asked for under one key."""

    key: str
    card: str
    operation: Operation
    amount: int
    answers: list[str] = field(default_factory=list)


class Counter(RuleBasedStateMachine):
    """A counter whose cashier, holders, cards, PSAM, host and process do whatever they like."""

    runs = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).runs += 1
        self.folder = Path(tempfile.mkdtemp(prefix="cardio-machine-"))
        self.cards: dict[str, VirtualCard] = {
            "A": citizen_card(serial="00008600000000000001", balance_fen=BALANCE),
            "B": citizen_card(serial="00008600000000000002", balance_fen=BALANCE),
            "S": social_security_card(mode=CardMode.OFFLINE, balance_fen=BALANCE),
        }
        product = SHIPPED["citizen-wallet"]
        self.world = World(self.folder, Outside.around(self.cards["A"], product), product, Source.PSAM)
        self.world.start()
        self.sales: list[Sale] = []
        self.elsewhere = dict.fromkeys(CARDS, 0)

    def teardown(self) -> None:
        """Everybody comes back with a sound card: then the sums are exact."""
        self._sound()
        self.world.restart()
        for name in CARDS:
            for _ in range(2):
                with self.world.presented(self.cards[name]) as channel:
                    self.world.engine.recover(channel)
        self.world.engine.tell_host()
        self._check(settled=True)
        self.world.stop()
        shutil.rmtree(self.folder)

    # ---- what happens ------------------------------------------------------------------------------------------

    @rule(card=st.sampled_from(CARDS), amount=st.integers(LEAST, 500), fault=faults, sam_fault=faults)
    def sell(self, card: str, amount: int, fault: FaultPlan | None, sam_fault: FaultPlan | None) -> None:
        """A new sale, or settlement of a bill."""
        self._begin(Operation.PURCHASE, card, amount, fault, sam_fault)

    @rule(card=st.sampled_from(CARDS), amount=st.integers(LEAST, 500), fault=faults, cut=st.sampled_from([0, 1, 2, 3]))
    def load(self, card: str, amount: int, fault: FaultPlan | None, cut: int) -> None:
        """A load, whose host may not be reached."""
        host = self.world.outside.host
        host.fail_at, host.after, host.requests, host.fired = cut, bool(amount % 2), 0, False
        self._begin(Operation.LOAD, card, amount, fault, None)

    @precondition(lambda self: self.sales)
    @rule(data=st.data(), fault=faults)
    def ask_again(self, data: Any, fault: FaultPlan | None) -> None:
        """The caller repeats a request under its key; the holder may hold out the wrong card."""
        sale = data.draw(st.sampled_from(self.sales))
        held = data.draw(st.sampled_from([sale.card, sale.card, *CARDS]))
        self._carry_out(sale, held, fault, None)

    @rule(card=st.sampled_from(CARDS), fault=faults)
    def present(self, card: str, fault: FaultPlan | None) -> None:
        """A card is presented, and what is open about it is looked at."""
        self._sound()
        self.cards[card].faults = fault
        try:
            with self.world.presented(self.cards[card]) as channel:
                self.world.engine.recover(channel)
        except CardioError:
            return

    @precondition(lambda self: self.sales)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        """The cashier gives a request up; what has reached its card goes on."""
        sale = data.draw(st.sampled_from(self.sales))
        ledger = self.world.ledger
        begun = ledger.listing.begun_by("test", sale.key)
        if begun is None:
            return
        settles = sale.card == "S" and sale.operation is Operation.PURCHASE
        with suppress(TransactionPassed):
            ended = ledger.cancel_settlement(begun) if settles else ledger.cancel(begun)
            assert ended.answer is not None
            sale.answers.append(ended.answer)
            assert len(set(sale.answers)) == 1, "the same key got two answers"

    @rule()
    def restart(self) -> None:
        """The process ends and begins again."""
        self._sound()
        self.world.restart()

    @rule(card=st.sampled_from(("A", "B")), amount=st.integers(1, LEAST - 1))
    def pay_elsewhere(self, card: str, amount: int) -> None:
        """The holder pays at another terminal."""
        self._sound()
        mine = self.world.outside.card
        self.world.outside.card = self.cards[card]
        self.world.pay_elsewhere(amount, key=f"e{len(self.sales)}-{sum(self.elsewhere.values())}")
        self.world.outside.card = mine
        self.elsewhere[card] += amount

    # ---- how -----------------------------------------------------------------------------------------------------

    def _begin(
        self, operation: Operation, card: str, amount: int, fault: FaultPlan | None, sam_fault: FaultPlan | None
    ) -> None:
        sale = Sale(f"k{len(self.sales)}", card, operation, amount)
        self.sales.append(sale)
        self._carry_out(sale, card, fault, sam_fault)

    def _carry_out(self, sale: Sale, held: str, fault: FaultPlan | None, sam_fault: FaultPlan | None) -> None:
        self._sound()
        self.cards[held].faults = fault
        self.world.outside.sam.faults = sam_fault
        try:
            answer = self._ask(sale, self.cards[held])
        except CardHasPending:
            return
        except CardioError as error:
            # A refusal says that nothing moved, and lets the key be used again.
            assert error.money is Money.NONE, error  # noqa: PT017
            return
        if answer is not None:
            sale.answers.append(answer)
            assert len(set(sale.answers)) == 1, "the same key got two answers"

    def _ask(self, sale: Sale, card: VirtualCard) -> str | None:
        """Do it; the frozen answer if there is one."""
        engine = self.world.engine
        request = Request("test", sale.key, sale.operation.value, f"{sale.card}{sale.amount}".encode())
        purse = PurseKind.MEDICAL if sale.card == "S" else PurseKind.WALLET
        if sale.operation is Operation.LOAD:
            begun = engine.begin_online(OnlineRequest(request, sale.amount, "order", None, purse))
            if begun.state.final:
                return begun.answer
            with self.world.presented(card) as channel:
                return engine.online(begun, channel).answer
        if purse is PurseKind.MEDICAL:
            bill = Bill(sale.amount, 0, sale.amount, 0)
            settlement = engine.begin_settlement(SettleRequest(request, bill, Tender.CASH, "bill"))
            if settlement.state.final:
                return settlement.answer
            with self.world.presented(card) as channel:
                return engine.settle(settlement, channel).answer
        begun = engine.begin_debit(DebitRequest(request, sale.amount, "sale"))
        if begun.state.final:
            return begun.answer
        with self.world.presented(card) as channel:
            return engine.debit(begun, channel).answer

    def _sound(self) -> None:
        """No faults from here on; the PSAM is in its slot."""
        for card in (*self.cards.values(), self.world.outside.sam):
            card.faults = None
        if self.world.sam_reader.card is None:
            self.world.sam_reader.insert(self.world.outside.sam)

    # ---- what must hold --------------------------------------------------------------------------------------------

    @invariant()
    def no_fen_is_lost_or_taken_twice(self) -> None:
        """Between what is known and what is open."""
        self._check(settled=False)

    def _check(self, *, settled: bool) -> None:
        transactions = self.world.ledger.transactions()
        by_card = _by_card(transactions, self.sales)
        for name in CARDS:
            found = by_card.get(name, [])
            moved = sum(_effect(one) for one in found if one.money is Money.MOVED)
            open_ones = [_effect(one) for one in found if one.money is Money.UNKNOWN]
            on_card = _balance(self.cards[name]) - BALANCE + self.elsewhere[name]
            least = moved + sum(effect for effect in open_ones if effect < 0)
            most = moved + sum(effect for effect in open_ones if effect > 0)
            assert least <= on_card <= most, f"card {name} moved {on_card} fen, the journal says {least} to {most}"
            if settled and not self.elsewhere[name]:
                # A holder who paid elsewhere has replaced the proof; who did not left the evidence.
                assert not open_ones, f"card {name} is back, and {open_ones} is still open"
        if settled:
            self.world.ledger.verify_chain()


def _by_card(transactions: list[Transaction], sales: list[Sale]) -> dict[str, list[Transaction]]:
    """Transactions by the card that they moved, which is the one that they were armed with."""
    last_digits = {"0001": "A", "0002": "B", "0126": "S"}
    found: dict[str, list[Transaction]] = {}
    for transaction in transactions:
        if transaction.armed is not None:
            found.setdefault(last_digits[transaction.armed.card.masked[-4:]], []).append(transaction)
    assert len(transactions) <= len(sales), "a key was used for two transactions"
    return found


def _effect(transaction: Transaction) -> int:
    """Fen that the card gains."""
    return transaction.operation.balance_after(0, transaction.amount_fen)


def _balance(card: VirtualCard) -> int:
    functions = (directory.function for directory in card.master_file.walk())
    return next(f.balance for f in functions if isinstance(f, (WalletFunction, MedicalFunction)))


@pytest.mark.timeout(1800)
@pytest.mark.no_cover  # it would take three times as long
def test_for_every_schedule_the_sum_on_cards_is_the_sum_of_completed_and_open_transactions() -> None:
    Counter.runs = 0
    run_state_machine_as_test(
        Counter,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    SUMMARY["machine"] = f"random schedules of faults, retries, cards and restarts: {Counter.runs} runs"
    assert Counter.runs >= RUNS
