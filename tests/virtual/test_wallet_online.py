"""Loads, unloads and overdraft updates of a virtual wallet, and its passbook (EW §3.2, §3.3, §4.5, PC-5 to PC-11)."""

from collections.abc import Callable
from typing import Any

import pytest

from cardio.virtual.card import Moment
from cardio.virtual.wallet_purse import PurseNumber, StoredPurse
from tests.virtual.tearing import CHANGED, UNCHANGED, cut
from tests.virtual.till import TERMINAL, TIME, WalletTill, corrupt
from tests.virtual.wire import SELECT_WALLET, VERIFY_RIGHT, VERIFY_WRONG

Prepare = Callable[[WalletTill], str]
PREPARED: dict[str, Prepare] = {
    "load": WalletTill.prepare_load,
    "passbook load": WalletTill.prepare_passbook_load,
    "unload": WalletTill.prepare_unload,
    "overdraft": WalletTill.prepare_limit,
}
OPENINGS = {
    "load": f"805000020B01{300:08X}{TERMINAL}10",
    "passbook load": f"805000010B01{300:08X}{TERMINAL}10",
    "passbook purchase": f"805001010B01{300:08X}{TERMINAL}0F",
    "cash": f"805002010B01{300:08X}{TERMINAL}0F",
    "overdraft": f"805004010701{TERMINAL}13",
    "unload": f"805005010B01{300:08X}{TERMINAL}10",
}
ONLINE = frozenset({"load", "passbook load", "overdraft", "unload"})
OPENINGS_BY_NAME = [pytest.param(command, id=name) for name, command in OPENINGS.items()]
every = pytest.mark.parametrize("prepare", [pytest.param(prepare, id=name) for name, prepare in PREPARED.items()])


@pytest.fixture
def till() -> WalletTill:
    """A card with both purses, PIN presented; the passbook holds 50.00, of which 20.00 are overdraft."""
    till = WalletTill(passbook_fen=5000, overdraft_fen=2000)
    assert till.send(VERIFY_RIGHT) == "9000"
    return till


def passbook(till: WalletTill) -> StoredPurse:
    found = till.function.passbook
    assert found is not None
    return found


def state(till: WalletTill) -> tuple[Any, ...]:
    """Everything that a transaction may change."""
    function, book = till.function, passbook(till)
    purse = function.balance, function.online_counter, function.offline_counter
    other = book.balance, book.overdraft_limit, book.online_counter, book.offline_counter
    return purse, other, function.proof, tuple(function.log.records)


UNTOUCHED = ((10000, 0, 0), (5000, 2000, 0, 0), None, ())


# ---- what they do ------------------------------------------------------------------------------------------------


def logged(till: WalletTill) -> list[str]:
    return [record.hex().upper() for record in till.function.log.records]


def test_load_moves_balance_online_counter_and_log(till: WalletTill) -> None:
    assert till.send(till.prepare_load(300)).endswith("9000")
    purse, other, _, _ = state(till)
    assert (purse, other) == ((10300, 1, 0), (5000, 2000, 0, 0))
    assert logged(till) == [f"00010000000000012C02{TERMINAL}{TIME}"]


def test_passbook_load_moves_the_passbook_only(till: WalletTill) -> None:
    assert till.send(till.prepare_passbook_load(300)).endswith("9000")
    purse, other, _, _ = state(till)
    assert (purse, other) == ((10000, 0, 0), (5300, 2000, 1, 0))
    assert logged(till) == [f"00010007D00000012C01{TERMINAL}{TIME}"]


def test_unload_takes_money_from_the_passbook(till: WalletTill) -> None:
    assert till.send(till.prepare_unload(300)).endswith("9000")
    purse, other, _, _ = state(till)
    assert (purse, other) == ((10000, 0, 0), (4700, 2000, 1, 0))
    assert logged(till) == [f"00010007D00000012C03{TERMINAL}{TIME}"]


