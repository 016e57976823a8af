"""A journal restored from an old backup is noticed, and money stops until two persons have reconciled it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cardio.errors import CardRemoved, InputInvalid, JournalBehind, Money
from cardio.ledger.model import State
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.psam import PsamFunction
from tests.engine.conftest import BY_NAME, worlds
from tests.engine.test_recovery import open_log
from tests.faults.judge import state_of
from tests.faults.scenarios import AMOUNT, BALANCE, Scenario
from tests.faults.world import World

PERSONS = ("Li Lei", "Han Meimei")
Made = Callable[[str], tuple[Scenario, World]]


@pytest.fixture
def world_of(tmp_path: Path) -> Iterator[Made]:
    yield from worlds(tmp_path)


def pay(scenario: Scenario, world: World, key: str) -> State:
    return scenario.ask(world, world.outside.card, key).state


def restore_backup_of(world: World, scenario: Scenario, *forgotten: str) -> None:
    """Take a backup, sell, and put the backup back."""
    world.stop()
    backup = world.folder / "backup"
    shutil.copy(world.journal, backup)
    world.start()
    for key in forgotten:
        assert pay(scenario, world, key) is State.COMPLETED
    world.stop()
    for leftover in world.folder.glob("journal.db-*"):
        leftover.unlink()
    shutil.copy(backup, world.journal)
    world.start()


@pytest.mark.parametrize("name", ["purchase-3des-psam", "settlement-sm4-psam"])
@pytest.mark.parametrize("forgotten", [("b",), ("b", "c", "d")])
def test_a_psam_that_is_ahead_of_the_journal_stops_money(world_of: Made, name: str, forgotten: tuple[str, ...]) -> None:
    scenario, world = world_of(name)
    assert pay(scenario, world, "a") is State.COMPLETED
    restore_backup_of(world, scenario, *forgotten)
    before = state_of(scenario, world)
    for key in ("b", "new"):
        with pytest.raises(JournalBehind) as caught:
            pay(scenario, world, key)
        assert caught.value.money is Money.NONE
    world.restart()
    with pytest.raises(JournalBehind):
        pay(scenario, world, "new")
    assert state_of(scenario, world) == before, "a repeat of the forgotten sale must not charge twice"


def test_two_persons_reconcile_it_and_money_moves_again(world_of: Made) -> None:
    scenario, world = world_of("purchase-3des-psam")
    pay(scenario, world, "a")
    restore_backup_of(world, scenario, "b")
    with pytest.raises(JournalBehind):
        pay(scenario, world, "c")
    assert world.ledger.freshness.behind is not None
    for persons, reason in (
        (("Li Lei", "li lei "), "backup"),
        (("Li Lei", ""), "backup"),
        ((PERSONS), " "),
    ):
        with pytest.raises(InputInvalid):
            world.ledger.freshness.reconcile(persons, reason)
    world.ledger.freshness.reconcile(PERSONS, "backup of last night put back; compared with the clearing file")
    world.restart()
    assert pay(scenario, world, "c") is State.COMPLETED
    assert pay(scenario, world, "d") is State.COMPLETED


def test_open_questions_are_still_answered_while_money_stands(world_of: Made) -> None:
    scenario, world = world_of("purchase-3des-psam")
    pay(scenario, world, "a")
    world.outside.card.faults = FaultPlan(Fault.CUT_AFTER, only="8054")
    assert pay(scenario, world, "torn") is State.UNCERTAIN
    with pytest.raises(JournalBehind):
        world.ledger.freshness.check_sequence("999999000001/1001", 99)
    with world.presented(world.outside.card) as channel:
        (resolved,) = world.engine.recover(channel)
    assert resolved.state is State.COMPLETED


def test_a_torn_sale_whose_number_comes_again_is_no_reason_to_stop(world_of: Made) -> None:
    scenario, world = world_of("purchase-3des-psam")
    for key in ("a", "b", "c"):
        world.outside.card.faults = FaultPlan(Fault.CUT_BEFORE, only="8054")
        assert pay(scenario, world, key) is State.UNCERTAIN
        assert pay(scenario, world, key) is State.NOT_DEBITED
    assert pay(scenario, world, "d") is State.COMPLETED


def test_a_card_that_remembers_our_sale_stops_money_where_no_psam_counts(world_of: Made) -> None:
    scenario, world = world_of("purchase-3des-keyring")
    open_log(world.outside.card)
    pay(scenario, world, "a")
    restore_backup_of(world, scenario, "b")
    with pytest.raises(JournalBehind):
        pay(scenario, world, "b")
    assert state_of(scenario, world).balance == BALANCE - 2 * AMOUNT


def test_a_card_that_was_used_elsewhere_is_no_reason_to_stop(world_of: Made) -> None:
    scenario, world = world_of("purchase-3des-keyring")
    open_log(world.outside.card)
    pay(scenario, world, "a")
    world.pay_elsewhere(77)
    assert pay(scenario, world, "b") is State.COMPLETED
    assert pay(replace(scenario, amount_fen=1), world, "c") is State.COMPLETED


def attempts_counted(name: str, folder: Path) -> tuple[Scenario, World]:
    """A world whose PSAM counts every 80 70, debit or not, as its product says (EW PC-16)."""
    scenario = BY_NAME[name]
    assert scenario.product.wallet is not None
    sam = scenario.product.wallet.sam.model_copy(update={"counts_attempts": True})
    wallet = scenario.product.wallet.model_copy(update={"sam": sam})
    scenario = replace(scenario, product=scenario.product.model_copy(update={"wallet": wallet}))
    world = scenario.world(folder)
    for directory in world.outside.sam.master_file.walk():
        if isinstance(directory.function, PsamFunction):
            directory.function.advances_at_init = True
    world.start()
    return scenario, world


@pytest.mark.parametrize("restarts", [False, True])
def test_attempts_that_never_came_to_a_debit_are_no_reason_to_stop(tmp_path: Path, restarts: bool) -> None:
    """Riders who take their cards away too early, one after the other, at a PSAM that counts attempts."""
    scenario, world = attempts_counted("ride-3des-psam", tmp_path)
    assert pay(scenario, world, "a") is State.COMPLETED
    for number in range(5):
        world.outside.card.faults = FaultPlan(Fault.CUT_BEFORE, only="80DC")
        with pytest.raises(CardRemoved):
            pay(scenario, world, f"torn {number}")
        if restarts:
            world.restart()
    world.outside.card.faults = None
    assert pay(scenario, world, "b") is State.COMPLETED
    assert world.ledger.freshness.behind is None
    world.stop()


def test_sales_that_are_missing_are_noticed_though_the_psam_counts_attempts(tmp_path: Path) -> None:
    scenario, world = attempts_counted("purchase-3des-psam", tmp_path)
    assert pay(scenario, world, "a") is State.COMPLETED
    restore_backup_of(world, scenario, "b", "c")
    with pytest.raises(JournalBehind):
        pay(scenario, world, "d")
    world.stop()
