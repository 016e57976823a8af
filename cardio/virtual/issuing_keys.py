"""All test keys that virtual cards are personalized with, in one keyring (PERS §5.1, §2.7)."""

from __future__ import annotations

from collections.abc import Iterable

from cardio.crypto.globalplatform.keys import KeyType, default_test_keys
from cardio.products.model import Product
from cardio.security.card_keys import CARD_KEYS
from cardio.security.issuing import IssuingKeys, KeyringIssuingKeys
from cardio.security.keyring import MAX_LEVELS, Keyring, RootKey
from cardio.virtual.roots import GLOBALPLATFORM_ROOT, SOCIAL_SECURITY_ROOT, WALLET_ROOT, test_root

TRANSPORT, TRANSPORT_SM4, BATCH, SSSE_TEMPORARY = "TRANSPORT", "TRANSPORT-SM4", "BATCH", "SSSE-TEMPORARY"
PIN_GENERATION = "PIN-GENERATION"
GP_TRANSPORT = "GP-TRANSPORT"
"""Key of blank JavaCards, for ENC, MAC and DEK (PERS §2.4)."""
GLOBALPLATFORM = "GP-"
"""What the names of master keys of JavaCards begin with."""
GLOBALPLATFORM_KEYS = ("ENC", "MAC", "DEK")
WALLET = "WALLET-"
"""What the names of wallet roots begin with, because both standards say DPK."""
WALLET_KEYS = ("CCK", "CLK", "AMK", "DAMK", "DPUK", "DRPK", "DTK", "DPK", "DLK", "DULK", "DUK")
"""Keys of a citizen wallet (PERS §5.2), and those of unloads and overdraft limits (EW §4.8)."""
PURSE_KEYS = ("DPK", "DLK", "DTK")
"""Keys of a medical account (PERS §5.3)."""
MASTER_KEYS = (
    "CCKB",
    "SMK",
    *(f"{one}MK" for one in sorted({key.application for key in CARD_KEYS.values()} - {"SSSE"})),
)
"""Master keys of a social security card: card, environment, directories (PERS §5.3)."""
COMMON_KEYS = {
    TRANSPORT: b"\xff" * 8,
    TRANSPORT_SM4: b"\xff" * 16,
    BATCH: bytes(range(0x40, 0x50)),
    SSSE_TEMPORARY: bytes(range(0x50, 0x60)),
    PIN_GENERATION: test_root(WALLET_ROOT, "PIN-GENERATION"),
}
"""Keys that whole lots of cards share; the transport key is single DES."""


def issuer_test_keyring(*, wallet_levels: int = 1, more: Iterable[str] = ()) -> Keyring:
    """The keyring; no real card is personalized with it.

    Args:
        wallet_levels: Factors from which the wallets' keys are made: 1 as in PERS §5.2, up to 3 for other products.
        more: Names of further social security keys, as cities have them.
    """
    common = {name: RootKey(value, 0) for name, value in COMMON_KEYS.items()}
    wallet = {WALLET + name: RootKey(test_root(WALLET_ROOT, name), wallet_levels) for name in WALLET_KEYS}
    names = {*CARD_KEYS, *PURSE_KEYS, *MASTER_KEYS, *more}
    social = {name: RootKey(test_root(SOCIAL_SECURITY_ROOT, name), MAX_LEVELS) for name in sorted(names)}
    java = {GLOBALPLATFORM + name: RootKey(test_root(GLOBALPLATFORM_ROOT, name), 0) for name in GLOBALPLATFORM_KEYS}
    java[GP_TRANSPORT] = RootKey(default_test_keys(KeyType.TRIPLE_DES).enc, 0)
    return Keyring("virtual-issuer", common | wallet | social | java, test=True)


def issuing_test_keys(product: Product) -> IssuingKeys:
    """Test keys of a product: with the levels of its wallet, and with the keys that its city has."""
    levels = 1 if product.wallet is None else product.wallet.factors.levels
    social = product.social_security
    more = social.naming().card_keys if social else ()
    return KeyringIssuingKeys(issuer_test_keyring(wallet_levels=levels, more=more))
