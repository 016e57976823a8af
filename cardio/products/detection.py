"""Which product lies in the reader: asked of the card in few commands."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from cardio.apdu.connection import CardConnection
from cardio.applications.social_security import SocialSecurityApplication
from cardio.applications.wallet import WalletApplication, select_wallet
from cardio.errors import CardDataInvalid, CardUnsupported, FileNotFound, PinNotAllowed
from cardio.files.masking import Mask
from cardio.products.catalogue import Catalogue
from cardio.products.model import Product, SocialSecurityPart, WalletPart
from cardio.purse.operation import PurseKind
from cardio.security.keys import Family

VERSION_CHARACTERS = 3
DEFAULT_VERSION = "1.0"
"""An unwritten item 03 means version 1.0 (SSC §1)."""


@dataclass(frozen=True)
class Reason:
    """Why a product was chosen, for people."""

    zh: str
    en: str


@dataclass(frozen=True)
class WalletFound:
    """A wallet on the presented card, selected."""

    product: Product
    part: WalletPart
    application: WalletApplication
    raw: bytes
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class SocialSecurityFound:
    """A social security environment on the presented card, selected.

    Attributes:
        product: The product that was chosen.
        part: Its rules for the environment.
        application: The environment.
        reasons: Why.
        candidates: All products that fit, the chosen one first.
    """

    product: Product
    part: SocialSecurityPart
    application: SocialSecurityApplication
    reasons: tuple[Reason, ...]
    candidates: tuple[Product, ...]


# ---- wallet ------------------------------------------------------------------------------------------------------


def find_wallet(card: CardConnection, catalogue: Catalogue, *, blocked_too: bool = False) -> WalletFound | None:
    """Select a wallet that the catalogue knows: by name, one SELECT per distinct name, then by file identifier.

    Args:
        card: The card.
        catalogue: Known products.
        blocked_too: As of `select_wallet`.

    Raises:
        CardUnsupported: A known name is on the card, but no product of that name fits its EF15.
    """
    products = [(product, product.wallet) for product in catalogue if product.wallet is not None]
    names = list(dict.fromkeys(part.aid for _, part in products))
    identifiers = list(dict.fromkeys(identifier for _, part in products for identifier in part.identifiers))
    strangers = []
    selectors: list[bytes | int] = [*names, *identifiers]
    for selector in selectors:
        try:
            raw = select_wallet(card, selector, blocked_too=blocked_too)
        except FileNotFound:
            continue
        for product, part in products:
            named = selector == part.aid or selector in part.identifiers
            if named and all(match.fits(raw) for match in part.match):
                application = WalletApplication.bind(card, raw, part.selection(), part.rules(Family.PBOC))
                return WalletFound(product, part, application, raw, _wallet_reasons(selector, part, raw))
        strangers.append(_selector_text(selector))
    if strangers:
        raise CardUnsupported(f"no product fits the wallet {', '.join(strangers)}")
    return None


def _selector_text(selector: bytes | int) -> str:
    return f"{selector:04X}" if isinstance(selector, int) else selector.hex().upper()


def _wallet_reasons(selector: bytes | int, part: WalletPart, raw: bytes) -> tuple[Reason, ...]:
    text = _selector_text(selector)
    reasons = [Reason(f"钱包应用 {text} 可选择", f"the wallet application {text} can be selected")]
    for match in part.match:
        size = len(match.values[0]) // 2
        value = raw[match.offset : match.offset + size].hex().upper()
        reasons.append(Reason(f"EF15 第{match.offset}字节为 {value}", f"byte {match.offset} of EF15 is {value}"))
    return tuple(reasons)


# ---- social security ---------------------------------------------------------------------------------------------


def find_social_security(card: CardConnection, catalogue: Catalogue) -> SocialSecurityFound | None:
    """Select the social security environment and choose the product by what its EF05 says.

    Of several products that fit, the one that asks most of a card is meant; one without a wallet goes first, because
    whether the card has that wallet is not yet known (see `combine`).

    Raises:
        CardUnsupported: The environment is there, but no product knows its version.
    """
    products = [product for product in catalogue if product.social_security is not None]
    for name in dict.fromkeys(part.name for product in products if (part := product.social_security)):
        try:
            application = SocialSecurityApplication.select(card, name)
        except FileNotFound:
            continue
        return _choose(
            application, [one for one in products if one.social_security and one.social_security.name == name]
        )
    return None


def _choose(application: SocialSecurityApplication, products: list[Product]) -> SocialSecurityFound:
    issuer = application.issuer()
    version = (issuer.version or DEFAULT_VERSION)[:VERSION_CHARACTERS]
    region = (issuer.card_id or b"")[:3].hex()
    fitting = [
        (product, part)
        for product in products
        if (part := product.social_security) and part.fits(version, issuer.card_class, region)
    ]
    if not fitting:
        raise CardUnsupported(f"no product knows social security cards of version {version}")
    fitting.sort(key=lambda one: (one[1].narrowness, one[0].wallet is None), reverse=True)
    product, part = fitting[0]
    reasons = [Reason(f"规范版本为 {version}", f"the specification version is {version}")]
    if part.card_classes:
        reasons.append(Reason(f"卡的类别为 {issuer.card_class}", f"the card class is {issuer.card_class}"))
    if part.regions:
        reasons.append(Reason(f"发卡地区为 {region}", f"the issuing region is {region}"))
    return SocialSecurityFound(product, part, application, tuple(reasons), tuple(product for product, _ in fitting))


def combine(social: SocialSecurityFound | None, wallet: WalletFound | None) -> Product | None:
    """The product that describes both applications of a combined card, if there is one."""
    if social is None or wallet is None:
        return None
    for product in social.candidates:
        part = product.wallet
        if part is not None and part.aid == wallet.part.aid and all(match.fits(wallet.raw) for match in part.match):
            return product
    return None


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
        reasons: Why these products.
        identity: What makes the card itself and no other, and the purse by whose hash the journal knows it; None for a
            card whose items for that are unwritten.
    """

    products: tuple[Product, ...]
    purses: frozenset[PurseKind]
    masked: str
    reasons: tuple[Reason, ...] = ()
    identity: tuple[PurseKind, bytes] | None = field(default=None, repr=False)


