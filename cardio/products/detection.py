"""Which product lies in the reader: asked of the card in few commands."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.connection import CardConnection
from cardio.applications.social_security import SocialSecurityApplication
from cardio.applications.wallet import WalletApplication
from cardio.errors import CardUnsupported, FileNotFound, PinNotAllowed
from cardio.files.masking import Mask
from cardio.products.catalogue import Catalogue
from cardio.products.model import Product, WalletPart
from cardio.purse.purse import PurseKind
from cardio.security.keys import Family

VERSION_CHARACTERS = 3
DEFAULT_VERSION = "1.0"
"""An unwritten item 03 means version 1.0 (SSC §1)."""


@dataclass(frozen=True)
class WalletFound:
    """A wallet on the presented card, selected."""

    product: Product
    part: WalletPart
    application: WalletApplication


@dataclass(frozen=True)
class SocialSecurityFound:
    """A social security environment on the presented card, selected."""

    product: Product
    application: SocialSecurityApplication


def find_wallet(card: CardConnection, catalogue: Catalogue) -> WalletFound | None:
    """Select the first wallet of the catalogue that the card knows, one SELECT per distinct name."""
    missing: set[bytes] = set()
    for product in catalogue:
        part = product.wallet
        if part is None or part.aid in missing:
            continue
        try:
            application = WalletApplication.open(card, part.selection(), part.rules(Family.PBOC))
        except FileNotFound:
            missing.add(part.aid)
            continue
        return WalletFound(product, part, application)
    return None


def find_social_security(card: CardConnection, catalogue: Catalogue) -> SocialSecurityFound | None:
    """Select the social security environment and choose the product by the card's version.

    Raises:
        CardUnsupported: The environment is there, but no product knows its version.
    """
    products = [product for product in catalogue if product.social_security is not None]
    if not products:
        return None
    try:
        application = SocialSecurityApplication.select(card)
    except FileNotFound:
        return None
    version = (application.issuer().version or DEFAULT_VERSION)[:VERSION_CHARACTERS]
    for product in products:
        if product.social_security and version in product.social_security.versions:
            return SocialSecurityFound(product, application)
    raise CardUnsupported(f"no product knows social security cards of version {version}")


def check_caller_pin(card: CardConnection, product: Product, pin: str | None) -> None:
    """Whether the caller may hand over a PIN: only where the product says so, or to a virtual card (OPS §4.9).

    Raises:
        PinNotAllowed: It must be typed on the PIN pad.
    """
    if pin is not None and not (product.pin.caller or card.channel.virtual):
        raise PinNotAllowed


@dataclass(frozen=True)
class Identification:
    """What a presented card is.

    Attributes:
        products: Products found on it.
        purses: Purses that it can pay with.
        masked: Last four digits of its number.
    """

    products: tuple[Product, ...]
    purses: frozenset[PurseKind]
    masked: str


def identify(card: CardConnection, catalogue: Catalogue) -> Identification:
    """Find out what a card is; presents no PIN.

    Raises:
        CardUnsupported: No product knows it.
        CardError: It is blocked, or answers nonsense.
        ReaderError: It left.
    """
    products: list[Product] = []
    purses: set[PurseKind] = set()
    number = ""
    social = find_social_security(card, catalogue)
    if social is not None:
        products.append(social.product)
        number = social.application.issuer().card_number or ""
        if social.product.medical is not None:
            purses.add(PurseKind.MEDICAL)
    wallet = find_wallet(card, catalogue)
    if wallet is not None:
        if wallet.product not in products:
            products.append(wallet.product)
        purses.add(PurseKind.WALLET)
        number = number or wallet.application.public.serial
    if not products:
        raise CardUnsupported("no known application is on the card")
    return Identification(tuple(products), frozenset(purses), Mask.CARD_NUMBER.apply(number))
