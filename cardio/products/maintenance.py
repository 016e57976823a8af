"""Which application of a presented card is maintained, and with which of its product's rules."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.connection import CardConnection
from cardio.applications.authority import Authority
from cardio.applications.card_files import CardFiles
from cardio.applications.card_maintenance import CardMaintenance, SocialSecurityMaintenance, WalletMaintenance
from cardio.applications.pin import PinPresenter
from cardio.applications.pin_change import PAD_DIGITS, change_pin
from cardio.applications.protected_commands import ProtectedCommands
from cardio.errors import CardUnsupported, OperationUnsupported
from cardio.products.catalogue import Catalogue
from cardio.products.detection import (
    SocialSecurityFound,
    WalletFound,
    check_caller_pin,
    find_social_security,
    find_wallet,
)
from cardio.security.authentication import AuthenticationKeys
from cardio.security.keys import Family
from cardio.security.maintenance import MaintenanceKeys


@dataclass(frozen=True)
class MaintenanceSources:
    """Where a terminal's keys for maintenance come from; often both are one source.

    Attributes:
        authentication: Keys that the card authenticates first: PUK, LK, BK, UK; None if the terminal has none.
        maintenance: Keys of the MACs; None if the terminal has none.
    """

    authentication: AuthenticationKeys | None = None
    maintenance: MaintenanceKeys | None = None


class MaintainedEnvironment:
    """A social security environment that is selected, to be maintained.

    Attributes:
        found: The environment and its product.
        files: Its files.
        authority: Earns rights.
        maintenance: What the issuer's keys do to the card.
    """

    def __init__(
        self, card: CardConnection, found: SocialSecurityFound, sources: MaintenanceSources, pin: PinPresenter
    ) -> None:
        self.found = found
        application, part = found.application, found.part
        self.files: CardFiles
        self.authority: Authority
        self.files, self.authority = application.open_files(
            part.environment, part.naming(), pin, sources.authentication
        )
        commands = ProtectedCommands(
            card, sources.maintenance, Family.LDT, application.algorithm(), application.factors()
        )
        self.maintenance = SocialSecurityMaintenance(commands, self.files, self.authority)


class MaintainedWallet:
    """A wallet that is selected, to be maintained.

    Attributes:
        found: The wallet and its product.
        commands: Sends protected commands to it.
        maintenance: What the issuer's keys do to the card.
    """

    def __init__(self, card: CardConnection, found: WalletFound, sources: MaintenanceSources) -> None:
        self.found = found
        part = found.part
        factors = part.factors.factors(found.application.public)
        self.commands = ProtectedCommands(card, sources.maintenance, Family.PBOC, part.algorithm, factors)
        self.maintenance = WalletMaintenance(self.commands, part.reload_mac)


def open_environment(
    card: CardConnection, catalogue: Catalogue, sources: MaintenanceSources, pin: str | None = None
) -> MaintainedEnvironment:
    """Select the social security environment for maintenance.

    Args:
        card: The card.
        catalogue: Known products.
        sources: Keys.
        pin: PIN for files that want one, from the caller; None leaves it to the PIN pad.

    Raises:
        OperationUnsupported: The card has none.
        CardUnsupported: No product knows it.
    """
    found = find_social_security(card, catalogue)
    if found is None:
        raise OperationUnsupported("the card has no social security application")
    presenter = PinPresenter(card, pin, caller_pin=found.product.pin.caller)
    return MaintainedEnvironment(card, found, sources, presenter)


def open_wallet(
    card: CardConnection, catalogue: Catalogue, sources: MaintenanceSources, *, blocked_too: bool = False
) -> MaintainedWallet:
    """Select the wallet for maintenance.

    Args:
        card: The card.
        catalogue: Known products.
        sources: Keys.
        blocked_too: As of `select_wallet`.

    Raises:
        OperationUnsupported: The card has none.
        CardUnsupported: No product knows it.
        ApplicationBlocked: It is blocked.
    """
    found = find_wallet(card, catalogue, blocked_too=blocked_too)
    if found is None:
        raise OperationUnsupported("the card has no wallet")
    return MaintainedWallet(card, found, sources)


# ---- the holder's PIN --------------------------------------------------------------------------------------------


def select_pin(card: CardConnection, catalogue: Catalogue) -> SocialSecurityFound | WalletFound:
    """Select the application whose PIN the holder has: the social security one, or the wallet of a card without it.

    Raises:
        CardUnsupported: There is neither, or no product knows it.
    """
    found = find_social_security(card, catalogue) or find_wallet(card, catalogue)
    if found is None:
        raise CardUnsupported("no known application is on the card")
    return found


def change_holders_pin(
    card: CardConnection,
    catalogue: Catalogue,
    old: str | None,
    new: str | None,
    *,
    digits: int = PAD_DIGITS,
    allow_last_try: bool = False,
) -> None:
    """Change the PIN of a card that was just powered; arguments and errors as of `change_pin`.

    Raises:
        PinNotAllowed: PINs of this card must be typed on the PIN pad.
        CardUnsupported: No product knows the card.
    """
    product = select_pin(card, catalogue).product
    for pin in (old, new):
        check_caller_pin(card, product, pin)
    change_pin(card, old, new, digits=digits, allow_last_try=allow_last_try)


def maintain_pin(
    card: CardConnection, catalogue: Catalogue, sources: MaintenanceSources, pin: str | None
) -> CardMaintenance:
    """What restores the holder's PIN under the issuer's keys.

    Args:
        card: The card.
        catalogue: Known products.
        sources: Keys.
        pin: PIN that the caller will hand over, if any.

    Raises:
        PinNotAllowed: A caller may not hand over PINs of this card.
        CardUnsupported: No product knows the card.
    """
    found = select_pin(card, catalogue)
    check_caller_pin(card, found.product, pin)
    if isinstance(found, WalletFound):
        return MaintainedWallet(card, found, sources).maintenance
    presenter = PinPresenter(card, None, caller_pin=False)
    return MaintainedEnvironment(card, found, sources, presenter).maintenance
