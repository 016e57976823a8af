"""Faults of virtual cards: each happens at the event that was counted out, and once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from cardio.errors import CardMute, CardRemoved
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.cards import citizen_card, social_security_card
from cardio.virtual.faults import CUTS, DEBIT, Fault, FaultPlan
from cardio.virtual.received import Received
from tests.virtual.till import AccountTill, WalletTill
from tests.virtual.wire import SELECT_WALLET, VERIFY_WRONG, complete, send

BALANCE = "805C000204"
PROOF = "805A000602000108"


def put_back(card: VirtualCard) -> None:
    card.power_off()
    card.power_on()


def outcomes(card: VirtualCard, command: str, times: int = 4) -> Iterator[str]:
    """What a command gives, several times; a card that was torn out comes back."""
    for _ in range(times):
        try:
            yield send(card, command)
        except CardRemoved:
            put_back(card)
            yield "removed"
        except CardMute:
            yield "mute"


# ---- APDUs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault.CUT_BEFORE, "removed"),
        (Fault.CUT_AFTER, "removed"),
        (Fault.MUTE, "mute"),
        (Fault.LATE, "mute"),
        (Fault.REFUSED, "6F00"),
    ],
)
def test_a_fault_of_apdus_happens_at_the_nth_and_only_there(fault: Fault, told: str, n: int) -> None:
    card = citizen_card()
    plan = card.faults = FaultPlan(fault, n)
    found = list(outcomes(card, SELECT_WALLET))
    assert [place for place, outcome in enumerate(found, 1) if outcome == told] == [n]
    assert all(outcome.endswith("9000") for outcome in found if outcome != told)
    assert plan.fired


def test_a_plan_that_was_not_reached_has_not_fired() -> None:
    card = citizen_card()
    plan = card.faults = FaultPlan(Fault.CUT_AFTER, 5)
    list(outcomes(card, SELECT_WALLET))
    assert (plan.fired, plan.seen) == (False, 4)


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        (Fault.CUT_BEFORE, 10000),
        (Fault.MUTE, 10000),
        (Fault.REFUSED, 10000),
        (Fault.CUT_AFTER, 9800),
        (Fault.LATE, 9800),
    ],
)
def test_a_fault_before_the_command_leaves_the_purse_and_one_after_it_does_not(fault: Fault, left: int) -> None:
    till = WalletTill()
    debit = till.prepare(200)
    till.card.faults = FaultPlan(fault, only=DEBIT)
    next(outcomes(till.card, debit))
    assert till.function.balance == left


def test_a_mute_card_keeps_its_power_and_its_open_purchase() -> None:
    till = WalletTill()
    debit = till.prepare(200)
    till.card.faults = FaultPlan(Fault.MUTE)
    with pytest.raises(CardMute):
        till.send(debit)
    assert till.send(debit).endswith("9000")


def test_the_status_word_of_a_refusal_can_be_chosen() -> None:
    card = citizen_card()
    card.faults = FaultPlan(Fault.REFUSED, status=0x6A82)
    assert next(outcomes(card, SELECT_WALLET)) == "6A82"


# ---- writes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT])
def test_a_cut_inside_a_write_leaves_all_of_it_or_nothing(fault: Fault, n: int) -> None:
    card = citizen_card()
    plan = card.faults = FaultPlan(fault, n)
    found = list(outcomes(card, VERIFY_WRONG))
    written = n if fault is Fault.CUT_AFTER_COMMIT else n - 1
    assert found[: n - 1] == [f"63C{6 - place}" for place in range(1, n)]
    assert found[n - 1 : n + 1] == ["removed", f"63C{5 - written}"]
    assert plan.fired


def test_reading_is_no_write() -> None:
    card = citizen_card()
    plan = card.faults = FaultPlan(Fault.CUT_BEFORE_COMMIT)
    assert "removed" not in list(outcomes(card, SELECT_WALLET))
    assert plan.seen == 0


@pytest.mark.parametrize(("fault", "sequence"), [(Fault.CUT_BEFORE_COMMIT, 1), (Fault.CUT_AFTER_COMMIT, 2)])
def test_a_psam_torn_before_its_commit_gives_the_same_number_again(fault: Fault, sequence: int) -> None:
    till = WalletTill()
    till.sam.faults = FaultPlan(fault, only="8072")
    mac2 = till.pay()[8:16]
    with pytest.raises(CardRemoved):
        complete(till.sam, f"8072000004{mac2}")
    put_back(till.sam)
    complete(till.sam, "00A40000021001")
    till.select()
    assert till.prepare()[10:18] == f"{sequence:08X}"


# ---- answers -----------------------------------------------------------------------------------------------------


def pay_wallet() -> tuple[VirtualCard, Callable[[], str]]:
    till = WalletTill()
    return till.card, till.pay


def settle_account() -> tuple[VirtualCard, Callable[[], str]]:
    till = AccountTill()
    return till.card, till.pay


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("prepare", [pay_wallet, settle_account])
def test_the_nth_mac2_is_wrong_and_the_tac_is_right(
    prepare: Callable[[], tuple[VirtualCard, Callable[[], str]]], n: int
) -> None:
    card, pay = prepare()
    good, other = prepare()
    card.random = good.random = lambda size: bytes(size)
    plan = card.faults = FaultPlan(Fault.WRONG_MAC2, n)
    pairs = [(pay(), other()) for _ in range(3)]
    assert [answer == expected for answer, expected in pairs] == [place != n for place in (1, 2, 3)]
    answer, expected = pairs[n - 1]
    assert answer[:8] + answer[16:] == expected[:8] + "9000"
    assert answer[8:16] != expected[8:16]
    assert plan.fired


def test_a_mac2_that_comes_by_get_response_is_wrong_there() -> None:
    till = AccountTill()
    debit = till.prepare()
    plan = till.card.faults = FaultPlan(Fault.WRONG_MAC2)
    assert send(till.card, debit[:-2]) == "6108"
    assert plan.seen == 0
    answer = send(till.card, "00C0000008")
    assert plan.fired
    proof = till.function.proof
    assert proof is not None
    assert answer[:8] == proof.tac.hex().upper()
    assert answer[8:16] != proof.mac2.hex().upper()


def test_a_refused_debit_has_no_mac2() -> None:
    till = WalletTill()
    plan = till.card.faults = FaultPlan(Fault.WRONG_MAC2)
    assert till.send("805401000F" + "00" * 15 + "08") == "6901"
    assert not plan.fired


@pytest.mark.parametrize(("make", "command"), [(citizen_card, SELECT_WALLET), (social_security_card, "00A4000002EF00")])
def test_a_truncated_answer_lacks_its_last_byte_of_data(make: Callable[[], VirtualCard], command: str) -> None:
    card, good = make(), make()
    card.faults = FaultPlan(Fault.TRUNCATED, 2)
    expected = complete(good, command)
    found = [complete(card, command) for _ in range(3)]
    assert found == [expected, expected[:-6] + expected[-4:], expected]


def test_a_refused_get_response_loses_the_answer() -> None:
    till = AccountTill()
    debit = till.prepare()
    plan = till.card.faults = FaultPlan(Fault.RESPONSE_REFUSED)
    assert till.send(debit) == "6F00"
    assert plan.fired
    assert send(till.card, "00C0000008") == "6985"
    assert till.function.balance == 9700


# ---- proofs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "status"), [(Fault.PROOF_GONE, "9406"), (Fault.PROOF_REFUSED, "6985")])
def test_a_lost_proof_stays_lost_until_the_next_transaction(fault: Fault, status: str) -> None:
    till = WalletTill()
    till.pay()
    plan = till.card.faults = FaultPlan(fault, 2)
    assert till.send(PROOF).endswith("9000")
    assert till.send(PROOF) == status
    put_back(till.card)
    till.select()
    assert till.send(PROOF) == status
    assert plan.fired
    assert till.function.balance == 9800
    till.pay()
    assert till.send("805A000602000208").endswith("9000")


@pytest.mark.parametrize(("fault", "status"), [(Fault.PROOF_GONE, "9406"), (Fault.PROOF_REFUSED, "6985")])
def test_an_account_loses_its_proof_too(fault: Fault, status: str) -> None:
    till = AccountTill()
    till.pay()
    till.card.faults = FaultPlan(fault)
    assert till.send("B02E000202000108") == status


def test_a_file_directory_has_no_proof_to_lose() -> None:
    card = citizen_card()
    card.faults = FaultPlan(Fault.PROOF_GONE)
    assert send(card, PROOF) == "6D00"


# ---- plans -------------------------------------------------------------------------------------------------------


def test_only_limits_what_is_counted() -> None:
    till = WalletTill()
    plan = till.card.faults = FaultPlan(Fault.CUT_BEFORE, 2, only=("805C", "8050"))
    till.select()
    till.send(BALANCE)
    till.select()
    with pytest.raises(CardRemoved):
        till.initialize()
    assert plan.seen == 2


def test_several_plans_work_together() -> None:
    till = WalletTill()
    debit = till.prepare()
    till.card.faults = (FaultPlan(Fault.CUT_AFTER, only=DEBIT), FaultPlan(Fault.PROOF_GONE))
    with pytest.raises(CardRemoved):
        till.send(debit)
    put_back(till.card)
    till.select()
    assert till.send(PROOF) == "9406"
    assert till.function.balance == 9800


def test_one_plan_counts_over_two_cards() -> None:
    till = WalletTill()
    plan = till.card.faults = FaultPlan(Fault.CUT_BEFORE, 3)
    till.sam.faults = plan
    till.send(BALANCE)
    complete(till.sam, "00B0960006")
    with pytest.raises(CardRemoved):
        till.send(BALANCE)


def test_a_plan_can_be_taken_off() -> None:
    card = citizen_card()
    card.faults = FaultPlan(Fault.CUT_BEFORE)
    assert len(card.faults) == 1
    card.faults = None
    assert card.faults == ()
    assert send(card, SELECT_WALLET).endswith("9000")


def test_the_hook_works_beside_a_plan() -> None:
    card = citizen_card()
    seen: list[Moment] = []

    def hook(moment: Moment, command: Received) -> None:
        seen.append(moment)

    card.hook = hook
    card.faults = FaultPlan(Fault.CUT_AFTER_COMMIT)
    next(outcomes(card, VERIFY_WRONG))
    assert seen == [Moment.COMMAND, Moment.BEFORE_COMMIT, Moment.AFTER_COMMIT]


@pytest.mark.parametrize("fault", sorted(CUTS))
def test_an_action_takes_the_place_of_the_cut(fault: Fault) -> None:
    card = citizen_card()
    done: list[int] = []

    def act() -> None:
        assert card.pin is not None
        done.append(card.pin.tries_left)

    plan = card.faults = FaultPlan(fault, 2, action=act)
    assert list(outcomes(card, VERIFY_WRONG)) == ["63C5", "63C4", "63C3", "63C2"]
    assert done == [4 if fault in {Fault.CUT_AFTER, Fault.CUT_AFTER_COMMIT} else 5]
    assert plan.fired


def test_an_action_can_swap_the_card() -> None:
    card, other = citizen_card(), citizen_card(serial="00008600000000000124")
    reader = EmbeddedReader("till", card)
    channel = reader.connect()
    card.faults = FaultPlan(Fault.CUT_AFTER, 2, action=lambda: reader.insert(other))
    channel.transmit(bytes.fromhex(SELECT_WALLET))
    with pytest.raises(CardRemoved):
        channel.transmit(bytes.fromhex(BALANCE))
    assert reader.card is other


def test_a_cut_card_has_left_its_embedded_reader_and_a_mute_one_has_not() -> None:
    for fault, there in ((Fault.CUT_AFTER, False), (Fault.MUTE, True), (Fault.LATE, True)):
        card = citizen_card()
        reader = EmbeddedReader("till", card)
        channel = reader.connect()
        card.faults = FaultPlan(fault)
        with pytest.raises(CardMute if there else CardRemoved):
            channel.transmit(bytes.fromhex(SELECT_WALLET))
        assert reader.state.present is there


def test_a_psam_that_is_gone_between_both_of_its_commands() -> None:
    till = WalletTill()
    debit = till.prepare()
    sam = EmbeddedReader("sam", till.sam)
    till.card.faults = FaultPlan(Fault.CUT_BEFORE, only=DEBIT, action=sam.remove)
    till.send(debit)
    assert sam.card is None


def test_bad_plans_are_refused() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        FaultPlan(Fault.MUTE, 0)
    with pytest.raises(ValueError, match="takes the place of a cut"):
        FaultPlan(Fault.MUTE, action=lambda: None)


# ---- the loop ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", sorted(CUTS))
def test_the_loop_ends_and_the_card_never_loses_a_fen(fault: Fault) -> None:
    """The example of the module: at every place the card has paid once or not at all."""
    places = 0
    for n in count(1):
        till = WalletTill(500)
        plan = till.card.faults = FaultPlan(fault, n)
        try:
            till.select()
            till.pay(200)
        except CardRemoved:
            put_back(till.card)
        till.card.faults = None
        till.select()
        paid = till.send(PROOF).endswith("9000")
        assert till.function.balance == (300 if paid else 500)
        if not plan.fired:
            break
        places += 1
    assert places == (3 if fault in {Fault.CUT_BEFORE, Fault.CUT_AFTER} else 1)
