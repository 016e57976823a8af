"""A card product: everything that differs from city to city, as one TOML file.

Unknown keys are errors; every error names file, key and reason.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from cardio.applications.authority import KeyNaming
from cardio.applications.wallet import FactorScheme, WalletSelection
from cardio.crypto.ciphers import Algorithm
from cardio.files.declaration import ApplicationDeclaration, CardDeclaration, FileDeclaration
from cardio.files.social_security.environment import SSSE_NAME
from cardio.files.social_security.local import LOCAL_FILES
from cardio.files.social_security.medical import OfflineSettlement
from cardio.files.social_security.trees import SOCIAL_SECURITY_CARDS
from cardio.files.wallet.registry import WALLET_FILES
from cardio.products.declared import DirectoryPart, FilePart, HexNumber, rights_named
from cardio.products.part import Hex, Part, Title
from cardio.purse.operation import Operation
from cardio.purse.purse import CounterRule, PurseRules
from cardio.purse.wallet import PurseFile
from cardio.security.card_keys import CARD_KEYS, ENVIRONMENT, MAC_ENCRYPT, Authority, CardKey
from cardio.security.keys import Family, SamApplication
from cardio.security.maintenance import ReloadMac

AID_SIZES = range(5, 17)
"""Bytes of a DF name or AID (ISO 7816-4 §8.2.1.2)."""


def _check_name(value: bytes) -> bytes:
    if len(value) not in AID_SIZES:
        raise ValueError(f"a DF name has 5 to 16 bytes, not {len(value)}")
    return value


class SamPart(Part):
    """Where a PSAM keeps the purchase keys.

    Attributes:
        selector: File identifier (2 bytes) or DF name of the PSAM's application, in hex.
        key_index_sfi: File whose first byte is the key index.
        levels: Diversification levels the PSAM expects, 1 to 3; others are tried on 6A80.
        counts_attempts: Whether the PSAM's sequence advances at 80 70 already, debit or not (EW PC-16).
    """

    selector: Hex
    key_index_sfi: int = Field(ge=1, le=30)
    levels: int = Field(ge=1, le=3)
    counts_attempts: bool = False

    @field_validator("selector")
    @classmethod
    def _check_selector(cls, value: bytes) -> bytes:
        return value if len(value) == 2 else _check_name(value)

    def application(self, family: Family) -> SamApplication:
        """The PSAM's application in the terms of the key source."""
        return SamApplication(family, self.selector, self.key_index_sfi, self.levels, self.counts_attempts)


class PursePart(Part):
    """Rules of one purse.

    Attributes:
        algorithm: `3des` or `sm4`; the medical account takes what the card announces.
        proof_number: `before` or `after`: which number GET TRANSACTION PROOF wants.
        log_number: `before` or `after`: which number the card's log stores.
        max_amount_fen: Largest single purchase in fen.
        confirmed: Whether all rules rest on a source; false keeps real cards from being charged.
        load_key_index: Index of the key for loads, unloads and overdraft updates.
        sam: The PSAM's application.
    """

    algorithm: Algorithm = Algorithm.TRIPLE_DES
    proof_number: CounterRule
    log_number: CounterRule
    max_amount_fen: int = Field(ge=1)
    confirmed: bool
    load_key_index: int = Field(default=1, ge=1, le=255)
    sam: SamPart

    def rules(self, family: Family) -> PurseRules:
        """The rules as the purse wants them."""
        return PurseRules(
            algorithm=self.algorithm,
            proof_number=self.proof_number,
            log_number=self.log_number,
            sam=self.sam.application(family),
            max_amount_fen=self.max_amount_fen,
            confirmed=self.confirmed,
            load_key_index=self.load_key_index,
        )


