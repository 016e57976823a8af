"""Torn debits and what becomes of them (OPS §4.3)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cardio.errors import CardHasPending, CardioError, CardRemoved, Money, PinError
from cardio.files.declaration import FREE
from cardio.ledger.bill import Bill
from cardio.ledger.model import Outcome, State, Transaction
from cardio.products.catalogue import Catalogue
from cardio.purse.operation import PurseKind
from cardio.purse.purse import CounterRule
from cardio.security.keys import Mac2
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.cards import citizen_card, psam
from cardio.virtual.faults import DEBIT, Fault, FaultPlan
from tests.counter import DEBIT_INSTRUCTIONS, TestCounter, account_of, tear, wallet_of
from tests.engine.conftest import worlds
from tests.faults.judge import KEY

NOT_YET = (Moment.COMMAND, Moment.BEFORE_COMMIT)
ALREADY = (Moment.AFTER_COMMIT, Moment.ANSWER)


def open_log(card: VirtualCard) -> VirtualCard:
    """A card whose EF18 anybody may read, as many cities issue it (EW §2.1)."""
    for directory in card.master_file.walk():
        for file in directory.files:
            if file.declaration.sfi == 0x18:
                file.declaration = replace(file.declaration, read=FREE)
    return card


def _card_key(counter: TestCounter) -> str:
    """The citizen card's key in the journal."""
    public = bytes.fromhex("9999000000000001") + b"00008600000000000123"
    return counter.ledger.card_key(PurseKind.WALLET, public)


def evidence(transaction: Transaction) -> dict[str, bool]:
    return {piece.kind: piece.debited for piece in transaction.outcome.evidence}


@pytest.mark.parametrize("moment", NOT_YET)
def test_a_tear_before_the_commit_is_uncertain_and_then_not_debited(counter: TestCounter, moment: Moment) -> None:
    counter.debit(100)
    tear(counter.wallet_card, moment)
    torn = counter.debit(1000, key="k")
    assert (torn.state, torn.state.money) == (State.UNCERTAIN, "unknown")
    (resolved,) = counter.recover()
    assert (resolved.id, resolved.state) == (torn.id, State.NOT_DEBITED)
    assert evidence(resolved) == {"counter": False, "proof": False}
    assert wallet_of(counter.wallet_card).balance == 9900


@pytest.mark.parametrize("moment", ALREADY)
def test_a_tear_after_the_commit_is_uncertain_and_then_completed_with_its_tac(
    counter: TestCounter, moment: Moment
) -> None:
    tear(counter.wallet_card, moment)
    assert counter.debit(1000, key="k").state is State.UNCERTAIN
    (resolved,) = counter.recover()
    assert (resolved.state, resolved.outcome.mac2, resolved.outcome.recovered) == (State.COMPLETED, Mac2.OK, True)
    proof = wallet_of(counter.wallet_card).proof
    assert proof is not None
    assert resolved.outcome.tac == proof.tac.hex().upper()
    assert wallet_of(counter.wallet_card).balance == 9000
    assert resolved.outcome.balance_after == 9000


def test_the_same_key_resolves_instead_of_charging_again(counter: TestCounter) -> None:
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    counter.debit(1000, key="k")
    assert counter.debit(1000, key="k").state is State.COMPLETED
    assert wallet_of(counter.wallet_card).balance == 9000


def test_not_debited_is_final_for_its_key_and_a_new_key_charges(counter: TestCounter) -> None:
    tear(counter.wallet_card, Moment.COMMAND)
    counter.debit(1000, key="k")
    assert counter.debit(1000, key="k").state is State.NOT_DEBITED
    assert counter.debit(1000, key="k").state is State.NOT_DEBITED
    assert wallet_of(counter.wallet_card).balance == 10000
    assert counter.debit(1000, key="new").state is State.COMPLETED
    assert wallet_of(counter.wallet_card).balance == 9000


def test_another_card_in_between_changes_nothing(counter: TestCounter) -> None:
    other = citizen_card(serial="00008600000000000456", balance_fen=5000)
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    torn = counter.debit(1000, key="k")
    assert counter.recover(other) == []
    assert counter.debit(300, card=other).state is State.COMPLETED
    assert counter.debit(1000, key="k", card=other).state is State.UNCERTAIN
    assert wallet_of(other).balance == 4700
    (resolved,) = counter.recover(counter.wallet_card)
    assert (resolved.id, resolved.state) == (torn.id, State.COMPLETED)
    # Another purchase went through the PSAM, which therefore no longer knows this one's session key.
    assert resolved.outcome.mac2 is Mac2.UNCHECKED


def test_any_number_of_cards_can_be_open_at_a_time(counter: TestCounter) -> None:
    cards = [citizen_card(serial=f"0000860000000000{n:04d}", balance_fen=5000) for n in range(5)]
    for card in cards:
        tear(card, Moment.AFTER_COMMIT)
        assert counter.debit(100, card=card).state is State.UNCERTAIN
    for card in reversed(cards):
        (resolved,) = counter.recover(card)
        assert resolved.state is State.COMPLETED


