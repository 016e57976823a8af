"""How a JavaCard is laid out: load files, applets with their data groupings, key sets, life cycle (PERS §2.5).

Paths of CAP files start from the folder of the layout's file. Keys are named, never told.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from cardio.apdu.globalplatform import ISSUER_SECURITY_DOMAIN, CardState, Privilege
from cardio.crypto import aes
from cardio.crypto.ciphers import TRIPLE_DES
from cardio.crypto.globalplatform.keys import Diversification, KeyType
from cardio.crypto.globalplatform.session import SecurityLevel
from cardio.errors import LayoutInvalid
from cardio.personalize.globalplatform.cap import CapFile
from cardio.personalize.globalplatform.dgi import DgiProtection
from cardio.personalize.layout import WrittenFile
from cardio.personalize.layout_fields import Byte, Identifier
from cardio.personalize.steps import Place
from cardio.products.part import Hex, Part
from cardio.security.issuing import KeySetReference

GLOBALPLATFORM = "globalplatform"
"""Value of `cos`."""
INITIAL_VERSION = 0xFF
"""Version of the keys of a blank card (PERS §2.1)."""
LAST_VERSION = 0x7F
SEPARATOR = "/"


class Protocol(StrEnum):
    """Secure channel protocols."""

    SCP02 = "scp02"
    SCP03 = "scp03"

    @property
    def key_type(self) -> KeyType:
        """Algorithm of its keys."""
        return KeyType.TRIPLE_DES if self is Protocol.SCP02 else KeyType.AES

    @property
    def block(self) -> int:
        """Bytes of a cipher block."""
        return TRIPLE_DES.block if self is Protocol.SCP02 else aes.BLOCK


def _state(value: object) -> object:
    return CardState[value] if isinstance(value, str) and value in CardState.__members__ else value


def _privileges(value: object) -> object:
    if isinstance(value, Privilege):
        return value
    if not isinstance(value, list):
        raise ValueError("a list of names is needed")  # noqa: TRY004 - pydantic's way to say what is wrong
    try:
        return reduce(or_, (Privilege[name] for name in value), Privilege.NONE)
    except KeyError as error:
        raise ValueError(f"{error.args[0]} is none of {', '.join(Privilege.__members__)}") from None


def _place(value: str) -> str:
    if len(value.split(SEPARATOR)) != 2:
        raise ValueError("directory/file is needed, ADF1/EF15")
    return value


def _from_folder(value: Path, info: ValidationInfo) -> Path:
    return Path(info.context) / value if info.context else value


State = Annotated[Literal[CardState.OP_READY, CardState.INITIALIZED, CardState.SECURED], BeforeValidator(_state)]
"""Life cycle state in which a card can leave the bureau, by its name."""
Privileges = Annotated[Privilege, BeforeValidator(_privileges)]
"""Privileges, a list of names."""
FilePlace = Annotated[str, AfterValidator(_place)]
"""A product's file by directory and label."""
Aid = Annotated[Hex, Field(min_length=5, max_length=16)]


class KeySetLayout(Part):
    """A key set, by names in the source of keys.

    Attributes:
        version: Key version number, 01 to 7F; FF for the keys of a blank card.
        enc: Name of the key for encryption.
        mac: Name of the key for MACs.
        dek: Name of the key under which others are sent.
        diversification: How each card's keys come from them; left out if all cards have the same.
    """

    version: Byte
    enc: str
    mac: str
    dek: str
    diversification: Diversification | None = None

    def reference(self, protocol: Protocol) -> KeySetReference:
        """The set as the source of keys knows it."""
        return KeySetReference(self.enc, self.mac, self.dek, protocol.key_type, self.version, self.diversification)


class PackageLayout(Part):
    """A load file.

    Attributes:
        file: Its CAP file.
    """

    file: Annotated[Path, AfterValidator(_from_folder)]


class GroupingLayout(Part):
    """A data grouping of an applet; `file`, `constant`, `pin` and `keys` exclude each other.

    Attributes:
        dgi: Its identifier.
        file: File of the product whose records it holds, one behind the other: `ADF1/EF15`.
        declared: Declaration of a wallet's file, if it is another than the product's.
        constant: Its value, where all cards have the same.
        pin: Whether it holds the holder's PIN.
        keys: Names of the card's keys that it holds, one behind the other: `WALLET-DPK`.
        protection: How it is sent besides the protection of the channel.
        readable: Whether the applet tells it by GET DATA, so that it can be read back.
    """

    dgi: Identifier
    file: FilePlace | None = None
    declared: str | None = None
    constant: Hex | None = None
    pin: bool = False
    keys: tuple[str, ...] = ()
    protection: DgiProtection = DgiProtection.PLAIN
    readable: bool = False

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if (self.file is not None) + (self.constant is not None) + self.pin + bool(self.keys) != 1:
            raise ValueError("one of file, constant, pin and keys is needed")
        if self.keys and self.protection is not DgiProtection.ENCRYPTED:
            raise ValueError("keys are sent encrypted")
        if self.pin and self.protection is not DgiProtection.PADDED:
            raise ValueError("a PIN is sent padded")
        if self.readable and self.protection is not DgiProtection.PLAIN:
            raise ValueError("what is sent under DEK cannot be read back")
        return self

    @property
    def place(self) -> Place | None:
        """The file whose records it holds."""
        if self.file is None:
            return None
        directory, label = self.file.split(SEPARATOR)
        return directory, label


