"""Loads, unloads and overdraft limits through a host, and what becomes of torn ones (EW §5.5, §6.3; SSC §7.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cardio.engine.requests import DebitRequest, OnlineRequest, SettleRequest
from cardio.errors import (
    AmountInvalid,
    CardChanged,
    CardioError,
    HostMissing,
    IdempotencyMismatch,
    Money,
    NotReversible,
    OperationUnsupported,
    StorageUnavailable,
    TransactionPassed,
)
from cardio.ledger.bill import Bill
from cardio.ledger.document import transaction_document
from cardio.ledger.model import NoticeKind, Resolution, State, Tender, Transaction
from cardio.purse.operation import Operation, PurseKind
from cardio.security.software_load_host import BookingState
from cardio.virtual.card import VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from tests.counter import account_of, request, wallet_of
from tests.engine.conftest import BY_NAME, worlds
from tests.faults.judge import KEY, state_of
from tests.faults.scenarios import AMOUNT, BALANCE, LIMIT, Scenario
from tests.faults.world import World

LOADS = ["load-3des-psam", "passbook-load-sm4-psam", "account-load-3des-psam", "account-load-sm4-psam"]
CREDIT = ("8052", "B02A", "8054", "8058")


@pytest.fixture
def world_of(tmp_path: Path) -> Iterator[Callable[[str], tuple[Scenario, World]]]:
    yield from worlds(tmp_path)


Made = Callable[[str], tuple[Scenario, World]]


@pytest.mark.parametrize("name", LOADS)
def test_a_load_adds_the_amount_and_the_host_gets_the_tac(world_of: Made, name: str) -> None:
    scenario, world = world_of(name)
    done = scenario.ask(world, world.outside.card, KEY)
    assert (done.state, done.money) == (State.COMPLETED, Money.MOVED)
    assert state_of(scenario, world).balance == BALANCE + AMOUNT == done.outcome.balance_after
    booking = world.outside.host.host.bookings[done.id]
    assert (booking.state, booking.amount) == (BookingState.CONFIRMED, AMOUNT)
    assert world.ledger.host_notices() == []
    voucher = transaction_document(done)["voucher"]
    assert "充值凭证" in voucher["zh"]
    assert "¥12.34" in voucher["en"]


def test_an_unload_and_a_new_limit_move_the_passbook(world_of: Made) -> None:
    unload, world = world_of("unload-3des-psam")
    assert unload.ask(world, world.outside.card, KEY).state is State.COMPLETED
    assert state_of(unload, world).balance == BALANCE - AMOUNT
    limit, world = world_of("overdraft-3des-psam")
    assert limit.ask(world, world.outside.card, KEY).state is State.COMPLETED
    assert state_of(limit, world).balance == BALANCE - 1000 + LIMIT


def test_the_same_key_is_loaded_once(world_of: Made) -> None:
    scenario, world = world_of("load-3des-psam")
    first = scenario.ask(world, world.outside.card, KEY)
    assert scenario.ask(world, world.outside.card, KEY).answer == first.answer
    assert state_of(scenario, world).balance == BALANCE + AMOUNT
    with pytest.raises(IdempotencyMismatch):
        replace(scenario, name="another").ask(world, world.outside.card, KEY)


def test_a_refusal_of_the_host_is_final_and_moves_nothing(world_of: Made) -> None:
    scenario, world = world_of("load-3des-psam")
    host = world.outside.host.host
    host._max_amount_fen = AMOUNT - 1
    done = scenario.ask(world, world.outside.card, KEY)
    assert (done.state, done.money, done.outcome.error) == (State.DECLINED, Money.NONE, "host.refused")
    assert state_of(scenario, world).balance == BALANCE


@pytest.mark.parametrize(
    ("after", "state", "error"),
    [(False, State.DECLINED, "host.unreachable"), (True, State.NOT_DEBITED, "host.answer-lost")],
)
def test_a_booking_whose_answer_was_lost_is_reversed_and_the_card_is_as_it_was(
    world_of: Made, after: bool, state: State, error: str
) -> None:
    scenario, world = world_of("load-3des-psam")
    world.outside.host.fail_at, world.outside.host.after = 1, after
    done = scenario.ask(world, world.outside.card, KEY)
    assert (done.state, done.money, done.outcome.error) == (state, Money.NONE, error)
    assert state_of(scenario, world).balance == BALANCE
    assert world.outside.host.host.bookings[done.id].state is BookingState.REVERSED


@pytest.mark.parametrize(
    ("fault", "state", "booking"),
    [
        (Fault.CUT_BEFORE, State.NOT_DEBITED, BookingState.REVERSED),
        (Fault.CUT_AFTER, State.COMPLETED, BookingState.CONFIRMED),
    ],
)
@pytest.mark.parametrize("name", [*LOADS, "unload-sm4-psam", "overdraft-3des-psam"])
def test_a_torn_load_is_uncertain_and_then_what_the_card_says(
    world_of: Made, name: str, fault: Fault, state: State, booking: BookingState
) -> None:
    scenario, world = world_of(name)
    before = state_of(scenario, world)
    world.outside.card.faults = FaultPlan(fault, only=CREDIT)
    torn = scenario.ask(world, world.outside.card, KEY)
    assert (torn.state, torn.money) == (State.UNCERTAIN, Money.UNKNOWN)
    assert world.ledger.host_notices() == [], "the host is told nothing before the card is asked"
    world.restart()
    with world.presented(world.outside.card) as channel:
        (resolved,) = world.engine.recover(channel, scenario.pin)
    assert (resolved.id, resolved.state, resolved.outcome.recovered) == (torn.id, state, True)
    assert (state_of(scenario, world) != before) is (state is State.COMPLETED)
    assert world.outside.host.host.bookings[torn.id].state is booking


def test_what_the_host_could_not_be_told_is_told_later(world_of: Made) -> None:
    scenario, world = world_of("load-3des-psam")
    world.outside.host.fail_at = 2  # its confirmation
    done = scenario.ask(world, world.outside.card, KEY)
    assert done.state is State.COMPLETED
    (notice,) = world.ledger.host_notices()
    assert (notice.transaction, notice.kind, notice.proof) == (done.id, NoticeKind.CONFIRM, done.outcome.tac)
    world.restart()
    assert world.engine.tell_host() == 0
    assert world.outside.host.host.bookings[done.id].state is BookingState.CONFIRMED


class _Crash(BaseException):
    """What a SIGKILL leaves behind: the journal as it is."""


def test_a_load_without_a_grant_on_disk_was_never_sent_to_the_card(
    world_of: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a crash it ends at once, without its card, and the host reverses what it may have booked."""
    scenario, world = world_of("load-3des-psam")

    def die(*arguments: object) -> None:
        raise _Crash

    monkeypatch.setattr(world.ledger, "grant", die)
    monkeypatch.setattr(world.ledger, "record", die)
    with pytest.raises(_Crash):
        scenario.ask(world, world.outside.card, KEY)
    world.restart()
    (ended,) = world.ledger.transactions()
    assert (ended.state, ended.outcome.error) == (State.NOT_DEBITED, "host.answer-lost")
    world.engine.tell_host()
    assert world.outside.host.host.bookings[ended.id].state is BookingState.REVERSED
    assert state_of(scenario, world).balance == BALANCE


