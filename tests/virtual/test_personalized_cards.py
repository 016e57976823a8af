"""The two personalized cards of PERS §5 are cards like any other: read, debited, settled, kept in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from cardio.apdu.connection import CardConnection
from cardio.ledger.bill import Bill
from cardio.ledger.model import State, Tender
from cardio.products.catalogue import Catalogue
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.blank_fmcos import blank_fmcos_card
from cardio.virtual.blank_ldt import blank_ldt_card
from cardio.virtual.card import VirtualCard
from cardio.virtual.pin_pad import VirtualPinPad
from cardio.virtual.saving import load, save
from tests.counter import TestCounter, account_of, wallet_of
from tests.virtual.personalization import play, steps


def card_a() -> VirtualCard:
    card = blank_fmcos_card()
    play(card, steps("a"))
    return card


def card_b() -> VirtualCard:
    card = blank_ldt_card()
    play(card, steps("b"))
    return card


def reloaded(make: Callable[[], VirtualCard], folder: Path) -> VirtualCard:
    file = folder / "card.json"
    save(make(), file)
    return load(file)


@pytest.fixture(params=[False, True], ids=["as it was made", "out of a file"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Callable[[], VirtualCard]], VirtualCard]:
    """Makes a card, and may keep it in a file."""
    return partial(reloaded, folder=tmp_path) if request.param else lambda make: make()


Kept = Callable[[Callable[[], VirtualCard]], VirtualCard]


@pytest.fixture
def counter(kept: Kept, tmp_path: Path) -> Iterator[TestCounter]:
    """A counter with both cards; its journal must be whole at the end."""
    made = TestCounter(tmp_path, kept(card_a), kept(card_b))
    yield made
    made.close()


def read(card: VirtualCard, *groups: Group) -> dict[Group, object]:
    channel = EmbeddedReader("counter", card, VirtualPinPad("123456")).connect()
    try:
        readings = CardReading(CardConnection(channel), Catalogue.load(), masked=False).read(groups)
    finally:
        channel.close()
    assert {group: reading.error for group, reading in readings.items()} == dict.fromkeys(groups)
    return {group: reading.content for group, reading in readings.items()}


def test_wallet_of_card_a_is_read(kept: Kept) -> None:
    found = read(kept(card_a), Group.WALLET, Group.WALLET_LOG)
    wallet, log = found[Group.WALLET], found[Group.WALLET_LOG]
    assert isinstance(wallet, dict)
    assert wallet["balance_fen"] == 9000
    assert isinstance(log, list)
    assert [record["amount_fen"] for record in log] == [1000, 10000]


def test_holder_and_account_of_card_b_are_read(kept: Kept) -> None:
    found = read(kept(card_b), Group.CARD, Group.HOLDER, Group.MEDICAL)
    holder, medical = found[Group.HOLDER], found[Group.MEDICAL]
    assert isinstance(holder, dict)
    assert (holder["name"], holder["social_security_number"]) == ("测试甲", "999999199001010016")
    assert isinstance(medical, dict)
    assert medical["balance_fen"] == 10000


def test_both_cards_pay_through_the_engine(counter: TestCounter) -> None:
    paid = counter.debit(1500)
    assert paid.state is State.COMPLETED
    assert wallet_of(counter.wallet_card).balance == 7500
    bill = Bill(total_fen=10000, fund_fen=6000, account_fen=2500, self_pay_fen=1500)
    settled = counter.settle(counter.begin_settlement(bill, Tender.CASH), counter.social)
    assert settled.state is State.COMPLETED
    account = account_of(counter.social_card)
    assert (account.balance, account.self_paid, account.pool) == (7500, 1500, 6000)
