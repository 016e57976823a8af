"""The terminal's side of the medical account, held to SSC §9.3 without any virtual card."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.factors import city_factor, province_factor
from cardio.crypto.suites import LdtSuite
from cardio.errors import (
    AccessDenied,
    BalanceLimit,
    CardDataInvalid,
    CardError,
    CardioError,
    CardUnexpected,
    CounterExhausted,
    FundsInsufficient,
    KeyIndexUnsupported,
    OperationUnsupported,
    PinRequired,
)
from cardio.files.dates import encode_time
from cardio.purse.medical import MedicalPurse, YearlyTotal
from cardio.purse.operation import Operation, PurseKind
from cardio.purse.purse import CardProof, CounterRule, Initialized, parse_proof
from cardio.security.keyring import RootKey
from cardio.security.keys import Authorization
from cardio.security.load_host import HostGrant
from cardio.security.software_load_host import BookingState
from cardio.transport.channel import CardProtocol
from tests.purse.scripted import MEDICAL_SAM, rules, scripted
from tests.security.test_software_load_host import MEDICAL as LOAD_3DES
from tests.security.test_software_load_host import HostCase
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

PURCHASE, LOAD = Operation.PURCHASE, Operation.LOAD
VECTORS = [pytest.param(vector, id=name) for name, vector in SETTLEMENTS.items()]
FACTORS = (PROVINCE_FACTOR, CITY_FACTOR, CARD_FACTOR)
TRIPLE_DES = SETTLEMENTS["3des"]
protocols = pytest.mark.parametrize("protocol", list(CardProtocol))


def sm4_load() -> HostCase:
    """The load of SSC §9.3 under the SM4 keys of its table."""
    suite, vector, request = LdtSuite(Algorithm.SM4), SETTLEMENTS["sm4"], LOAD_3DES.request
    session = suite.session_key(vector.card_key, RANDOM + bytes.fromhex("0003"))
    order = bytes.fromhex("0000C350") + b"\x31" + TERMINAL
    record = bytes.fromhex("0000F3890003") + order + bytes.fromhex(TIME)
    mac1 = suite.mac(session, bytes.fromhex("00003039") + order)
    return replace(
        LOAD_3DES,
        roots={"DLK": RootKey(vector.card_key, 0), "DTK": RootKey(vector.tac_key, 0)},
        request=replace(request, algorithm=Algorithm.SM4, algorithm_id=3, mac1=mac1),
        mac2=suite.mac(session, order + bytes.fromhex(TIME)),
        proof=suite.tac(vector.tac_key, record),
    )


LOAD_HOSTS = {"3des": LOAD_3DES, "sm4": sm4_load()}


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


@protocols
@pytest.mark.parametrize("host", [pytest.param(one, id=name) for name, one in LOAD_HOSTS.items()])
def test_terminal_sends_every_card_apdu_of_the_load(host: HostCase, protocol: CardProtocol) -> None:
    """With the grant of a host that has the keys. SSC §9.3 prints the load in 3DES: in SM4 the suite says the MACs."""
    opened, mac2, tac = load_of(host)
    credit = Exchange(f"B02A00000B{TIME}{mac2}04", tac + "9000")
    prove = Exchange("B02E000102000408", f"00000000{tac}9000")
    connection, script = scripted(opened, credit, prove, protocol=protocol)
    found = replace(rules(MEDICAL_SAM), algorithm=host.request.algorithm)
    purse = MedicalPurse(connection, found, FACTORS)
    initialized = purse.initialize(LOAD, (50000,), TERMINAL, purse.load_key_index)
    request = purse.host_request(LOAD, "T1", initialized, 50000, TERMINAL, "A00000126")
    assert request == host.request
    booked = host.host()
    grant = booked.authorize(request)
    assert (grant.time.hex(), grant.mac2.hex().upper()) == (TIME, mac2)
    proof = parse_proof(LOAD, connection.call(purse.grant_command(LOAD, grant, 50000)))
    assert proof == CardProof(bytes.fromhex(tac))
    booked.confirm("T1", proof.tac)
    assert booked.bookings["T1"].state is BookingState.CONFIRMED
    assert purse.proof(LOAD, initialized.counter) == proof
    assert LOAD.balance_after(initialized.balance_fen, 50000) == 0xF389
    script.assert_finished()


def load_of(host: HostCase) -> tuple[Exchange, str, str]:
    """B0 28 with its answer, MAC2 and TAC of the load of SSC §9.3."""
    if host.request.algorithm is Algorithm.TRIPLE_DES:
        vector = SETTLEMENTS["3des"]
        assert vector.load_macs is not None
        return vector.open_load, *vector.load_macs[1:]
    mac1 = host.request.mac1.hex().upper()
    answer = f"00003039 0003 01 03 A1B2C3D4 {mac1} 9000".replace(" ", "")
    assert host.mac2 is not None
    assert host.proof is not None
    command = SETTLEMENTS["3des"].open_load.command
    return Exchange(command, answer), host.mac2.hex().upper(), host.proof.hex().upper()


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


# ---- loads -------------------------------------------------------------------------------------------------------

OPEN_LOAD = TRIPLE_DES.open_load.command


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("6982", PinRequired),
        ("9401", BalanceLimit),
        ("6985", BalanceLimit),
        ("9402", CounterExhausted),
        ("9403", KeyIndexUnsupported),
        ("6700", CardUnexpected),
    ],
)
def test_a_load_that_is_refused_has_a_name(status: str, error: type[CardioError]) -> None:
    with pytest.raises(error) as caught:
        purse_over(Exchange(OPEN_LOAD, status)).initialize(LOAD, (50000,), TERMINAL, 1)
    assert type(caught.value) is error


@pytest.mark.parametrize("size", [0, 15, 17, 22])
def test_answers_to_an_initialize_for_load_of_another_length_are_malformed(size: int) -> None:
    with pytest.raises(CardDataInvalid):
        purse_over(Exchange(OPEN_LOAD, "00" * size + "9000")).initialize(LOAD, (50000,), TERMINAL, 1)


@pytest.mark.parametrize("operation", sorted(set(Operation) - {PURCHASE, LOAD}))
def test_an_account_is_loaded_and_settles_and_nothing_else(operation: Operation) -> None:
    with pytest.raises(OperationUnsupported):
        purse_over().initialize(operation, (1,), TERMINAL, 1)


@pytest.mark.parametrize("zeros", ["", "00000000"])
def test_proof_of_a_load_is_the_tac_with_or_without_zeros(zeros: str) -> None:
    purse = purse_over(Exchange("B02E000102000408", zeros + "08E44B1D9000"))
    assert purse.proof(LOAD, 3) == CardProof(bytes.fromhex("08E44B1D"))


def test_credit_is_never_repeated_by_the_connection() -> None:
    purse = purse_over(Exchange(TRIPLE_DES.credit.command, "6C04"))
    grant = HostGrant(bytes.fromhex(TIME), bytes.fromhex("E9596762"))
    with pytest.raises(CardUnexpected):
        purse._card.call(purse.grant_command(LOAD, grant, 50000))


def test_keys_of_an_account_have_the_same_index_in_sm4() -> None:
    """The offset of 40 is the wallets' (EW §4.9)."""
    purse = purse_over()
    purse.rules = replace(purse.rules, algorithm=Algorithm.SM4)
    assert (purse.key_index(1), purse.load_key_index) == (1, 1)


