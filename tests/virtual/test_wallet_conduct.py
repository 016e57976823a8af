"""What a virtual wallet refuses, in which order, and what ends an open purchase (EW §3.3, PC-6, PC-7, PC-11)."""

import pytest

from tests.virtual.till import TERMINAL, WalletTill, corrupt
from tests.virtual.wire import SELECT_WALLET, VERIFY_EMPTY, VERIFY_RIGHT, VERIFY_WRONG


@pytest.fixture
def till() -> WalletTill:
    return WalletTill()


def state(till: WalletTill) -> tuple[int, int, int]:
    return till.function.balance, till.function.offline_counter, len(till.function.log.records)


def test_purchase_moves_balance_counter_and_log(till: WalletTill) -> None:
    assert till.pay(200).endswith("9000")
    assert state(till) == (9800, 1, 1)
    assert till.pay(9800).endswith("9000")
    assert state(till) == (0, 2, 2)


def test_initialize_alone_changes_nothing(till: WalletTill) -> None:
    till.initialize()
    till.initialize()
    assert state(till) == (10000, 0, 0)


def test_every_initialize_brings_a_fresh_random(till: WalletTill) -> None:
    assert len({till.initialize()[22:30] for _ in range(8)}) == 8


def test_debit_without_initialize_is_6901(till: WalletTill) -> None:
    debit = till.prepare()
    assert till.send(debit).endswith("9000")
    assert till.send(debit) == "6901"
    assert state(till) == (9800, 1, 1)


def test_wrong_mac1_is_9302_and_ends_the_purchase(till: WalletTill) -> None:
    debit = till.prepare()
    assert till.send(corrupt(debit)) == "9302"
    assert till.send(debit) == "6901"
    assert state(till) == (10000, 0, 0)
    assert till.send("805A000602000108") == "6985"


def test_debit_of_another_initialize_is_9302(till: WalletTill) -> None:
    first = till.prepare()
    till.initialize()
    assert till.send(first) == "9302"
    assert state(till) == (10000, 0, 0)


def test_debit_of_another_amount_is_9302(till: WalletTill) -> None:
    debit = till.debit_command(till.initialize(200), amount=199)
    assert till.send(debit) == "9302"


@pytest.mark.parametrize(
    "between",
    [
        SELECT_WALLET + "00",
        "00A40000023F0000",
        "00A40000020018",
        "00A4040005D15600000100",
        VERIFY_RIGHT,
        VERIFY_WRONG,
        VERIFY_EMPTY,
        "805A000602000108",
    ],
)
def test_select_verify_and_purse_commands_end_an_open_purchase(till: WalletTill, between: str) -> None:
    till.pay()
    debit = till.prepare()
    till.send(between)
    if between.startswith("00A40000023F00"):
        till.select()
    assert till.send(debit) == "6901"
    assert state(till) == (9800, 1, 1)


@pytest.mark.parametrize("between", ["805C000204", "805C030204", "00B095001E", "00B201C417"])
def test_pure_reads_keep_an_open_purchase(till: WalletTill, between: str) -> None:
    debit = till.prepare()
    till.send(between)
    assert till.send(debit).endswith("9000")
    assert state(till) == (9800, 1, 1)


def test_power_off_ends_an_open_purchase(till: WalletTill) -> None:
    debit = till.prepare()
    till.card.power_off()
    till.card.power_on()
    till.select()
    assert till.send(debit) == "6901"


def test_refused_initialize_ends_the_open_purchase(till: WalletTill) -> None:
    debit = till.prepare()
    assert till.initialize(10001) == "9401"
    assert till.send(debit) == "6901"


def test_malformed_debit_ends_the_open_purchase(till: WalletTill) -> None:
    debit = till.prepare()
    assert till.send("805401000E" + debit[10:38] + "08") == "6700"
    assert till.send(debit) == "6901"
    debit = till.prepare()
    assert till.send("8054010100"[:8] + debit[8:]) == "6A86"
    assert till.send(debit) == "6901"


