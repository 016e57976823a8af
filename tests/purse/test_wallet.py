"""The terminal's side of the wallet without any virtual card: balances, purchases, proof, log.

`test_wallet_vectors` holds it to the vectors of EW §10, `test_refusals` to what cards refuse.
"""

from datetime import UTC, datetime

import pytest

from cardio.errors import (
    AccessDenied,
    CardDataInvalid,
    CardError,
)
from cardio.files.dates import CARD_TIMEZONE, encode_time
from cardio.purse.operation import Operation, PurseKind
from cardio.purse.purse import CounterRule
from cardio.purse.wallet import PurseFile, WalletPurse
from tests.purse.scripted import CARD_FACTOR, WALLET_SAM, rules, scripted, wallet_over
from tests.virtual.vectors import Exchange

PURCHASE = Operation.PURCHASE
FACTORS = (CARD_FACTOR,)
ANSWER = "00002710001000000001001F2E3D4C9000"
BALANCE = "805C000204"
INITIALIZE = "805001020B01000000C81122334455660F"
TERMINAL = bytes.fromhex("112233445566")
PROVE = "805A000602001108"


def test_order_carries_what_the_card_answered_and_the_card_time() -> None:
    purse = wallet_over(Exchange(INITIALIZE, ANSWER))
    initialized = purse.initialize(PURCHASE, (200,), TERMINAL, 1)
    for moment in (
        datetime(2026, 3, 15, 9, 1, 2, tzinfo=CARD_TIMEZONE),
        datetime(2026, 3, 15, 1, 1, 2, tzinfo=UTC),
    ):
        order = purse.order(PURCHASE, initialized, (200,), encode_time(moment))
        assert order.time == bytes.fromhex("20260315090102")
    assert (order.kind, order.amounts, order.counter) == (0x06, (200,), 0x10)
    assert (order.random, order.key_version, order.algorithm_id) == (bytes.fromhex("1F2E3D4C"), 0x01, 0x00)
    assert (order.application, order.factors) == (WALLET_SAM, FACTORS)


def test_kind_is_the_wallet() -> None:
    assert wallet_over().kind is PurseKind.WALLET


@pytest.mark.parametrize(("answer", "fen"), [("00002710", 10000), ("80002710", 10000), ("7FFFFFFF", 0x7FFFFFFF)])
def test_balance_is_masked(answer: str, fen: int) -> None:
    assert wallet_over(Exchange(BALANCE, answer + "9000")).balance() == fen
    initialized = Exchange(INITIALIZE, answer + ANSWER[8:])
    assert wallet_over(initialized).initialize(PURCHASE, (200,), TERMINAL, 1).balance_fen == fen


@pytest.mark.parametrize("answer", ["", "002710", "0000002710"])
def test_balances_of_another_length_are_malformed(answer: str) -> None:
    with pytest.raises(CardDataInvalid):
        wallet_over(Exchange(BALANCE, answer + "9000")).balance()


# ---- proof -------------------------------------------------------------------------------------------------------


def test_no_proof_is_none() -> None:
    assert wallet_over(Exchange(PROVE, "9406")).proof(PURCHASE, 0x10) is None


@pytest.mark.parametrize("status", ["6985", "6D00", "6700", "6F00"])
def test_any_other_refusal_is_no_evidence(status: str) -> None:
    with pytest.raises(CardError):
        wallet_over(Exchange(PROVE, status)).proof(PURCHASE, 0x10)


@pytest.mark.parametrize("answer", ["", "0F3B44D8", "0F3B44D8662945B900"])
def test_proofs_of_another_length_are_no_evidence(answer: str) -> None:
    with pytest.raises(CardDataInvalid):
        wallet_over(Exchange(PROVE, answer + "9000")).proof(PURCHASE, 0x10)


@pytest.mark.parametrize(
    ("rule", "counter", "number"),
    [
        (CounterRule.AFTER, 0x10, "0011"),
        (CounterRule.BEFORE, 0x10, "0010"),
        (CounterRule.AFTER, 0xFFFF, "0000"),
        (CounterRule.BEFORE, 0xFFFF, "FFFF"),
    ],
)
def test_only_the_number_of_the_rule_is_asked(rule: CounterRule, counter: int, number: str) -> None:
    """The other number could find the proof of an older purchase (EW PC-17): it is not even tried on 9406."""
    purse = wallet_over(Exchange(f"805A000602{number}08", "9406"), proof_number=rule)
    assert purse.proof(PURCHASE, counter) is None


# ---- log ---------------------------------------------------------------------------------------------------------

RECORD = "0011000000000000C80611223344556620260315090102"


def test_log_is_read_newest_first_until_there_are_no_more() -> None:
    older = "0010000000800000640911223344556620260314235959"
    purse = wallet_over(
        Exchange("00B201C417", RECORD + "9000"),
        Exchange("00B202C417", older + "9000"),
        Exchange("00B203C417", "6A83"),
    )
    newest, before = purse.log()
    assert (newest.number, newest.amounts, newest.kind) == (0x11, (200,), 6)
    assert (newest.terminal, newest.time) == (TERMINAL, bytes.fromhex("20260315090102"))
    assert (before.number, before.amounts, before.kind) == (0x10, (100,), 9)
    assert before.time == bytes.fromhex("20260314235959")


@pytest.mark.parametrize(
    ("file", "operation", "kinds"),
    [
        (PurseFile.PURSE, Operation.PURCHASE, {0x06, 0x09}),
        (PurseFile.PURSE, Operation.LOAD, {0x02}),
        (PurseFile.PASSBOOK, Operation.CASH, {0x04, 0x05}),
        (PurseFile.PASSBOOK, Operation.UNLOAD, {0x01, 0x03, 0x07}),
    ],
)
def test_log_records_of_another_purse_or_counter_are_told_apart(
    file: PurseFile, operation: Operation, kinds: set[int]
) -> None:
    purse = WalletPurse(scripted()[0], rules(WALLET_SAM), FACTORS, file)
    assert purse.same_counter(operation) == kinds


@pytest.mark.parametrize("terminal", ["11223344556F", "1122334455FF", "000000000000", "112233445FFF"])
def test_terminal_numbers_come_as_they_are_stored(terminal: str) -> None:
    record = RECORD[:20] + terminal + RECORD[32:]
    purse = wallet_over(Exchange("00B201C417", record + "9000"))
    assert next(purse.log()).terminal == bytes.fromhex(terminal)


def test_closed_log_says_so() -> None:
    with pytest.raises(AccessDenied):
        next(wallet_over(Exchange("00B201C417", "6982")).log())