@pytest.mark.parametrize(
    ("operation", "command", "size"),
    [
        (PURCHASE, "B02801011301" + "00" * 12 + "51990000000116", 22),
        (LOAD, "B02800010B010000000151990000000110", 16),
    ],
)
def test_counter_is_asked_by_an_initialize_that_changes_nothing(operation: Operation, command: str, size: int) -> None:
    answer = bytearray(size)
    at = 4 if operation is LOAD else 14
    answer[at : at + 2] = bytes.fromhex("0009")
    purse = purse_over(Exchange(command, answer.hex() + "9000"))
    assert purse.counter_now(operation, TERMINAL, 1) == 9


# ---- first day of the payment year -------------------------------------------------------------------------------


def test_starting_day_is_read_and_written() -> None:
    connection, script = scripted(Exchange("B056010002", "07019000"), Exchange("B0560000020415", "9000"))
    purse = MedicalPurse(connection, rules(MEDICAL_SAM), FACTORS)
    assert purse.starting_day() == "0701"
    purse.update_starting_day("0415")
    script.assert_finished()


@pytest.mark.parametrize(
    "day", ["", "701", "07011", "0000", "0700", "0732", "1301", "0230", "0431", "07a1", "０７０１"]
)
def test_what_is_no_day_of_a_year_is_not_sent(day: str) -> None:
    with pytest.raises(ValueError, match="mmdd"):
        purse_over().update_starting_day(day)


def test_starting_day_needs_its_key() -> None:
    with pytest.raises(AccessDenied):
        purse_over(Exchange("B0560000020701", "6982")).update_starting_day("0701")


@pytest.mark.parametrize("answer", ["9000", "079000", "0701009000"])
def test_starting_days_of_another_length_are_malformed(answer: str) -> None:
    with pytest.raises(CardDataInvalid):
        purse_over(Exchange("B056010002", answer)).starting_day()


@pytest.mark.parametrize("status", ["6A86", "6D00", "6A82"])
def test_a_card_without_a_starting_day_says_so(status: str) -> None:
    with pytest.raises(CardError):
        purse_over(Exchange("B056010002", status)).starting_day()
