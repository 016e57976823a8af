"""What the presented card holds, group by group.

A group that cannot be read says why; the others still come. Absent data are missing from a group, which is not the
same as a group that was refused or is not on the card. A card that leaves is asked nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable

from cardio.apdu.connection import CardConnection
from cardio.applications.pin import PinPresenter
from cardio.errors import CardioError, CardUnsupported, OperationUnsupported
from cardio.files.declaration import FileDeclaration
from cardio.products.catalogue import Catalogue
from cardio.products.detection import (
    SocialSecurityFound,
    WalletFound,
    combine,
    find_social_security,
    find_wallet,
)
from cardio.products.group_reading import GroupReading, product_document
from cardio.products.groups import Group
from cardio.products.model import Product
from cardio.products.social_security_reading import SocialSecurityReading
from cardio.products.wallet_reading import WalletReading
from cardio.security.authentication import AuthenticationKeys

PURSE_GROUPS = frozenset({Group.WALLET, Group.WALLET_LOG, Group.TRIPS})
WALLET_GROUPS = PURSE_GROUPS | {Group.CARD, Group.FILES}
"""Groups for which the wallet of a card with both applications is looked for."""


class CardReading:
    """Reads groups of one presented card.

    Args:
        card: The card.
        catalogue: Known products.
        pin: PIN handed over by the caller; None leaves it to the PIN pad.
        keys: Source of authentication keys; None if the terminal has none.
        masked: Whether personal values are masked (OPS §4.8).
        authenticate: Whether the card must prove itself where its product has the key.

    Attributes:
        files: Declarations of the files of the products that were found, by place.
    """

    def __init__(
        self,
        card: CardConnection,
        catalogue: Catalogue,
        *,
        pin: str | None = None,
        keys: AuthenticationKeys | None = None,
        masked: bool = True,
        authenticate: bool = True,
    ) -> None:
        self._card = card
        self._catalogue = catalogue
        self._pin = pin
        self._keys = keys
        self._masked = masked
        self._authenticate = authenticate
        self.files: dict[str, FileDeclaration] = {}

    def read(self, groups: Iterable[Group]) -> dict[Group, GroupReading]:
        """Read groups in the order that costs the fewest commands.

        Raises:
            CardUnsupported: No known application is on the card.
            CardNotGenuine: The card cannot prove that it is the issuer's.
            ReaderError: The card left before any application was found.
        """
        wanted = set(groups)
        social, refused = self._find_social_security()
        readings: dict[Group, GroupReading] = {}
        presenter: PinPresenter | None = None
        if social is not None:
            presenter = self._presenter(social.product)
            self.files |= social.product.files
            environment = SocialSecurityReading(self._card, social, presenter, self._keys, masked=self._masked)
            if self._authenticate:
                environment.authenticate()
            readings = environment.read(wanted)
        wallet: WalletFound | None = None
        if social is None or wanted & WALLET_GROUPS:
            wallet = self._find_wallet(social, wanted, readings)
        if wallet is not None:
            presenter = presenter or self._presenter(wallet.product)
            self.files |= wallet.product.files
            purse = WalletReading(self._card, wallet, presenter, self._keys, masked=self._masked)
            if self._authenticate:
                purse.authenticate()
            readings = _joined(readings, purse.read(wanted), combine(social, wallet))
        elif social is None:
            raise refused or CardUnsupported("no known application is on the card")
        for group in wanted - readings.keys():
            readings[group] = GroupReading(error=refused or OperationUnsupported("not on this card"))
        return {group: readings[group] for group in Group if group in wanted}

    def _find_social_security(self) -> tuple[SocialSecurityFound | None, CardUnsupported | None]:
        try:
            return find_social_security(self._card, self._catalogue), None
        except CardUnsupported as error:
            # The wallet of a combined card is known even if its social security version is not.
            return None, error

    def _find_wallet(
        self, social: SocialSecurityFound | None, wanted: set[Group], readings: dict[Group, GroupReading]
    ) -> WalletFound | None:
        try:
            return find_wallet(self._card, self._catalogue)
        except CardioError as error:
            if social is None:
                raise
            for group in wanted & PURSE_GROUPS:
                readings[group] = GroupReading(error=error)
            return None

    def _presenter(self, product: Product) -> PinPresenter:
        return PinPresenter(self._card, self._pin, caller_pin=product.pin.caller)


def _joined(
    social: dict[Group, GroupReading], wallet: dict[Group, GroupReading], product: Product | None
) -> dict[Group, GroupReading]:
    """Readings of both applications: the wallet's card stands inside the card, its files beside the other files."""
    readings = {**wallet, **social}
    both = social.get(Group.CARD), wallet.get(Group.CARD)
    card, inside = (reading.content if reading is not None else None for reading in both)
    if isinstance(card, dict) and inside is not None:
        named = {} if product is None else product_document(product)
        readings[Group.CARD] = GroupReading({**card, **named, "wallet": inside}, social[Group.CARD].error)
    files = [reading.content for one in (social, wallet) if (reading := one.get(Group.FILES)) is not None]
    if len(files) > 1:
        readings[Group.FILES] = GroupReading(
            {place: one for part in files if isinstance(part, dict) for place, one in part.items()}
        )
    return readings
