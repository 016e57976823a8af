"""What a virtual medical account refuses, and what ends an open settlement (SSC §5.4)."""

import pytest

from cardio.virtual.card import Moment
from cardio.virtual.cards import social_security_card
from cardio.virtual.ldt_security import LdtSecurity
from tests.virtual.tearing import CHANGED, UNCHANGED, cut
from tests.virtual.till import TERMINAL, TIME, AccountTill, corrupt
from tests.virtual.wire import SELECT_DF04, SELECT_SSSE, VERIFY_RIGHT, VERIFY_WRONG, complete


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
    assert till.send(f"B0280002130100000000000000010000000{1}{TERMINAL}16") == "6A86"
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
    assert till.send("B02E000102000208") == "9406"
    assert till.send("B02E000302000208") == "6A86"
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


# ---- load --------------------------------------------------------------------------------------------------------


def test_load_moves_balance_counter_and_log(till: AccountTill) -> None:
    answer = till.send(till.prepare_load(300))
    assert answer.endswith("9000")
    assert state(till) == (10300, 0, 0, 0, 1)
    assert till.function.load_counter == 1
    assert till.function.log.records[0].hex().upper() == f"000031{TERMINAL}{TIME}0000012C{0:016X}"
    for kind in ("01", "31"):
        assert till.send(f"B02E00{kind}02000108") == f"00000000{answer}"
    for wrong in ("0002020001", "0001020000", "0001020002"):
        assert till.send(f"B02E{wrong}08") == "9406", wrong


def test_load_and_settlement_count_for_themselves(till: AccountTill) -> None:
    till.send(till.prepare_load())
    till.pay()
    assert (till.function.load_counter, till.function.purchase_counter) == (1, 1)
    assert till.send("B02E000102000108") == "9406"
    assert till.send("B02E000202000108").endswith("9000")


def test_wrong_mac2_is_9302_and_ends_the_load(till: AccountTill) -> None:
    credit = till.prepare_load()
    assert till.send(corrupt(credit)) == "9302"
    assert till.send(credit) == "6901"
    assert state(till) == UNTOUCHED


def test_credit_works_once(till: AccountTill) -> None:
    credit = till.prepare_load()
    assert till.send(credit).endswith("9000")
    assert till.send(credit) == "6901"


def test_load_and_settlement_do_not_close_each_other(till: AccountTill) -> None:
    credit, debit = till.prepare_load(), till.prepare()
    assert till.send(credit) == "6901"
    assert till.send(debit) == "6901"  # out of order leads to idle (SSC §5.4)
    till.prepare()
    credit = till.prepare_load()
    assert till.send(debit) == "6901"
    assert till.send(credit) == "6901"
    assert state(till) == UNTOUCHED


@pytest.mark.parametrize("between", ["B026000104", "B026000206", "B056010002", "B02E000202000108", "00B28F2803"])
def test_reads_keep_an_open_load(till: AccountTill, between: str) -> None:
    till.pay()
    credit = till.prepare_load()
    assert till.send(between).endswith("9000")
    assert till.send(credit).endswith("9000")


@pytest.mark.parametrize("between", [SELECT_DF04, VERIFY_WRONG, "B026000404", "B02E000202000908", "B056000002010199"])
def test_selecting_verifying_and_failing_end_an_open_load(till: AccountTill, between: str) -> None:
    credit = till.prepare_load()
    till.send(between)
    assert till.send(credit) == "6901"


def test_form_of_credit(till: AccountTill) -> None:
    credit = till.prepare_load()
    assert till.send(f"B02A00010B{credit[10:]}") == "6A86"
    assert till.send(credit) == "6901"
    credit = till.prepare_load()
    assert till.send(f"B02A00000A{credit[10:-4]}") == "6700"
    assert till.send(credit) == "6901"


def test_refusals_of_the_load_come_in_order(till: AccountTill) -> None:
    till.function.load_counter = 0xFFFF
    till.function.balance = 0xFFFFFFFF
    till.send(VERIFY_WRONG)
    assert till.send(f"B02800010A0900000001{TERMINAL[2:]}10") == "6700"
    assert till.open_load(key_index=9) == "6982"
    complete(till.card, VERIFY_RIGHT)
    assert till.open_load(key_index=9) == "9403"
    assert till.open_load() == "9402"
    till.function.load_counter = 0xFFFE
    assert till.open_load(1) == "6985"
    assert till.send(till.prepare_load(0)).endswith("9000")
    assert till.open_load(0) == "9402"


