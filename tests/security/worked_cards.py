"""Keys and protected commands of the two worked cards (PERS §5.2, §5.3), from a file of vectors."""

from __future__ import annotations

from pathlib import Path

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.security.issuing import CardKeyReference
from cardio.virtual.issuing_keys import COMMON_KEYS, WALLET

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
