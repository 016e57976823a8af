"""Test roots of PERS §5.1, and the purse keys of virtual cards that are diversified from them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import CipherSuite, LdtSuite, PbocSuite
from cardio.virtual.purse_keys import PurseKeys

KEY_INDEX = 1
WALLET_ROOT = "A"
SOCIAL_SECURITY_ROOT = "B"
GLOBALPLATFORM_ROOT = "GP"


def test_root(card: str, name: str) -> bytes:
    """A root test key of PERS §5.1 and §2.7.

    Args:
        card: Card family `A` (wallet), `B` (social security) or `GP` (JavaCards).
        name: Key name such as `DPK`.
    """
    return hashlib.sha256(f"cardio test root {card}/{name}".encode("ascii")).digest()[:16]


def social_security_root(name: str) -> bytes:
    """A root test key of social security cards."""
    return test_root(SOCIAL_SECURITY_ROOT, name)


def sm4_offset(suite: CipherSuite) -> int:
    """What is added to index and identifier of a wallet's 3DES key for its SM4 key (EW §4.9)."""
    return 0x40 if suite.algorithm is Algorithm.SM4 else 0


def wallet_keys(suite: PbocSuite, factors: Sequence[bytes]) -> PurseKeys:
    """Keys of a wallet.

    Args:
        suite: Cryptography of the card.
        factors: 8 bytes each, highest authority first, card last.
    """
    index = KEY_INDEX + sm4_offset(suite)
    return PurseKeys(
        purchase={index: _card_key(suite, WALLET_ROOT, "DPK", factors)},
        load={index: _card_key(suite, WALLET_ROOT, "DLK", factors)},
        unload={index: _card_key(suite, WALLET_ROOT, "DULK", factors)},
        overdraft={index: _card_key(suite, WALLET_ROOT, "DUK", factors)},
        tac=_card_key(suite, WALLET_ROOT, "DTK", factors),
        algorithm_id=0x04 if suite.algorithm is Algorithm.SM4 else 0x00,
    )


def account_keys(suite: LdtSuite, factors: Sequence[bytes]) -> PurseKeys:
    """Keys of a medical account.

    Args:
        suite: Cryptography of the card.
        factors: Province, city and card, 8 bytes each.
    """
    return PurseKeys(
        purchase={KEY_INDEX: _card_key(suite, SOCIAL_SECURITY_ROOT, "DPK", factors)},
        load={KEY_INDEX: _card_key(suite, SOCIAL_SECURITY_ROOT, "DLK", factors)},
        tac=_card_key(suite, SOCIAL_SECURITY_ROOT, "DTK", factors),
        algorithm_id=0x03 if suite.algorithm is Algorithm.SM4 else 0x00,
    )


def _card_key(suite: CipherSuite, card: str, name: str, factors: Sequence[bytes]) -> bytes:
    return suite.diversify(test_root(card, name), factors)
