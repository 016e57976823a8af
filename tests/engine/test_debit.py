"""The way of one debit (design §3)."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from pytest_mock import MockerFixture

from cardio.engine.requests import DebitRequest
from cardio.errors import (
    AmountInvalid,
    AmountLimit,
    CardAbsent,
    CardExpired,
    CardioError,
    CardRemoved,
    IdempotencyMismatch,
    OperationUnsupported,
    RuleUnconfirmed,
    SamAbsent,
    StorageUnavailable,
    TestKeysRefused,
)
from cardio.ledger.model import State
from cardio.products.catalogue import Catalogue
from cardio.security.keys import Mac2
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.cards import social_security_card
from cardio.virtual.received import Received
from tests.counter import DEBIT_INSTRUCTIONS, TestCounter, request, tear, wallet_of


def test_a_debit_takes_the_amount_and_brings_a_tac(counter: TestCounter) -> None:
    done = counter.debit(1234)
    assert done.state is State.COMPLETED
    assert done.outcome.mac2 is Mac2.OK
    assert wallet_of(counter.wallet_card).balance == 8766
    assert done.armed is not None
    assert (done.armed.balance_before, done.outcome.balance_after) == (10000, 8766)
    proof = wallet_of(counter.wallet_card).proof
    assert proof is not None
    assert done.outcome.tac == proof.tac.hex().upper()


def test_the_same_key_gets_the_same_bytes_and_debits_nothing(counter: TestCounter) -> None:
    first = counter.debit(1000, key="k")
    again = counter.debit(1000, key="k")
    assert again.answer == first.answer is not None
    assert wallet_of(counter.wallet_card).balance == 9000


def test_the_same_key_gets_the_same_bytes_after_a_restart(counter: TestCounter) -> None:
    first = counter.debit(1000, key="k")
    counter.restart()
    assert counter.debit(1000, key="k").answer == first.answer
    assert wallet_of(counter.wallet_card).balance == 9000


def test_the_same_key_for_another_amount_is_refused(counter: TestCounter) -> None:
    counter.debit(1000, key="k")
    with pytest.raises(IdempotencyMismatch):
        counter.debit(1001, key="k")
    assert wallet_of(counter.wallet_card).balance == 9000


@pytest.mark.parametrize("amount", [0, -1, 0x80000000])
def test_an_amount_no_wallet_can_hold_is_refused_and_uses_up_no_key(counter: TestCounter, amount: int) -> None:
    with pytest.raises(AmountInvalid):
        counter.debit(amount, key="k")
    assert counter.debit(1, key="k").state is State.COMPLETED


def test_debit_is_sent_only_when_armed_is_on_disk(counter: TestCounter) -> None:
    seen: list[tuple[str, int]] = []

    def hook(moment: Moment, command: Received) -> None:
        if moment is Moment.COMMAND and command.instruction in DEBIT_INSTRUCTIONS:
            with sqlite3.connect(f"file:{counter.journal}?mode=ro", uri=True) as reader:
                rows = reader.execute("SELECT state, card_counter FROM transactions").fetchall()
                pending = reader.execute("SELECT count(*) FROM pending_cards").fetchone()[0]
            reader.close()
            seen.extend((state, pending) for state, _ in rows)

    counter.wallet_card.hook = hook
    counter.debit(500)
    assert seen == [("armed", 1)]


def test_nothing_is_sent_when_the_journal_cannot_be_armed(counter: TestCounter, mocker: MockerFixture) -> None:
    mocker.patch.object(counter.ledger, "arm", side_effect=StorageUnavailable)
    with pytest.raises(StorageUnavailable):
        counter.debit(500, key="k")
    assert wallet_of(counter.wallet_card).offline_counter == 0
    mocker.stopall()
    assert counter.debit(500, key="k").state is State.COMPLETED


def test_a_debit_whose_record_cannot_be_written_is_uncertain_until_the_card_is_back(
    counter: TestCounter, mocker: MockerFixture
) -> None:
    mocker.patch.object(counter.ledger, "record", side_effect=StorageUnavailable)
    told = counter.debit(500, key="k")
    assert (told.state, told.outcome.error) == (State.UNCERTAIN, "storage.unavailable")
    mocker.stopall()
    resolved = counter.debit(500, key="k")
    assert (resolved.state, resolved.outcome.recovered) == (State.COMPLETED, True)
    assert wallet_of(counter.wallet_card).balance == 9500


def test_too_little_money_is_a_decline_that_uses_up_the_key(counter: TestCounter) -> None:
    declined = counter.debit(10001, key="k")
    assert (declined.state, declined.outcome.error) == (State.DECLINED, "funds.insufficient")
    wallet_of(counter.wallet_card).balance = 20000
    assert counter.debit(10001, key="k").answer == declined.answer
    assert wallet_of(counter.wallet_card).balance == 20000


def test_more_than_the_product_allows_is_refused_before_initialize(counter: TestCounter) -> None:
    with pytest.raises(AmountLimit):
        counter.debit(100001, key="k")
    assert counter.ledger.pending_purses() == set()


@pytest.mark.parametrize("hindrance", ["wrong card", "no card", "pulled at SELECT"])
def test_a_refusal_before_initialize_does_not_use_up_the_key(counter: TestCounter, hindrance: str) -> None:
    error: type[CardioError]
    if hindrance == "wrong card":
        counter.citizen.insert(social_security_card())
        error = OperationUnsupported
    elif hindrance == "no card":
        counter.citizen.remove()
        error = CardAbsent
    else:
        tear(counter.wallet_card, Moment.COMMAND, {(0x00, 0xA4)})
        error = CardRemoved
    with pytest.raises(error):
        _debit_what_is_there(counter, "k")
    assert counter.debit(700, key="k").state is State.COMPLETED
    assert wallet_of(counter.wallet_card).balance == 9300


def _debit_what_is_there(counter: TestCounter, key: str) -> None:
    begun = counter.engine.begin_debit(DebitRequest(request(key=key, body=b"700"), 700, "sale"))
    with counter.channel(counter.citizen) as channel:
        counter.engine.debit(begun, channel)


def test_a_wrong_mac1_is_a_decline_and_nothing_moves(counter: TestCounter) -> None:
    wallet = wallet_of(counter.wallet_card)
    wallet.keys.purchase[1] = bytes(range(16))
    declined = counter.debit(500)
    assert (declined.state, declined.outcome.error) == (State.DECLINED, "mac.invalid")
    assert (wallet.balance, wallet.offline_counter) == (10000, 0)


def test_a_wrong_mac2_is_told_as_debited_but_not_genuine(counter: TestCounter, mocker: MockerFixture) -> None:
    _corrupt_mac2(counter.wallet_card, mocker)
    done = counter.debit(500, key="k")
    assert (done.state, done.state.money, done.outcome.mac2) == (State.NOT_GENUINE, "moved", Mac2.WRONG)
    assert done.outcome.tac is not None
    assert counter.debit(500, key="k").answer == done.answer
    assert wallet_of(counter.wallet_card).balance == 9500


@pytest.mark.parametrize("word", ["6581", "6F00", "6400", "9303", "6C08"])
def test_an_answer_that_is_no_clear_refusal_leaves_the_outcome_open(
    counter: TestCounter, mocker: MockerFixture, word: str
) -> None:
    """The card may have written before it said so: only the words of `REFUSED_DEBIT` mean that nothing was done."""
    honest = counter.wallet_card.transmit

    def transmit(command: bytes) -> bytes:
        answer = honest(command)
        return bytes.fromhex(word) if command[:2] == bytes.fromhex("8054") else answer

    mocker.patch.object(counter.wallet_card, "transmit", transmit)
    assert counter.debit(500, key="k").state is State.UNCERTAIN
    assert counter.debit(500, key="k").state is State.COMPLETED
    assert wallet_of(counter.wallet_card).balance == 9500


def _corrupt_mac2(card: VirtualCard, mocker: MockerFixture) -> None:
    honest = card.transmit

    def transmit(command: bytes) -> bytes:
        answer = honest(command)
        if command[:2] == bytes.fromhex("8054"):
            return answer[:4] + bytes(b ^ 0xFF for b in answer[4:8]) + answer[8:]
        return answer

    mocker.patch.object(card, "transmit", transmit)


def test_a_sam_that_dies_before_80_72_leaves_a_completed_debit_with_mac2_unchecked(counter: TestCounter) -> None:
    tear(counter.psam, Moment.COMMAND, {(0x80, 0x72)})
    done = counter.debit(500)
    assert (done.state, done.outcome.mac2) == (State.COMPLETED, Mac2.UNCHECKED)


def test_a_sam_that_is_missing_refuses_before_anything_is_sent_to_the_purse(counter: TestCounter) -> None:
    counter.sam.remove()
    with pytest.raises(SamAbsent):
        counter.debit(500, key="k")
    counter.sam.insert(counter.psam)
    assert counter.debit(500, key="k").state is State.COMPLETED


def test_test_keys_never_debit_a_card_that_is_not_virtual(counter: TestCounter, mocker: MockerFixture) -> None:
    mocker.patch("cardio.transport.embedded.EmbeddedChannel.virtual", False)
    with pytest.raises(TestKeysRefused):
        counter.debit(500)
    assert wallet_of(counter.wallet_card).offline_counter == 0


def test_an_unconfirmed_rule_never_debits_a_card_that_is_not_virtual(
    counter: TestCounter, mocker: MockerFixture
) -> None:
    products = []
    for product in counter.catalogue:
        wallet = product.wallet and product.wallet.model_copy(update={"confirmed": False})
        products.append(product.model_copy(update={"wallet": wallet}))
    counter.engine.catalogue = Catalogue(products)
    assert counter.debit(100).state is State.COMPLETED
    mocker.patch("cardio.transport.embedded.EmbeddedChannel.virtual", False)
    mocker.patch("cardio.security.psam.Psam.test", False)
    with pytest.raises(RuleUnconfirmed):
        counter.debit(100)


def test_an_expired_card_is_refused(counter: TestCounter) -> None:
    begun = counter.ledger._clock()
    counter.engine._clock = lambda: begun.replace(year=2036)
    with pytest.raises(CardExpired):
        counter.debit(500)


def test_a_card_without_the_application_is_refused(counter: TestCounter) -> None:
    counter.wallet_card.master_file.directories.clear()
    with pytest.raises(OperationUnsupported):
        counter.debit(500)


def test_a_voucher_stands_in_both_languages_and_masks_the_card(counter: TestCounter) -> None:
    answer = counter.debit(1234).answer
    assert answer is not None
    for text in ("¥12.34", "¥87.66", "****0123", "消费金额", "Balance after"):
        assert text in answer
    assert "8600000000000123" not in answer


def test_the_outbox_gets_its_row_with_the_outcome(counter: TestCounter) -> None:
    done = counter.debit(1234)
    with sqlite3.connect(counter.journal) as reader:
        rows = reader.execute('SELECT "transaction", record FROM outbox').fetchall()
    reader.close()
    assert [row[0] for row in rows] == [done.id]
    assert "8600000000000123" not in rows[0][1]
    assert counter.ledger.privacy.card_number(done.id) == "00008600000000000123"


def test_a_transaction_never_leaves_a_final_state(counter: TestCounter) -> None:
    done = counter.debit(100)
    with pytest.raises(RuntimeError):
        counter.ledger.record(done, replace(done.outcome, state=State.NOT_DEBITED))
