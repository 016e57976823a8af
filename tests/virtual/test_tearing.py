"""A virtual card changes wholly or not at all, wherever a hook tears it out (EW §3.4, §4.5; SSC §7.2)."""

from typing import Any

import pytest

from cardio.virtual.card import Moment
from cardio.virtual.cards import citizen_card, psam
from cardio.virtual.psam import PsamFunction
from cardio.virtual.received import Received
from tests.virtual.tearing import CHANGED, UNCHANGED, cut
from tests.virtual.till import AccountTill, WalletTill
from tests.virtual.wire import VERIFY_RIGHT, VERIFY_WRONG, complete, send


@pytest.fixture
def wallet() -> WalletTill:
    till = WalletTill()
    till.pay(100)
    return till


@pytest.fixture
def account() -> AccountTill:
    till = AccountTill()
    till.pay()
    return till


def wallet_state(till: WalletTill) -> tuple[Any, ...]:
    function = till.function
    return function.balance, function.offline_counter, function.proof, tuple(function.log.records)


def account_state(till: AccountTill) -> tuple[Any, ...]:
    function = till.function
    totals = function.self_paid, function.pool, function.payment_year
    return function.balance, totals, function.purchase_counter, function.proof, tuple(function.log.records)


@pytest.mark.parametrize("moment", UNCHANGED)
def test_wallet_torn_before_the_commit_has_changed_nothing(wallet: WalletTill, moment: Moment) -> None:
    before = wallet_state(wallet)
    debit = wallet.prepare(200)
    cut(wallet.card, moment, lambda: wallet.send(debit))
    assert wallet_state(wallet) == before
    wallet.select()
    assert wallet.send("805A000602000208") == "9406"
    assert wallet.send("805A000602000108").endswith("9000")
    assert wallet.send(debit) == "6901"


@pytest.mark.parametrize("moment", CHANGED)
def test_wallet_torn_after_the_commit_has_changed_everything(wallet: WalletTill, moment: Moment) -> None:
    debit = wallet.prepare(200)
    cut(wallet.card, moment, lambda: wallet.send(debit))
    balance, counter, _, records = wallet_state(wallet)
    assert (balance, counter, len(records)) == (9700, 2, 2)
    assert records[0].startswith(bytes.fromhex("0002000000000000C806"))
    wallet.select()
    assert wallet.send("805A000602000208").endswith("9000")
    assert wallet.send("805A000602000108") == "9406"
    assert wallet.send(debit) == "6901"


def test_proof_after_a_tear_is_the_answer_that_was_lost(wallet: WalletTill) -> None:
    debit = wallet.prepare(200)
    answers: list[str] = []

    def hook(reached: Moment, command: Received) -> None:
        if reached is Moment.AFTER_COMMIT and wallet.function.proof is not None:
            answers.append((wallet.function.proof.mac2 + wallet.function.proof.tac).hex().upper())

    wallet.card.hook = hook
    answer = wallet.send(debit)
    assert answers == [answer[8:16] + answer[:8]]
    assert wallet.send("805A000602000208") == f"{answers[0]}9000"


@pytest.mark.parametrize("moment", UNCHANGED)
def test_account_torn_before_the_commit_has_changed_nothing(account: AccountTill, moment: Moment) -> None:
    before = account_state(account)
    debit = account.prepare()
    cut(account.card, moment, lambda: account.send(debit))
    assert account_state(account) == before


@pytest.mark.parametrize("moment", CHANGED)
def test_account_torn_after_the_commit_has_changed_everything(account: AccountTill, moment: Moment) -> None:
    debit = account.prepare()
    cut(account.card, moment, lambda: account.send(debit))
    balance, totals, counter, proof, records = account_state(account)
    assert (balance, totals, counter, len(records)) == (9400, (40, 2000, 2026), 2, 2)
    assert proof.number == 2


@pytest.mark.parametrize(("moment", "left"), [(Moment.BEFORE_COMMIT, 6), (Moment.AFTER_COMMIT, 5)])
def test_pin_counter_changes_with_its_commit(moment: Moment, left: int) -> None:
    card = citizen_card()
    cut(card, moment, lambda: send(card, VERIFY_WRONG))
    assert card.pin is not None
    assert card.pin.tries_left == left


def test_a_right_pin_that_was_torn_gives_no_rights() -> None:
    till = WalletTill()
    cut(till.card, Moment.AFTER_COMMIT, lambda: till.send(VERIFY_RIGHT))
    till.select()
    assert till.send("00B201C417") == "6982"


@pytest.mark.parametrize(("moment", "sequence"), [(Moment.BEFORE_COMMIT, 1), (Moment.AFTER_COMMIT, 2)])
def test_psam_sequence_changes_with_its_commit(moment: Moment, sequence: int) -> None:
    till = WalletTill()
    answer = till.pay()
    sam = till.sam
    function = sam.current.function
    assert isinstance(function, PsamFunction)
    cut(sam, moment, lambda: complete(sam, f"8072000004{answer[8:16]}"))
    assert function.sequence == sequence


def test_moments_of_a_command_come_in_order() -> None:
    till = WalletTill()
    debit = till.prepare()
    seen: list[Moment] = []

    def hook(moment: Moment, command: Received) -> None:
        seen.append(moment)

    till.card.hook = hook
    till.send(debit)
    assert seen == [Moment.COMMAND, Moment.BEFORE_COMMIT, Moment.AFTER_COMMIT, Moment.ANSWER]
    seen.clear()
    till.send("805C000204")
    assert seen == [Moment.COMMAND, Moment.ANSWER]


def test_hook_sees_the_command_that_runs() -> None:
    card = psam()
    seen: list[tuple[int, int]] = []

    def hook(moment: Moment, command: Received) -> None:
        seen.append(command.instruction)

    card.hook = hook
    send(card, "00B0960006")
    assert seen == [(0x00, 0xB0), (0x00, 0xB0)]
