"""The virtual medical account and its PSAM, held to SSC §7.2 and §9.3."""

from dataclasses import replace

import pytest

from cardio.crypto.suites import LdtSuite
from cardio.files.social_security.medical import DF04, EF05_MEDICAL, EF08_MEDICAL_LOG, MedicalData, MedicalScheme
from cardio.purse.purse import CounterRule
from cardio.security.keys import Family
from cardio.transport.channel import CardProtocol
from cardio.virtual.card import CardPin, VirtualCard
from cardio.virtual.filesystem import Directory, build_directory
from cardio.virtual.medical import MedicalFunction
from cardio.virtual.psam import PsamFunction, PsamKey
from cardio.virtual.purse_keys import PurseKeys
from tests.virtual.settlements import (
    AMOUNTS,
    COUNTER,
    DEBITED_BEFORE,
    LOAD_AMOUNT,
    LOAD_BALANCE,
    LOAD_COUNTER,
    LOAD_RECORD,
    RANDOM,
    RECORD,
    SEQUENCE,
    SETTLEMENTS,
    TERMINAL,
    SettlementVector,
)
from tests.virtual.wire import SELECT_DF04, VERIFY_RIGHT, complete, fixed, send

ATR = bytes.fromhex("3B6D0000 00814A444686605199000001AC")
VECTORS = [pytest.param(vector, id=name) for name, vector in SETTLEMENTS.items()]
LOADS = [pytest.param(vector, id=name) for name, vector in SETTLEMENTS.items() if vector.load_macs is not None]
protocols = pytest.mark.parametrize("protocol", list(CardProtocol))


def account_of(
    vector: SettlementVector, protocol: CardProtocol = CardProtocol.T1, year: int = 2026, start_day: int = 101
) -> tuple[VirtualCard, MedicalFunction]:
    """A card with the vector's keys and counter, PIN presented, DF04 selected."""
    medical = replace(MedicalData.empty(), scheme=MedicalScheme.decode(b"31000000"), region="519900", mode="1")
    df04 = build_directory(DF04, ((EF05_MEDICAL, medical), (EF08_MEDICAL_LOG, None)))
    keys = PurseKeys({1: vector.card_key}, vector.tac_key, algorithm_id=vector.algorithm_id, load={1: vector.card_key})
    function = MedicalFunction(
        LdtSuite(vector.algorithm),
        keys,
        df04.files[1],
        payment_year=year,
        start_day=start_day,
        purchase_counter=COUNTER,
    )
    function.self_paid = function.pool = DEBITED_BEFORE
    df04.function = function
    master = Directory(0x3F00)
    master.add(df04)
    card = VirtualCard(ATR, master, protocol, CardPin(bytes.fromhex("123456")))
    card.random = fixed(RANDOM)
    function.card = card
    assert complete(card, SELECT_DF04 + "00").endswith("9000")
    assert complete(card, VERIFY_RIGHT) == "9000"
    return card, function


@protocols
@pytest.mark.parametrize("vector", VECTORS)
def test_card_answers_every_apdu_of_the_settlement(vector: SettlementVector, protocol: CardProtocol) -> None:
    card, function = account_of(vector, protocol)
    for exchange in (vector.initialize, vector.debit, vector.prove):
        assert complete(card, exchange.command) == exchange.answer
    assert complete(card, "B02E003202000608") == vector.prove.answer
    assert complete(card, "B026000104") == "000000009000"
    assert complete(card, "B026000206") == f"{DEBITED_BEFORE + AMOUNTS[1]:08X}20269000"
    assert complete(card, "B026000306") == f"{DEBITED_BEFORE + AMOUNTS[2]:08X}20269000"
    assert function.purchase_counter == COUNTER + 1


@protocols
@pytest.mark.parametrize("vector", LOADS)
def test_card_answers_every_apdu_of_the_load(vector: SettlementVector, protocol: CardProtocol) -> None:
    card, function = account_of(vector, protocol)
    function.balance, function.load_counter = LOAD_BALANCE, LOAD_COUNTER
    for exchange in (vector.open_load, vector.credit):
        assert complete(card, exchange.command) == exchange.answer
    assert complete(card, "B02E000102000408") == f"00000000{vector.credit.answer}"
    assert complete(card, "B026000104") == f"{LOAD_BALANCE + LOAD_AMOUNT:08X}9000"
    assert complete(card, "00B201441C") == f"{LOAD_RECORD.hex().upper()}9000"
    assert (function.load_counter, function.purchase_counter) == (LOAD_COUNTER + 1, COUNTER)


@pytest.mark.parametrize("vector", VECTORS)
def test_log_holds_the_record_of_the_settlement(vector: SettlementVector) -> None:
    card, _ = account_of(vector)
    for exchange in (vector.initialize, vector.debit):
        send(card, exchange.command)
    assert len(RECORD) == 0x1C
    assert send(card, "00B201441C") == f"{RECORD.hex().upper()}9000"
    assert send(card, "00B202441C") == "6A83"


@pytest.mark.parametrize("vector", VECTORS)
def test_proof_number_is_the_one_before_where_the_rule_says_so(vector: SettlementVector) -> None:
    card, function = account_of(vector)
    function.proof_number = CounterRule.BEFORE
    for exchange in (vector.initialize, vector.debit):
        send(card, exchange.command)
    assert send(card, "B02E000202000508") == vector.prove.answer
    assert send(card, vector.prove.command) == "9406"


@protocols
@pytest.mark.parametrize("vector", VECTORS)
def test_psam_answers_every_apdu_of_the_settlement(vector: SettlementVector, protocol: CardProtocol) -> None:
    key = PsamKey(0x01, frozenset({vector.algorithm_id}), LdtSuite(vector.algorithm), vector.province_key, levels=2)
    function = PsamFunction(Family.LDT, [key], terminal=TERMINAL, sequence=SEQUENCE)
    card = VirtualCard(ATR, Directory(0x3F00, function=function), protocol)
    function.card = card
    for exchange in (vector.sam_init, vector.sam_credit):
        assert complete(card, exchange.command) == exchange.answer
    assert function.sequence == SEQUENCE + 1


@pytest.mark.parametrize(
    ("day", "year", "restarted"),
    [
        ("20250701", 2025, False),  # n = 0
        ("20260115", 2025, False),  # n = 9414, SSC §9.3
        ("20260630", 2025, False),  # n = 9929, SSC §9.3
        ("20260701", 2026, True),  # n = 10000
        ("20260801", 2026, True),  # n = 10100, SSC §9.3
        ("20270801", 2027, True),  # a year without any settlement
    ],
)
def test_yearly_totals_restart_with_the_payment_year(day: str, year: int, restarted: bool) -> None:
    vector = SETTLEMENTS["3des"]
    card, _ = account_of(vector, year=2025, start_day=701)
    send(card, vector.initialize.command)
    suite = LdtSuite(vector.algorithm)
    session = suite.session_key(vector.card_key, RANDOM + bytes.fromhex("0005002A"))
    signed = b"".join(amount.to_bytes(4, "big") for amount in AMOUNTS) + b"2" + TERMINAL
    time = bytes.fromhex(f"{day}093045")
    mac1 = suite.mac(session, signed + time).hex()
    assert send(card, f"B02C01000F0000002A{time.hex()}{mac1}08").endswith("9000")
    before = 0 if restarted else DEBITED_BEFORE
    assert send(card, "B026000206") == f"{before + AMOUNTS[1]:08X}{year}9000"
    assert send(card, "B026000306") == f"{before + AMOUNTS[2]:08X}{year}9000"
