"""The citizen wallet: select it, read its public data, and use its purse (EW §1, §2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, cast

from cardio.apdu.command import Command, select_file, select_name
from cardio.apdu.connection import CardConnection
from cardio.apdu.tlv import find_ber
from cardio.errors import ApplicationBlocked, FileNotFound
from cardio.files.dates import CardDate
from cardio.files.declaration import FileDeclaration
from cardio.files.record import FixedRecord
from cardio.files.wallet.public import EF15_PUBLIC
from cardio.purse.purse import PurseRules
from cardio.purse.wallet import PurseFile, WalletPurse
from cardio.transport.channel import Disclosure

NOT_ENABLED = frozenset({0x00, 0x02})


class FactorScheme(StrEnum):
    """How a wallet's keys are diversified (EW §4.2)."""

    SERIAL = "serial"
    ISSUER_SERIAL = "issuer-serial"
    CITY_SERIAL = "city-serial"

    @property
    def levels(self) -> int:
        """How many factors there are."""
        return 1 if self is FactorScheme.SERIAL else 2

    def factors(self, public: PublicFile) -> tuple[bytes, ...]:
        """Factors in the order of use: highest authority first, card last."""
        issuer = public.issuer
        if self is FactorScheme.SERIAL:
            return (public.factor,)
        if self is FactorScheme.ISSUER_SERIAL:
            return issuer, public.factor
        return issuer[2:4] + bytes.fromhex("ff0000000000"), public.factor


@dataclass(frozen=True)
class WalletSelection:
    """How to find a product's wallet on a card.

    Attributes:
        aid: DF name, tried first.
        identifiers: File identifiers tried when the card does not know the name (EW §1.1).
        factors: Diversification scheme.
        enable_flag: Whether byte 10 of EF15 is an enable flag (T-Union) and not just a version.
        public_file: EF15 in the layout of the product.
        purse: Which of its purses holds the money in use.
    """

    aid: bytes
    identifiers: tuple[int, ...]
    factors: FactorScheme
    enable_flag: bool
    public_file: FileDeclaration = EF15_PUBLIC
    purse: PurseFile = PurseFile.PURSE

    def decode_public(self, raw: bytes) -> PublicFile:
        """EF15 in the layout of the product.

        Raises:
            CardDataInvalid: It is malformed.
        """
        content = self.public_file.content
        if not issubclass(content, FixedRecord):
            raise TypeError(f"{content.__name__} is no layout of EF15")
        return cast("PublicFile", content.decode(raw))


class PublicFile(Protocol):
    """EF15 in any layout (EW §2.3)."""

    @property
    def issuer(self) -> bytes:
        """What identifies the issuer, 8 bytes; keys are diversified by parts of it."""

    @property
    def serial(self) -> str:
        """Application serial number."""

    @property
    def factor(self) -> bytes:
        """Diversification factor of the card, 8 bytes."""

    @property
    def application_version(self) -> int:
        """Application version, or enable flag."""

    @property
    def starts(self) -> CardDate | None:
        """First day of validity."""

    @property
    def ends(self) -> CardDate | None:
        """Last day of validity."""

    def show(self, *, masked: bool) -> dict[str, Any]:
        """The fields for JSON."""


class WalletApplication:
    """A selected wallet.

    Attributes:
        public: EF15.
        purse: The electronic purse, or passbook.
    """

    def __init__(self, public: PublicFile, purse: WalletPurse) -> None:
        self.public = public
        self.purse = purse

    @classmethod
    def open(cls, card: CardConnection, selection: WalletSelection, rules: PurseRules) -> WalletApplication:
        """Select the wallet by name, or by identifier where the card does not know the name.

        Raises:
            FileNotFound: The card has no such wallet.
            ApplicationBlocked: It is blocked, or not enabled.
            CardDataInvalid: EF15 is malformed.
        """
        try:
            raw = select_wallet(card, selection.aid)
        except FileNotFound:
            raw = _select_by_identifier(card, selection.identifiers)
        return cls.bind(card, raw, selection, rules)

    @classmethod
    def bind(cls, card: CardConnection, raw: bytes, selection: WalletSelection, rules: PurseRules) -> WalletApplication:
        """The wallet that is selected and whose EF15 is `raw`; raises as `open` does."""
        public = selection.decode_public(raw)
        if selection.enable_flag and public.application_version in NOT_ENABLED:
            raise ApplicationBlocked("EF15 says that the wallet is not enabled")
        return cls(public, WalletPurse(card, rules, selection.factors.factors(public), selection.purse))

    @property
    def key(self) -> bytes:
        """What makes this wallet itself and no other: issuer and application serial number."""
        return self.public.issuer + self.public.serial.encode("ascii")


def select_wallet(card: CardConnection, selector: bytes | int, *, blocked_too: bool = False) -> bytes:
    """Select a wallet by AID or file identifier; its EF15 from the FCI, or read where the FCI lacks it (EW §1.3).

    Args:
        card: The card.
        selector: AID, or file identifier.
        blocked_too: Whether a blocked wallet will do that tells its FCI all the same, for unblocking (EW §1.2).

    Raises:
        FileNotFound: The card has no such wallet.
        ApplicationBlocked: It is blocked.
    """
    # The FCI repeats EF15 and with it the card's number: it is not written down.
    if isinstance(selector, int):
        command = select_file(selector, Disclosure.COMMAND)
    else:
        command = select_name(selector, Disclosure.COMMAND)
    response = card.send(command)
    if not response.ok and not (blocked_too and response.data):
        raise command.outcomes.error(response.sw, command.name)
    raw = find_ber(response.data, 0x6F, 0xA5, 0x9F0C)
    return raw if raw and len(raw) >= EF15_PUBLIC.size else card.call(_READ_PUBLIC)


def _select_by_identifier(card: CardConnection, identifiers: tuple[int, ...]) -> bytes:
    for identifier in identifiers[:-1]:
        try:
            return select_wallet(card, identifier)
        except FileNotFound:
            continue
    if not identifiers:
        raise FileNotFound("the card has no such wallet")
    return select_wallet(card, identifiers[-1])


_READ_PUBLIC = Command("READ BINARY", 0x00, 0xB0, 0x80 | EF15_PUBLIC.sfi, 0, le=0, disclosure=Disclosure.HEADER)
"""The whole of EF15: its length differs from city to city (EW §2.3)."""
