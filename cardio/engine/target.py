"""The purse on the presented card that a transaction works on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cardio.apdu.connection import CardConnection
from cardio.applications.medical import CardMode, MedicalApplication
from cardio.applications.pin import verify_pin
from cardio.applications.social_security import SocialSecurityApplication
from cardio.applications.validity import check_validity
from cardio.errors import (
    AmountLimit,
    OperationUnsupported,
    RuleUnconfirmed,
    TestKeysRefused,
)
from cardio.files.dates import CardDate
from cardio.files.masking import Mask
from cardio.files.social_security.medical import DF04
from cardio.products.catalogue import Catalogue
from cardio.products.detection import check_caller_pin, find_social_security, find_wallet
from cardio.products.model import Product
from cardio.purse.operation import Operation, PurseKind
from cardio.purse.purse import Purse
from cardio.security.keys import Family


@dataclass(frozen=True)
class Target:
    """A selected purse with what the journal must know about its card.

    Attributes:
        purse: The purse.
        product: Its card product.
        application: AID, hex.
        identity: What makes the card itself and no other.
        number: Number that the clearing centre needs.
        starts: First day of validity.
        ends: Last day of validity.
        mode: Where the personal account lives; None for wallets.
        load_pin: Whether on-line operations need a PIN that was not presented yet.
        environment: The social security environment around a medical account.
    """

    purse: Purse
    product: Product
    application: str
    identity: bytes
    number: str
    starts: CardDate | None
    ends: CardDate | None
    mode: CardMode | None = None
    load_pin: bool = False
    environment: SocialSecurityApplication | None = None

    @property
    def masked(self) -> str:
        """The number's last four digits (OPS §4.8)."""
        return Mask.CARD_NUMBER.apply(self.number)


def open_target(
    card: CardConnection,
    catalogue: Catalogue,
    kind: PurseKind,
    pin: str | None = None,
    operation: Operation = Operation.PURCHASE,
) -> Target | None:
    """Select a purse on the card and present the PIN where the operation needs it; None if the card lacks the purse.

    A PIN that was handed over is presented in any case: with it, a recovery can ask more.

    Raises:
        PinError: The PIN is missing, wrong or blocked.
        PinNotAllowed: The caller handed over a PIN that must be typed on the pad.
        CardError: The card refuses or is blocked.
    """
    if kind is PurseKind.WALLET:
        return _open_wallet(card, catalogue, pin, operation)
    return _open_medical(card, catalogue, pin)


def _open_wallet(card: CardConnection, catalogue: Catalogue, pin: str | None, operation: Operation) -> Target | None:
    found = find_wallet(card, catalogue)
    if found is None:
        return None
    presented = found.part.needs_pin(operation) or pin is not None
    if presented:
        check_caller_pin(card, found.product, pin)
        verify_pin(card, pin)
    public = found.application.public
    return Target(
        purse=found.application.purse,
        product=found.product,
        application=found.part.aid.hex().upper(),
        identity=found.application.key,
        number=public.serial,
        starts=public.starts,
        ends=public.ends,
        load_pin=not presented and found.part.needs_pin(Operation.LOAD),
    )


def _open_medical(card: CardConnection, catalogue: Catalogue, pin: str | None) -> Target | None:
    found = find_social_security(card, catalogue)
    if found is None or found.product.medical is None:
        return None
    check_caller_pin(card, found.product, pin)
    issuer = found.application.issuer()
    identity = found.application.identity()
    application = MedicalApplication.open(card, found.application, found.product.medical.rules(Family.LDT), pin)
    return Target(
        purse=application.purse,
        product=found.product,
        application=DF04.name.hex().upper(),
        identity=identity.key,
        number=identity.card_number,
        starts=issuer.issued,
        ends=issuer.expires,
        mode=application.mode,
        environment=found.application,
    )


def check_rules(card: CardConnection, target: Target, *, test_keys: bool, today: date) -> None:
    """Whether this card may be changed at all with these keys and rules; asks nothing of the card.

    Raises:
        TestKeysRefused: Test keys and a card that is not virtual.
        RuleUnconfirmed: A rule without a source and a card that is not virtual.
        CardExpired: Today is outside the card's validity; only a new charge minds, a recovery does not.
    """
    check_validity(target.starts, target.ends, today)
    if test_keys and not card.channel.virtual:
        raise TestKeysRefused
    if not target.purse.rules.confirmed and not card.channel.virtual:
        raise RuleUnconfirmed(target.product.id)


def check_amount(target: Target, amounts: tuple[int, ...]) -> None:
    """Whether the product allows an off-line operation of this size.

    Raises:
        AmountLimit: It does not.
    """
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