def identify(card: CardConnection, catalogue: Catalogue) -> Identification:
    """Find out what a card is; presents no PIN.

    Raises:
        CardUnsupported: No product knows it.
        CardError: It is blocked, or answers nonsense.
        ReaderError: It left.
    """
    refused: CardUnsupported | None = None
    social: SocialSecurityFound | None = None
    try:
        social = find_social_security(card, catalogue)
    except CardUnsupported as error:
        # The wallet of a combined card is known even if its social security version is not.
        refused = error
    wallet = find_wallet(card, catalogue)
    both = combine(social, wallet)
    products = [both] if both is not None else [found.product for found in (social, wallet) if found is not None]
    if not products:
        raise refused or CardUnsupported("no known application is on the card")
    purses: set[PurseKind] = set()
    number = ""
    identity: tuple[PurseKind, bytes] | None = None
    reasons: tuple[Reason, ...] = ()
    if social is not None:
        number = social.application.issuer().card_number or ""
        with suppress(CardDataInvalid):
            identity = PurseKind.MEDICAL, social.application.identity().key
        reasons += social.reasons
        if products[0].medical is not None:
            purses.add(PurseKind.MEDICAL)
    if wallet is not None:
        purses.add(PurseKind.WALLET)
        number = number or wallet.application.public.serial
        identity = identity or (PurseKind.WALLET, wallet.application.key)
        reasons += wallet.reasons
    masked = Mask.CARD_NUMBER.apply(number)
    return Identification(tuple(products), frozenset(purses), masked, reasons, identity)
