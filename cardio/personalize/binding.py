"""What a plan needs from one card: its own keys by name (PERS §1.8, §5.2, §5.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cardio.apdu.atr import card_factor
from cardio.crypto.ciphers import Algorithm
from cardio.crypto.factors import city_factor, province_factor
from cardio.crypto.suites import CipherSuite, LdtSuite, PbocSuite
from cardio.errors import JobInvalid
from cardio.personalize.card_data import CardData
from cardio.personalize.derived.social_security import algorithm_of
from cardio.personalize.derived.wallet import WALLET, WALLET_LABEL
from cardio.personalize.steps import Place
from cardio.products.model import Product, WalletPart
from cardio.security.issuing import CardKeyReference
from cardio.security.keyring import MAX_LEVELS

Reference = Callable[[str], CardKeyReference]
"""A key of one card by its name."""
NO_CARD = (bytes(8),) * MAX_LEVELS
"""Factors that no card has."""


def references(product: Product, data: CardData, files: Mapping[Place, Sequence[bytes]], atr: bytes) -> Reference:
    """How the keys of one card are named to the source of keys: suite and diversification factors.

    Args:
        product: The card's product.
        data: Its row.
        files: Content of its files.
        atr: Its answer to reset, whose historical bytes are the last factor of social security cards.

    Raises:
        JobInvalid: The row lacks what the factors are made from.
        CardDataInvalid: The ATR has no historical bytes to make the factor from.
    """
    social, wallet = product.social_security, product.wallet
    of_wallet: tuple[CipherSuite, tuple[bytes, ...]] | None = None
    of_card: tuple[CipherSuite, tuple[bytes, ...]] | None = None
    if wallet is not None:
        selection = wallet.selection()
        (public,) = files[WALLET_LABEL, wallet.public_file.label]
        of_wallet = PbocSuite(wallet.algorithm), selection.factors.factors(selection.decode_public(public))
    if social is not None:
        if data.region is None:
            raise JobInvalid("region: missing; the keys of the card are made from it")
        factors = province_factor(data.region), city_factor(data.region), card_factor(atr)
        of_card = LdtSuite(algorithm_of(social)), factors

    def reference(name: str) -> CardKeyReference:
        found = of_wallet if name.startswith(WALLET) or of_card is None else of_card
        if found is None:
            raise KeyError(name)
        return CardKeyReference(name, *found)

    return reference


def key_of_no_card(product: Product, name: str) -> CardKeyReference:
    """A key by its name for no card at all: its check value tells one root from another."""
    social, wallet = product.social_security, product.wallet
    if social is None or (wallet is not None and name.startswith(WALLET)):
        return CardKeyReference(name, PbocSuite(_wallet_algorithm(wallet)), NO_CARD)
    return CardKeyReference(name, LdtSuite(algorithm_of(social)), NO_CARD)


def shared_key(product: Product, name: str) -> CardKeyReference:
    """How a key is named to its source that all blank cards of a lot have, as the transport key."""
    social, wallet = product.social_security, product.wallet
    if social is not None:
        return CardKeyReference(name, LdtSuite(algorithm_of(social)), ())
    return CardKeyReference(name, PbocSuite(_wallet_algorithm(wallet)), ())


def _wallet_algorithm(wallet: WalletPart | None) -> Algorithm:
    return Algorithm.TRIPLE_DES if wallet is None else wallet.algorithm


def missing_files(product: Product, files: Mapping[Place, Sequence[bytes]]) -> list[str]:
    """What must be on a card of the product, and is not in its content, as sentences."""
    needed: list[tuple[Place, str]] = []
    if product.wallet is not None:
        needed.append(((WALLET_LABEL, product.wallet.public_file.label), "wallet_serial, issued and expires"))
    if product.social_security is not None:
        needed.append((("SSSE", "EF05"), "region, card_serial and card_number"))
    return [f"{'/'.join(place)}: nothing to write; give {hint}" for place, hint in needed if place not in files]
