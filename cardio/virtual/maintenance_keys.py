"""The issuer's test keys that maintain virtual cards: their PINs, items, blocks (PERS §5.1)."""

from __future__ import annotations

from cardio.security.card_keys import CARD_KEYS
from cardio.security.keyring import Keyring, RootKey
from cardio.security.maintenance import MaintenanceKey
from cardio.virtual.roots import WALLET_ROOT, social_security_root, test_root

SOCIAL_SECURITY_LEVELS = 3
WALLET_LEVELS = 1
"""Virtual wallets diversify these keys by the card's factor alone."""
_WALLET_PREFIX = "WALLET-"


def maintenance_keyring() -> Keyring:
    """A keyring of test keys that fits every virtual card, whatever its product; no real card meets it."""
    roots = {name: RootKey(social_security_root(name), SOCIAL_SECURITY_LEVELS) for name in CARD_KEYS}
    for key in MaintenanceKey:
        roots[key.value] = RootKey(test_root(WALLET_ROOT, key.value.removeprefix(_WALLET_PREFIX)), WALLET_LEVELS)
    return Keyring("virtual", roots, test=True)