@pytest.mark.parametrize(("limit", "balance"), [(3000, 6000), (0, 3000), (2000, 5000), (0xFFFFFF, 3000 + 0xFFFFFF)])
def test_balance_moves_by_the_difference_of_the_limits(till: WalletTill, limit: int, balance: int) -> None:
    assert till.send(till.prepare_limit(limit)).endswith("9000")
    assert state(till)[:2] == ((10000, 0, 0), (balance, limit, 1, 0))
    assert logged(till) == [f"0001{limit:06X}0000000007{TERMINAL}{TIME}"]


@pytest.mark.parametrize(("purpose", "kind"), [("0101", 0x05), ("0201", 0x04)])
def test_passbook_pays_and_gives_cash_off_line(till: WalletTill, purpose: str, kind: int) -> None:
    opened = till.initialize(5000, purpose=purpose)
    assert opened.startswith("00001388" + "0000" + "0007D0")
    assert till.send(till.debit_command(opened, 5000, kind)).endswith("9000")
    assert state(till)[:2] == ((10000, 0, 0), (0, 2000, 0, 1))
    assert logged(till) == [f"00010007D000001388{kind:02X}{TERMINAL}{TIME}"]


def test_load_of_nothing_counts_and_is_logged(till: WalletTill) -> None:
    """EW PC-3."""
    assert till.send(till.prepare_load(0)).endswith("9000")
    assert state(till)[0] == (10000, 1, 0)
    assert len(till.function.log.records) == 1


@every
def test_proof_replaces_the_one_before(till: WalletTill, prepare: Prepare) -> None:
    till.send(till.prepare_load())
    till.send(till.prepare_passbook_load())
    answer = till.send(prepare(till))
    proof = till.function.proof
    assert proof is not None
    assert till.send(f"805A00{proof.kind:02X}02{proof.number:04X}08") == f"00000000{answer}"
    assert till.send(f"805A00{proof.kind:02X}02{proof.number - 1:04X}08") == "9406"
    assert till.send(f"805A000602{proof.number:04X}08") == "9406"
    till.pay()
    assert till.send(f"805A00{proof.kind:02X}02{proof.number:04X}08") == "9406"


# ---- what they refuse --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opening", OPENINGS_BY_NAME)
def test_initialize_alone_changes_nothing(till: WalletTill, opening: str) -> None:
    assert till.send(opening).endswith("9000")
    assert state(till) == UNTOUCHED


@every
def test_closing_command_works_once(till: WalletTill, prepare: Prepare) -> None:
    closing = prepare(till)
    assert till.send(closing).endswith("9000")
    after = state(till)
    assert till.send(closing) == "6901"
    assert state(till) == after


@every
def test_wrong_mac2_is_9302_and_ends_the_transaction(till: WalletTill, prepare: Prepare) -> None:
    closing = prepare(till)
    assert till.send(corrupt(closing)) == "9302"
    assert till.send(closing) == "6901"
    assert state(till) == UNTOUCHED


@every
def test_grant_is_good_for_one_initialize_only(till: WalletTill, prepare: Prepare) -> None:
    first = prepare(till)
    prepare(till)
    assert till.send(first) == "9302"
    assert state(till) == UNTOUCHED


@every
@pytest.mark.parametrize(
    "between",
    [
        SELECT_WALLET + "00", "00A40000020018", VERIFY_RIGHT, VERIFY_WRONG, "805A000602000108", "80DC00F000",
        f"805001020B0100000001{TERMINAL}0F", f"805001020B0900000001{TERMINAL}0F", "805404000B" + "00" * 11,
    ],
)  # fmt: skip
def test_select_verify_and_purse_commands_end_the_transaction(till: WalletTill, prepare: Prepare, between: str) -> None:
    closing = prepare(till)
    till.send(between)
    assert till.send(closing) == "6901"
    assert state(till) == UNTOUCHED


@every
@pytest.mark.parametrize("between", ["805C000204", "805C000104", "805C030204", "00B095001E", "00B201C417"])
def test_pure_reads_keep_the_transaction(till: WalletTill, prepare: Prepare, between: str) -> None:
    closing = prepare(till)
    till.send(between)
    assert till.send(closing).endswith("9000")


