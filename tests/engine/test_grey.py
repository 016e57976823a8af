"""Refuelling: the purse is locked first, and charged and freed afterwards (EW §3.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.engine.requests import DebitRequest, OnlineRequest
from cardio.errors import (
    AmountInvalid,
    AmountLimit,
    CardChanged,
    CardHasPending,
    IdempotencyMismatch,
    JournalBehind,
    LockClosed,
    Money,
    OperationUnsupported,
    PurseGreyLocked,
    SamFailed,
    SamKeyMissing,
)
from cardio.ledger.document import transaction_document
from cardio.ledger.model import Request, Resolution, State, Transaction
from cardio.purse.operation import Operation
from cardio.security.keys import Mac2
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.psam import PsamFunction
from cardio.virtual.sams import psam
from cardio.virtual.wallet_purse import GreyLock
from tests.counter import wallet_of
from tests.engine.conftest import BY_NAME, worlds
from tests.engine.test_recovery import evidence, open_log
from tests.faults.judge import KEY, state_of
from tests.faults.scenarios import AMOUNT, BALANCE, Scenario
from tests.faults.world import CARD_PIN, ELSEWHERE, Source, World, variant

Made = Callable[[str], tuple[Scenario, World]]
LOCK, DEBIT = "E07C08", "E07E08"
CIPHERS = ("3des", "sm4")


@pytest.fixture
def world_of(tmp_path: Path) -> Iterator[Made]:
    yield from worlds(tmp_path)


def ask(operation: str, key: str, body: bytes = b"") -> Request:
    return Request("test", key, operation, body)


def lock(world: World, key: str = "lock", pin: str | None = None) -> Transaction:
    """Present the card before refuelling."""
    begun = world.engine.begin_grey_lock(ask("grey_lock", key, b"lock"), "sale", "Li Lei")
    if begun.state.final:
        return begun
    with world.presented(world.outside.card) as channel:
        return world.engine.grey_lock(begun, channel, pin)


def debit(
    world: World, locked: Transaction, amount: int, key: str = "fuel", card: VirtualCard | None = None
) -> Transaction:
    """Present the card after refuelling."""
    request = ask("grey_debit", key, str(amount).encode())
    begun = world.engine.begin_grey_debit(request, locked.id, amount, "sale")
    if begun.state.final:
        return begun
    with world.presented(card or world.outside.card) as channel:
        return world.engine.grey_debit(begun, channel)


def recover(world: World) -> Transaction:
    """The next presentation of the card."""
    with world.presented(world.outside.card) as channel:
        (resolved,) = world.engine.recover(channel)
    return resolved


def purchase(world: World, key: str = "shop", amount: int = 100) -> Transaction:
    begun = world.engine.begin_debit(DebitRequest(ask("debit", key), amount, "sale"))
    with world.presented(world.outside.card) as channel:
        return world.engine.debit(begun, channel)


def purse(world: World) -> tuple[int, int, bool]:
    """Balance, off-line counter, and whether it is locked."""
    stored = wallet_of(world.outside.card).purse
    return stored.balance, stored.offline_counter, stored.grey is not None


def lock_elsewhere(world: World) -> None:
    """Another terminal locks the purse; it drives our proof out."""
    wallet = wallet_of(world.outside.card)
    wallet.purse.grey = GreyLock(bytes(8), ELSEWHERE, bytes(4), wallet.purse.offline_counter)
    wallet.proof = None


# ---- the story ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cipher", CIPHERS)
def test_a_refuelling_locks_the_purse_and_then_charges_and_frees_it(world_of: Made, cipher: str) -> None:
    _, world = world_of(f"grey-lock-{cipher}-psam")
    locked = lock(world)
    assert (locked.state, locked.money, locked.outcome.mac2) == (State.COMPLETED, Money.NONE, Mac2.OK)
    assert locked.outcome.tac is not None
    assert purse(world) == (BALANCE, 0, True)
    assert [one.id for one in world.ledger.open_locks] == [locked.id]
    charged = debit(world, locked, AMOUNT)
    assert (charged.state, charged.money, charged.grey_lock) == (State.COMPLETED, Money.MOVED, locked.id)
    assert (charged.outcome.balance_after, charged.outcome.mac2) == (BALANCE - AMOUNT, None)
    assert purse(world) == (BALANCE - AMOUNT, 1, False)
    proof = wallet_of(world.outside.card).proof
    assert proof is not None
    assert charged.outcome.tac == proof.tac.hex().upper()
    assert world.ledger.open_locks == []
    assert charged.armed is not None
    assert locked.armed is not None
    for name in ("card", "card_counter", "terminal_number", "terminal_sequence", "key_source"):
        assert getattr(charged.armed, name) == getattr(locked.armed, name)
    assert purchase(world).state is State.COMPLETED


def test_both_have_a_voucher_and_the_document_of_the_debit_names_its_lock(world_of: Made) -> None:
    _, world = world_of("grey-lock-3des-psam")
    locked = lock(world)
    document = transaction_document(locked)
    assert (document["operation"], document["money"]) == ("grey_lock", "none")
    assert "灰锁凭证" in document["voucher"]["zh"]
    assert f"GTAC{locked.outcome.tac}".replace(" ", "") in document["voucher"]["en"].replace(" ", "")
    assert "Balancelocked¥100.00" in document["voucher"]["en"].replace(" ", "")
    assert "Amount" not in document["voucher"]["en"]
    charged = debit(world, locked, AMOUNT)
    document = transaction_document(charged)
    assert (document["operation"], document["grey_lock"]) == ("grey_debit", locked.id)
    assert "解扣凭证" in document["voucher"]["zh"]
    assert "¥12.34" in document["voucher"]["en"]


def test_nothing_refuelled_frees_the_purse_without_a_charge(world_of: Made) -> None:
    _, world = world_of("grey-lock-3des-psam")
    assert debit(world, lock(world), 0).state is State.COMPLETED
    assert purse(world) == (BALANCE, 1, False)


def test_everything_can_be_refuelled_but_no_fen_more(world_of: Made) -> None:
    _, world = world_of("refuel-3des-psam")
    (locked,) = world.ledger.open_locks
    refused = debit(world, locked, BALANCE + 1)
    assert (refused.state, refused.money, refused.outcome.error) == (
        State.DECLINED,
        Money.NONE,
        "funds.insufficient",
    )
    assert purse(world) == (BALANCE, 0, True)
    assert debit(world, locked, BALANCE, "all").state is State.COMPLETED
    assert purse(world) == (0, 1, False)


def test_a_passbook_is_locked_and_charged_behind_its_pin(tmp_path: Path) -> None:
    scenario = BY_NAME["passbook-purchase-3des-psam"]
    assert scenario.product.wallet is not None
    wallet = scenario.product.wallet.model_copy(update={"grey_lock": True})
    product = scenario.product.model_copy(update={"wallet": wallet})
    scenario = replace(scenario, product=product, make_card=lambda: citizen_card(passbook_fen=BALANCE, grey_lock=True))
    world = scenario.world(tmp_path)
    world.start()
    locked = lock(world, pin=CARD_PIN)
    assert state_of(scenario, world).locked
    assert debit(world, locked, AMOUNT).state is State.COMPLETED
    state = state_of(scenario, world)
    assert (state.balance, state.counter, state.locked) == (BALANCE - AMOUNT, 1, False)
    world.stop()


def test_other_cards_are_served_and_the_terminal_restarts_between_lock_and_debit(world_of: Made) -> None:
    _, world = world_of("refuel-3des-psam")
    begun = world.engine.begin_debit(DebitRequest(ask("debit", "other"), 100, "other sale"))
    with world.presented(world.outside.other) as channel:
        assert world.engine.debit(begun, channel).state is State.COMPLETED
    world.restart()
    (locked,) = world.ledger.open_locks
    assert debit(world, locked, AMOUNT).state is State.COMPLETED
    assert purse(world) == (BALANCE - AMOUNT, 1, False)


# ---- keys of requests --------------------------------------------------------------------------------------------


def test_the_same_keys_get_the_same_answers_and_charge_once(world_of: Made) -> None:
    _, world = world_of("grey-lock-3des-psam")
    locked = lock(world)
    charged = debit(world, locked, AMOUNT)
    assert lock(world).answer == locked.answer
    assert debit(world, locked, AMOUNT).answer == charged.answer
    assert purse(world) == (BALANCE - AMOUNT, 1, False)
    with pytest.raises(IdempotencyMismatch):
        debit(world, locked, AMOUNT + 1)


def test_a_lock_is_charged_once_whatever_the_key(world_of: Made) -> None:
    _, world = world_of("refuel-3des-psam")
    (locked,) = world.ledger.open_locks
    late = world.engine.begin_grey_debit(ask("grey_debit", "late"), locked.id, 1, "sale")
    debit(world, locked, AMOUNT)
    with pytest.raises(LockClosed):
        debit(world, locked, AMOUNT, "again")
    with world.presented(world.outside.card) as channel:
        refused = world.engine.grey_debit(late, channel)
    assert (refused.state, refused.outcome.error) == (State.DECLINED, "grey-lock.closed")
    assert purse(world) == (BALANCE - AMOUNT, 1, False)


def test_only_a_lock_can_be_charged_as_one(world_of: Made) -> None:
    _, world = world_of("refuel-3des-psam")
    (locked,) = world.ledger.open_locks
    charged = debit(world, locked, AMOUNT)
    shop = purchase(world)
    for identifier in ("nothing", shop.id, charged.id):
        with pytest.raises(LockClosed):
            world.engine.begin_grey_debit(ask("grey_debit", identifier), identifier, 1, "sale")


@pytest.mark.parametrize("amount", [-1, 0x80000000])
def test_amounts_that_no_card_could_hold_are_refused_before_anything_is_written(world_of: Made, amount: int) -> None:
    _, world = world_of("refuel-3des-psam")
    (locked,) = world.ledger.open_locks
    with pytest.raises(AmountInvalid):
        world.engine.begin_grey_debit(ask("grey_debit", "fuel"), locked.id, amount, "sale")
    assert world.ledger.transactions() == [locked]


@pytest.mark.parametrize("operation", [Operation.GREY_LOCK, Operation.GREY_DEBIT])
def test_neither_half_is_an_ordinary_debit(world_of: Made, operation: Operation) -> None:
    _, world = world_of("refuel-3des-psam")
    with pytest.raises(OperationUnsupported):
        world.engine.begin_debit(DebitRequest(ask("debit", "k"), 1, "sale", None, operation))


# ---- cards -------------------------------------------------------------------------------------------------------


def test_a_locked_purse_refuses_everything_else_and_no_money_moves(world_of: Made) -> None:
    scenario, world = world_of("refuel-3des-psam")
    for attempt in (purchase, lambda world: lock(world, "second")):
        with pytest.raises(PurseGreyLocked) as caught:
            attempt(world)
        assert caught.value.money is Money.NONE
    load = world.engine.begin_online(OnlineRequest(ask("load", "load"), 100, "order"))
    with world.presented(world.outside.card) as channel, pytest.raises(PurseGreyLocked):
        world.engine.online(load, channel, CARD_PIN)
    assert purse(world) == (BALANCE, 0, True)
    assert scenario.ask(world, world.outside.card, KEY).state is State.COMPLETED
    assert purchase(world).state is State.COMPLETED, "the key can be used again"


def test_only_the_card_of_the_lock_is_charged(world_of: Made) -> None:
    _, world = world_of("refuel-3des-psam")
    (locked,) = world.ledger.open_locks
    with pytest.raises(CardChanged) as caught:
        debit(world, locked, AMOUNT, card=world.outside.other)
    assert caught.value.money is Money.NONE
    assert debit(world, locked, AMOUNT).state is State.COMPLETED


def test_the_products_limit_holds_for_fuel_too(world_of: Made) -> None:
    _, world = world_of("refuel-3des-psam")
    (locked,) = world.ledger.open_locks
    (product, *others) = world.catalogue
    assert product.wallet is not None
    small = product.wallet.model_copy(update={"max_amount_fen": AMOUNT - 1})
    world.engine.catalogue = type(world.catalogue)([product.model_copy(update={"wallet": small}), *others])
    with pytest.raises(AmountLimit):
        debit(world, locked, AMOUNT)


def test_a_card_whose_product_has_no_grey_lock_is_not_asked(tmp_path: Path) -> None:
    world = replace(BY_NAME["grey-lock-3des-psam"], product=variant("citizen-wallet")).world(tmp_path)
    world.start()
    with pytest.raises(OperationUnsupported):
        lock(world)
    assert purse(world) == (BALANCE, 0, False)
    world.stop()


def test_a_lock_that_was_freed_on_line_cannot_be_charged(world_of: Made) -> None:
    """DEBIT FOR UNLOCK finds no lock, which is a refusal and no question."""
    _, world = world_of("refuel-3des-psam")
    (locked,) = world.ledger.open_locks
    wallet_of(world.outside.card).purse.grey = None
    refused = debit(world, locked, AMOUNT)
    assert (refused.state, refused.money) == (State.DECLINED, Money.NONE)
    lock_elsewhere(world)
    refused = debit(world, locked, AMOUNT, "again")
    assert (refused.state, refused.outcome.error) == (State.DECLINED, "record.not-found")
    assert purse(world) == (BALANCE, 0, True)


# ---- keys of the terminal ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_keyring_locks_no_purse_and_sends_nothing(tmp_path: Path, algorithm: Algorithm) -> None:
    scenario = replace(BY_NAME[f"grey-lock-{algorithm.value}-psam"], source=Source.KEYRING)
    world = scenario.world(tmp_path)
    world.start()
    plan = world.outside.card.faults = FaultPlan(Fault.CUT_BEFORE, only="E0")
    with pytest.raises(OperationUnsupported) as caught:
        lock(world)
    assert (caught.value.money, plan.seen) == (Money.NONE, 0)
    assert "takes a PSAM" in caught.value.detail
    world.stop()


def test_a_psam_without_grey_locks_says_so(world_of: Made) -> None:
    _, world = world_of("grey-lock-3des-psam")
    world.sam_reader.insert(psam())
    with pytest.raises(OperationUnsupported) as caught:
        lock(world)
    assert caught.value.source is not None
    assert (caught.value.source.layer, caught.value.money) == ("sam", Money.NONE)
    assert purse(world) == (BALANCE, 0, False)


def test_the_debit_needs_the_psam_of_the_lock(world_of: Made) -> None:
    _, world = world_of("refuel-3des-psam")
    (locked,) = world.ledger.open_locks
    world.sam_reader.insert(psam(terminal=ELSEWHERE, grey_lock=True))
    world.restart()
    with pytest.raises(SamKeyMissing) as caught:
        debit(world, locked, AMOUNT)
    assert caught.value.money is Money.NONE
    world.sam_reader.insert(world.outside.sam)
    world.restart()
    assert debit(world, locked, AMOUNT).state is State.COMPLETED


def test_a_wrong_mac2_is_told_and_its_lock_is_none_to_charge(world_of: Made) -> None:
    _, world = world_of("grey-lock-3des-psam")
    world.outside.card.faults = FaultPlan(Fault.WRONG_MAC2)
    locked = lock(world)
    assert (locked.state, locked.outcome.error, locked.money) == (State.NOT_GENUINE, "mac2.invalid", Money.NONE)
    assert world.ledger.open_locks == []
    with pytest.raises(LockClosed):
        debit(world, locked, AMOUNT)


def test_a_restored_journal_that_misses_locks_stops_money(world_of: Made) -> None:
    _, world = world_of("grey-lock-3des-psam")
    debit(world, lock(world), AMOUNT)
    for directory in world.outside.sam.master_file.walk():
        if isinstance(directory.function, PsamFunction):
            directory.function.sequence += 1
    with pytest.raises(JournalBehind):
        lock(world, "next")
    assert purse(world) == (BALANCE - AMOUNT, 1, False)


# ---- torn locks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("restart", [True, False])
def test_a_lock_torn_before_it_was_made_is_found_not_to_be_there(world_of: Made, cipher: str, restart: bool) -> None:
    _, world = world_of(f"grey-lock-{cipher}-psam")
    world.outside.card.faults = FaultPlan(Fault.CUT_BEFORE, only=LOCK)
    torn = lock(world)
    assert (torn.state, torn.money) == (State.UNCERTAIN, Money.NONE)
    assert world.ledger.open_locks == []
    if restart:
        world.restart()
    found = lock(world)
    assert (found.id, found.state, found.money) == (torn.id, State.NOT_DEBITED, Money.NONE)
    assert evidence(found) == {"lock": False}
    assert purse(world) == (BALANCE, 0, False)
    assert lock(world, "new").state is State.COMPLETED


@pytest.mark.parametrize("cipher", CIPHERS)
def test_a_lock_torn_after_it_was_made_is_found_without_its_gtac(world_of: Made, cipher: str) -> None:
    """The PSAM never saw MAC2 and makes no GMAC: only a host can free the purse (EW §3.5)."""
    _, world = world_of(f"grey-lock-{cipher}-psam")
    world.outside.card.faults = FaultPlan(Fault.CUT_AFTER, only=LOCK)
    torn = lock(world)
    assert torn.state is State.UNCERTAIN
    world.restart()
    found = recover(world)
    assert (found.id, found.state, found.outcome.recovered) == (torn.id, State.COMPLETED, True)
    assert (found.outcome.tac, found.outcome.mac2) == (None, Mac2.UNCHECKED)
    assert evidence(found) == {"lock": True}
    assert [one.id for one in world.ledger.open_locks] == [torn.id]
    with pytest.raises(SamFailed) as caught:
        debit(world, found, 0)
    assert caught.value.money is Money.NONE
    assert purse(world) == (BALANCE, 0, True)


def test_a_card_that_says_neither_leaves_the_question_open(world_of: Made) -> None:
    _, world = world_of("grey-lock-3des-psam")
    world.outside.card.faults = FaultPlan(Fault.CUT_BEFORE, only=LOCK)
    lock(world)
    world.outside.card.faults = FaultPlan(Fault.REFUSED, only="E07A08")
    assert recover(world).state is State.UNCERTAIN
    assert recover(world).state is State.NOT_DEBITED


def test_nothing_new_is_done_to_a_card_whose_lock_is_open(world_of: Made) -> None:
    _, world = world_of("grey-lock-3des-psam")
    world.outside.card.faults = FaultPlan(Fault.CUT_BEFORE, only=LOCK)
    lock(world)
    world.outside.card.faults = FaultPlan(Fault.REFUSED, only="E07A08")
    with pytest.raises(CardHasPending):
        purchase(world)
    assert purse(world) == (BALANCE, 0, False)


# ---- torn debits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("amount", [0, AMOUNT])
def test_a_debit_torn_before_it_was_made_is_not_debited_and_the_lock_stands(
    world_of: Made, cipher: str, amount: int
) -> None:
    _, world = world_of(f"refuel-{cipher}-psam")
    (locked,) = world.ledger.open_locks
    world.outside.card.faults = FaultPlan(Fault.CUT_BEFORE, only=DEBIT)
    torn = debit(world, locked, amount)
    assert (torn.state, torn.money) == (State.UNCERTAIN, Money.UNKNOWN)
    sent = world.outside.card.faults = FaultPlan(Fault.CUT_BEFORE, only=(LOCK, DEBIT))
    found = recover(world)
    assert (found.id, found.state) == (torn.id, State.NOT_DEBITED)
    expected = {"lock": False, "balance": False} if amount else {"lock": False}
    assert evidence(found) == expected, "a card that was never charged answers 6985 for the proof: no evidence"
    assert sent.seen == 0, "nothing is sent again unasked"
    assert purse(world) == (BALANCE, 0, True)
    assert world.ledger.open_locks == [locked]
    world.outside.card.faults = None
    assert debit(world, locked, amount, "new").state is State.COMPLETED
    assert purse(world) == (BALANCE - amount, 1, False)


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("amount", [0, AMOUNT])
def test_a_debit_torn_after_it_was_made_is_completed_with_the_cards_tac(
    world_of: Made, cipher: str, amount: int
) -> None:
    _, world = world_of(f"refuel-{cipher}-psam")
    (locked,) = world.ledger.open_locks
    world.outside.card.faults = FaultPlan(Fault.CUT_AFTER, only=DEBIT)
    torn = debit(world, locked, amount)
    assert torn.state is State.UNCERTAIN
    world.restart()
    found = debit(world, locked, amount)
    assert (found.id, found.state, found.outcome.recovered) == (torn.id, State.COMPLETED, True)
    proof = wallet_of(world.outside.card).proof
    assert proof is not None
    assert (found.outcome.tac, found.outcome.mac2) == (proof.tac.hex().upper(), None)
    assert evidence(found) == {"proof": True, "counter": True} | ({"balance": True} if amount else {})
    assert purse(world) == (BALANCE - amount, 1, False)
    assert world.ledger.open_locks == []


def test_a_refused_proof_and_the_lock_say_that_nothing_was_debited(world_of: Made) -> None:
    _, world = world_of("grey-lock-3des-psam")
    purchase(world)
    locked = lock(world)
    world.outside.card.faults = FaultPlan(Fault.CUT_BEFORE, only=DEBIT)
    debit(world, locked, AMOUNT)
    found = recover(world)
    assert (found.state, evidence(found)) == (State.NOT_DEBITED, {"lock": False, "proof": False, "balance": False})


def test_over_nothing_one_piece_is_enough_so_that_the_card_is_not_kept(world_of: Made) -> None:
    _, world = world_of("refuel-3des-psam")
    (locked,) = world.ledger.open_locks
    world.outside.card.faults = FaultPlan(Fault.CUT_AFTER, only=DEBIT)
    debit(world, locked, 0)
    wallet_of(world.outside.card).proof = None
    found = recover(world)
    assert (found.state, evidence(found)) == (State.COMPLETED, {"counter": True})


def test_the_log_knows_a_debit_whose_proof_is_gone_even_under_another_terminals_lock(world_of: Made) -> None:
    _, world = world_of("refuel-3des-psam")
    open_log(world.outside.card)
    (locked,) = world.ledger.open_locks
    world.outside.card.faults = FaultPlan(Fault.CUT_AFTER, only=DEBIT)
    debit(world, locked, AMOUNT)
    lock_elsewhere(world)
    found = recover(world)
    assert (found.state, evidence(found)) == (State.COMPLETED, {"log": True})


def test_another_terminals_lock_is_not_taken_for_ours_if_the_balance_is_against_it(world_of: Made) -> None:
    _, world = world_of("refuel-3des-psam")
    (locked,) = world.ledger.open_locks
    world.outside.card.faults = FaultPlan(Fault.CUT_AFTER, only=DEBIT)
    debit(world, locked, AMOUNT)
    lock_elsewhere(world)
    found = recover(world)
    assert (found.state, found.outcome.error) == (State.UNCERTAIN, "transaction.evidence-conflict")
    assert evidence(found) == {"lock": False, "balance": True}


def test_a_proof_says_that_the_lock_on_the_purse_is_a_later_one(world_of: Made) -> None:
    _, world = world_of("refuel-3des-psam")
    (locked,) = world.ledger.open_locks
    world.outside.card.faults = FaultPlan(Fault.CUT_AFTER, only=DEBIT)
    debit(world, locked, AMOUNT)
    proof = wallet_of(world.outside.card).proof
    lock_elsewhere(world)
    wallet_of(world.outside.card).proof = proof
    found = recover(world)
    assert (found.state, evidence(found)) == (State.COMPLETED, {"proof": True, "balance": True})


def test_a_torn_purchase_is_found_out_about_under_a_lock(world_of: Made) -> None:
    """The counter is not told while the purse is locked: proof and balance decide."""
    _, world = world_of("grey-lock-3des-psam")
    world.outside.card.faults = FaultPlan(Fault.CUT_AFTER, only="8054")
    assert purchase(world).state is State.UNCERTAIN
    world.restart()
    proof = wallet_of(world.outside.card).proof
    lock_elsewhere(world)
    wallet_of(world.outside.card).proof = proof
    found = recover(world)
    assert (found.state, evidence(found)) == (State.COMPLETED, {"proof": True, "balance": True})


@pytest.mark.parametrize(("money", "closed"), [(Money.MOVED, True), (Money.NONE, False)])
def test_a_debit_that_two_persons_ended_frees_the_lock_if_they_found_the_money_moved(
    world_of: Made, money: Money, closed: bool
) -> None:
    _, world = world_of("refuel-3des-psam")
    (locked,) = world.ledger.open_locks
    world.outside.card.faults = FaultPlan(Fault.CUT_AFTER, only=DEBIT)
    torn = debit(world, locked, AMOUNT)
    world.engine.resolve(torn.id, Resolution(money, ("Li Lei", "Han Meimei"), "clearing file"))
    assert (world.ledger.open_locks == []) is closed
