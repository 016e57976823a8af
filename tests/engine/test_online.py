"""Loads, unloads and overdraft limits through a host, and what becomes of torn ones (EW §5.5, §6.3; SSC §7.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cardio.engine.requests import OnlineRequest
from cardio.errors import (
    AmountInvalid,
    CardioError,
    HostMissing,
    IdempotencyMismatch,
    Money,
    OperationUnsupported,
    StorageUnavailable,
)
from cardio.ledger.document import transaction_document
from cardio.ledger.model import NoticeKind, State
from cardio.purse.operation import Operation, PurseKind
from cardio.security.software_load_host import BookingState
from cardio.virtual.faults import Fault, FaultPlan
from tests.counter import request
from tests.engine.conftest import worlds
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
