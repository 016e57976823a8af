"""The citizen wallet: select it, read its public data, and use its purse (EW §1, §2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cardio.apdu.command import Command, select_file, select_name
from cardio.apdu.connection import CardConnection
from cardio.apdu.tlv import find_ber
from cardio.errors import ApplicationBlocked, FileNotFound
from cardio.files.wallet.public import EF15_PUBLIC, PublicData
from cardio.purse.purse import PurseRules
from cardio.purse.wallet import WalletPurse
from cardio.transport.channel import Disclosure

NOT_ENABLED = frozenset({0x00, 0x02})


class FactorScheme(StrEnum):
    """How a wallet's keys are diversified (EW §4.2)."""

    SERIAL = "serial"
    ISSUER_SERIAL = "issuer-serial"
    CITY_SERIAL = "city-serial"

    def factors(self, public: PublicData) -> tuple[bytes, ...]:
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
    """

    aid: bytes
    identifiers: tuple[int, ...]
    factors: FactorScheme
    enable_flag: bool


class WalletApplication:
    """A selected wallet.

    Attributes:
        public: EF15.
        purse: The electronic purse.
    """

    def __init__(self, public: PublicData, purse: WalletPurse) -> None:
        self.public = public
        self.purse = purse

    @classmethod
    def open(cls, card: CardConnection, selection: WalletSelection, rules: PurseRules) -> WalletApplication:
        """Select the wallet and take EF15 from its FCI, or read it where the FCI lacks it (EW §1.3).

        Raises:
            FileNotFound: The card has no such wallet.
            ApplicationBlocked: It is blocked, or not enabled.
            CardDataInvalid: EF15 is malformed.
        """
        fci = _select(card, selection)
        raw = find_ber(fci, 0x6F, 0xA5, 0x9F0C)
        if not raw or len(raw) < PublicData.size():
            raw = card.call(_READ_PUBLIC)
        public = PublicData.decode(raw)
        if selection.enable_flag and public.application_version in NOT_ENABLED:
            raise ApplicationBlocked("EF15 says that the wallet is not enabled")
        return cls(public, WalletPurse(card, rules, selection.factors.factors(public)))

    @property
    def key(self) -> bytes:
        """What makes this wallet itself and no other: issuer and application serial number."""
        return self.public.issuer + self.public.serial.encode("ascii")


_READ_PUBLIC = Command(
    "READ BINARY",
    0x00,
    0xB0,
    0x80 | EF15_PUBLIC.sfi,
    0,
    le=EF15_PUBLIC.size,
    disclosure=Disclosure.HEADER,
)


def _select(card: CardConnection, selection: WalletSelection) -> bytes:
    # The FCI repeats EF15 and with it the card's number: it is not written down.
    commands = [select_name(selection.aid, Disclosure.COMMAND)]
    commands += [select_file(fid, Disclosure.COMMAND) for fid in selection.identifiers]
    for command in commands[:-1]:
        try:
            return card.call(command)
        except FileNotFound:
            continue
    return card.call(commands[-1])
