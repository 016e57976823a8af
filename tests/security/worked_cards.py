"""Keys and protected commands of the two worked cards (PERS §5.2, §5.3), from a file of vectors."""

from __future__ import annotations

from pathlib import Path

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.security.card_keys import CARD_KEYS
from cardio.security.hsm import HsmKey
from cardio.security.hsm_issuing import LEFT
from cardio.security.issuing import CardKeyReference
from cardio.virtual import roots
from cardio.virtual.issuing_keys import (
    BATCH,
    COMMON_KEYS,
    MASTER_KEYS,
    PURSE_KEYS,
    SSSE_TEMPORARY,
    TRANSPORT,
    WALLET,
    WALLET_KEYS,
)

VECTORS = Path(__file__).parents[1] / "vectors" / "personalization" / "keys.txt"
FACTORS = {
    "A": (bytes.fromhex("8600000000000123"),),
    "B": tuple(map(bytes.fromhex, ("3939303030307368", "3939393930307378", "9999260101000123"))),
}
SUITE = PbocSuite(Algorithm.TRIPLE_DES)


def rows(kind: str) -> list[list[str]]:
    """Rows of one kind without the word that says so, each beginning with the card or the number of its command."""
    lines = (line.split() for line in VECTORS.read_text(encoding="ascii").splitlines())
    return [line[1:] for line in lines if line[0] == kind]


def reference(card: str, name: str) -> CardKeyReference:
    """A key of card A or B by its name in the specification; `card` may be the number of a command."""
    if name in COMMON_KEYS:
        return CardKeyReference(name, SUITE)
    return CardKeyReference(WALLET + name if card[0] == "A" else name, SUITE, FACTORS[card[0]])


def content(card: str, name: str) -> CardKeyReference | bytes:
    """What is written: a key, or the bytes of a PIN."""
    return bytes.fromhex(name[4:]) if name.startswith("PIN:") else reference(card, name)


def _label(name: str) -> str:
    """Label in the tests' token, where other tests keep other keys of the same name."""
    return f"issuer-{name}"


def issuer_places() -> dict[str, HsmKey]:
    """Where the token has the keys of both cards."""
    levels = dict.fromkeys(COMMON_KEYS, 0) | {WALLET + name: 1 for name in WALLET_KEYS}
    levels |= dict.fromkeys((*CARD_KEYS, *PURSE_KEYS, *MASTER_KEYS), 3)
    return {name: HsmKey(_label(name), level) for name, level in levels.items()}


def issuer_keys() -> dict[str, bytes]:
    """Keys of a token that personalizes both cards and cannot be read."""
    halves = {name + LEFT: COMMON_KEYS[name][:8] * 2 for name in (BATCH, SSSE_TEMPORARY)}
    wallet = {WALLET + name: roots.test_root(roots.WALLET_ROOT, name) for name in WALLET_KEYS}
    names = (*CARD_KEYS, *PURSE_KEYS, *MASTER_KEYS)
    social = {name: roots.test_root(roots.SOCIAL_SECURITY_ROOT, name) for name in names}
    keys = {TRANSPORT: COMMON_KEYS[TRANSPORT] * 2, **halves, **wallet, **social}
    return {_label(name): key for name, key in keys.items()}


def readable_keys() -> dict[str, bytes]:
    """Keys that such a token must let out, because cards get them: the batch's."""
    return {_label(name): COMMON_KEYS[name] for name in (BATCH, SSSE_TEMPORARY)}
