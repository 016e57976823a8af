"""The terminal's side of the medical account, held to SSC §9.3 without any virtual card."""

from datetime import UTC, datetime

import pytest

from cardio.crypto.factors import city_factor, province_factor
from cardio.errors import CardDataInvalid, CardError, CardioError, FundsInsufficient, PinRequired
from cardio.files.dates import encode_time
from cardio.purse.medical import MedicalPurse, YearlyTotal
from cardio.purse.operation import Operation, PurseKind
from cardio.purse.purse import CardProof, CounterRule, Initialized, parse_proof
from cardio.security.keys import Authorization
from cardio.transport.channel import CardProtocol
from tests.purse.scripted import MEDICAL_SAM, rules, scripted
from tests.virtual.settlements import (
    AMOUNTS,
    CARD_FACTOR,
    CITY_FACTOR,
    COUNTER,
    PROVINCE_FACTOR,
    RANDOM,
    RECORD,
    SEQUENCE,
    SETTLEMENTS,
    TERMINAL,
    TIME,
    SettlementVector,
)
from tests.virtual.vectors import Exchange

PURCHASE = Operation.PURCHASE
VECTORS = [pytest.param(vector, id=name) for name, vector in SETTLEMENTS.items()]
FACTORS = (PROVINCE_FACTOR, CITY_FACTOR, CARD_FACTOR)
TRIPLE_DES = SETTLEMENTS["3des"]
protocols = pytest.mark.parametrize("protocol", list(CardProtocol))


def purse_over(*script: Exchange, proof_number: CounterRule = CounterRule.AFTER) -> MedicalPurse:
    connection, _ = scripted(*script)
    return MedicalPurse(connection, rules(MEDICAL_SAM, proof_number), FACTORS)


@protocols
@pytest.mark.parametrize("vector", VECTORS)
def test_terminal_sends_every_card_apdu_of_the_settlement(vector: SettlementVector, protocol: CardProtocol) -> None:
    connection, script = scripted(vector.initialize, vector.debit, vector.prove, protocol=protocol)
    purse = MedicalPurse(connection, rules(MEDICAL_SAM), FACTORS)
    initialized = purse.initialize(PURCHASE, AMOUNTS, TERMINAL, 1)
    assert initialized == Initialized(0, COUNTER, 0x01, vector.algorithm_id, RANDOM)
    debit = purse.debit_command(PURCHASE, Authorization(SEQUENCE, bytes.fromhex(vector.mac1)), bytes.fromhex(TIME))
    proof = CardProof(tac=bytes.fromhex(vector.tac), mac2=bytes.fromhex(vector.mac2))
    assert parse_proof(PURCHASE, connection.call(debit)) == proof
    assert purse.proof(PURCHASE, initialized.counter) == proof
    script.assert_finished()


def test_order_is_a_settlement_of_the_card_time() -> None:
    purse = purse_over(TRIPLE_DES.initialize)
    initialized = purse.initialize(PURCHASE, AMOUNTS, TERMINAL, 1)
    order = purse.order(PURCHASE, initialized, AMOUNTS, encode_time(datetime(2026, 1, 15, 1, 30, 45, tzinfo=UTC)))
    assert (order.kind, order.time) == (0x32, bytes.fromhex(TIME))
    assert (order.amounts, order.counter, order.random) == (AMOUNTS, COUNTER, RANDOM)
    assert (order.application, order.factors) == (MEDICAL_SAM, FACTORS)


def test_factors_of_the_vector_are_those_of_its_region() -> None:
    assert (province_factor("519900"), city_factor("519900")) == (PROVINCE_FACTOR, CITY_FACTOR)


def test_kind_is_the_account() -> None:
    assert purse_over().kind is PurseKind.MEDICAL


def test_initialize_answer_is_taken_apart_by_position() -> None:
    answer = "00003039 11111111 22222222 2026 0102 03 04 A1B2C3D4".replace(" ", "")
    initialized = purse_over(Exchange(TRIPLE_DES.initialize.command, answer + "9000")).initialize(
        PURCHASE, AMOUNTS, TERMINAL, 1
    )
    assert initialized == Initialized(12345, 0x0102, 0x03, 0x04, RANDOM, balance_sent=12345)


