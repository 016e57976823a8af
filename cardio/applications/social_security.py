"""The social security environment: whose card it is, and who issued it (SSC §2, §4.1, §10.2)."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.atr import card_factor
from cardio.apdu.command import MASTER_FILE, select_file, select_name
from cardio.apdu.connection import CardConnection
from cardio.apdu.tlv import find_ber
from cardio.applications.authority import Authority, KeyNaming
from cardio.applications.card_files import CardFiles
from cardio.applications.pin import PinPresenter
from cardio.crypto.ciphers import Algorithm
from cardio.crypto.factors import city_factor, province_factor
from cardio.errors import CardDataInvalid, CardUnsupported, FileNotFound
from cardio.files.declaration import ApplicationDeclaration
from cardio.files.reading import FileReader
from cardio.files.social_security.environment import EF05_ISSUER, SSSE_NAME, IssuerData
from cardio.security.authentication import AuthenticationKeys
from cardio.security.card_keys import ENVIRONMENT

ALGORITHMS = {b"\x01": Algorithm.TRIPLE_DES, b"\x03": Algorithm.SM4}
SSF33 = b"\x02"


@dataclass(frozen=True)
class CardIdentity:
    """What makes a social security card itself and no other: compared after every re-insertion (SSC §10.2).

    Attributes:
        card_id: Card identification code, item 01, 16 bytes.
        card_number: Card number, item 07, 9 characters.
    """

    card_id: bytes
    card_number: str

    @property
    def region(self) -> str:
        """Region code of the issuing region, 6 digits."""
        return self.card_id[:3].hex()

    @property
    def key(self) -> bytes:
        """One value for both."""
        return self.card_id + self.card_number.encode("utf-8")


class SocialSecurityApplication:
    """The selected social security environment of a card.

    Attributes:
        reader: Reads files of the selected directory.
    """

    def __init__(self, card: CardConnection, algorithm: Algorithm | None) -> None:
        self._card = card
        self.reader = FileReader(card)
        self._announced = algorithm
        self._issuer: IssuerData | None = None

    @classmethod
    def select(cls, card: CardConnection, name: bytes = SSSE_NAME) -> SocialSecurityApplication:
        """Select the environment by name, starting from the master file where the card wants that.

        Args:
            card: The card.
            name: DF name of the environment.

        Raises:
            FileNotFound: Not a social security card.
            CardUnsupported: Its algorithm is SSF33, which is not public (SSC PC-8), or unknown.
        """
        try:
            fci = card.call(select_name(name))
        except FileNotFound:
            # Some cards answer the name selection only from the master file (SSC §2).
            card.call(select_file(MASTER_FILE))
            fci = card.call(select_name(name))
        announced = find_ber(fci, 0x6F, 0xA5, 0x9F0C, 0x86)
        if announced == SSF33:
            raise CardUnsupported("the card uses SSF33")
        if announced and announced not in ALGORITHMS:
            raise CardUnsupported(f"the card announces an unknown algorithm {announced.hex()}")
        return cls(card, ALGORITHMS.get(announced) if announced else None)

    def issuer(self) -> IssuerData:
        """EF05, read once."""
        if self._issuer is None:
            self._issuer = self.reader.read_items(EF05_ISSUER, IssuerData)
        return self._issuer

    def identity(self) -> CardIdentity:
        """Items 01 and 07.

        Raises:
            CardDataInvalid: One of them is unwritten.
        """
        issuer = self.issuer()
        if issuer.card_id is None or issuer.card_number is None:
            raise CardDataInvalid("the card has no identification code or number")
        return CardIdentity(issuer.card_id, issuer.card_number)

    def algorithm(self) -> Algorithm:
        """Cipher of the card's keys.

        Raises:
            CardUnsupported: A card of Beijing that announces nothing uses SSF33 (SSC §1).
        """
        if self._announced is not None:
            return self._announced
        if self.identity().region.startswith("11"):
            raise CardUnsupported("the card uses SSF33")
        return Algorithm.TRIPLE_DES

    def open_files(
        self, root: ApplicationDeclaration, naming: KeyNaming, pin: PinPresenter, keys: AuthenticationKeys | None
    ) -> tuple[CardFiles, Authority]:
        """The environment's files, and the authority that opens them.

        Args:
            root: Declaration of the environment with the directories below it.
            naming: How the product names its keys.
            pin: Presents the PIN.
            keys: Source of authentication keys; None if the terminal has none.
        """
        authority = Authority(self._card, pin, keys, naming, self)
        files = CardFiles(self._card, self.reader, root, authority)
        files.remember(ENVIRONMENT, EF05_ISSUER.label, self.issuer())
        return files, authority

    def factors(self) -> tuple[bytes, ...]:
        """Diversification factors: province, city, card (SSC §6.3)."""
        region = self.identity().region
        return province_factor(region), city_factor(region), card_factor(self._card.atr)
