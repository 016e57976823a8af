"""Puts virtual cards into readers for the tests of applications."""

from __future__ import annotations

from cardio.apdu.connection import CardConnection
from cardio.applications.authority import Authority, KeyNaming
from cardio.applications.card_files import CardFiles
from cardio.applications.pin import PinPresenter
from cardio.applications.social_security import SocialSecurityApplication
from cardio.applications.wallet import FactorScheme, WalletSelection
from cardio.crypto.ciphers import Algorithm
from cardio.files.declaration import ApplicationDeclaration
from cardio.files.social_security.trees import SSC_2_0
from cardio.files.wallet.applications import WALLET_NAME
from cardio.purse.purse import CounterRule, PurseRules
from cardio.security.authentication import AuthenticationKeys
from cardio.security.card_keys import CARD_KEYS
from cardio.security.keyring import Keyring, RootKey
from cardio.security.keys import Family, SamApplication
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.filesystem import ElementaryFile
from cardio.virtual.pin_pad import VirtualPinPad
from cardio.virtual.received import Status
from cardio.virtual.roots import SOCIAL_SECURITY_ROOT, test_root

LEVELS = 3
SELECTION = WalletSelection(WALLET_NAME, (0x3F01,), FactorScheme.SERIAL, enable_flag=False)
WALLET_RULES = PurseRules(
    Algorithm.TRIPLE_DES,
    CounterRule.AFTER,
    CounterRule.AFTER,
    SamApplication(Family.PBOC, bytes.fromhex("1001"), 0x17, 1),
    max_amount_fen=100000,
    confirmed=True,
)
MEDICAL_RULES = PurseRules(
    Algorithm.TRIPLE_DES,
    CounterRule.AFTER,
    CounterRule.BEFORE,
    SamApplication(Family.LDT, bytes.fromhex("DF01"), 0x1C, 2),
    max_amount_fen=0xFFFFFFFE,
    confirmed=True,
)


NAMING = KeyNaming(SamApplication(Family.LDT, bytes.fromhex("DF01"), 0x1C, 3), CARD_KEYS)


def open_files(
    card: CardConnection,
    environment: SocialSecurityApplication,
    *,
    root: ApplicationDeclaration = SSC_2_0.root,
    pin: str | None = None,
    keys: AuthenticationKeys | None = None,
) -> CardFiles:
    """The files of the selected environment, of version 2.0 unless said otherwise."""
    presenter = PinPresenter(card, pin, caller_pin=False)
    files, _ = environment.open_files(root, NAMING, presenter, keys)
    return files


def authority_of(
    card: CardConnection, environment: SocialSecurityApplication, keys: AuthenticationKeys | None
) -> Authority:
    """The authority over the selected environment."""
    presenter = PinPresenter(card, None, caller_pin=False)
    return environment.open_files(SSC_2_0.root, NAMING, presenter, keys)[1]


def present(card: VirtualCard, pad: VirtualPinPad | None = None) -> CardConnection:
    """A powered card in a reader, with a PIN pad if one is given."""
    return CardConnection(EmbeddedReader("counter", card, pad).connect())


def keyring(*, test: bool = True, wrong: bool = False) -> Keyring:
    """Roots of all keys of social security cards, or others that no card knows."""
    roots = {name: RootKey(bytes(16) if wrong else test_root(SOCIAL_SECURITY_ROOT, name), LEVELS) for name in CARD_KEYS}
    return Keyring("test", roots, test=test)


class NoRuns(ElementaryFile):
    """A file whose card refuses to read "from record n to the last"."""

    def find(self, number: int, mode: int) -> list[bytes]:
        """As any file, but for mode 5."""
        if mode == 5:
            raise Status(0x6A86)
        return super().find(number, mode)


def refuse_runs(card: VirtualCard) -> None:
    """Have the card refuse "from 1 to last" on all its files."""
    for directory in card.master_file.walk():
        directory.files = [NoRuns(file.declaration, file.records) for file in directory.files]
