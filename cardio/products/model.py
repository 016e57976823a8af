"""A card product: everything that differs from city to city, as one TOML file.

Unknown keys are errors; every error names file, key and reason.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cardio.applications.wallet import FactorScheme, WalletSelection
from cardio.crypto.ciphers import Algorithm
from cardio.purse.purse import CounterRule, PurseRules
from cardio.security.keys import Family, SamApplication


def _hex(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a string of hex digits")  # noqa: TRY004 (pydantic wants ValueError)
    return bytes.fromhex(value)


Hex = Annotated[bytes, BeforeValidator(_hex)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(_Part):
    """A name in both languages."""

    zh: str
    en: str


class SamPart(_Part):
    """Where a PSAM keeps the purchase keys.

    Attributes:
        selector: File identifier (2 bytes) or DF name of the PSAM's application, in hex.
        key_index_sfi: File whose first byte is the key index.
        levels: Diversification levels the PSAM expects, 1 to 3; others are tried on 6A80.
    """

    selector: Hex
    key_index_sfi: int = Field(ge=1, le=30)
    levels: int = Field(ge=1, le=3)


class PursePart(_Part):
    """Rules of one purse.

    Attributes:
        algorithm: `3des` or `sm4`; the medical account takes what the card announces.
        proof_number: `before` or `after`: which number GET TRANSACTION PROOF wants.
        log_number: `before` or `after`: which number the card's log stores.
        max_amount_fen: Largest single purchase in fen.
        confirmed: Whether all rules rest on a source; false keeps real cards from being debited.
        sam: The PSAM's application.
    """

    algorithm: Algorithm = Algorithm.TRIPLE_DES
    proof_number: CounterRule
    log_number: CounterRule
    max_amount_fen: int = Field(ge=1)
    confirmed: bool
    sam: SamPart

    def rules(self, family: Family) -> PurseRules:
        """The rules as the purse wants them."""
        return PurseRules(
            algorithm=self.algorithm,
            proof_number=self.proof_number,
            log_number=self.log_number,
            sam=SamApplication(family, self.sam.selector, self.sam.key_index_sfi, self.sam.levels),
            max_amount_fen=self.max_amount_fen,
            confirmed=self.confirmed,
        )


class WalletPart(PursePart):
    """The wallet of a product.

    Attributes:
        aid: DF name in hex.
        identifiers: File identifiers to try when the name is unknown.
        factors: Diversification scheme.
        enable_flag: Whether byte 10 of EF15 enables the wallet.
    """

    aid: Hex
    identifiers: tuple[int, ...] = ()
    factors: FactorScheme
    enable_flag: bool = False
    max_amount_fen: int = Field(ge=1, le=0x7FFFFFFF)

    def selection(self) -> WalletSelection:
        """How to find the wallet."""
        return WalletSelection(self.aid, self.identifiers, self.factors, self.enable_flag)


class SocialSecurityPart(_Part):
    """The social security environment of a product.

    Attributes:
        versions: First three characters of item 03 that belong to this product; "" for cards without it.
    """

    versions: tuple[str, ...]


class MedicalPart(PursePart):
    """The medical account of a product."""

    max_amount_fen: int = Field(ge=1, le=0xFFFFFFFE)


class PinPart(_Part):
    """How the PIN may reach the card.

    Attributes:
        caller: Whether a caller may hand the PIN over; virtual cards always allow it.
    """

    caller: bool = False


class Product(_Part):
    """A card product.

    Attributes:
        id: Its name, the file name without `.toml`.
        title: Name for people.
        social_security: Present if the card has the social security environment.
        medical: Present if the medical account is used.
        wallet: Present if the card has a wallet.
        pin: PIN rules.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: Title
    social_security: SocialSecurityPart | None = None
    medical: MedicalPart | None = None
    wallet: WalletPart | None = None
    pin: PinPart = PinPart()
