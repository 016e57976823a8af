"""Grey locks with a PSAM: its commands as EW §3.5 lays them out, with the values of vector 3des-grey-lock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cardio.errors import CardioError, CardRemoved, OperationUnsupported, SamFailed, SamKeyMissing, SamLocked
from cardio.security.keys import Mac2
from cardio.security.psam import Psam
from cardio.security.psam_grey import GreyAuthorization, GreyDebit, GreyOrder
from tests.crypto.vectors import all_vectors
from tests.purse.scripted import SELECT_MASTER_FILE, WALLET_SAM, ScriptedChannel, ScriptedSlot
from tests.security.test_psam import VECTOR as PURCHASE
from tests.security.test_psam_vectors import SELECT_MEDICAL_SAM, SELECT_WALLET_SAM, SETTLEMENT, init, order_of
from tests.virtual.vectors import Exchange

(VECTOR,) = (vector for vector in all_vectors() if vector.id == "3des-grey-lock")
RANDOM, TERMINAL_RANDOM = VECTOR.input("card_random"), VECTOR.input("terminal_random")
FACTOR, ISSUER = VECTOR.input("factor"), bytes.fromhex("2000FF0000000000")
COUNTER, BALANCE, AMOUNT, SEQUENCE = 0x51, 0x4E20, 0x1A2C, 0x777
ORDER = GreyOrder(
    application=WALLET_SAM,
    random=RANDOM,
    counter=COUNTER,
    balance=BALANCE,
    kind=0x92,
    time=VECTOR.input("lock_datetime"),
    key_version=0x01,
    algorithm_id=0x00,
    factors=(FACTOR,),
)
GRANTED = "000007772468ACE0D8E26A209000"


def lock(factors: str = "4170001234567890", answer: str = GRANTED) -> Exchange:
    """E0 40: random, counter, balance, type, date and time, version, algorithm, factors card first."""
    data = "13579BDF 0051 00004E20 92 20260320140000 01 00".replace(" ", "") + factors
    return Exchange(f"E0400000{len(data) // 2:02X}{data}0C", answer)


CHECK = Exchange("E0420000042E4F3E10", "9000")
DEBIT = Exchange("E04400000F 94 4170001234567890 0051 00001A2C 08".replace(" ", ""), "A463FB740652C22F9000")


def over(*script: Exchange, lost: Exception | None = None) -> tuple[Psam, ScriptedSlot]:
    slot = ScriptedSlot()
    slot.channel = ScriptedChannel([SELECT_MASTER_FILE, SELECT_WALLET_SAM, *script], lost=lost)
    return Psam(slot), slot


def test_lock_check_and_debit_are_the_bytes_of_the_table() -> None:
    psam, slot = over(lock(), CHECK, DEBIT)
    with psam.hold() as session:
        grey = session.grey(WALLET_SAM)
        assert grey.lock(ORDER) == GreyAuthorization(SEQUENCE, TERMINAL_RANDOM, VECTOR.output("MAC1"))
        assert grey.check(VECTOR.output("MAC2")) is Mac2.OK
        assert grey.debit(0x94, FACTOR, COUNTER, AMOUNT) == GreyDebit(VECTOR.output("GMAC"), VECTOR.output("TAC"))
    slot.channel.assert_finished()


def test_lengths_are_those_of_the_table() -> None:
    assert (lock().command[8:10], lock("00" * 16).command[8:10], DEBIT.command[8:10]) == ("1C", "24", "0F")


def test_levels_are_tried_until_the_psam_agrees_card_factor_first() -> None:
    psam, slot = over(lock(answer="6A80"), lock(FACTOR.hex().upper() + ISSUER.hex().upper()))
    order = replace(ORDER, factors=(ISSUER, FACTOR))
    assert psam.grey(WALLET_SAM).lock(order).sequence == SEQUENCE
    slot.channel.assert_finished()


def test_a_psam_that_refuses_every_level_has_no_key() -> None:
    psam, slot = over(lock(answer="6A80"))
    with pytest.raises(SamKeyMissing):
        psam.grey(WALLET_SAM).lock(ORDER)
    slot.channel.assert_finished()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("6A88", SamKeyMissing),
        ("6983", SamLocked),
        ("6985", SamFailed),
        ("6D00", OperationUnsupported),
        ("6E00", OperationUnsupported),
        ("9000", SamFailed),
        ("00" * 11, SamFailed),
    ],
)
def test_a_refused_lock_or_debit_is_an_error(answer: str, error: type[CardioError]) -> None:
    psam, _ = over(lock(answer=answer), Exchange(DEBIT.command, answer))
    grey = psam.grey(WALLET_SAM)
    with pytest.raises(error):
        grey.lock(ORDER)
    with pytest.raises(error):
        grey.debit(0x94, FACTOR, COUNTER, AMOUNT)


@pytest.mark.parametrize(("answer", "result"), [("9302", Mac2.WRONG), ("63C2", Mac2.WRONG), ("6901", Mac2.UNCHECKED)])
def test_a_check_says_wrong_or_nothing(answer: str, result: Mac2) -> None:
    psam, _ = over(Exchange(CHECK.command, answer))
    assert psam.grey(WALLET_SAM).check(VECTOR.output("MAC2")) is result


def test_a_psam_that_vanishes_cannot_check() -> None:
    psam, _ = over(lost=CardRemoved("gone"))
    assert psam.grey(WALLET_SAM).check(VECTOR.output("MAC2")) is Mac2.UNCHECKED


def test_the_application_is_selected_again_after_another_purse_was_served() -> None:
    granted = Exchange(init(2, "").command, "0000002AF01120FD9000")
    selects = (SELECT_MASTER_FILE, SELECT_MEDICAL_SAM, granted, SELECT_MASTER_FILE, SELECT_WALLET_SAM)
    psam, slot = over(lock(), *selects, DEBIT)
    with psam.hold() as session:
        session.grey(WALLET_SAM).lock(ORDER)
    with psam.hold() as session:
        session.authorize(SETTLEMENT)
    with psam.hold() as session:
        assert session.grey(WALLET_SAM).debit(0x94, FACTOR, COUNTER, AMOUNT).gmac == VECTOR.output("GMAC")
    slot.channel.assert_finished()


def test_a_lock_gives_up_an_open_purchase() -> None:
    psam, slot = over(PURCHASE.sam_init, lock())
    order = order_of(PURCHASE)
    torn = psam.authorize(order)
    psam.grey(WALLET_SAM).lock(ORDER)
    assert psam.recheck_mac2(order, torn, PURCHASE.mac2) is Mac2.UNCHECKED
    slot.channel.assert_finished()
