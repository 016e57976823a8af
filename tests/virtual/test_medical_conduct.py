"""What a virtual medical account refuses, and what ends an open settlement (SSC §5.4)."""

import pytest

from cardio.virtual.cards import social_security_card
from tests.virtual.till import TERMINAL, AccountTill, corrupt
from tests.virtual.wire import SELECT_DF04, SELECT_SSSE, VERIFY_WRONG, complete


@pytest.fixture
def till() -> AccountTill:
    return AccountTill()


def state(till: AccountTill) -> tuple[int, int, int, int, int]:
    function = till.function
    return function.balance, function.self_paid, function.pool, function.purchase_counter, len(function.log.records)


UNTOUCHED = (10000, 0, 0, 0, 0)
SETTLED = (9700, 20, 1000, 1, 1)


def test_settlement_moves_balance_totals_counter_and_log(till: AccountTill) -> None:
    assert till.pay().endswith("9000")
    assert state(till) == SETTLED


def test_debit_without_initialize_is_6901(till: AccountTill) -> None:
    debit = till.prepare()
    till.send(debit)
    assert till.send(debit) == "6901"
    assert state(till) == SETTLED


def test_wrong_mac1_is_9302_and_ends_the_settlement(till: AccountTill) -> None:
    debit = till.prepare()
    assert till.send(corrupt(debit)) == "9302"
    assert till.send(debit) == "6901"
    assert state(till) == UNTOUCHED


@pytest.mark.parametrize("amounts", [(301, 20, 1000), (300, 21, 1000), (300, 20, 1001)])
def test_mac1_covers_all_three_amounts(till: AccountTill, amounts: tuple[int, int, int]) -> None:
    debit = till.debit_command(till.initialize(), *amounts)
    assert till.send(debit) == "9302"
    assert state(till) == UNTOUCHED


@pytest.mark.parametrize("between", ["B026000104", "B026000206", "B026000306", "00B28F2803"])
def test_reads_keep_an_open_settlement(till: AccountTill, between: str) -> None:
    debit = till.prepare()
    assert till.send(between).endswith("9000")
    assert till.send(debit).endswith("9000")


def test_a_proof_keeps_an_open_settlement(till: AccountTill) -> None:
    till.pay()
    debit = till.prepare()
    assert till.send("B02E000202000108").endswith("9000")
    assert till.send(debit).endswith("9000")


@pytest.mark.parametrize(
    ("between", "status"),
    [("B026000404", "6A86"), ("B02E000202000908", "9406"), ("B02E000302000108", "6A86")],
)
def test_a_purse_command_that_fails_ends_an_open_settlement(till: AccountTill, between: str, status: str) -> None:
    debit = till.prepare()
    assert till.send(between) == status
    assert till.send(debit) == "6901"
    assert state(till) == UNTOUCHED


def test_malformed_debit_ends_the_open_settlement(till: AccountTill) -> None:
    debit = till.prepare()
    assert till.send(f"B02C01000E{debit[10:38]}08") == "6700"
    assert till.send(debit) == "6901"
    debit = till.prepare()
    assert till.send(f"B02C0101{debit[8:]}") == "6A86"
    assert till.send(debit) == "6901"
    assert state(till) == UNTOUCHED


@pytest.mark.parametrize("command", ["8026000104", "0026000104", "802E000202000108"])
def test_account_commands_have_a_class_of_their_own(till: AccountTill, command: str) -> None:
    till.pay()
    assert till.send(command) == "6D00"


def test_selecting_ends_an_open_settlement(till: AccountTill) -> None:
    debit = till.prepare()
    complete(till.card, SELECT_DF04)
    assert till.send(debit) == "6901"


def test_a_new_initialize_replaces_the_open_one(till: AccountTill) -> None:
    first = till.prepare()
    second = till.prepare()
    assert till.send(first) == "9302"
    third = till.prepare()
    assert till.send(second) == "9302"
    assert third != second
    assert till.pay().endswith("9000")


def test_everything_that_shows_or_moves_money_needs_the_pin() -> None:
    card = social_security_card()
    complete(card, SELECT_SSSE)
    complete(card, SELECT_DF04)
    initialize = f"B02801011301{0:08X}{1:08X}{1:08X}{TERMINAL}"
    for command in ("B026000104", "B026000206", "B026000306", initialize + "16"):
        assert complete(card, command) == "6982", command


def test_a_wrong_pin_locks_the_account_again(till: AccountTill) -> None:
    assert till.send(VERIFY_WRONG) == "63C5"
    assert till.send("B026000104") == "6982"
    assert till.initialize() == "6982"


def test_refusals_of_initialize(till: AccountTill) -> None:
    assert till.initialize(account=10001) == "9401"
    assert till.initialize(key_index=2) == "9403"
    till.function.purchase_counter = 0xFFFF
    assert till.initialize() == "9402"
    assert till.send(f"B0280001130100000000000000010000000{1}{TERMINAL}16") == "6A86"
    assert till.send(f"B02801010B0100000001{TERMINAL}16") == "6700"


def test_only_the_account_amount_is_held_against_the_balance(till: AccountTill) -> None:
    assert till.initialize(account=10000, self_pay=0xFFFFFFFE, pool=0xFFFFFFFE).endswith("9000")


def test_proof_before_any_settlement_is_9406(till: AccountTill) -> None:
    assert till.send("B02E000202000108") == "9406"


def test_proof_is_given_for_the_last_number_and_type_only(till: AccountTill) -> None:
    till.pay()
    answer = till.pay()
    proof = f"{answer[8:16]}{answer[:8]}9000"
    assert till.send("B02E000202000208") == proof
    assert till.send("B02E003202000208") == proof
    assert till.send("B02E000202000108") == "9406"
    assert till.send("B02E000202000308") == "9406"
    assert till.send("B02E000102000208") == "6A86"
    assert till.send("B02E0002010208") == "6700"
    assert till.send("B02E00020300000208") == "6700"


def test_proof_survives_power_off_and_needs_no_pin(till: AccountTill) -> None:
    answer = till.pay()
    till.card.power_off()
    till.card.power_on()
    complete(till.card, SELECT_SSSE)
    complete(till.card, SELECT_DF04)
    assert till.send("B02E000202000108") == f"{answer[8:16]}{answer[:8]}9000"


def test_yearly_total_that_is_full_stands_still_and_the_card_goes_on(till: AccountTill) -> None:
    till.function.self_paid = 0xFFFFFFFF
    assert till.pay().endswith("9000")
    assert till.function.self_paid == 0xFFFFFFFF
    assert till.pay().endswith("9000")