def test_power_off_ends_the_transaction(till: WalletTill) -> None:
    closing = till.prepare_load()
    till.card.power_off()
    till.card.power_on()
    till.select()
    assert till.send(closing) == "6901"


@pytest.mark.parametrize("other", PREPARED)
@every
def test_closing_command_of_another_transaction_is_6901(till: WalletTill, prepare: Prepare, other: str) -> None:
    """The two loads are closed by one command, whose MAC2 then is wrong."""
    wanted = prepare(till)
    opened_after = PREPARED[other](till)
    same = wanted[:8] == opened_after[:8]
    assert till.send(wanted) == ("9302" if same else "6901")
    assert till.send(opened_after) == "6901"
    assert state(till) == UNTOUCHED


def test_purchase_is_not_closed_by_online_commands(till: WalletTill) -> None:
    for closing in ("805200000B", "805403000B"):
        till.initialize()
        assert till.send(closing + "00" * 11 + "04") == "6901"
    till.initialize()
    assert till.send("805800000E" + "00" * 14 + "04") == "6901"
    till.open_load()
    assert till.send("805401000F" + "00" * 15 + "08") == "6901"


@every
def test_form_comes_after_state_and_before_mac2(till: WalletTill, prepare: Prepare) -> None:
    closing = prepare(till)
    header, data = closing[:8], closing[10:-2]
    size = len(data) // 2
    assert till.send(f"{header[:6]}01{size:02X}{data}04") == "6A86"
    assert till.send(closing) == "6901"
    prepare(till)
    assert till.send(f"{header}{size - 1:02X}{data[2:]}04") == "6700"
    assert till.send(closing) == "6901"
    assert state(till) == UNTOUCHED


@pytest.mark.parametrize("name", OPENINGS)
def test_checks_of_initialize_come_in_the_order_of_the_standard(name: str) -> None:
    till = WalletTill(passbook_fen=100, load_needs_pin=True)
    command = OPENINGS[name]
    purse = till.function.purse if name == "load" else passbook(till)
    purse.online_counter = purse.offline_counter = 0xFFFF
    till.function.max_balance = 100
    wrong_key = command[:10] + "09" + command[12:]
    size = int(command[8:10], 16)
    shorter = f"{command[:8]}{size - 1:02X}{wrong_key[12:]}"
    assert till.send(shorter[:6] + "03" + shorter[8:]) == "6A86"  # P1 P2 before Lc
    assert till.send(shorter) == "6700"  # Lc before the PIN
    assert till.send(wrong_key) == "6982"  # the PIN before the key index
    till.send(VERIFY_RIGHT)
    assert till.send(wrong_key) == "9403"  # the key index before the counter
    assert till.send(command) == "9402"  # the counter before the amount
    purse.online_counter, purse.offline_counter = (0, 0xFFFF) if name in ONLINE else (0xFFFF, 0)
    refused = {"load": "6985", "passbook load": "6985", "overdraft": "9000"}
    assert till.send(command).endswith(refused.get(name, "9401"))


def test_load_up_to_the_largest_balance(till: WalletTill) -> None:
    """EW PC-5."""
    till.function.max_balance = 12000
    assert till.open_load(2001) == "6985"
    assert till.open_load(0xFFFFFFFF) == "6985"
    assert till.open_load(7001, purse=1) == "6985"
    assert till.send(till.prepare_load(2000)).endswith("9000")
    assert till.open_load(1) == "6985"
    assert till.open_load(0).endswith("9000")


def test_largest_balance_is_that_of_four_bytes_with_the_top_bit_clear() -> None:
    till = WalletTill(balance_fen=0x7FFFFFFE, load_needs_pin=False)
    assert till.open_load(2) == "6985"
    assert till.send(till.prepare_load(1)).endswith("9000")
    assert till.send("805C000204") == "7FFFFFFF9000"