def test_a_restart_keeps_the_question_and_the_card_answers_it(counter: TestCounter) -> None:
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    torn = counter.debit(1000, key="k")
    counter.restart()
    assert counter.ledger.transaction(torn.id).state is State.UNCERTAIN
    (resolved,) = counter.recover()
    assert (resolved.state, resolved.outcome.mac2) == (State.COMPLETED, Mac2.UNCHECKED)
    assert evidence(resolved) == {"proof": True, "balance": True, "counter": True}


def test_an_armed_row_left_by_a_crash_is_uncertain_after_the_restart(counter: TestCounter) -> None:
    def die(moment: Moment, command: object) -> None:
        raise _Crash

    class _Crash(BaseException):
        pass

    def hook(moment: Moment, command: object) -> None:
        if moment is Moment.COMMAND and getattr(command, "instruction", None) in DEBIT_INSTRUCTIONS:
            counter.wallet_card.hook = None
            # What a SIGKILL leaves behind: the journal as it is now.
            counter.ledger.record = die  # type: ignore[method-assign,assignment]
            raise _Crash

    counter.wallet_card.hook = hook
    with pytest.raises(_Crash):
        counter.debit(1000, key="k")
    counter.restart()
    (parked,) = counter.ledger.pending(_card_key(counter))
    assert parked.state is State.UNCERTAIN
    assert counter.debit(1000, key="k").state is State.NOT_DEBITED
    assert wallet_of(counter.wallet_card).balance == 10000


@pytest.mark.parametrize("first_debit", [True, False])
def test_a_card_that_proves_nothing_is_decided_by_two_other_pieces(counter: TestCounter, first_debit: bool) -> None:
    """6985 to the proof is not evidence; counter and log, or counter and balance, are."""
    open_log(counter.wallet_card)
    if not first_debit:
        counter.debit(100)
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    counter.debit(1000, key="k")
    counter.restart()
    wallet_of(counter.wallet_card).proof = None
    resolved = counter.debit(1000, key="k")
    assert resolved.state is State.COMPLETED
    assert resolved.outcome.tac is None
    assert evidence(resolved) == {"log": True}


def test_a_proof_discarded_by_the_card_does_not_hide_the_debit(counter: TestCounter) -> None:
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    counter.debit(1000, key="k")
    counter.restart()
    wallet = wallet_of(counter.wallet_card)
    assert wallet.proof is not None
    wallet.proof = replace(wallet.proof, number=999)
    resolved = counter.debit(1000, key="k")
    assert resolved.state is State.COMPLETED
    assert evidence(resolved) == {"counter": True, "balance": True}