class AppletLayout(Part):
    """An application to make and to fill.

    Attributes:
        label: Name for people.
        module: AID of its module, in one of the packages.
        instance: AID under which it will be selected.
        privileges: What it may do beyond others.
        parameters: What its install method gets.
        data: What it gets by STORE DATA, in this order.
    """

    label: str
    module: Aid
    instance: Aid
    privileges: Privileges = Privilege.NONE
    parameters: Hex = b""
    data: tuple[GroupingLayout, ...] = ()

    @model_validator(mode="after")
    def _different_groupings(self) -> Self:
        identifiers = [grouping.dgi for grouping in self.data]
        if len(set(identifiers)) < len(identifiers):
            raise ValueError(f"{self.label} has two groupings of one DGI")
        return self


class JavaCardLayout(Part):
    """A whole JavaCard.

    Attributes:
        id: Short name.
        product: Card product that it makes.
        cos: `globalplatform`.
        protocol: Secure channel protocol.
        level: Security level of the channel: what of commands and answers is protected.
        security_domain: AID of the issuer security domain.
        transport: Key set of a blank card.
        own: The card's own key set, which takes its place.
        packages: Load files, in the order in which they are loaded; those that are there already are deleted before.
        applets: Applications.
        life_cycle: State in which the card leaves the bureau.
    """

    id: str
    product: str
    cos: Literal["globalplatform"]
    protocol: Protocol
    level: Byte = SecurityLevel.C_MAC | SecurityLevel.C_DEC
    security_domain: Aid = ISSUER_SECURITY_DOMAIN
    transport: KeySetLayout
    own: KeySetLayout
    packages: tuple[PackageLayout, ...] = ()
    applets: tuple[AppletLayout, ...] = Field(min_length=1)
    life_cycle: State = CardState.SECURED

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not 1 <= self.own.version <= LAST_VERSION:
            raise ValueError(f"own.version: 01 to {LAST_VERSION:02X} is needed")
        if not 1 <= self.transport.version <= LAST_VERSION and self.transport.version != INITIAL_VERSION:
            raise ValueError(f"transport.version: 01 to {LAST_VERSION:02X} or {INITIAL_VERSION:02X} is needed")
        if not self.level & SecurityLevel.C_MAC:
            raise ValueError("level: C-MAC is needed, bit 01")
        for one in (self.transport, self.own):
            method = one.diversification
            if method and (method is Diversification.KDF3) is not (self.protocol is Protocol.SCP03):
                raise ValueError(f"{method.value} makes no keys for {self.protocol.value}")
        instances = [applet.instance for applet in self.applets]
        if len(set(instances)) < len(instances):
            raise ValueError("two applets have one instance AID")
        return self

    @property
    def needs_pin(self) -> bool:
        """Whether the cards have a PIN."""
        return any(grouping.pin for applet in self.applets for grouping in applet.data)

    def passing_key_names(self) -> Iterator[str]:
        """None: the key sets are not keys of the card's applications."""
        return iter(())

    def key_names(self) -> Iterator[str]:
        """Names of the keys that a finished card's applications have."""
        for applet in self.applets:
            for grouping in applet.data:
                yield from grouping.keys

    def written_files(self) -> Iterator[WrittenFile]:
        """Files that get content."""
        for applet in self.applets:
            for grouping in applet.data:
                if grouping.place is not None:
                    yield WrittenFile(grouping.place, grouping.declared)

    def read_packages(self) -> tuple[CapFile, ...]:
        """The CAP files, in the order in which they are loaded.

        Raises:
            LoadFileInvalid: One cannot be read, or is none.
            LayoutInvalid: An applet's module is in none of them.
        """
        files = tuple(CapFile.read(package.file) for package in self.packages)
        for applet in self.applets:
            load_file_of(applet, files)
        return files


def load_file_of(applet: AppletLayout, files: tuple[CapFile, ...]) -> CapFile:
    """The load file that an applet's module is in.

    Raises:
        LayoutInvalid: There is none.
    """
    found = next((file for file in files if applet.module in file.applets), None)
    if found is None:
        raise LayoutInvalid(f"{applet.label}: no package has the module {applet.module.hex().upper()}")
    return found
