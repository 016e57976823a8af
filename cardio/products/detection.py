"""Which product lies in the reader: asked of the card in few commands."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.connection import CardConnection
from cardio.applications.social_security import SocialSecurityApplication
from cardio.applications.wallet import WalletApplication
from cardio.errors import CardUnsupported, FileNotFound
from cardio.products.catalogue import Catalogue
from cardio.products.model import Product, WalletPart
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
