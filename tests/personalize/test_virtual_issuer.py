"""Virtual cards that are made from blank ones and loaded through a test host."""

from __future__ import annotations

import pytest

from cardio.errors import BalanceLimit, OperationUnsupported
from cardio.personalize.example_job import example_job
from cardio.personalize.virtual_cards import VirtualIssuer
from cardio.products.catalogue import Catalogue
from cardio.purse.operation import PurseKind
from cardio.virtual.card import VirtualCard
from tests.counter import PIN, account_of, wallet_of


@pytest.fixture
def issuer() -> VirtualIssuer:
    """One that can make all products."""
    return VirtualIssuer(Catalogue.load())


def made(issuer: VirtualIssuer, product: str) -> VirtualCard:
    """The first card of a product's example job."""
    maker = issuer.maker(product)
    _, (row,) = example_job(maker.product, maker.layout, 1)
    return issuer.card(product, row, PIN if maker.needs_pin else None)


@pytest.mark.parametrize(
    ("product", "pin"),
    [("citizen-wallet", PIN), ("transit-jtt978", None), ("transit-cjt166", None)],
)
def test_a_wallet_is_loaded_and_the_card_has_logged_it(issuer: VirtualIssuer, product: str, pin: str | None) -> None:
    card = made(issuer, product)
    wallet = wallet_of(card)
    assert (wallet.balance, wallet.online_counter) == (0, 0)
    issuer.load(card, PurseKind.WALLET, 10000, pin)
    issuer.load(card, PurseKind.WALLET, 1, pin)
    assert (wallet.balance, wallet.online_counter) == (10001, 2)


def test_a_medical_account_is_loaded(issuer: VirtualIssuer) -> None:
    card = made(issuer, "ssc-2.0")
    issuer.load(card, PurseKind.MEDICAL, 50000, PIN)
    assert (account_of(card).balance, account_of(card).load_counter) == (50000, 1)


def test_no_purse_that_the_card_lacks_is_loaded_and_no_more_than_it_takes(issuer: VirtualIssuer) -> None:
    card = made(issuer, "citizen-wallet")
    with pytest.raises(OperationUnsupported):
        issuer.load(card, PurseKind.MEDICAL, 1, PIN)
    limit = wallet_of(card).max_balance
    with pytest.raises(BalanceLimit):
        issuer.load(card, PurseKind.WALLET, limit + 1, PIN)
    assert wallet_of(card).balance == 0
