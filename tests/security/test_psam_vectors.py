"""The PSAM as the terminal uses it, held to EW §10 and SSC §9.3 without any virtual PSAM."""

from dataclasses import replace

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.errors import CardioError, SamFailed, SamKeyMissing, SamLocked, SamNoPurchase
from cardio.security.keys import Authorization, Mac2, PurchaseOrder
from cardio.security.psam import Psam
from cardio.transport.channel import CardProtocol
from tests.purse.scripted import MEDICAL_SAM, SELECT_MASTER_FILE, WALLET_SAM, ScriptedSlot
from tests.virtual.settlements import (
    AMOUNTS,
    CARD_FACTOR,
    CITY_FACTOR,
    COUNTER,
    PROVINCE_FACTOR,
    RANDOM,
    SEQUENCE,
    SETTLEMENTS,
    TIME,
    SettlementVector,
)
from tests.virtual.vectors import Exchange, PurchaseVector, ep_purchases

PURCHASES = [pytest.param(vector, id=vector.name) for vector in ep_purchases()]
SELECT_WALLET_SAM = Exchange("00A4000002100100", "9000")
SELECT_MEDICAL_SAM = Exchange("00A4000002DF0100", "9000")
protocols = pytest.mark.parametrize("protocol", list(CardProtocol))


def order_of(vector: PurchaseVector) -> PurchaseOrder:
    return PurchaseOrder(
        application=replace(WALLET_SAM, levels=len(vector.factors)),
        algorithm=vector.suite.algorithm,
        random=vector.random,
        counter=vector.counter,
        amounts=(vector.amount,),
        kind=0x06,
        time=bytes.fromhex(vector.time),
        key_version=vector.key_version,
        algorithm_id=vector.algorithm_id,
        factors=vector.factors,
    )


SETTLEMENT = PurchaseOrder(
    application=MEDICAL_SAM,
    algorithm=Algorithm.TRIPLE_DES,
    random=RANDOM,
    counter=COUNTER,
    amounts=AMOUNTS,
    kind=0x32,
    time=bytes.fromhex(TIME),
    key_version=0x01,
    algorithm_id=0x00,
    factors=(PROVINCE_FACTOR, CITY_FACTOR, CARD_FACTOR),
)


@protocols
@pytest.mark.parametrize("vector", PURCHASES)
def test_terminal_sends_every_psam_apdu_of_the_vector(vector: PurchaseVector, protocol: CardProtocol) -> None:
    slot = ScriptedSlot(SELECT_MASTER_FILE, SELECT_WALLET_SAM, vector.sam_init, vector.sam_credit, protocol=protocol)
    psam = Psam(slot)
    assert psam.authorize(order_of(vector)) == Authorization(vector.sequence, vector.mac1)
    assert psam.check_mac2(vector.mac2) is Mac2.OK
    slot.channel.assert_finished()


@protocols
@pytest.mark.parametrize("vector", [pytest.param(vector, id=name) for name, vector in SETTLEMENTS.items()])
def test_terminal_sends_every_psam_apdu_of_the_settlement(vector: SettlementVector, protocol: CardProtocol) -> None:
    slot = ScriptedSlot(SELECT_MASTER_FILE, SELECT_MEDICAL_SAM, vector.sam_init, vector.sam_credit, protocol=protocol)
    psam = Psam(slot)
    order = replace(SETTLEMENT, algorithm=vector.algorithm, algorithm_id=vector.algorithm_id)
    assert psam.authorize(order) == Authorization(SEQUENCE, bytes.fromhex(vector.mac1))
    assert psam.check_mac2(bytes.fromhex(vector.mac2)) is Mac2.OK
    slot.channel.assert_finished()


# ---- levels ------------------------------------------------------------------------------------------------------

ORDER_DATA = "A1B2C3D4 0005 00000000 00002710 00001F40 32 20260115093045 01 00".replace(" ", "")
WIRE_FACTORS = ("86605199000001AC", "3531393930307378", "3531303030307368")
"""Card first, then city, then province (SSC §6.3)."""
GRANTED = "0000002AF01120FD9000"


def init(levels: int, answer: str) -> Exchange:
    data = ORDER_DATA + "".join(WIRE_FACTORS[:levels])
    return Exchange(f"80700100{len(data) // 2:02X}{data}08", answer)


def over(*script: Exchange) -> tuple[Psam, ScriptedSlot]:
    slot = ScriptedSlot(SELECT_MASTER_FILE, SELECT_MEDICAL_SAM, *script)
    return Psam(slot), slot


@pytest.mark.parametrize(
    ("declared", "tried"),
    [
        (2, (2, 1, 3)),
        (1, (1, 2, 3)),
        (3, (3, 1, 2)),
    ],
)
def test_levels_are_tried_in_order_until_the_psam_agrees(declared: int, tried: tuple[int, ...]) -> None:
    order = replace(SETTLEMENT, application=replace(MEDICAL_SAM, levels=declared))
    for agreed in range(3):
        answers = ["6A80"] * agreed + [GRANTED]
        psam, slot = over(*(init(levels, answer) for levels, answer in zip(tried, answers, strict=False)))
        assert psam.authorize(order) == Authorization(0x2A, bytes.fromhex("F01120FD"))
        slot.channel.assert_finished()


def test_psam_that_refuses_every_number_of_levels_has_no_key() -> None:
    psam, slot = over(init(2, "6A80"), init(1, "6A80"), init(3, "6A80"))
    with pytest.raises(SamKeyMissing):
        psam.authorize(SETTLEMENT)
    slot.channel.assert_finished()