def test_load_needs_no_purchase_counter(till: AccountTill) -> None:
    till.function.purchase_counter = 0xFFFF
    assert till.send(till.prepare_load()).endswith("9000")


@pytest.mark.parametrize("moment", [*UNCHANGED, *CHANGED])
def test_load_changes_all_or_nothing(till: AccountTill, moment: Moment) -> None:
    credit = till.prepare_load(300)
    cut(till.card, moment, lambda: till.send(credit))
    done = moment in CHANGED
    assert state(till) == ((10300, 0, 0, 0, 1) if done else UNTOUCHED)
    assert till.function.load_counter == done
    assert (till.function.proof is not None) is done


# ---- payment year ------------------------------------------------------------------------------------------------


@pytest.fixture
def with_dsk(till: AccountTill) -> AccountTill:
    """The key of the starting day is presented."""
    security = till.card.security
    assert isinstance(security, LdtSecurity)
    key = next(key for key in security.keys["DF04"] if key.name == "DSK")
    challenge = bytes.fromhex(till.send("0084000008")[:-4])
    original = bytes(range(8))
    session = security.suite.challenge_key(key.keys[0], challenge)
    proof = security.suite.authentication(session, original)
    assert till.send(f"008200{key.kid:02X}10{proof.hex()}{original.hex()}") == "9000"
    return till


def test_starting_day_is_read_by_everybody_and_set_with_its_key(with_dsk: AccountTill) -> None:
    assert with_dsk.send("B056010002") == "01019000"
    assert with_dsk.send("B0560000020701") == "9000"
    assert with_dsk.send("B056010002") == "07019000"
    with_dsk.card.power_off()
    with_dsk.card.power_on()
    complete(with_dsk.card, SELECT_SSSE)
    complete(with_dsk.card, SELECT_DF04)
    assert with_dsk.send("B056010002") == "07019000"
    assert with_dsk.send("B0560000020101") == "6982"


def test_starting_day_needs_its_key_whatever_the_pin(till: AccountTill) -> None:
    assert till.send("B0560000020701") == "6982"
    assert till.function.start_day == 101


@pytest.mark.parametrize("day", ["0000", "0100", "0132", "0230", "1301", "0A01", "010A"])
def test_starting_day_is_a_day_of_the_calendar(with_dsk: AccountTill, day: str) -> None:
    assert with_dsk.send(f"B056000002{day}") == "6A80"
    assert with_dsk.function.start_day == 101


def test_leap_day_may_start_the_year(with_dsk: AccountTill) -> None:
    assert with_dsk.send("B0560000020229") == "9000"
    assert with_dsk.function.start_day == 229


def test_form_of_the_starting_day(with_dsk: AccountTill) -> None:
    for command, status in (
        ("B05600000107", "6700"), ("B056000003070101", "6700"), ("B0560100010702", "6700"), ("B056020000", "6A86"),
        ("B0560001020701", "6A86"),
    ):  # fmt: skip
        assert with_dsk.send(command) == status, command


def test_setting_the_starting_day_ends_an_open_transaction(with_dsk: AccountTill) -> None:
    debit = with_dsk.prepare()
    assert with_dsk.send("B0560000020701") == "9000"
    assert with_dsk.send(debit) == "6901"


def test_year_of_a_settlement_follows_the_starting_day(with_dsk: AccountTill) -> None:
    """Settlements of the till are on 2026-07-01."""
    with_dsk.function.payment_year = 2025
    with_dsk.pay()
    assert with_dsk.function.payment_year == 2026
    with_dsk.function.payment_year = 2025
    with_dsk.function.self_paid = 5
    with_dsk.send("B0560000020702")
    with_dsk.pay()
    assert (with_dsk.function.payment_year, with_dsk.function.self_paid) == (2025, 25)


@pytest.mark.parametrize(("moment", "day"), [(Moment.BEFORE_COMMIT, 101), (Moment.AFTER_COMMIT, 701)])
def test_starting_day_changes_with_its_commit(with_dsk: AccountTill, moment: Moment, day: int) -> None:
    cut(with_dsk.card, moment, lambda: with_dsk.send("B0560000020701"))
    assert with_dsk.function.start_day == day
