"""What cards refuse, and what they answer in other lengths than their standard: typed errors, never a guess.

Each word means what its command's table says (EW §3.3): 9401 is want of money in a purchase, too much of it in a load.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.errors import (
    ApplicationBlocked,
    BalanceLimit,
    CardDataInvalid,
    CardError,
    CardioError,
    CardMemoryFailed,
    CardUnexpected,
    CounterExhausted,
    FileNotFound,
    FundsInsufficient,
    KeyIndexUnsupported,
    MacInvalid,
    Money,
    OperationUnsupported,
    PinRequired,
    PurseGreyLocked,
    RecordLocked,
    RecordNotFound,
)
from cardio.purse.composite import RecordUpdate
from cardio.purse.grey import GreyPurse
from cardio.purse.operation import Operation
from cardio.purse.purse import CardProof, CounterRule, parse_proof
from cardio.purse.wallet import PurseFile, WalletPurse
from cardio.security.keys import Authorization
from cardio.security.load_host import HostGrant
from cardio.security.psam_grey import GreyAuthorization
from tests.purse.scripted import scripted, wallet_over
from tests.virtual.vectors import Exchange

EP, ED = PurseFile.PURSE, PurseFile.PASSBOOK
TERMINAL = bytes.fromhex("112233445566")
TIME = bytes.fromhex("20260315090102")
MAC = bytes.fromhex("34425FD4")
ORDER = "0B01000000C8112233445566"
INITIALIZE = {
    (EP, Operation.PURCHASE): f"80500102{ORDER}0F",
    (EP, Operation.COMPOSITE): f"80500302{ORDER}0F",
    (EP, Operation.LOAD): f"80500002{ORDER}10",
    (ED, Operation.PURCHASE): f"80500101{ORDER}0F",
    (ED, Operation.CASH): f"80500201{ORDER}0F",
    (ED, Operation.LOAD): f"80500001{ORDER}10",
    (ED, Operation.UNLOAD): f"80500501{ORDER}10",
    (ED, Operation.OVERDRAFT): "80500401070111223344556613",
    (EP, Operation.GREY_LOCK): "E07A080207011122334455660F",
    (ED, Operation.GREY_LOCK): "E07A080107011122334455660F",
}
"""The command of every operation (EW §3.2)."""
ANSWERS = {
    Operation.PURCHASE: 15,
    Operation.CASH: 15,
    Operation.COMPOSITE: 15,
    Operation.LOAD: 16,
    Operation.UNLOAD: 16,
    Operation.OVERDRAFT: 19,
    Operation.GREY_LOCK: 15,
}
COMMITS = {
    (EP, Operation.PURCHASE): "805401000F0000ABCD2026031509010234425FD408",
    (EP, Operation.COMPOSITE): "805401000F0000ABCD2026031509010234425FD408",
    (ED, Operation.CASH): "805401000F0000ABCD2026031509010234425FD408",
    (EP, Operation.LOAD): "805200000B2026031509010234425FD404",
    (ED, Operation.UNLOAD): "805403000B2026031509010234425FD404",
    (ED, Operation.OVERDRAFT): "805800000E0000C82026031509010234425FD404",
    (EP, Operation.GREY_LOCK): "E07C0800130000ABCD0A0B0C0D2026031509010234425FD408",
    (ED, Operation.GREY_LOCK): "E07C0800130000ABCD0A0B0C0D2026031509010234425FD408",
    (EP, Operation.GREY_DEBIT): "E07E08021B000000C800511122334455660000ABCD2026031509010234425FD404",
    (ED, Operation.GREY_DEBIT): "E07E08011B000000C800511122334455660000ABCD2026031509010234425FD404",
}
every = pytest.mark.parametrize(
    ("file", "operation"), [pytest.param(*one, id=f"{one[0].name.lower()}-{one[1]}") for one in INITIALIZE]
)
commits = pytest.mark.parametrize(
    ("file", "operation"), [pytest.param(*one, id=f"{one[0].name.lower()}-{one[1]}") for one in COMMITS]
)


def initialize(file: PurseFile, operation: Operation, answer: str) -> object:
    purse = wallet_over(Exchange(INITIALIZE[file, operation], answer), file=file)
    return purse.initialize(operation, (200,), TERMINAL, 1)


# ---- INITIALIZE ----------------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("6982", PinRequired),
        ("6A81", ApplicationBlocked),
        ("9303", ApplicationBlocked),
        ("9402", CounterExhausted),
        ("9403", KeyIndexUnsupported),
        ("9408", PurseGreyLocked),
        ("6581", CardMemoryFailed),
        ("6700", CardUnexpected),
        ("6A86", CardUnexpected),
        ("6A88", CardUnexpected),
        ("6F00", CardUnexpected),
    ],
)
def test_every_initialize_names_what_the_card_refuses(
    file: PurseFile, operation: Operation, status: str, error: type[CardioError]
) -> None:
    with pytest.raises(error) as caught:
        initialize(file, operation, status)
    assert type(caught.value) is error
    assert caught.value.money is Money.NONE
    assert caught.value.source is not None
    assert caught.value.source.raw == status


@every
@pytest.mark.parametrize("status", ["9401", "6985"])
def test_want_of_money_and_too_much_of_it_are_told_apart(file: PurseFile, operation: Operation, status: str) -> None:
    """EW §3.3, PC-5: a load beyond the largest balance is 9401 on some cards and 6985 on others."""
    expected: type[CardioError] = FundsInsufficient if status == "9401" else CardUnexpected
    if operation is Operation.LOAD:
        expected = BalanceLimit
    with pytest.raises(CardError) as caught:
        initialize(file, operation, status)
    assert type(caught.value) is expected


@every
def test_every_initialize_takes_its_own_length_only(file: PurseFile, operation: Operation) -> None:
    size = ANSWERS[operation]
    initialize(file, operation, "00" * size + "9000")
    for wrong in (0, size - 1, size + 1, 255):
        with pytest.raises(CardDataInvalid):
            initialize(file, operation, "00" * wrong + "9000")


@pytest.mark.parametrize("file", list(PurseFile))
def test_a_purse_has_its_own_operations_only(file: PurseFile) -> None:
    """An EP has no unload, a passbook no composite purchase (EW §3.2, PC-9), and few cards have a grey lock.

    Nothing is sent to find that out.
    """
    missing = {Operation.CASH, Operation.UNLOAD, Operation.OVERDRAFT} if file is EP else {Operation.COMPOSITE}
    assert set(Operation) - wallet_over(file=file).steps.keys() == missing
    for operation in missing | {Operation.GREY_LOCK, Operation.GREY_DEBIT}:
        with pytest.raises(OperationUnsupported):
            wallet_over(file=file, grey_lock=False).initialize(operation, (200,), TERMINAL, 1)


def test_balance_goes_to_the_host_as_the_card_sent_it() -> None:
    """MAC1 covers bit 31, which people must not see as money (EW §2.7)."""
    purse = wallet_over(Exchange(INITIALIZE[EP, Operation.LOAD], "800003E8" + "00" * 12 + "9000"))
    initialized = purse.initialize(Operation.LOAD, (200,), TERMINAL, 1)
    request = purse.host_request(Operation.LOAD, "T1", initialized, 200, TERMINAL, "card")
    assert (initialized.balance_fen, request.balance) == (1000, 0x800003E8)


# ---- the commands that change the card -------------------------------------------------------------------------------


def commit(purse: WalletPurse, operation: Operation) -> bytes:
    if operation.online:
        return purse._card.call(purse.grant_command(operation, HostGrant(TIME, MAC), 200))
    if operation is Operation.GREY_LOCK:
        authorization = GreyAuthorization(0xABCD, bytes.fromhex("0A0B0C0D"), MAC)
        return purse._card.call(purse.lock_command(authorization, TIME))
    if operation is Operation.GREY_DEBIT:
        named = {"counter": 0x51, "sequence": 0xABCD}
        return purse._card.call(purse.debit_for_unlock_command(200, terminal=TERMINAL, time=TIME, gmac=MAC, **named))
    return purse._card.call(purse.debit_command(operation, Authorization(0xABCD, MAC), TIME))


@commits
@pytest.mark.parametrize(
    ("status", "error"),
    [("9302", MacInvalid), ("9401", FundsInsufficient), ("6901", CardUnexpected), ("6985", CardUnexpected)],
)
def test_every_commit_names_what_the_card_refuses(
    file: PurseFile, operation: Operation, status: str, error: type[CardioError]
) -> None:
    with pytest.raises(error):
        commit(wallet_over(Exchange(COMMITS[file, operation], status), file=file), operation)


@commits
def test_no_commit_is_repeated_when_the_card_names_another_length(file: PurseFile, operation: Operation) -> None:
    """The money has moved all the same: a second command would move it twice."""
    purse = wallet_over(Exchange(COMMITS[file, operation], "6C04"), file=file)
    with pytest.raises(CardUnexpected):
        commit(purse, operation)  # a second command would be one too many for the script


@commits
@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 7, 8, 9, 16])
def test_the_cards_answer_has_eight_bytes_with_mac2_and_four_without(
    file: PurseFile, operation: Operation, size: int
) -> None:
    data = bytes(range(size))
    if size != (8 if operation.has_mac2 else 4):
        with pytest.raises(CardDataInvalid):
            parse_proof(operation, data)
    elif operation.has_mac2:
        assert parse_proof(operation, data) == CardProof(tac=data[:4], mac2=data[4:])
    else:
        assert parse_proof(operation, data) == CardProof(data)


def test_initialize_and_proof_may_be_repeated() -> None:
    """They change nothing on the card, and some cards name the length that they want (EW §6.1)."""
    command = INITIALIZE[EP, Operation.PURCHASE]
    prove = "805A000602001108"
    purse = wallet_over(
        Exchange(command, "6C0F"),
        Exchange(command, "00" * 15 + "9000"),
        Exchange(prove, "6C08"),
        Exchange(prove, "0F3B44D8662945B99000"),
    )
    purse.initialize(Operation.PURCHASE, (200,), TERMINAL, 1)
    assert purse.proof(Operation.PURCHASE, 0x10) is not None


# ---- proofs without MAC2 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "operation", "command"),
    [
        (EP, Operation.LOAD, "805A000202000808"),
        (ED, Operation.LOAD, "805A000102000808"),
        (ED, Operation.UNLOAD, "805A000302000808"),
        (ED, Operation.OVERDRAFT, "805A000702000808"),
        (EP, Operation.GREY_DEBIT, "805A009402000808"),
        (ED, Operation.GREY_DEBIT, "805A009302000808"),
    ],
)
@pytest.mark.parametrize("zeros", ["", "00000000"])
def test_proof_of_an_operation_without_mac2_is_the_tac_with_or_without_zeros(
    file: PurseFile, operation: Operation, command: str, zeros: str
) -> None:
    """EW §6.2, PC-18: four zero bytes stand where a purchase has MAC2; some terminals accept 4 bytes."""
    purse = wallet_over(Exchange(command, zeros + "F3CA81779000"), file=file)
    assert purse.proof(operation, 7) == CardProof(bytes.fromhex("F3CA8177"))


@pytest.mark.parametrize("size", [0, 3, 5, 7, 9, 12])
def test_proofs_of_an_online_operation_of_another_length_are_no_evidence(size: int) -> None:
    with pytest.raises(CardDataInvalid):
        wallet_over(Exchange("805A000202000808", "00" * size + "9000")).proof(Operation.LOAD, 7)


@pytest.mark.parametrize("status", ["6985", "6D00", "6A86"])
def test_no_other_word_than_9406_says_that_there_is_no_proof(status: str) -> None:
    command = "805A000202000808"
    assert wallet_over(Exchange(command, "9406")).proof(Operation.LOAD, 7) is None
    with pytest.raises(CardUnexpected):
        wallet_over(Exchange(command, status)).proof(Operation.LOAD, 7)


@pytest.mark.parametrize(
    ("rule", "counter", "number"),
    [(CounterRule.AFTER, 7, "0008"), (CounterRule.BEFORE, 7, "0007"), (CounterRule.AFTER, 0xFFFF, "0000")],
)
def test_online_operations_follow_the_rule_of_the_card(rule: CounterRule, counter: int, number: str) -> None:
    purse = wallet_over(Exchange(f"805A000202{number}08", "9406"), proof_number=rule)
    assert purse.proof(Operation.LOAD, counter) is None


@pytest.mark.parametrize(
    ("file", "operation", "opening"),
    [
        (EP, Operation.PURCHASE, "805001020B01000000001122334455660F"),
        (EP, Operation.COMPOSITE, "805001020B01000000001122334455660F"),
        (ED, Operation.CASH, "805001010B01000000001122334455660F"),
        (EP, Operation.LOAD, "805000020B010000000111223344556610"),
        (ED, Operation.UNLOAD, "805000010B010000000111223344556610"),
        (ED, Operation.OVERDRAFT, "805000010B010000000111223344556610"),
        (EP, Operation.GREY_DEBIT, "805001020B01000000001122334455660F"),
    ],
)
def test_counter_is_asked_by_an_initialize_that_changes_nothing(
    file: PurseFile, operation: Operation, opening: str
) -> None:
    size = 16 if operation.online else 15
    purse = wallet_over(Exchange(opening, "000003E80009".ljust(2 * size, "0") + "9000"), file=file)
    assert purse.counter_now(operation, TERMINAL, 1) == 9


# ---- UPDATE CAPP DATA CACHE ------------------------------------------------------------------------------------------

UPDATE = RecordUpdate(sfi=0x1E, record=0, data=bytes(48))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("6A82", FileNotFound),
        ("6A83", RecordNotFound),
        ("6A84", CardDataInvalid),
        ("6700", CardDataInvalid),
        ("9407", RecordLocked),
        ("9408", PurseGreyLocked),
        ("6901", CardUnexpected),
        ("6985", CardUnexpected),
        ("6C30", CardUnexpected),
    ],
)
def test_a_record_that_is_refused_says_why_and_nothing_is_repeated(status: str, error: type[CardioError]) -> None:
    with pytest.raises(error) as caught:
        wallet_over(Exchange("80DC00F030" + "00" * 48, status)).update_record(UPDATE)
    assert type(caught.value) is error
    assert caught.value.money is Money.NONE


@pytest.mark.parametrize(
    ("update", "header"),
    [
        (UPDATE, "80DC00F0"),
        (RecordUpdate(0x1A, 0x06, bytes(48)), "80DC06D0"),
        (RecordUpdate(0x1A, 0x03, bytes(48), by_number=True), "80DC03D4"),
        (RecordUpdate(0x17, 0xFF, bytes(48)), "80DCFFB8"),
    ],
)
def test_a_record_is_named_by_identifier_or_by_number(update: RecordUpdate, header: str) -> None:
    command = update.command()
    assert command.encode().hex().upper() == header + "30" + "00" * 48
    assert not command.repeatable


# ---- grey lock -------------------------------------------------------------------------------------------------------

UNLOCK = "E07A0902070111223344556612"


def grey_over(*script: Exchange, file: PurseFile = EP) -> GreyPurse:
    return GreyPurse(scripted(*script)[0], file)


def test_a_lock_takes_no_number_and_its_debit_counts_as_a_purchase_does() -> None:
    """A log record of type 92 must not be taken for another's transaction under the number of the debit."""
    purse = wallet_over()
    assert purse.same_counter(Operation.GREY_DEBIT) == purse.same_counter(Operation.PURCHASE) == {0x06, 0x09, 0x94}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("9408", PurseGreyLocked),
        ("9402", CounterExhausted),
        ("9403", KeyIndexUnsupported),
        ("6E00", CardUnexpected),
        ("length", CardDataInvalid),
    ],
)
def test_grey_unlock_refusals_have_a_name(status: str, error: type[CardioError]) -> None:
    for answer in [status] if status != "length" else ["00" * wrong + "9000" for wrong in (0, 17, 19)]:
        with pytest.raises(error):
            grey_over(Exchange(UNLOCK, answer)).initialize_unlock(TERMINAL, 1)