def test_unload_of_more_than_the_balance_is_9401(till: WalletTill) -> None:
    assert till.send(f"805005010B01{5001:08X}{TERMINAL}10") == "9401"
    assert till.send(till.prepare_unload(5000)).endswith("9000")


def test_limit_below_what_is_in_use_is_9401(till: WalletTill) -> None:
    passbook(till).balance = 500  # 15.00 of the limit of 20.00 are in use
    before = state(till)
    closing = till.prepare_limit(1499)
    assert till.send(closing) == "9401"
    assert till.send(closing) == "6901"
    assert state(till) == before
    assert till.send(till.prepare_limit(1500)).endswith("9000")
    assert passbook(till).balance == 0


def test_limit_beyond_the_largest_balance_is_6985(till: WalletTill) -> None:
    till.function.max_balance = 6000
    assert till.send(till.prepare_limit(3001)) == "6985"
    assert state(till) == UNTOUCHED


def test_money_of_the_purse_cannot_be_unloaded_nor_its_limit_changed(till: WalletTill) -> None:
    """EW §3.6."""
    assert till.send(f"805005020B0100000001{TERMINAL}10") == "6A86"
    assert till.send(f"805004020701{TERMINAL}13") == "6A86"


def test_passbook_needs_the_pin_for_everything_and_the_purse_as_it_is_set() -> None:
    till = WalletTill(passbook_fen=5000, load_needs_pin=False)
    for name, command in OPENINGS.items():
        assert till.send(command).endswith("9000" if name == "load" else "6982"), name
    assert till.send("805C000104") == "6982"
    assert till.send("805C000204").endswith("9000")
    till.function.load_needs_pin = True
    assert till.open_load() == "6982"
    till.send(VERIFY_RIGHT)
    assert till.send("805C000104") == "000013889000"
    assert till.open_load().endswith("9000")


@pytest.mark.parametrize("number", [PurseNumber.PASSBOOK, PurseNumber.PURSE])
def test_online_counter_has_a_last_number(till: WalletTill, number: PurseNumber) -> None:
    """EW PC-11."""
    till.function.purse_numbered(number).online_counter = 0xFFFE
    closing = till.prepare_load() if number is PurseNumber.PURSE else till.prepare_passbook_load()
    assert till.send(closing).endswith("9000")
    assert till.open_load(purse=number) == "9402"
    assert till.initialize(purpose=f"01{number:02X}").endswith("9000")


# ---- tearing -----------------------------------------------------------------------------------------------------


def prepare_purchase(till: WalletTill) -> str:
    return till.debit_command(till.initialize(300, purpose="0101"), 300, 0x05)


every_closing = pytest.mark.parametrize(
    "prepare", [pytest.param(one, id=name) for name, one in {**PREPARED, "passbook purchase": prepare_purchase}.items()]
)


@every_closing
@pytest.mark.parametrize("moment", UNCHANGED)
def test_torn_before_the_commit_nothing_has_changed(till: WalletTill, prepare: Prepare, moment: Moment) -> None:
    closing = prepare(till)
    cut(till.card, moment, lambda: till.send(closing))
    assert state(till) == UNTOUCHED
    till.select()
    assert till.send(closing) == "6901"


@every_closing
@pytest.mark.parametrize("moment", CHANGED)
def test_torn_after_the_commit_everything_has_changed(till: WalletTill, prepare: Prepare, moment: Moment) -> None:
    whole = WalletTill(passbook_fen=5000, overdraft_fen=2000)
    for one in (whole, till):
        one.send(VERIFY_RIGHT)
        one.card.random = lambda size: b"\x11" * size
    whole.send(prepare(whole))
    closing = prepare(till)
    cut(till.card, moment, lambda: till.send(closing))
    assert state(till) == state(whole) != UNTOUCHED
    till.select()
    assert till.send(closing) == "6901"
    proof = till.function.proof
    assert proof is not None
    answer = f"{proof.mac2.hex()}{proof.tac.hex()}9000".upper()
    assert till.send(f"805A00{proof.kind:02X}02{proof.number:04X}08") == answer
