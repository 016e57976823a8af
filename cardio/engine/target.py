"""The purse on the presented card that a transaction works on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cardio.apdu.connection import CardConnection
from cardio.applications.medical import CardMode, MedicalApplication
from cardio.applications.validity import check_validity
from cardio.errors import (
    AmountLimit,
    OperationUnsupported,
    RuleUnconfirmed,
    TestKeysRefused,
)
from cardio.files.masking import Mask
from cardio.files.social_security import DF04
from cardio.products.catalogue import Catalogue
from cardio.products.detection import check_caller_pin, find_social_security, find_wallet
from cardio.products.model import Product
from cardio.purse.purse import Purse, PurseKind
from cardio.security.keys import Family, PurchaseKeys


@dataclass(frozen=True)
class Target:
    """A selected purse with what the journal must know about its card.

    Attributes:
        purse: The purse.
        product: Its card product.
        application: AID, hex.
        identity: What makes the card itself and no other.
        number: Number that the clearing centre needs.
        mode: Where the personal account lives; None for wallets.
    """

    purse: Purse
    product: Product
    application: str
    identity: bytes
    number: str
    mode: CardMode | None = None

    @property
    def masked(self) -> str:
        """The number's last four digits (OPS §4.8)."""
        return Mask.CARD_NUMBER.apply(self.number)


def open_target(
    card: CardConnection,
    catalogue: Catalogue,
    kind: PurseKind,
    today: datetime,
    pin: str | None = None,
) -> Target | None:
    """Select a purse on the card; None if the card does not have it.

    Raises:
        CardExpired: Today is outside the card's validity.
        PinError: The medical account's PIN is missing, wrong or blocked.
        PinNotAllowed: The caller handed over a PIN that must be typed on the pad.
        CardError: The card refuses or is blocked.
    """
    if kind is PurseKind.WALLET:
        return _open_wallet(card, catalogue, today)
    return _open_medical(card, catalogue, today, pin)


def _open_wallet(card: CardConnection, catalogue: Catalogue, today: datetime) -> Target | None:
    found = find_wallet(card, catalogue)
    if found is None:
        return None
    public = found.application.public
    check_validity(public.starts, public.ends, today.date())
    return Target(
        purse=found.application.purse,
        product=found.product,
        application=found.part.aid.hex().upper(),
        identity=found.application.key,
        number=public.serial,
    )


def _open_medical(card: CardConnection, catalogue: Catalogue, today: datetime, pin: str | None) -> Target | None:
    found = find_social_security(card, catalogue)
    if found is None or found.product.medical is None:
        return None
    check_caller_pin(card, found.product, pin)
    issuer = found.application.issuer()
    check_validity(issuer.issued, issuer.expires, today.date())
    identity = found.application.identity()
    application = MedicalApplication.open(card, found.application, found.product.medical.rules(Family.LDT), pin)
    return Target(
        purse=application.purse,
        product=found.product,
        application=DF04.name.hex().upper(),
        identity=identity.key,
        number=identity.card_number,
        mode=application.mode,
    )


def check_rules(card: CardConnection, target: Target, keys: PurchaseKeys, amounts: tuple[int, ...]) -> None:
    """Whether this card may be charged at all with these keys and rules; asks nothing of the card.

    Raises:
        TestKeysRefused: Test keys and a card that is not virtual.
        RuleUnconfirmed: A rule without a source and a card that is not virtual.
        AmountLimit: More than the product allows.
    """
    if keys.test and not card.channel.virtual:
        raise TestKeysRefused
    if not target.purse.rules.confirmed and not card.channel.virtual:
        raise RuleUnconfirmed(target.product.id)
    if max(amounts) > target.purse.rules.max_amount_fen:
        raise AmountLimit(f"{target.product.id} allows {target.purse.rules.max_amount_fen} fen")


def require(target: Target | None, kind: PurseKind) -> Target:
    """The target, which must be there.

    Raises:
        OperationUnsupported: The card has no such purse.
    """
    if target is None:
        raise OperationUnsupported(f"the card has no {kind} purse")
    return target
