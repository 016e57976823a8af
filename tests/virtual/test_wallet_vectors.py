"""The virtual wallet and the virtual PSAM, held to the vectors of EW §10."""

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.files.wallet.applications import WALLET_NAME
from cardio.files.wallet.log import EF18_LOG
from cardio.purse.purse import CounterRule
from cardio.security.keys import Family
from cardio.transport.channel import CardProtocol
from cardio.virtual import wallet as virtual_wallet
from cardio.virtual.card import CardPin, VirtualCard
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.psam import PsamFunction, PsamKey
from cardio.virtual.purse import PurseKeys
from cardio.virtual.wallet import WalletFunction
from tests.virtual.vectors import (
    EP_PURCHASES,
    NOT_BUILT,
    WITHOUT_APDUS,
    PurchaseVector,
    entries,
    ep_purchases,
    purchase_kinds,
)
from tests.virtual.wire import SELECT_WALLET, complete, fixed, send

VECTORS = [pytest.param(vector, id=vector.name) for vector in ep_purchases()]
ATR = bytes.fromhex("3B00")
PIN = bytes.fromhex("123456")
LAST_COUNTER = 0xFFFF
protocols = pytest.mark.parametrize("protocol", list(CardProtocol))


def card_with(function: WalletFunction, log: ElementaryFile, protocol: CardProtocol) -> VirtualCard:
    """A card whose only application is this wallet, selected."""
    master = Directory(0x3F00)
    master.add(Directory(0x3F01, WALLET_NAME, files=[log], function=function))
    card = VirtualCard(ATR, master, protocol, CardPin(PIN))
    function.card = card
    assert complete(card, SELECT_WALLET + "00").endswith("9000")
    return card


def wallet_of(
    vector: PurchaseVector, protocol: CardProtocol, proof_number: CounterRule = CounterRule.AFTER
) -> tuple[VirtualCard, WalletFunction]:
    log = ElementaryFile(EF18_LOG)
    keys = PurseKeys({vector.key_index: vector.purchase_key}, vector.tac_key, vector.key_version, vector.algorithm_id)
    function = WalletFunction(
        vector.suite,
        keys,
        log,
        balance_fen=vector.balance,
        offline_counter=vector.counter,
        proof_number=proof_number,
    )
    card = card_with(function, log, protocol)
    card.random = fixed(vector.random)
    return card, function


def test_every_purchase_vector_is_covered_or_named_as_not_built() -> None:
    found = {vector.name for vector in ep_purchases()}
    assert found == EP_PURCHASES
    assert {entry["id"] for entry in purchase_kinds()} == EP_PURCHASES | WITHOUT_APDUS | NOT_BUILT


@protocols
@pytest.mark.parametrize("vector", VECTORS)
def test_card_answers_every_apdu_of_the_vector(
    vector: PurchaseVector, protocol: CardProtocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    if vector.counter == LAST_COUNTER:
        # The vector shows the cryptograms at the edge; a card refuses before (EW PC-11, next test).
        monkeypatch.setattr(virtual_wallet, "MAX_COUNTER", LAST_COUNTER + 1)
    card, function = wallet_of(vector, protocol)
    for exchange in vector.card_exchanges:
        assert complete(card, exchange.command) == exchange.answer
    assert complete(card, "805C000204") == f"{vector.new_balance:08X}9000"
    assert function.offline_counter & 0xFFFF == vector.new_counter
    assert complete(card, "0020000003123456") == "9000"
    assert complete(card, "00B201C417") == f"{vector.record.hex().upper()}9000"
    assert complete(card, "00B202C417") == "6A83"


@pytest.mark.parametrize("name", ["3des-purchase-termseq-high", "sm4-purchase-termseq-high"])
def test_card_at_its_last_counter_refuses_the_purchase(name: str) -> None:
    (vector,) = (vector for vector in ep_purchases() if vector.name == name)
    card, function = wallet_of(vector, CardProtocol.T1)
    assert send(card, vector.initialize.command) == "9402"
    assert send(card, vector.debit.command) == "6901"
    assert function.balance == vector.balance


def test_card_of_the_other_counter_rule_proves_the_number_before() -> None:
    (vector,) = (vector for vector in ep_purchases() if vector.name == "3des-purchase-ep")
    card, _ = wallet_of(vector, CardProtocol.T1, CounterRule.BEFORE)
    send(card, vector.initialize.command)
    send(card, vector.debit.command)
    assert send(card, vector.prove.command) == "9406"
    assert send(card, "805A000602001008") == vector.prove.answer


def test_log_of_the_other_counter_rule_stores_the_number_before() -> None:
    (vector,) = (vector for vector in ep_purchases() if vector.name == "3des-purchase-ep")
    card, function = wallet_of(vector, CardProtocol.T1)
    function.log_number = CounterRule.BEFORE
    send(card, vector.initialize.command)
    send(card, vector.debit.command)
    assert function.log.records == [bytes.fromhex("0010") + vector.record[2:]]


def test_card_agrees_with_a_purchase_that_others_published() -> None:
    (entry,) = (entry for entry in entries() if entry["id"] == "pub-purchase-a")
    given, out = entry["inputs"], entry["outputs"]
    log = ElementaryFile(EF18_LOG)
    keys = PurseKeys({1: bytes.fromhex(given["DPK"])}, bytes.fromhex(given["DTK"]))
    function = WalletFunction(PbocSuite(Algorithm.TRIPLE_DES), keys, log, balance_fen=1)
    card = card_with(function, log, CardProtocol.T1)
    card.random = fixed(bytes.fromhex(given["card_random"]))
    assert given["offline_seq"] == "0000"
    initialized = send(card, f"805001020B01{given['amount']}{given['terminal']}0F")
    assert initialized == f"000000010000000000 0100{given['card_random']}9000".replace(" ", "")
    debit = f"805401000F{given['terminal_seq']}{given['datetime']}{out['MAC1']}08"
    assert send(card, debit) == f"{out['TAC']}{out['MAC2']}9000"
    assert function.balance == 0


@protocols
@pytest.mark.parametrize("vector", VECTORS)
def test_psam_answers_every_apdu_of_the_vector(vector: PurchaseVector, protocol: CardProtocol) -> None:
    key = PsamKey(vector.key_version, frozenset({vector.algorithm_id}), vector.suite, vector.master_key)
    function = PsamFunction(
        Family.PBOC, [key], levels=len(vector.factors), terminal=vector.terminal, sequence=vector.sequence
    )
    card = VirtualCard(ATR, Directory(0x3F00, function=function), protocol)
    function.card = card
    for exchange in (vector.sam_init, vector.sam_credit):
        assert complete(card, exchange.command) == exchange.answer
    assert function.sequence == vector.sequence + 1