def test_balances_are_read_one_by_one() -> None:
    purse = purse_over(
        Exchange("B026000104", "F00030399000"),
        Exchange("B026000206", "0000271020269000"),
        Exchange("B026000306", "00001F4020259000"),
    )
    assert purse.balance() == 0xF0003039
    assert purse.yearly_self_paid() == YearlyTotal(10000, 2026)
    assert purse.yearly_pool() == YearlyTotal(8000, 2025)


def test_payment_year_that_was_never_written_is_zero() -> None:
    assert purse_over(Exchange("B026000206", "00000000FFFF9000")).yearly_self_paid() == YearlyTotal(0, 0)


@pytest.mark.parametrize(("command", "answer"), [("B026000104", "000000"), ("B026000104", "000000002026")])
def test_balances_of_another_length_are_malformed(command: str, answer: str) -> None:
    with pytest.raises(CardDataInvalid):
        purse_over(Exchange(command, answer + "9000")).balance()


def test_totals_of_another_length_are_malformed() -> None:
    with pytest.raises(CardDataInvalid):
        purse_over(Exchange("B026000306", "000000009000")).yearly_pool()


@pytest.mark.parametrize("size", [0, 21, 23])
def test_initialize_answers_of_another_length_are_malformed(size: int) -> None:
    answer = "00" * size + "9000"
    with pytest.raises(CardDataInvalid):
        purse_over(Exchange(TRIPLE_DES.initialize.command, answer)).initialize(PURCHASE, AMOUNTS, TERMINAL, 1)


@pytest.mark.parametrize(("status", "error"), [("6982", PinRequired), ("9401", FundsInsufficient)])
def test_refusals_have_a_name(status: str, error: type[CardioError]) -> None:
    with pytest.raises(error):
        purse_over(Exchange(TRIPLE_DES.initialize.command, status)).initialize(PURCHASE, AMOUNTS, TERMINAL, 1)


def test_debit_is_never_repeated_by_the_connection() -> None:
    connection, script = scripted(Exchange(TRIPLE_DES.debit.command, "6C08"))
    purse = MedicalPurse(connection, rules(MEDICAL_SAM), FACTORS)
    debit = purse.debit_command(PURCHASE, Authorization(SEQUENCE, bytes.fromhex(TRIPLE_DES.mac1)), bytes.fromhex(TIME))
    assert connection.send(debit).sw == 0x6C08
    script.assert_finished()


@pytest.mark.parametrize(
    ("rule", "counter", "number"),
    [(CounterRule.AFTER, 5, "0006"), (CounterRule.BEFORE, 5, "0005"), (CounterRule.AFTER, 0xFFFF, "0000")],
)
def test_only_the_number_of_the_rule_is_asked(rule: CounterRule, counter: int, number: str) -> None:
    purse = purse_over(Exchange(f"B02E000202{number}08", "9406"), proof_number=rule)
    assert purse.proof(PURCHASE, counter) is None


@pytest.mark.parametrize("status", ["6982", "6985", "6A86", "6D00"])
def test_any_other_refusal_is_no_evidence(status: str) -> None:
    with pytest.raises(CardError):
        purse_over(Exchange("B02E000202000608", status)).proof(PURCHASE, 5)


def test_log_is_read_newest_first_until_there_are_no_more() -> None:
    load = "00003199990000000120260615101500000027100000000000000000"  # PERS §5.3
    purse = purse_over(
        Exchange("00B201441C", RECORD.hex().upper() + "9000"),
        Exchange("00B202441C", load + "9000"),
        Exchange("00B203441C", "6A83"),
    )
    settlement, loaded = purse.log()
    assert (settlement.number, settlement.amounts, settlement.kind) == (5, AMOUNTS, 0x32)
    assert (settlement.terminal, settlement.time) == (TERMINAL, bytes.fromhex(TIME))
    assert (loaded.number, loaded.amounts, loaded.kind) == (0, (10000,), 0x31)


@pytest.mark.parametrize("terminal", ["51990000000F", "5199000001FF", "000000000000"])
def test_terminal_numbers_come_as_they_are_stored(terminal: str) -> None:
    record = RECORD[:3] + bytes.fromhex(terminal) + RECORD[9:]
    purse = purse_over(Exchange("00B201441C", record.hex().upper() + "9000"))
    assert next(purse.log()).terminal == bytes.fromhex(terminal)