class MatchPart(Part):
    """Tells products apart that share an AID: bytes of EF15 and the values they have on this product's cards.

    Attributes:
        offset: First byte, from 0.
        values: Values in hex, all of one length.
    """

    offset: int = Field(ge=0, le=60)
    values: tuple[HexNumber, ...] = Field(min_length=1)

    def fits(self, raw: bytes) -> bool:
        """Whether an EF15 is one of this product's."""
        return any(raw[self.offset : self.offset + len(value) // 2].hex().upper() == value for value in self.values)


class WalletPurseName(StrEnum):
    """Electronic purse (EP) or electronic passbook (ED)."""

    PURSE = "purse"
    PASSBOOK = "passbook"


class WalletPart(PursePart):
    """The wallet of a product.

    Attributes:
        aid: DF name in hex.
        identifiers: File identifiers to try when the name is unknown.
        factors: Diversification scheme.
        enable_flag: Whether byte 10 of EF15 enables the wallet.
        match: What EF15 says on cards of this product.
        files: Files of the wallet, by their names in the library.
        purse: `purse` or `passbook`: which of the two holds the money in use (EW §1.1).
        load_pin: Whether a load needs the PIN (EW §3.2); everything on a passbook does.
        grey_lock: Whether the cards have the grey lock of fuel cards (EW §3.5).
        authenticity_code: Whether card and PSAM know the MOHURD authenticity code (EW §1.3).
        reload_mac: `pin-only` or `whole-command`: what the MAC of RELOAD PIN covers (EW §4.7).
    """

    aid: Hex
    identifiers: tuple[int, ...] = ()
    factors: FactorScheme
    enable_flag: bool = False
    max_amount_fen: int = Field(ge=1, le=0x7FFFFFFF)
    match: tuple[MatchPart, ...] = ()
    files: tuple[str, ...]
    purse: WalletPurseName = WalletPurseName.PURSE
    load_pin: bool = False
    grey_lock: bool = False
    authenticity_code: bool = False
    reload_mac: ReloadMac = ReloadMac.PIN_ONLY

    _name = field_validator("aid")(_check_name)

    @field_validator("files")
    @classmethod
    def _check_files(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in WALLET_FILES:
                raise ValueError(f"{name} is none of {', '.join(WALLET_FILES)}")
        for kind in ("public", "log"):
            if sum(name.split("-")[0] == kind for name in value) != 1:
                raise ValueError(f"exactly one {kind} file is needed")
        return value

    @cached_property
    def declarations(self) -> dict[str, FileDeclaration]:
        """The files by their names."""
        return {name: WALLET_FILES[name] for name in self.files}

    def file_of_kind(self, kind: str) -> FileDeclaration | None:
        """The first file whose name begins with a kind: public, log, holder, trips, management, composite."""
        return next((file for name, file in self.declarations.items() if name.split("-")[0] == kind), None)

    @property
    def public_file(self) -> FileDeclaration:
        """EF15 in this product's layout."""
        return self._needed("public")

    @property
    def log_file(self) -> FileDeclaration:
        """EF18 as this product opens it."""
        return self._needed("log")

    def _needed(self, kind: str) -> FileDeclaration:
        file = self.file_of_kind(kind)
        if file is None:
            raise LookupError(kind)
        return file

    def rules(self, family: Family) -> PurseRules:
        """The rules as the purse wants them."""
        return replace(super().rules(family), grey_lock=self.grey_lock)

    def selection(self) -> WalletSelection:
        """How to find the wallet."""
        purse = PurseFile.PASSBOOK if self.purse is WalletPurseName.PASSBOOK else PurseFile.PURSE
        return WalletSelection(self.aid, self.identifiers, self.factors, self.enable_flag, self.public_file, purse)

    def needs_pin(self, operation: Operation) -> bool:
        """Whether the holder's PIN must be presented first."""
        return self.purse is WalletPurseName.PASSBOOK or (operation.online and self.load_pin)


class KeyPart(Part):
    """Numbers of a key that differ from the standard's (SSC §6.2), or a key of a city's own.

    Attributes:
        kid: P2 of EXTERNAL AUTHENTICATION.
        psam_id: Key identifier in the PSAM.
        psam_kind: Kind of the key in the PSAM.
        hsm_address: Logical address in the HSM.
        application: Label of the directory on whose level it lies; the standard's where it is left out.
        authority: Whose root: national or province.
    """

    kid: int | None = Field(default=None, ge=0, le=255)
    psam_id: int | None = Field(default=None, ge=0, le=255)
    psam_kind: int | None = Field(default=None, ge=0, le=31)
    hsm_address: int | None = Field(default=None, ge=0, le=0xFFFF)
    application: str | None = None
    authority: str | None = Field(default=None, pattern="^(national|province)$")

    def key(self, name: str) -> CardKey:
        """The key with the standard's numbers where the product gives none.

        Raises:
            ValueError: A key that the standard does not know lacks its number or its directory.
        """
        known = CARD_KEYS.get(name)
        if known is None:
            if self.kid is None or self.application is None:
                raise ValueError(f"{name} is not in the standard: kid and application are needed")
            known = CardKey(name, self.application, self.kid, None, MAC_ENCRYPT, None, Authority.PROVINCE)
        given = self.model_dump(exclude_none=True, exclude={"authority"})
        if self.authority is not None:
            given["authority"] = Authority[self.authority.upper()]
        return replace(known, **given)


class SocialSecurityPart(Part):
    """The social security environment of a product.

    Attributes:
        card: Which declaration of the library it follows: ssc-1.0, ssc-2.0, ssc-3.0 or ssc-employer.
        name: DF name of the environment.
        versions: First three characters of item 03 that belong to this product; an unwritten item counts as "1.0".
        card_classes: Values of item 02 that belong to it; empty for all.
        regions: Beginnings of the region code in item 01 that belong to it; empty for all.
        authenticity: Whether the cards have the internal authentication key, so that each must prove itself.
        sam: Where a PSAM keeps the authentication keys.
        keys: Keys whose numbers differ.
        local_files: Local files that the library declares, by their names.
        directories: Directories that the city adds.
        files: Files that the city adds.
    """

    card: str
    name: Hex = SSSE_NAME
    versions: tuple[str, ...] = Field(min_length=1)
    card_classes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    authenticity: bool = True
    sam: SamPart = SamPart(selector=bytes.fromhex("DF01"), key_index_sfi=0x1C, levels=3)
    keys: dict[str, KeyPart] = Field(default_factory=dict)
    local_files: tuple[str, ...] = ()
    directories: tuple[DirectoryPart, ...] = ()
    files: tuple[FilePart, ...] = ()

    _name = field_validator("name")(_check_name)

    @field_validator("card")
    @classmethod
    def _check_card(cls, value: str) -> str:
        if value not in SOCIAL_SECURITY_CARDS:
            raise ValueError(f"{value} is none of {', '.join(SOCIAL_SECURITY_CARDS)}")
        return value

    @field_validator("local_files")
    @classmethod
    def _check_local_files(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in LOCAL_FILES:
                raise ValueError(f"{name} is none of {', '.join(LOCAL_FILES)}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = self.naming().card_keys.keys()
        for file in self.files:
            unknown = rights_named(file.declaration().read) - named
            if unknown:
                raise ValueError(f"{file.application}/EF{file.identifier[2:]}: no key is named {min(unknown)}")
        _ = self.environment
        return self

    @property
    def declaration(self) -> CardDeclaration:
        """The library's declaration that it follows."""
        return SOCIAL_SECURITY_CARDS[self.card]

    @cached_property
    def environment(self) -> ApplicationDeclaration:
        """The environment with all its directories and files, the city's included.

        Raises:
            ValueError: A file lies in a directory that does not exist.
        """
        found = self.declaration.root.application(ENVIRONMENT)
        if found is None:
            raise ValueError(f"{self.card} has no {ENVIRONMENT}")
        added = tuple(directory.declaration() for directory in self.directories)
        root = replace(found, name=self.name, applications=(*found.applications, *added))
        located = [LOCAL_FILES[name] for name in self.local_files]
        located += [(file.application, file.declaration()) for file in self.files]
        for label, file in located:
            if root.application(label) is None:
                raise ValueError(f"no directory is named {label}")
            root = root.with_files(label, file)
        return root

    @property
    def tree(self) -> ApplicationDeclaration:
        """The whole card: the environment in its place below the master file, if the declaration has one."""
        root = self.declaration.root
        if root.label == ENVIRONMENT:
            return self.environment
        below = tuple(self.environment if one.label == ENVIRONMENT else one for one in root.applications)
        return replace(root, applications=below)

    @property
    def beside_environment(self) -> tuple[ApplicationDeclaration, ...]:
        """Environments of the card beside that of social security."""
        root = self.tree
        return () if root.label == ENVIRONMENT else tuple(one for one in root.applications if one.label != ENVIRONMENT)

    def naming(self) -> KeyNaming:
        """How this product names its keys; a number that the city gives away is no longer the standard key's."""
        own = {name: part.key(name) for name, part in self.keys.items()}
        taken = {(key.application, key.kid) for key in own.values()}
        standard = {name: key for name, key in CARD_KEYS.items() if (key.application, key.kid) not in taken}
        return KeyNaming(self.sam.application(Family.LDT), {**standard, **own})

    def fits(self, version: str, card_class: str | None, region: str) -> bool:
        """Whether a card with these items is one of this product's."""
        return (
            version in self.versions
            and (not self.card_classes or card_class in self.card_classes)
            and (not self.regions or region.startswith(self.regions))
        )

    @property
    def narrowness(self) -> tuple[int, int]:
        """How much it asks of a card: of several products that fit, the one that asks most is meant."""
        return len(max(self.regions, key=len, default="")), bool(self.card_classes)


class MedicalPart(PursePart):
    """The medical account of a product.

    Attributes:
        temporary_offline: Whether its on-line cards may settle while the line is down (SSC §7.3). Only then settlements
            on line look for off-line totals to clear: that costs three commands more, and keys.
    """

    max_amount_fen: int = Field(ge=1, le=0xFFFFFFFE)
    temporary_offline: bool = False


class PinPart(Part):
    """How the PIN may reach the card.

    Attributes:
        caller: Whether a caller may hand the PIN over; virtual cards always allow it.
    """

    caller: bool = False


class VectorPart(Part):
    """Bytes of a file and what they mean: `cardio profile check` proves them.

    Attributes:
        file: Directory and file, such as DF03/EF07; wallet files by their names, such as log.
        bytes: Content in hex.
        values: Values by name, as `cardio read --json` shows them unmasked; further ones may be there.
    """

    file: str
    bytes: Hex
    values: dict[str, Any] = Field(default_factory=dict)


class Product(Part):
    """A card product.

    Attributes:
        id: Its name, the file name without `.toml`.
        title: Name for people.
        social_security: Present if the card has the social security environment.
        medical: Present if the medical account is used.
        wallet: Present if the card has a wallet.
        pin: PIN rules.
        vectors: Bytes that its files must decode.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: Title
    social_security: SocialSecurityPart | None = None
    medical: MedicalPart | None = None
    wallet: WalletPart | None = None
    pin: PinPart = PinPart()
    vectors: tuple[VectorPart, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.social_security is None and self.wallet is None:
            raise ValueError("a product has social_security, wallet, or both")
        if self.medical is not None and self.social_security is None:
            raise ValueError("medical needs social_security")
        if self.medical is not None and self.medical.temporary_offline and not self._has_offline_totals:
            raise ValueError("medical.temporary_offline: DF04/EF06 of these cards holds no off-line totals")
        for vector in self.vectors:
            if vector.file not in self.files:
                raise ValueError(f"vectors: the product has no file {vector.file}")
        return self

    @property
    def _has_offline_totals(self) -> bool:
        file = self.files.get("DF04/EF06")
        return file is not None and issubclass(file.content, OfflineSettlement)

    @cached_property
    def files(self) -> dict[str, FileDeclaration]:
        """All files: those of the environment as DF03/EF07, those of the wallet by name."""
        found: dict[str, FileDeclaration] = {}
        if self.social_security is not None:
            for application in self.social_security.tree.walk():
                found |= {f"{application.label}/{file.label}": file for file in application.files}
        if self.wallet is not None:
            found |= self.wallet.declarations
        return found