def test_amounts_up_to_the_balance_are_allowed(till: WalletTill) -> None:
    assert till.initialize(10001) == "9401"
    assert till.initialize(0x01000001) == "9401"
    assert till.initialize(0x7FFFFFFF) == "9401"
    assert till.initialize(10000).endswith("9000")
    assert till.pay(0).endswith("9000")


def test_last_counter_is_never_used_up(till: WalletTill) -> None:
    till.function.offline_counter = 0xFFFE
    assert till.pay().endswith("9000")
    assert till.function.offline_counter == 0xFFFF
    assert till.initialize() == "9402"


def test_checks_come_in_the_order_of_the_standard(till: WalletTill) -> None:
    till.function.offline_counter = 0xFFFF
    rest = f"{10001:08X}{TERMINAL}"
    assert till.send(f"805001030A09{rest[2:]}") == "6A86"  # P1 P2 before Lc
    assert till.send(f"805001020A09{rest[2:]}") == "6700"  # Lc before the key index
    assert till.send(f"805001020B09{rest}") == "9403"  # key index before the counter
    assert till.send(f"805001020B01{rest}") == "9402"  # counter before the amount
    till.function.offline_counter = 0
    assert till.send(f"805001020B01{rest}") == "9401"


@pytest.mark.parametrize("parameters", ["0202", "0301", "0402", "0502", "0602", "0100", "0103", "0001", "0101", "0201"])
def test_purposes_that_the_card_does_not_know_are_6a86(till: WalletTill, parameters: str) -> None:
    """Among them all of the passbook, which this card has not."""
    assert till.send(f"8050{parameters}0B0100000001{TERMINAL}0F") == "6A86"


@pytest.mark.parametrize("parameters", ["0001", "0000", "0102", "0502"])
def test_balances_that_are_not_there_are_6a86(till: WalletTill, parameters: str) -> None:
    assert till.send(f"805C{parameters}04") == "6A86"


def test_balance_takes_no_data_and_proof_takes_two_bytes(till: WalletTill) -> None:
    assert till.send("805C0002010004") == "6700"
    till.pay()
    assert till.send("805A0006010108") == "6700"
    assert till.send("805A00060300000108") == "6700"


@pytest.mark.parametrize("command", ["005C000204", "B05C000204", "005A000602000108", "0050010200"])
def test_purse_commands_have_a_class_of_their_own(till: WalletTill, command: str) -> None:
    till.pay()
    assert till.send(command) == "6D00"


def test_proof_before_any_transaction_is_6985(till: WalletTill) -> None:
    assert till.send("805A000602000108") == "6985"
    assert till.send("805A0006020000") == "6985"


def test_proof_is_given_for_the_last_number_and_type_only(till: WalletTill) -> None:
    till.pay()
    answer = till.pay()
    tac, mac2 = answer[:8], answer[8:16]
    assert till.send("805A000602000208") == f"{mac2}{tac}9000"
    for wrong in ("000602000108", "000602000308", "000602000008", "000902000208", "000502000208", "000202000208"):
        assert till.send("805A" + wrong) == "9406", wrong
    assert till.send("805A000602000208") == f"{mac2}{tac}9000"


def test_proof_survives_power_off_and_a_refused_purchase(till: WalletTill) -> None:
    answer = till.pay()
    till.card.power_off()
    till.card.power_on()
    till.select()
    till.send(corrupt(till.prepare()))
    assert till.send("805A000602000108") == f"{answer[8:16]}{answer[:8]}9000"


def test_log_keeps_the_ten_newest(till: WalletTill) -> None:
    for amount in range(1, 13):
        till.pay(amount)
    till.send(VERIFY_RIGHT)
    assert till.send("00B201C417").startswith("000C0000000000000C06")
    assert till.send("00B20AC417").startswith("00030000000000000306")
    assert till.send("00B20BC417") == "6A83"