def test_a_purchase_elsewhere_of_the_same_amount_is_not_taken_for_ours(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Proof, counter and balance then tell of the other purchase; only the log names the terminal."""
    here = TestCounter(tmp_path_factory.mktemp("here"))
    there = TestCounter(tmp_path_factory.mktemp("there"), psam=psam(terminal=bytes.fromhex("999999000002")))
    card = open_log(here.wallet_card)
    tear(card, Moment.COMMAND)
    torn = here.debit(200, key="k")
    here.citizen.remove()
    assert there.debit(200, card=card).state is State.COMPLETED
    there.citizen.remove()
    here.restart()
    resolved = here.debit(200, key="k")
    assert (resolved.id, resolved.state) == (torn.id, State.NOT_DEBITED)
    assert wallet_of(card).balance == 9800
    here.close()
    there.close()


def test_a_debit_followed_by_purchases_elsewhere_is_still_found_in_the_log(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    here = TestCounter(tmp_path_factory.mktemp("here"))
    there = TestCounter(tmp_path_factory.mktemp("there"), psam=psam(terminal=bytes.fromhex("999999000002")))
    card = open_log(here.wallet_card)
    tear(card, Moment.AFTER_COMMIT)
    here.debit(200, key="k")
    here.citizen.remove()
    for _ in range(3):
        assert there.debit(50, card=card).state is State.COMPLETED
    there.citizen.remove()
    resolved = here.debit(200, key="k")
    assert resolved.state is State.COMPLETED
    assert wallet_of(card).balance == 10000 - 200 - 150
    here.close()
    there.close()


def test_pieces_that_contradict_each_other_leave_it_to_a_person(counter: TestCounter) -> None:
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    counter.debit(1000, key="k")
    counter.restart()
    wallet = wallet_of(counter.wallet_card)
    wallet.offline_counter -= 1
    resolved = counter.debit(1000, key="k")
    assert (resolved.state, resolved.outcome.error) == (State.UNCERTAIN, "transaction.evidence-conflict")
    with pytest.raises(CardHasPending):
        counter.debit(1, key="other")


def test_a_proof_while_the_counter_stands_is_a_contradiction(counter: TestCounter) -> None:
    """A product whose proof rule is wrong gets the proof of the purchase before: never taken for ours."""
    wrong = []
    for product in counter.catalogue:
        wallet = product.wallet and product.wallet.model_copy(update={"proof_number": CounterRule.BEFORE})
        wrong.append(product.model_copy(update={"wallet": wallet}))
    counter.engine.catalogue = Catalogue(wrong)
    counter.debit(100)
    tear(counter.wallet_card, Moment.COMMAND)
    counter.debit(100, key="k")
    counter.restart()
    counter.engine.catalogue = Catalogue(wrong)
    resolved = counter.debit(100, key="k")
    assert (resolved.state, resolved.outcome.error) == (State.UNCERTAIN, "transaction.evidence-conflict")
    assert evidence(resolved) == {"counter": False, "proof": True}


def test_the_other_proof_number_is_never_tried(counter: TestCounter) -> None:
    counter.debit(100)
    tear(counter.wallet_card, Moment.COMMAND)
    counter.debit(100, key="k")
    asked: list[bytes] = []

    def hook(moment: Moment, command: object) -> None:
        if moment is Moment.COMMAND and getattr(command, "instruction", None) == (0x80, 0x5A):
            asked.append(getattr(command, "data", b""))

    counter.wallet_card.hook = hook
    counter.recover()
    assert asked == [bytes.fromhex("0002")]


def test_a_torn_medical_settlement_asks_for_the_pin_in_recovery_too(counter: TestCounter) -> None:
    tear(counter.social_card, Moment.AFTER_COMMIT)
    begun = counter.begin_settlement(Bill(1000, 600, 400, 0), key="s")
    assert counter.settle(begun, counter.social).state is State.UNCERTAIN
    counter.social.insert(counter.social_card)
    counter.pad.typed = ""
    with pytest.raises(PinError):
        counter.recover(counter.social_card, counter.social)
    assert counter.ledger.settlement(begun.id).state is State.UNCERTAIN
    counter.pad.typed = "123456"
    (leg,) = counter.recover(counter.social_card, counter.social)
    assert leg.state is State.COMPLETED
    assert counter.ledger.settlement(begun.id).state is State.COMPLETED
    assert account_of(counter.social_card).balance == 50000 - 400


@pytest.mark.parametrize("moment", [*NOT_YET, *ALREADY])
def test_the_nth_failure_loop_over_one_debit_loses_no_fen(
    tmp_path_factory: pytest.TempPathFactory, moment: Moment
) -> None:
    """Tear the card at its n-th command, n = 1, 2, 3 … until the debit succeeds; then bring the card back."""
    for n in range(1, 50):
        counter = TestCounter(tmp_path_factory.mktemp("loop"))
        commands = 0

        def hook(reached: Moment, command: object, limit: int = n, counter: TestCounter = counter) -> None:
            nonlocal commands
            if reached is moment:
                commands += 1
                if commands == limit:
                    counter.wallet_card.hook = None
                    raise CardRemoved("torn")

        counter.wallet_card.hook = hook
        try:
            state = counter.debit(1000, key="k").state
        except CardioError as error:
            assert error.money == "none"  # noqa: PT017
            state = State.ACCEPTED
        counter.wallet_card.hook = None
        if n % 2:
            counter.restart()
        final = counter.debit(1000, key="k")
        assert final.state in {State.COMPLETED, State.NOT_DEBITED}
        debited = 1000 if final.state is State.COMPLETED else 0
        assert wallet_of(counter.wallet_card).balance == 10000 - debited
        assert wallet_of(counter.wallet_card).offline_counter == (1 if debited else 0)
        assert counter.ledger.pending_purses() == set()
        counter.close()
        if state is State.COMPLETED:
            assert commands < n
            return
    pytest.fail("the debit never succeeded")


@pytest.mark.parametrize("name", ["purchase-3des-psam", "purchase-sm4-keyring", "settlement-3des-keyring"])
def test_a_proof_of_another_terminals_purchase_is_not_taken_for_ours(tmp_path: Path, name: str) -> None:
    """The holder paid elsewhere under the number that our torn purchase would have had; the keys see it."""
    for make in worlds(tmp_path):
        scenario, world = make(name)
        world.outside.card.faults = FaultPlan(Fault.CUT_BEFORE, only=DEBIT)
        torn = scenario.ask(world, world.outside.card, KEY)
        assert torn.state is State.UNCERTAIN
        world.pay_elsewhere(77)
        asked = scenario.ask(world, world.outside.card, KEY)
        assert asked.money is not Money.MOVED, asked


@pytest.mark.parametrize("fault", [Fault.MUTE, Fault.LATE, Fault.CUT_AFTER])
def test_debit_is_sent_once_whatever_becomes_of_its_answer(counter: TestCounter, fault: Fault) -> None:
    seen = FaultPlan(Fault.PROOF_GONE, 99, only=DEBIT)
    counter.wallet_card.faults = (seen, FaultPlan(fault, only=DEBIT))
    assert counter.debit(1000, key="k").state is State.UNCERTAIN
    assert seen.seen == 1
    counter.wallet_card.faults = seen
    counter.debit(1000, key="k")
    assert seen.seen == 1


def test_a_reader_that_gives_up_late_does_not_reopen_what_another_one_found_out(counter: TestCounter) -> None:
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    torn = counter.debit(100)
    (resolved,) = counter.recover()
    late = counter.ledger.record(torn, Outcome(State.UNCERTAIN, error="transaction.uncertain"))
    assert (late.state, late.answer) == (State.COMPLETED, resolved.answer)