def test_no_more_levels_are_tried_than_the_card_has_factors() -> None:
    psam, slot = over(init(1, "6A80"))
    with pytest.raises(SamKeyMissing):
        psam.authorize(replace(SETTLEMENT, factors=(CARD_FACTOR,)))
    slot.channel.assert_finished()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("6A88", SamKeyMissing),
        ("9403", SamNoPurchase),
        ("6983", SamLocked),
        ("6D00", SamFailed),
        ("9000", SamFailed),  # no answer data
        ("0000002AF011209000", SamFailed),
        ("0000002AF01120FD009000", SamFailed),
    ],
)
def test_any_other_refusal_ends_the_order_at_once(status: str, error: type[CardioError]) -> None:
    psam, slot = over(init(2, status))
    with pytest.raises(error):
        psam.authorize(SETTLEMENT)
    slot.channel.assert_finished()


# ---- files -------------------------------------------------------------------------------------------------------


def test_terminal_number_and_key_index_are_read_once() -> None:
    slot = ScriptedSlot(
        SELECT_MASTER_FILE,
        Exchange("00B0960006", "1122334455669000"),
        SELECT_MASTER_FILE,
        SELECT_WALLET_SAM,
        Exchange("00B0970001", "419000"),
    )
    psam = Psam(slot)
    for _ in range(3):
        assert psam.terminal_number() == bytes.fromhex("112233445566")
        assert psam.key_index(WALLET_SAM) == 0x41
    slot.channel.assert_finished()


def test_application_may_be_selected_by_name() -> None:
    named = replace(MEDICAL_SAM, selector=bytes.fromhex("D15600000590"))
    slot = ScriptedSlot(
        SELECT_MASTER_FILE,
        Exchange("00A4040006D1560000059000", "9000"),
        Exchange("00B09C0001", "019000"),
    )
    assert Psam(slot).key_index(named) == 1


def test_application_that_is_missing_is_a_missing_key() -> None:
    slot = ScriptedSlot(SELECT_MASTER_FILE, Exchange(SELECT_WALLET_SAM.command, "6A82"))
    with pytest.raises(SamKeyMissing):
        Psam(slot).key_index(WALLET_SAM)


def test_failed_selection_is_repeated_the_next_time() -> None:
    slot = ScriptedSlot(
        SELECT_MASTER_FILE,
        Exchange(SELECT_WALLET_SAM.command, "6F00"),
        SELECT_MASTER_FILE,
        SELECT_WALLET_SAM,
        Exchange("00B0970001", "019000"),
    )
    psam = Psam(slot)
    with pytest.raises(SamFailed):
        psam.key_index(WALLET_SAM)
    assert psam.key_index(WALLET_SAM) == 1


def test_failed_terminal_number_leaves_no_wrong_selection_behind() -> None:
    """Asking for it selects the master file, whether it can be read or not."""
    slot = ScriptedSlot(
        SELECT_MASTER_FILE,
        SELECT_WALLET_SAM,
        Exchange("00B0970001", "019000"),
        SELECT_MASTER_FILE,
        Exchange("00B0960006", "6F00"),
        SELECT_MASTER_FILE,
        SELECT_WALLET_SAM,
        ep_purchases()[0].sam_init,
    )
    psam = Psam(slot)
    psam.key_index(WALLET_SAM)
    with pytest.raises(SamFailed):
        psam.terminal_number()
    psam.authorize(order_of(ep_purchases()[0]))
    slot.channel.assert_finished()


def test_empty_key_index_file_is_a_failure() -> None:
    slot = ScriptedSlot(SELECT_MASTER_FILE, SELECT_WALLET_SAM, Exchange("00B0970001", "9000"))
    with pytest.raises(SamFailed):
        Psam(slot).key_index(WALLET_SAM)


@pytest.mark.parametrize("answer", ["9000", "11223344559000", "112233445566779000", "6A82", "6986", "6D00"])
def test_what_is_no_terminal_number_is_no_psam(answer: str) -> None:
    slot = ScriptedSlot(SELECT_MASTER_FILE, Exchange("00B0960006", answer))
    with pytest.raises((SamFailed, SamKeyMissing)):
        Psam(slot).terminal_number()


def test_card_that_refuses_its_master_file_is_asked_nothing_more() -> None:
    slot = ScriptedSlot(Exchange(SELECT_MASTER_FILE.command, "6A81"))
    with pytest.raises(SamFailed):
        Psam(slot).terminal_number()
    slot.channel.assert_finished()


def test_failed_selection_is_not_taken_for_the_one_before() -> None:
    vector = ep_purchases()[0]
    slot = ScriptedSlot(
        SELECT_MASTER_FILE,
        SELECT_WALLET_SAM,
        vector.sam_init,
        SELECT_MASTER_FILE,
        Exchange(SELECT_MEDICAL_SAM.command, "6A82"),
        SELECT_MASTER_FILE,
        SELECT_WALLET_SAM,
        vector.sam_init,
    )
    psam = Psam(slot)
    psam.authorize(order_of(vector))
    with pytest.raises(SamKeyMissing):
        psam.authorize(SETTLEMENT)
    psam.authorize(order_of(vector))
    slot.channel.assert_finished()


def test_orders_are_never_repeated_by_the_connection() -> None:
    psam, slot = over(init(2, "6C08"))
    with pytest.raises(SamFailed):
        psam.authorize(SETTLEMENT)
    slot.channel.assert_finished()


def test_answer_without_end_is_a_failure_of_the_psam() -> None:
    slot = ScriptedSlot(SELECT_MASTER_FILE, Exchange("00B0960006", "6106"), Exchange("00C0000006", "6106"))
    with pytest.raises(SamFailed):
        Psam(slot).terminal_number()
