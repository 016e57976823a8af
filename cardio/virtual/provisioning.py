"""Keys of a social security card and of the PSAMs that serve it, diversified from their roots (SSC §6.2, §6.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cardio.crypto.suites import LdtSuite
from cardio.security.card_keys import CARD_KEYS, Authority, CardKey
from cardio.virtual.ldt_keys import LdtKey
from cardio.virtual.psam_cipher import PsamCipherKey

Root = Callable[[str], bytes]
"""Root key by the name of the card's key: 16 bytes, or 8 for single DES."""


def ldt_card_keys(
    root: Root, suite: LdtSuite, factors: Sequence[bytes], keys: Iterable[CardKey] = tuple(CARD_KEYS.values())
) -> dict[str, list[LdtKey]]:
    """Keys of one card by directory label, for `LdtSecurity`.

    Args:
        root: Root keys.
        suite: Cryptography of the card.
        factors: Province, city and card, 8 bytes each.
        keys: Which keys the card has.
    """
    found: dict[str, list[LdtKey]] = {}
    for key in keys:
        value = suite.diversify(root(key.name), factors)
        found.setdefault(key.application, []).append(LdtKey(key.name, key.kid, (value,)))
    return found


def psam_cipher_keys(
    root: Root, suite: LdtSuite, factors: Sequence[bytes], keys: Iterable[CardKey] = tuple(CARD_KEYS.values())
) -> list[PsamCipherKey]:
    """Keys of a PSAM: national ones as roots, the others as far down as their authority hands them out.

    Args:
        root: Root keys.
        suite: Cryptography of the cards that it serves.
        factors: Province and city of the PSAM, 8 bytes each.
        keys: Which keys it has; those that no source numbers are left out.
    """
    return [
        PsamCipherKey(key.psam_kind, key.psam_id, levels, suite, suite.diversify(root(key.name), factors[: 3 - levels]))
        for key in keys
        if key.psam_id is not None
        for levels in [_levels(key.authority)]
    ]


def _levels(authority: Authority) -> int:
    """The likeliest number of factors."""
    return authority.value[0]