@pytest.mark.parametrize(("file", "p2"), [(EP, "02"), (ED, "01")])
def test_grey_unlock_is_asked_of_the_host_with_both_counters(file: PurseFile, p2: str) -> None:
    answer = "80004E20 0051 0021 01 00 13579BDF 0A0B0C0D 9000".replace(" ", "")
    initialized = grey_over(Exchange(f"E07A09{p2}070111223344556612", answer), file=file).initialize_unlock(TERMINAL, 1)
    assert (initialized.balance_fen, initialized.balance_sent) == (20000, 0x80004E20)
    assert (initialized.offline_counter, initialized.online_counter) == (0x51, 0x21)
    assert (initialized.key_version, initialized.algorithm_id) == (1, 0)
    assert (initialized.random.hex(), initialized.mac1.hex()) == ("13579bdf", "0a0b0c0d")


def test_grey_unlock_carries_what_the_host_found_owing_and_is_not_repeated() -> None:
    connection, script = scripted(Exchange("E07E09000F00001A2C2026031509010234425FD404", "0652C22F9000"))
    command = GreyPurse(connection).unlock_command(0x1A2C, TIME, MAC)
    assert connection.call(command).hex() == "0652c22f"
    assert not command.repeatable
    script.assert_finished()


# ---- SM4 -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("index", "named"), [(1, 0x41), (0x3F, 0x7F), (0x40, 0x40), (0x41, 0x41), (0xFF, 0xFF)])
def test_keys_of_sm4_cards_lie_under_the_index_plus_40(index: int, named: int) -> None:
    """EW §4.9; an index that is an SM4 key's already stays."""
    purse = wallet_over()
    assert (purse.key_index(index), purse.load_key_index) == (index, 1)
    purse.rules = replace(purse.rules, algorithm=Algorithm.SM4)
    assert (purse.key_index(index), purse.load_key_index) == (named, 0x41)