def test_a_grant_that_is_not_on_disk_is_not_sent_to_the_card(world_of: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario, world = world_of("load-3des-psam")

    def full(*arguments: object) -> None:
        raise StorageUnavailable("disk full")

    monkeypatch.setattr(world.ledger, "grant", full)
    done = scenario.ask(world, world.outside.card, KEY)
    assert (done.state, done.outcome.error) == (State.DECLINED, "storage.unavailable")
    assert state_of(scenario, world).balance == BALANCE
    assert world.outside.host.host.bookings[done.id].state is BookingState.REVERSED


def test_a_card_that_cannot_hold_so_much_declines(world_of: Made) -> None:
    scenario, world = world_of("load-3des-psam")
    done = replace(scenario, amount_fen=0x7FFFFFFF).ask(world, world.outside.card, KEY)
    assert (done.state, done.outcome.error) == (State.DECLINED, "card.balance-limit")


def test_without_a_host_nothing_is_written_to_the_card_and_the_key_can_be_used_again(world_of: Made) -> None:
    scenario, world = world_of("load-3des-psam")
    host, world.engine.host = world.engine.host, None
    with pytest.raises(HostMissing):
        scenario.ask(world, world.outside.card, KEY)
    world.engine.host = host
    assert scenario.ask(world, world.outside.card, KEY).state is State.COMPLETED


@pytest.mark.parametrize(
    ("purse", "operation", "amount", "error"),
    [
        (PurseKind.WALLET, Operation.LOAD, 0, AmountInvalid),
        (PurseKind.WALLET, Operation.LOAD, 0x80000000, AmountInvalid),
        (PurseKind.WALLET, Operation.OVERDRAFT, 0x1000000, AmountInvalid),
        (PurseKind.MEDICAL, Operation.LOAD, 0xFFFFFFFF, AmountInvalid),
        (PurseKind.MEDICAL, Operation.UNLOAD, 1, OperationUnsupported),
        (PurseKind.WALLET, Operation.PURCHASE, 1, OperationUnsupported),
    ],
)
def test_what_no_card_could_do_is_refused_before_anything_is_written(
    world_of: Made, purse: PurseKind, operation: Operation, amount: int, error: type[CardioError]
) -> None:
    _, world = world_of("load-3des-psam")
    with pytest.raises(error):
        world.engine.begin_online(OnlineRequest(request("load"), amount, "order", None, purse, operation))
    assert world.ledger.transactions() == []


def test_an_electronic_purse_has_no_unload(world_of: Made) -> None:
    scenario, world = world_of("load-3des-psam")
    with pytest.raises(OperationUnsupported):
        replace(scenario, operation=Operation.UNLOAD).ask(world, world.outside.card, KEY)


# ---- refunds (T-14) ----------------------------------------------------------------------------------------------


def pay(world: World, amount: int = AMOUNT) -> Transaction:
    """A purchase with the wallet."""
    begun = world.engine.begin_debit(DebitRequest(request(), amount, "sale"))
    with world.presented(world.outside.card) as channel:
        return world.engine.debit(begun, channel)


def begin_refund(world: World, purchase: Transaction, amount: int, key: str = "") -> Transaction:
    """A load that gives a purchase back, written down."""
    asked = request("load", key, f"{purchase.id}{amount}".encode())
    return world.engine.begin_online(OnlineRequest(asked, amount, "refund", None, purchase.purse, reverses=purchase.id))


def refund(world: World, load: Transaction, card: VirtualCard | None = None) -> Transaction:
    """Present a card for it."""
    with world.presented(card or world.outside.card) as channel:
        return world.engine.online(load, channel)


def left(world: World, purchase: Transaction) -> int:
    """Fen of a purchase that can still be given back."""
    with pytest.raises(NotReversible) as caught:
        begin_refund(world, purchase, 0x7FFFFFFF)
    return int(caught.value.detail.split()[0])


def test_a_refund_brings_the_money_back_to_the_card_and_is_told_to_the_host(world_of: Made) -> None:
    _, world = world_of("purchase-3des-psam")
    purchase = pay(world)
    done = refund(world, begin_refund(world, purchase, AMOUNT))
    assert (done.state, done.reverses, wallet_of(world.outside.card).balance) == (
        State.COMPLETED,
        purchase.id,
        BALANCE,
    )
    assert transaction_document(done)["reverses"] == purchase.id
    assert world.ledger.reversals.of(purchase.id) == ([], [done.id])
    assert world.outside.host.host.bookings[done.id].state is BookingState.CONFIRMED
    assert left(world, purchase) == 0
    assert pay(world).state is State.COMPLETED


def test_a_medical_account_gets_its_part_of_a_settlement_back(world_of: Made) -> None:
    scenario, world = world_of("settlement-3des-psam")
    leg = scenario.ask(world, world.outside.card, KEY)
    done = refund(world, begin_refund(world, leg, AMOUNT))
    assert (done.state, done.purse) == (State.COMPLETED, PurseKind.MEDICAL)
    assert account_of(world.outside.card).balance == BALANCE


def test_an_account_in_the_centre_has_nothing_on_its_card_to_give_back(world_of: Made) -> None:
    """An on-line card signed amount 0: the centre books it back."""
    _, world = world_of("settlement-3des-psam")
    bill = Bill(total_fen=AMOUNT, fund_fen=AMOUNT, account_fen=0, self_pay_fen=0)
    begun = world.engine.begin_settlement(SettleRequest(request("settle"), bill, Tender.CASH, "bill"))
    with world.presented(world.outside.card) as channel:
        (leg,) = world.engine.settle(begun, channel).legs
    assert (leg.state, leg.amount_fen) == (State.COMPLETED, 0)
    with pytest.raises(NotReversible):
        begin_refund(world, leg, 1)


def test_the_money_goes_to_the_card_that_paid_and_to_no_other(world_of: Made) -> None:
    _, world = world_of("purchase-3des-psam")
    load = begin_refund(world, pay(world), AMOUNT)
    before = wallet_of(world.outside.other).balance
    with pytest.raises(CardChanged) as caught:
        refund(world, load, world.outside.other)
    assert caught.value.money is Money.NONE
    assert (wallet_of(world.outside.other).balance, world.outside.host.host.bookings) == (before, {})
    assert world.ledger.transaction(load.id).state is State.ACCEPTED, "the key can be used again"
    assert refund(world, load).state is State.COMPLETED


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
def test_of_a_refund_that_has_begun_another_card_is_told_the_truth_and_nothing_happens_to_it(
    world_of: Made, fault: Fault
) -> None:
    """Its money is unknown, or moved: an error that says that none moved would be a lie."""
    _, world = world_of("purchase-3des-psam")
    load = begin_refund(world, pay(world), AMOUNT)
    world.outside.card.faults = FaultPlan(fault, only="8052")
    assert refund(world, load).state is State.UNCERTAIN
    before = wallet_of(world.outside.other).balance
    told = refund(world, load, world.outside.other)
    assert (told.state, told.money) == (State.UNCERTAIN, Money.UNKNOWN)
    done = refund(world, load)
    assert done.state is (State.COMPLETED if fault is Fault.CUT_AFTER else State.NOT_DEBITED)
    assert refund(world, load, world.outside.other).answer == done.answer
    assert wallet_of(world.outside.other).balance == before


def test_no_more_is_given_back_than_is_left_and_nothing_is_written_down(world_of: Made) -> None:
    _, world = world_of("purchase-3des-psam")
    purchase = pay(world)
    refund(world, begin_refund(world, purchase, 1000))
    known = world.ledger.transactions()
    with pytest.raises(NotReversible) as caught:
        begin_refund(world, purchase, AMOUNT - 999)
    assert caught.value.money is Money.NONE
    assert world.ledger.transactions() == known
    assert refund(world, begin_refund(world, purchase, AMOUNT - 1000)).state is State.COMPLETED
    assert wallet_of(world.outside.card).balance == BALANCE


def test_the_same_key_gives_back_once_even_when_nothing_is_left(world_of: Made) -> None:
    _, world = world_of("purchase-3des-psam")
    purchase = pay(world)
    done = refund(world, begin_refund(world, purchase, AMOUNT, "k"))
    world.restart()
    assert begin_refund(world, purchase, AMOUNT, "k").answer == done.answer
    assert wallet_of(world.outside.card).balance == BALANCE


@pytest.mark.parametrize("operation", [Operation.UNLOAD, Operation.OVERDRAFT])
def test_only_a_load_gives_money_back(world_of: Made, operation: Operation) -> None:
    _, world = world_of("purchase-3des-psam")
    purchase = pay(world)
    with pytest.raises(OperationUnsupported):
        world.engine.begin_online(
            OnlineRequest(request("load"), 1, "refund", None, PurseKind.WALLET, operation, purchase.id)
        )
    assert left(world, purchase) == AMOUNT


@pytest.mark.parametrize(("money", "still_left"), [(Money.MOVED, 0), (Money.UNKNOWN, 0), (Money.NONE, AMOUNT)])
def test_of_a_refund_that_two_persons_ended_counts_what_they_found(
    world_of: Made, money: Money, still_left: int
) -> None:
    _, world = world_of("purchase-3des-psam")
    purchase = pay(world)
    load = begin_refund(world, purchase, AMOUNT)
    world.outside.card.faults = FaultPlan(Fault.CUT_AFTER, only="8052")
    refund(world, load)
    assert left(world, purchase) == 0
    world.engine.resolve(load.id, Resolution(money, ("Li Lei", "Han Meimei"), "clearing file"))
    assert left(world, purchase) == still_left


Step = tuple[str, int]
HOW = (
    "order,order,load,begin,cancel,carry out,torn before,torn after,unreachable,answer lost,other card,recover,restart"
)
PARTS = (AMOUNT, AMOUNT // 2 + 1, AMOUNT // 2, AMOUNT // 3, 1)
"""Few of them fit together."""
STEPS = st.lists(st.tuples(st.sampled_from(HOW.split(",")), st.sampled_from(PARTS)), min_size=4, max_size=10)


class Refunds:
    """Clerks who give one purchase back in all ways, as often as they like."""

    def __init__(self, folder: Path) -> None:
        self.world = BY_NAME["purchase-3des-psam"].world(folder)
        self.world.start()
        self.purchase = pay(self.world)
        self.ordered = 0
        self.loads: list[Transaction] = []

    @property
    def gained(self) -> int:
        """Fen that are back on the card."""
        return wallet_of(self.world.outside.card).balance - (BALANCE - AMOUNT)

    def step(self, name: str, amount: int) -> None:
        """One of them does something; what is refused is refused."""
        card, host = self.world.outside.card, self.world.outside.host
        card.faults, host.fail_at, host.requests, host.fired = None, 0, 0, False
        match name:
            case "torn before":
                card.faults = FaultPlan(Fault.CUT_BEFORE, only="8052")
            case "torn after":
                card.faults = FaultPlan(Fault.CUT_AFTER, only="8052")
            case "unreachable" | "answer lost":
                host.fail_at, host.after = 1, name == "answer lost"
        try:
            self._act(name, amount)
        except TransactionPassed:
            assert name == "cancel"
        except CardioError as error:
            assert error.money is Money.NONE, error  # noqa: PT017

    def _act(self, name: str, amount: int) -> None:
        world = self.world
        match name:
            case "order":
                asked = request("refund", body=str(amount).encode())
                self.ordered += world.ledger.reversals.order(asked, self.purchase.id, amount, None, "why").amount_fen
            case "recover":
                with world.presented(world.outside.card) as channel:
                    world.engine.recover(channel)
            case "restart":
                world.restart()
            case "carry out" | "cancel" | "other card":
                if not self.loads:
                    return
                load = self.loads[amount % len(self.loads)]
                if name == "cancel":
                    world.ledger.cancel(load.id)
                else:
                    refund(world, load, world.outside.other if name == "other card" else None)
            case _:
                load = begin_refund(world, self.purchase, amount)
                self.loads.append(load)
                if name != "begin":
                    refund(world, load)

    def settle(self) -> None:
        """Everything that is open ends."""
        self.step("recover", 0)
        for load in self.world.ledger.transactions(State.ACCEPTED):
            self.world.ledger.cancel(load.id)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_whatever_happens_refunds_together_never_exceed_the_purchase_and_nothing_of_it_is_lost(
    steps: list[Step],
) -> None:
    with TemporaryDirectory() as folder:
        clerks = Refunds(Path(folder))
        for name, amount in steps:
            clerks.step(name, amount)
            assert clerks.ordered + clerks.gained <= AMOUNT, name
        clerks.settle()
        given_back = clerks.ordered + clerks.gained
        assert given_back <= AMOUNT
        assert left(clerks.world, clerks.purchase) == AMOUNT - given_back, "what was not given back still can be"
        assert wallet_of(clerks.world.outside.other).balance == 5000
        clerks.world.ledger.verify_chain()
        clerks.world.stop()
